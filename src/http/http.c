#include "http/http.h"
#include "http/answer.h"
#include "http/curl_library.h"
#include "http/retry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "version_number.h"

#include <errno.h>
#include <time.h>

/* Slower than this for so long counts as broken; what was received is kept, see http_stream. */
enum { STALL_BYTES_PER_SECOND = 512, STALL_SECONDS = 20, CONNECT_SECONDS = 20 };

/* Set by the first client. */
static const struct curl_library *curl;

struct http_client {
    CURL *easy; /* NULL: libcurl could not be loaded */
    struct http_options options;
    uint64_t received;
    struct error *missing; /* why libcurl could not be loaded */
    const char *proxy;     /* HTTP_PROXY, which libcurl knows in lower case only */
};

/* One request on its way through redirects and retries. */
struct transfer {
    struct http_client *client;
    const struct http_request *request;
    struct arena *arena;
    struct http_response *response;
    struct answer answer;
    http_sink *sink;
    void *context;
    bool whole;       /* an answer of any status goes to the sink (http_fetch) */
    uint64_t given;   /* bytes that the sink has had, over all attempts */
    uint64_t skip;    /* of this answer, to come before the bytes that are still wanted */
    bool same_origin; /* not redirected elsewhere: the credential may go along */
    slice url;
    slice etag; /* of the first answer: what is gone on with must be the same thing */
    struct buffer refusal;
    char detail[CURL_ERROR_SIZE];
    struct error *stopped; /* why the transfer was ended from this side */
    unsigned refusals;     /* of connections, in a row or not */
    bool sink_full;
    bool heard_enough; /* of a refusal that does not end */
};

static void stop(struct transfer *transfer, struct error *why)
{
    error_free(transfer->stopped);
    transfer->stopped = why;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    if (answer_header(&transfer->answer, slice_make(bytes, size * count)))
        return size * count;
    stop(transfer, error_make(ERROR_LIMIT, "its headers have more than %llu bytes, the limit",
                              (unsigned long long)LIMIT_HTTP_HEADER_BYTES));
    return 0;
}

/* The first bytes of an answer that is not what was asked for often say why. */
static size_t keep_refusal(struct transfer *transfer, slice bytes)
{
    size_t room = LIMIT_HTTP_REFUSAL_BYTES - transfer->refusal.len;
    buffer_add(&transfer->refusal, slice_first(bytes, room));
    transfer->heard_enough = bytes.len > room;
    return transfer->heard_enough ? 0 : bytes.len;
}

static bool is_wanted(const struct transfer *transfer)
{
    long status = transfer->response->status;
    return transfer->whole ? !(status >= 300 && status < 400 && status != 304)
                           : status == 200 || status == 206;
}

/* Where in what is asked for this answer begins: a server may send all of it for a range. */
static bool place_answer(struct transfer *transfer)
{
    uint64_t wanted = transfer->request->from + transfer->given;
    transfer->skip = 0;
    if (transfer->response->status == 200)
        transfer->skip = wanted;
    else if (transfer->response->status == 206 &&
             (!transfer->answer.has_range || transfer->answer.range_start != wanted)) {
        stop(transfer, error_make(ERROR_INPUT,
                                  "it was asked for the bytes from %llu on, and sends "
                                  "others",
                                  (unsigned long long)wanted));
        return false;
    }
    return true;
}

/* How many bytes are to come; UINT64_MAX where nobody said. */
static uint64_t bytes_wanted(const struct http_request *request)
{
    return request->ranged && request->count ? request->count
           : request->expected               ? request->expected - request->from
                                             : UINT64_MAX;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct http_request *request = transfer->request;
    slice piece = slice_make(bytes, size * count);
    uint64_t limit = bytes_wanted(request);
    transfer->client->received += piece.len;
    if (!is_wanted(transfer))
        return keep_refusal(transfer, piece);
    size_t skipped = transfer->skip < piece.len ? (size_t)transfer->skip : piece.len;
    transfer->skip -= skipped;
    piece = slice_from(piece, skipped);
    bool cut = request->ranged && request->count && transfer->response->status == 200;
    if (piece.len > limit - transfer->given) {
        piece = slice_first(piece, (size_t)(limit - transfer->given));
        if (!cut)
            stop(transfer, error_make(ERROR_INPUT,
                                      "it sends more than the %llu bytes that it "
                                      "should have: it is not what was asked for",
                                      (unsigned long long)limit));
        else
            transfer->sink_full = true;
    }
    transfer->given += piece.len;
    if (piece.len && !transfer->sink(transfer->context, piece))
        transfer->sink_full = true;
    return transfer->stopped || transfer->sink_full ? 0 : size * count;
}

