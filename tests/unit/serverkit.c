#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "serverkit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The head and what Content-Length announces behind it. */
static bool is_whole(const struct buffer *request)
{
    const char *text = request->bytes;
    const char *end = request->len ? strstr(text, "\r\n\r\n") : NULL;
    const char *length = end ? strcasestr(text, "\r\nContent-Length:") : NULL;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return end && request->len >= (size_t)(end + 4 - text) + body;
}

static void read_request(int connection, struct buffer *request)
{
    ssize_t got;
    do {
        char *room = buffer_reserve(request, 4097);
        got = recv(connection, room, 4096, 0);
        request->len += got > 0 ? (size_t)got : 0;
        request->bytes[request->len] = '\0';
    } while (got > 0 && !is_whole(request));
}

static bool send_text(int connection, const char *text)
{
    size_t length = strlen(text);
    for (size_t sent = 0; sent < length;) {
        ssize_t now = send(connection, text + sent, length - sent, MSG_NOSIGNAL);
        if (now <= 0)
            return false;
        sent += (size_t)now;
    }
    return true;
}

static void *serve(void *context)
{
    struct server *server = context;
    for (;;) {
        int connection = accept(server->listener, NULL, NULL);
        if (connection < 0)
            return NULL;
        size_t at = server->asked < SERVER_ANSWERS ? server->asked : SERVER_ANSWERS;
        server->requests[at].len = 0;
        read_request(connection, &server->requests[at]);
        server->asked++;
        const struct server_answer *answer = at < server->count ? &server->answers[at] : NULL;
        bool heard = answer && send_text(connection, answer->text);
        for (size_t i = 0; heard && i < answer->repeat; i++)
            heard = send_text(connection, answer->more);
        /* So that what was sent arrives: closing with bytes unread would reset the connection. */
        shutdown(connection, SHUT_WR);
        char rest[4096];
        while (recv(connection, rest, sizeof(rest), 0) > 0)
            ;
        close(connection);
    }
}

void server_start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    memset(server, 0, sizeof(*server));
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_return_code(bind(server->listener, (struct sockaddr *)&address, length), 0);
    assert_return_code(listen(server->listener, 16), 0);
    assert_return_code(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
    snprintf(server->base, sizeof(server->base), "http://127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void server_add(struct server *server, const char *text)
{
    server_add_long(server, text, "", 0);
}

void server_add_long(struct server *server, const char *text, const char *more, size_t repeat)
{
    assert_true(server->count < SERVER_ANSWERS);
    server->answers[server->count] = (struct server_answer){text, repeat, more};
    server->count++;
}

void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (size_t i = 0; i <= SERVER_ANSWERS; i++)
        buffer_free(&server->requests[i]);
}

const char *server_request(struct server *server, size_t at)
{
    assert_true(at < server->asked && at < SERVER_ANSWERS);
    return server->requests[at].bytes;
}
