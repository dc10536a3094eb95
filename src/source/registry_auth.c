/* Authentication of source/registry_client.h. */
#include "base/buffer.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "source/registry_challenge.h"
#include "source/registry_client.h"

#include <sys/resource.h>

static void add_escaped(struct buffer *out, const char *key, slice value)
{
    buffer_text(out, key);
    buffer_add_percent(out, value, "-._~/");
}

/* More than leave to pull is never asked for, whatever the registry says. */
static slice scope_to_ask(const struct registry_client *client, slice offered)
{
    if (slice_starts(offered, SLICE("repository:")) && slice_ends(offered, SLICE(":pull")) &&
        !slice_contains(offered, SLICE(" ")) && !slice_contains(offered, SLICE(",")))
        return offered;
    return arena_format(client->arena, "repository:%.*s:pull",
                        SLICE_ARG(client->reference.repository));
}

/* A token server is often another host, which the registry names; a secure registry may not name an
 * insecure one. */
static struct error *check_realm(const struct registry_client *client, slice realm)
{
    bool secure = slice_starts(realm, SLICE("https://"));
    if (!secure && !slice_starts(realm, SLICE("http://")))
        return error_make(ERROR_INPUT, "it names no address to get a token from");
    if (!secure && slice_starts(client->base, SLICE("https:")))
        return error_make(ERROR_INPUT, "it wants a token to be fetched over http, which is not "
                                       "secure");
    for (size_t i = 0; i < realm.len; i++)
        if ((unsigned char)realm.ptr[i] <= ' ')
            return error_make(ERROR_INPUT, "the address to get a token from is malformed");
    return NULL;
}

/* It becomes a header: nothing in it may end one. */
static bool is_token(slice token)
{
    for (size_t i = 0; i < token.len; i++)
        if ((unsigned char)token.ptr[i] <= ' ' || (unsigned char)token.ptr[i] >= 127)
            return false;
    return token.len > 0;
}

static struct error *read_token(struct registry_client *client, slice text)
{
    CLEANUP_JSON json_t *json = NULL;
    CLEANUP_ERROR struct error *malformed = json_read(&json, text, "a token");
    slice token = json_get_slice(json, "token", client->arena);
    if (token.len == 0)
        token = json_get_slice(json, "access_token", client->arena);
    /* Not the answer itself: it may hold a token. */
    if (!is_token(token))
        return error_make(ERROR_INPUT, "the token server's answer has no token");
    client->authorization = arena_format(client->arena, "Bearer %.*s", SLICE_ARG(token));
    return NULL;
}

static void build_request(struct registry_client *client,
                          const struct registry_challenge *challenge, struct http_request *request,
                          struct buffer *url, struct buffer *form)
{
    bool exchange = client->credentials.identity_token.len > 0;
    struct buffer *query = exchange ? form : url;
    buffer_add(url, challenge->realm);
    if (!exchange)
        buffer_text(url, slice_contains(challenge->realm, SLICE("?")) ? "&" : "?");
    add_escaped(query, "service=", challenge->service);
    add_escaped(query, "&scope=", scope_to_ask(client, challenge->scope));
    if (exchange) {
        buffer_text(form, "&grant_type=refresh_token&client_id=plimsoll");
        add_escaped(form, "&refresh_token=", client->credentials.identity_token);
        request->body = buffer_slice(form);
    } else if (client->credentials.username.len) {
        request->authorization = credentials_basic(&client->credentials, client->arena).ptr;
    }
    buffer_add_byte(url, '\0');
    request->url = url->bytes;
}

static struct error *fetch_token(struct registry_client *client,
                                 const struct registry_challenge *challenge)
{
    CLEANUP_BUFFER struct buffer url = {0};
    CLEANUP_BUFFER struct buffer form = {0};
    struct http_request request = {0};
    struct http_response response;
    slice body;
    TRY(check_realm(client, challenge->realm));
    build_request(client, challenge, &request, &url, &form);
    TRY(http_fetch(client->http, &request, LIMIT_HTTP_TOKEN_BYTES, client->arena, &response,
                   &body));
    if (response.status == 200)
        return read_token(client, body);
    return error_make(ERROR_INPUT, "%.*s gives no token for it (status %ld)%s",
                      SLICE_ARG(http_url_shown(challenge->realm, client->arena)), response.status,
                      response.status == 401 || response.status == 403
                          ? ": user name or password are wrong, or may not read it"
                          : "");
}

/* From now on there are secrets in memory: none goes to disk, nor into a pipe, for which the kernel
 * takes a limit of 1 as "never" and one of 0 as "always" (core(5), do_coredump). */
static void forbid_core(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
    /* Where it is refused it stays as it was. */
    if (setrlimit(RLIMIT_CORE, &limit) < 0)
        return;
}

static void look_up_credentials(struct registry_client *client)
{
    const struct source_options *options = client->options;
    if (client->credentials_looked_up)
        return;
    client->credentials_looked_up = true;
    forbid_core();
    /* What the command line gives is for the registry of the name, not for a mirror of it. */
    bool given = options->username || options->registry_token;
    if (!given || !slice_equal(client->host, client->reference.registry)) {
        credentials_find(&client->credentials, client->host, client->reference.repository,
                         client->arena);
        return;
    }
    client->credentials = (struct credentials){
        slice_from_text(options->username ? options->username : ""),
        slice_from_text(options->password ? options->password : ""), SLICE_EMPTY,
        slice_from_text(options->registry_token ? options->registry_token : "")};
}

struct error *registry_authenticate(struct registry_client *client, slice challenge)
{
    struct registry_challenge parts = registry_challenge_read(challenge, client->arena);
    slice scheme = parts.scheme;
    look_up_credentials(client);
    if (client->credentials.registry_token.len && client->authorization.len == 0) {
        if (!is_token(client->credentials.registry_token))
            return error_make(ERROR_INPUT,
                              "the token for %.*s holds spaces or line ends: it is none",
                              SLICE_ARG(client->host));
        client->authorization = arena_format(client->arena, "Bearer %.*s",
                                             SLICE_ARG(client->credentials.registry_token));
        return NULL;
    }
    if (slice_equal_nocase(scheme, SLICE("Bearer")))
        return error_wrap(fetch_token(client, &parts), "%.*s asks for a token",
                          SLICE_ARG(client->host));
    if (!slice_equal_nocase(scheme, SLICE("Basic")))
        return error_make(ERROR_INPUT, "%.*s asks for a kind of authentication that is not known",
                          SLICE_ARG(client->host));
    if (client->credentials.username.len == 0)
        return error_make(ERROR_INPUT,
                          "%.*s asks for user name and password: `docker login %.*s`, or "
                          "--username and --password",
                          SLICE_ARG(client->host), SLICE_ARG(client->host));
    client->authorization = credentials_basic(&client->credentials, client->arena);
    return NULL;
}