/* Between the headers and the first byte of the body. */
static size_t on_first_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    if (is_wanted(transfer) && !transfer->whole && transfer->skip == UINT64_MAX &&
        !place_answer(transfer))
        return 0;
    if (transfer->skip == UINT64_MAX)
        transfer->skip = 0;
    return on_body(bytes, size, count, context);
}

/* Proxies and authorities as the environment and the options say. The client's certificate is for
 * the host that was asked, as the credential is. */
static void set_route(struct http_client *client, slice url, bool same_origin)
{
    CURL *easy = client->easy;
    const struct http_options *options = &client->options;
    const char *authorities = options->ca_file ? options->ca_file : getenv("SSL_CERT_FILE");
    if (options->unix_socket) {
        curl->easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
        curl->easy_setopt(easy, CURLOPT_PROXY, "");
    } else if (client->proxy && slice_starts(url, SLICE("http:"))) {
        curl->easy_setopt(easy, CURLOPT_PROXY, client->proxy);
    }
    if (authorities && *authorities)
        curl->easy_setopt(easy, CURLOPT_CAINFO, authorities);
    if (options->client_certificate && same_origin)
        curl->easy_setopt(easy, CURLOPT_SSLCERT, options->client_certificate);
    if (options->client_key && same_origin)
        curl->easy_setopt(easy, CURLOPT_SSLKEY, options->client_key);
    if (options->insecure) {
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_times(struct http_client *client, bool stalls)
{
    int64_t left = client->options.deadline_ms - clock_milliseconds();
    curl->easy_setopt(client->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    if (stalls) {
        curl->easy_setopt(client->easy, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_SECOND);
        curl->easy_setopt(client->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    }
    if (client->options.deadline_ms)
        curl->easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, left > 1 ? (long)left : 1L);
}

/* A strong entity-tag (RFC 9110, 8.8.3), which may be sent back as it is. */
static bool is_strong_etag(slice etag)
{
    for (size_t i = 0; i < etag.len; i++)
        if ((unsigned char)etag.ptr[i] <= ' ' || (unsigned char)etag.ptr[i] == 127)
            return false;
    return etag.len > 1 && etag.ptr[0] == '"';
}

static struct curl_slist *headers_of(struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    struct curl_slist *list = NULL;
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        list = curl->slist_append(list, request->headers[i]);
    if (request->authorization && transfer->same_origin)
        list = curl->slist_append(
            list, arena_format(transfer->arena, "Authorization: %s", request->authorization).ptr);
    if (transfer->given && is_strong_etag(transfer->etag))
        list = curl->slist_append(
            list, arena_format(transfer->arena, "If-Range: %.*s", SLICE_ARG(transfer->etag)).ptr);
    /* curl would wait for "100 Continue" before a body, and say what it accepts by itself. */
    return curl->slist_append(list, "Expect:");
}

static void set_range(struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    uint64_t from = request->from + transfer->given;
    if (!request->ranged && transfer->given == 0)
        return;
    slice range = request->ranged && request->count
                      ? arena_format(transfer->arena, "%llu-%llu", (unsigned long long)from,
                                     (unsigned long long)(request->from + request->count - 1))
                      : arena_format(transfer->arena, "%llu-", (unsigned long long)from);
    curl->easy_setopt(transfer->client->easy, CURLOPT_RANGE, range.ptr);
}

static void set_up(struct transfer *transfer, struct curl_slist *headers)
{
    CURL *easy = transfer->client->easy;
    const struct http_request *request = transfer->request;
    curl->easy_reset(easy); /* connections stay open */
    curl->easy_setopt(easy, CURLOPT_URL, transfer->url.ptr);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "plimsoll/" PLIMSOLL_VERSION);
    curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION,
                      transfer->client->options.http2_only
                          ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                          : (long)CURL_HTTP_VERSION_1_1);
    /* libcurl 7.88 cannot use a connection of prior knowledge twice. */
    curl->easy_setopt(easy, CURLOPT_FORBID_REUSE, (long)transfer->client->options.http2_only);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_first_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (request->body.len) {
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.ptr);
    }
    if (request->method)
        curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    set_route(transfer->client, transfer->url, transfer->same_origin);
    set_times(transfer->client, request->method == NULL);
    set_range(transfer);
}

