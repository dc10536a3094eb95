/*
 * HTTP(S) as registries, daemons and feeds need it, on libcurl: bounded answers, redirects that
 * never carry a credential to another host, retries with backoff (RFC 9110 Retry-After), broken
 * transfers that go on where they broke (RFC 9110 Range), and a deadline over all.
 *
 * A client belongs to one process: after a fork the child makes its own (http_client_new).
 */
#ifndef PLIMSOLL_HTTP_HTTP_H
#define PLIMSOLL_HTTP_HTTP_H

#include "base/buffer.h"
#include "base/error.h"

/* How to reach servers; the texts are the caller's and live as long as the client. */
struct http_options {
    const char *ca_file;            /* PEM, beside the system's own authorities; or NULL */
    const char *client_certificate; /* PEM, for TLS with client certificates; or NULL */
    const char *client_key;
    const char *unix_socket; /* connect to this socket whatever the URL's host; or NULL */
    bool insecure;           /* do not check certificates */
    int64_t deadline_ms;     /* of clock_milliseconds; 0: none */
    unsigned retries;        /* after a failure that may pass; 0: none */
    bool http2_only;         /* cleartext HTTP/2 with prior knowledge (gRPC) */
};

struct http_client;

/* Never NULL; memory running out ends the process. */
struct http_client *http_client_new(const struct http_options *options);
void http_client_free(struct http_client *client);

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Accept: …", …, NULL at the end; or NULL */
    /* The value of Authorization; sent to the URL's own host, never after a redirect elsewhere. */
    const char *authorization;
    slice body;           /* of a POST */
    uint64_t from, count; /* a range: `count` bytes from `from`; count 0: to the end */
    bool ranged;          /* ask for that range; a server that sends all of it is cut down to it */
    uint64_t expected;    /* bytes that the whole has (a descriptor's size); 0: not known */
};

/* What came back; texts are in the arena handed to the call, empty where the header was not there.
 */
struct http_response {
    long status; /* 200, 401, …; of the last answer after redirects */
    slice content_type, etag, last_modified, authenticate, content_digest;
    slice grpc_status, grpc_message;
    uint64_t length; /* of the body, as announced; UINT64_MAX: not announced */
    bool elsewhere;  /* a redirect has led to another host: what it asks for, it asks for itself */
    bool no_tls;     /* no answer came, since it does not speak TLS */
    slice refusal;   /* of http_stream: what the server says beside a status that is no success */
};

/*
 * The answer, whole, in the arena; longer than `limit` is an error of kind ERROR_LIMIT. A status of
 * 4xx is no error here (the caller knows what it means); 429 and 5xx are tried again, and the last
 * one is given back like any other. No answer at all is an error that says why (name not found,
 * refused, certificate, too slow).
 */
MUST_CHECK struct error *http_fetch(struct http_client *client, const struct http_request *request,
                                    uint64_t limit, struct arena *arena,
                                    struct http_response *response, slice *body);

/* Takes bytes as they come; false stops the transfer. */
typedef bool http_sink(void *context, slice bytes);

/*
 * Streams the body of a 200 (206 for a range) into the sink, each byte once and in order whatever
 * breaks on the way. More than `expected` bytes, or fewer in the end, is an error. Any other final
 * status sends nothing to the sink and is left to the caller in response->status.
 */
MUST_CHECK struct error *http_stream(struct http_client *client, const struct http_request *request,
                                     http_sink *sink, void *context, struct arena *arena,
                                     struct http_response *response);

/* A sink that writes to the file handle (int) at `context`; stops when that takes no more. */
bool http_sink_to_file(void *context, slice bytes);

/* A URL as it may be shown: without user, password and query, which can be credentials. */
slice http_url_shown(slice url, struct arena *arena);

/* Bytes of bodies received so far by this client. */
uint64_t http_bytes_received(const struct http_client *client);

#endif
