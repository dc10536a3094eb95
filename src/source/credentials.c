#include "source/credentials.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/progress.h"
#include "source/credential_helper.h"

#include <errno.h>
#include <fcntl.h>

/* Docker Hub's own name in these files is the address of its index. */
#define DOCKER_HUB SLICE("docker.io")
#define DOCKER_HUB_FILED SLICE("https://index.docker.io/v1/")

slice credentials_basic(const struct credentials *credentials, struct arena *arena)
{
    slice pair = arena_format(arena, "%.*s:%.*s", SLICE_ARG(credentials->username),
                              SLICE_ARG(credentials->password));
    return arena_format(arena, "Basic %.*s", SLICE_ARG(base64_encode(pair, arena)));
}

static bool is_empty(const struct credentials *credentials)
{
    return credentials->username.len + credentials->password.len + credentials->identity_token.len +
               credentials->registry_token.len ==
           0;
}

/* An entry of "auths". */
static void read_entry(struct credentials *credentials, const json_t *entry, struct arena *arena)
{
    slice pair = base64_decode(json_get_slice(entry, "auth", arena), LIMIT_FIELD_BYTES, arena);
    credentials->username = json_get_slice(entry, "username", arena);
    credentials->password = json_get_slice(entry, "password", arena);
    if (pair.len)
        slice_split(pair, ':', &credentials->username, &credentials->password);
    credentials->identity_token = json_get_slice(entry, "identitytoken", arena);
    credentials->registry_token = json_get_slice(entry, "registrytoken", arena);
}

/* The registry that a key of "auths" names: "https://ghcr.io/v1/" is "ghcr.io". */
static slice key_without_dress(slice key)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < 2; i++)
        if (slice_starts(key, slice_from_text(schemes[i])))
            key = slice_from(key, strlen(schemes[i]));
    static const char *const endings[] = {"/", "/v1", "/v2"};
    for (size_t i = 0; i < 3; i++)
        if (slice_ends(key, slice_from_text(endings[i])))
            key = slice_first(key, key.len - strlen(endings[i]));
    if (slice_equal(key, SLICE("index.docker.io")) ||
        slice_equal(key, SLICE("registry-1.docker.io")))
        return DOCKER_HUB;
    return key;
}

/* How well a key fits: its length where it is the registry or a part of it that holds the
 * repository, 0 where it is not. */
static size_t fit_of(slice key, slice registry, slice repository, struct arena *arena)
{
    key = key_without_dress(key);
    slice whole = arena_format(arena, "%.*s/%.*s/", SLICE_ARG(registry), SLICE_ARG(repository));
    bool fits = slice_starts(whole, key) && whole.len > key.len && whole.ptr[key.len] == '/';
    return fits && key.len >= registry.len ? key.len : 0;
}

static void find_in_auths(struct credentials *credentials, json_t *auths, slice registry,
                          slice repository, struct arena *arena)
{
    const char *key;
    json_t *entry;
    size_t best = 0;
    json_object_foreach(auths, key, entry)
    {
        size_t fit = fit_of(slice_from_text(key), registry, repository, arena);
        if (fit <= best)
            continue;
        struct credentials found = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
        read_entry(&found, entry, arena);
        if (is_empty(&found))
            continue; /* with a credsStore the entries are empty */
        *credentials = found;
        best = fit;
    }
}

static void ask_helper(struct credentials *credentials, slice helper, slice registry,
                       struct arena *arena)
{
    slice server = slice_equal(registry, DOCKER_HUB) ? DOCKER_HUB_FILED : registry;
    slice answer;
    CLEANUP_JSON json_t *json = NULL;
    CLEANUP_ERROR struct error *error = credential_helper_get(helper, server, arena, &answer);
    if (!error && answer.len == 0)
        return;
    if (!error)
        error = json_read(&json, answer, "its answer");
    if (error) {
        /* Not the answer itself: it may hold the secret. */
        remark("the credential helper docker-credential-%.*s gives no credentials for %.*s%s%s",
               SLICE_ARG(helper), SLICE_ARG(registry), json ? "" : ": ",
               error->kind == ERROR_SYSTEM ? error->message : "it answers with no JSON");
        return;
    }
    slice name = json_get_slice(json, "Username", arena);
    slice secret = json_get_slice(json, "Secret", arena);
    if (slice_equal(name, SLICE("<token>"))) {
        credentials->identity_token = secret;
        return;
    }
    credentials->username = name;
    credentials->password = secret;
}

static void find_in_file(struct credentials *credentials, const char *path, slice registry,
                         slice repository, struct arena *arena)
{
    slice text;
    CLEANUP_JSON json_t *config = NULL;
    if (access(path, F_OK) < 0)
        return;
    CLEANUP_ERROR struct error *error =
        file_read_whole(arena, AT_FDCWD, path, LIMIT_CONFIG_BYTES, &text);
    if (!error)
        error = json_read_secret(&config, text, path);
    if (error) {
        remark("credentials in %s are not used: %s", path, error->message);
        return;
    }
    slice filed = slice_equal(registry, DOCKER_HUB) ? DOCKER_HUB_FILED : registry;
    const json_t *helpers = json_object_get(config, "credHelpers");
    slice helper = json_get_slice(helpers, arena_text(arena, registry), arena);
    if (helper.len == 0)
        helper = json_get_slice(helpers, arena_text(arena, filed), arena);
    if (helper.len)
        ask_helper(credentials, helper, registry, arena);
    if (is_empty(credentials))
        find_in_auths(credentials, json_object_get(config, "auths"), registry, repository, arena);
    slice all = json_get_slice(config, "credsStore", arena);
    if (is_empty(credentials) && all.len && helper.len == 0)
        ask_helper(credentials, all, registry, arena);
}

void credentials_find(struct credentials *credentials, slice registry, slice repository,
                      struct arena *arena)
{
    const char *home = getenv("HOME"), *runtime = getenv("XDG_RUNTIME_DIR");
    const char *docker = getenv("DOCKER_CONFIG"), *file = getenv("REGISTRY_AUTH_FILE");
    const char *paths[4] = {file && *file ? file : NULL};
    if (docker && *docker)
        paths[1] = arena_format(arena, "%s/config.json", docker).ptr;
    else if (home && *home)
        paths[1] = arena_format(arena, "%s/.docker/config.json", home).ptr;
    if (runtime && *runtime)
        paths[2] = arena_format(arena, "%s/containers/auth.json", runtime).ptr;
    if (home && *home)
        paths[3] = arena_format(arena, "%s/.config/containers/auth.json", home).ptr;
    *credentials = (struct credentials){SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && is_empty(credentials); i++)
        if (paths[i])
            find_in_file(credentials, paths[i], registry, repository, arena);
}