/* One attempt, one hop. */
static CURLcode perform(struct transfer *transfer)
{
    struct curl_slist *headers = headers_of(transfer);
    transfer->answer = (struct answer){.response = transfer->response, .arena = transfer->arena};
    *transfer->response = (struct http_response){.length = UINT64_MAX};
    transfer->skip = UINT64_MAX; /* not known before the headers are */
    transfer->refusal.len = 0;
    transfer->heard_enough = false;
    transfer->detail[0] = '\0';
    set_up(transfer, headers);
    CURLcode code = curl->easy_perform(transfer->client->easy);
    transfer->response->elsewhere = !transfer->same_origin;
    transfer->response->no_tls = code == CURLE_SSL_CONNECT_ERROR;
    curl->slist_free_all(headers);
    if (transfer->given && transfer->etag.len == 0)
        transfer->etag = transfer->response->etag;
    return transfer->heard_enough ? CURLE_OK : code;
}

static slice origin_of(slice url)
{
    size_t scheme = slice_find(url, ':') + 3;
    return slice_first(url, scheme + slice_find(slice_from(url, scheme), '/'));
}

slice http_url_shown(slice url, struct arena *arena)
{
    enum { LONGEST_SHOWN = 300 };
    url = slice_first(url, slice_find(url, '?'));
    url = slice_first(url, slice_find(url, '#'));
    size_t colon = slice_find(url, ':');
    bool has_scheme =
        colon <= strlen("https") && slice_starts(slice_from(url, colon), SLICE("://"));
    slice front = slice_first(url, has_scheme ? colon + strlen("://") : 0);
    slice rest = slice_from(url, front.len);
    slice host = slice_first(rest, slice_find(rest, '/'));
    size_t at = slice_find_last(host, '@');
    if (at < host.len)
        rest = slice_from(rest, at + 1);
    return arena_format(arena, "%.*s%.*s%s", SLICE_ARG(front),
                        SLICE_ARG(slice_first(rest, LONGEST_SHOWN)),
                        rest.len > LONGEST_SHOWN ? "…" : "");
}

