/*
 * An HTTP server on the loopback interface, in a thread: one connection for each answer of a
 * script, which is sent as it stands, whatever was asked. What was asked is kept.
 */
#ifndef PLIMSOLL_TESTS_SERVERKIT_H
#define PLIMSOLL_TESTS_SERVERKIT_H

#include "base/buffer.h"

#include <pthread.h>

struct server_answer {
    const char *text; /* status line, headers, body; then the connection is closed */
    size_t repeat;    /* what follows "…" in the text is sent so many times */
    const char *more;
};

enum { SERVER_ANSWERS = 32 };

struct server {
    struct server_answer answers[SERVER_ANSWERS];
    size_t count, asked; /* once all are given, connections are closed without a word */
    struct buffer requests[SERVER_ANSWERS + 1];
    char base[64]; /* "http://127.0.0.1:PORT" */
    int listener;
    pthread_t thread;
};

/* Starts it without an answer; they can be added while it runs, before they are asked for. */
void server_start(struct server *server);
/* An answer; the text has to live on. */
void server_add(struct server *server, const char *text);
/* An answer whose text is followed by `more`, `repeat` times. */
void server_add_long(struct server *server, const char *text, const char *more, size_t repeat);
void server_stop(struct server *server);

/* The request with that number, as text; it must have been made. */
const char *server_request(struct server *server, size_t at);

#endif