/* Follows a redirect; an error when it leads where nothing should go. */
static struct error *follow(struct transfer *transfer, unsigned hops)
{
    char *target = NULL;
    curl->easy_getinfo(transfer->client->easy, CURLINFO_REDIRECT_URL, &target);
    if (!target)
        return error_make(ERROR_INPUT, "it answers with status %ld, and does not say where to go",
                          transfer->response->status);
    slice next = slice_from_text(target);
    if (hops >= LIMIT_HTTP_REDIRECTS)
        return error_make(ERROR_LIMIT, "it redirects more than %d times, in a circle perhaps",
                          LIMIT_HTTP_REDIRECTS);
    if (slice_starts(transfer->url, SLICE("https:")) && !slice_starts(next, SLICE("https:")))
        return error_make(ERROR_INPUT, "it redirects from https to %.*s, which is not secure",
                          SLICE_ARG(http_url_shown(next, transfer->arena)));
    if (transfer->request->body.len && !slice_equal(origin_of(transfer->url), origin_of(next)))
        return error_make(ERROR_INPUT, "it redirects a request with credentials to another host");
    transfer->same_origin &= slice_equal(origin_of(transfer->url), origin_of(next));
    transfer->url = arena_copy(transfer->arena, next);
    return NULL;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Why no answer came, in words. */
static struct error *describe(const struct transfer *transfer, CURLcode code)
{
    const struct http_options *options = &transfer->client->options;
    if (options->deadline_ms && clock_milliseconds() >= options->deadline_ms)
        return error_make(ERROR_LIMIT, "the time limit was reached (--timeout)");
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_make(ERROR_SYSTEM, "its name does not resolve");
    case CURLE_COULDNT_RESOLVE_PROXY:
        return error_make(ERROR_SYSTEM, "the proxy's name does not resolve");
    case CURLE_OPERATION_TIMEDOUT:
        return error_make(ERROR_SYSTEM, "it answers too slowly or not at all");
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_make(ERROR_INPUT,
                          "its certificate is not trusted (%s); --ca-cert FILE names the authority "
                          "that signed it",
                          transfer->detail);
    case CURLE_RECV_ERROR:
        /* How a proxy refuses; what it says is the better word. */
        if (strstr(transfer->detail, "proxy") || strstr(transfer->detail, "CONNECT"))
            return error_make(ERROR_SYSTEM, "the proxy does not let it through: %s",
                              transfer->detail);
        __attribute__((fallthrough));
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return error_make(ERROR_SYSTEM, "the connection broke after %llu bytes",
                          (unsigned long long)transfer->given);
    default:
        return error_make(ERROR_SYSTEM, "%s",
                          *transfer->detail ? transfer->detail : curl->easy_strerror(code));
    }
}

static bool is_complete(const struct transfer *transfer)
{
    uint64_t want = bytes_wanted(transfer->request);
    return transfer->whole || want == UINT64_MAX || transfer->given >= want;
}

/* All that was asked for has come, however the connection ended: there is no more to ask for. */
static bool has_all(const struct transfer *transfer)
{
    return !transfer->whole && transfer->given &&
           transfer->given >= bytes_wanted(transfer->request);
}

/* Whether a failure may pass by itself. */
static bool may_pass(CURLcode code, long status)
{
    if (code == CURLE_OK)
        return status == 408 || status == 429 || (status >= 500 && status != 501);
    return code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE &&
           code != CURLE_SSL_CERTPROBLEM && code != CURLE_COULDNT_RESOLVE_HOST &&
           code != CURLE_UNSUPPORTED_PROTOCOL && code != CURLE_URL_MALFORMAT;
}

/* Nobody is there: that seldom passes, and a name may be looked for in many places. */
enum { MOST_REFUSALS = 2 };

enum outcome { DONE, AGAIN, FAILED };

/* One attempt with its redirects. */
static enum outcome attempt(struct transfer *transfer, struct error **error)
{
    transfer->url = slice_from_text(transfer->request->url);
    transfer->same_origin = true;
    CURLcode code;
    for (unsigned hops = 0;; hops++) {
        code = perform(transfer);
        if (transfer->stopped) {
            *error = transfer->stopped;
            transfer->stopped = NULL;
            return FAILED;
        }
        if (code != CURLE_OK || !is_redirect(transfer->response->status))
            break;
        if ((*error = follow(transfer, hops)))
            return FAILED;
    }
    long status = transfer->response->status;
    bool wanted = status == 200 || status == 206;
    if (transfer->sink_full || has_all(transfer) ||
        (wanted && code == CURLE_OK && is_complete(transfer)))
        return DONE;
    if (code == CURLE_OK && !wanted && !may_pass(code, status))
        return DONE;
    if (code == CURLE_COULDNT_CONNECT && transfer->refusals++ >= MOST_REFUSALS) {
        *error = describe(transfer, code);
        return FAILED;
    }
    *error = code == CURLE_OK && wanted
                 ? error_make(ERROR_INPUT, "it ends after %llu bytes, before it should",
                              (unsigned long long)transfer->given)
             : code == CURLE_OK ? NULL
                                : describe(transfer, code);
    return may_pass(code, status) || (code == CURLE_OK && wanted) ? AGAIN : FAILED;
}

static long retry_after(const struct transfer *transfer)
{
    curl_off_t seconds = 0;
    if (transfer->response->status != 429 && transfer->response->status != 503)
        return 0;
    curl->easy_getinfo(transfer->client->easy, CURLINFO_RETRY_AFTER, &seconds);
    return seconds > 86400 ? 86400 : (long)seconds;
}

static struct error *run(struct transfer *transfer)
{
    struct retry retry =
        retry_start(transfer->client->options.retries, transfer->client->options.deadline_ms);
    for (;;) {
        struct error *error = NULL;
        uint64_t before = transfer->given;
        enum outcome outcome = attempt(transfer, &error);
        transfer->response->refusal = arena_copy(transfer->arena, buffer_slice(&transfer->refusal));
        if (outcome == DONE)
            return NULL;
        /* What was received is kept; a transfer that gets on may break more often. */
        if (transfer->given - before >= LIMIT_HTTP_PROGRESS_BYTES)
            retry.done = 0;
        if (outcome == FAILED || !retry_wait(&retry, retry_after(transfer)))
            return error;
        if (transfer->whole)
            transfer->sink(transfer->context, SLICE_EMPTY); /* begins anew */
        error_free(error);
        if (transfer->whole)
            transfer->given = 0;
    }
}

static struct error *run_request(struct transfer *transfer)
{
    const struct error *missing = transfer->client->missing;
    if (missing)
        return error_make(missing->kind, "%s", missing->message);
    struct error *error = run(transfer);
    buffer_free(&transfer->refusal);
    slice shown = http_url_shown(slice_from_text(transfer->request->url), transfer->arena);
    return error_wrap(error, "%.*s", SLICE_ARG(shown));
}

struct gathered {
    struct buffer bytes;
    uint64_t limit;
    bool too_large;
};

static bool gather(void *context, slice bytes)
{
    struct gathered *gathered = context;
    if (bytes.len == 0) {
        gathered->bytes.len = 0;
        return true;
    }
    gathered->too_large = gathered->bytes.len + bytes.len > gathered->limit;
    if (!gathered->too_large)
        buffer_add(&gathered->bytes, bytes);
    return !gathered->too_large;
}

struct error *http_fetch(struct http_client *client, const struct http_request *request,
                         uint64_t limit, struct arena *arena, struct http_response *response,
                         slice *body)
{
    struct gathered gathered = {.limit = limit};
    struct transfer transfer = {.client = client,
                                .request = request,
                                .arena = arena,
                                .response = response,
                                .sink = gather,
                                .context = &gathered,
                                .whole = true};
    struct error *error = run_request(&transfer);
    if (!error && gathered.too_large)
        error = error_make(ERROR_LIMIT, "%.*s sends more than %llu bytes, the limit",
                           SLICE_ARG(http_url_shown(slice_from_text(request->url), arena)),
                           (unsigned long long)limit);
    *body = arena_copy(arena, buffer_slice(&gathered.bytes));
    buffer_free(&gathered.bytes);
    return error;
}

struct error *http_stream(struct http_client *client, const struct http_request *request,
                          http_sink *sink, void *context, struct arena *arena,
                          struct http_response *response)
{
    struct transfer transfer = {.client = client,
                                .request = request,
                                .arena = arena,
                                .response = response,
                                .sink = sink,
                                .context = context};
    return run_request(&transfer);
}

bool http_sink_to_file(void *context, slice bytes)
{
    const int *file = context;
    CLEANUP_ERROR struct error *error = file_write_all(*file, bytes);
    return error == NULL;
}

struct http_client *http_client_new(const struct http_options *options)
{
    struct http_client *client = memory_alloc(sizeof(*client));
    *client = (struct http_client){.options = *options};
    client->missing = curl_library_load(&curl);
    if (client->missing)
        return client;
    client->easy = curl->easy_init();
    if (!client->easy)
        memory_exhausted();
    const char *proxy = getenv("http_proxy");
    if (!proxy || !*proxy)
        client->proxy = getenv("HTTP_PROXY");
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    if (client->easy)
        curl->easy_cleanup(client->easy);
    error_free(client->missing);
    free(client);
}

uint64_t http_bytes_received(const struct http_client *client)
{
    return client->received;
}
