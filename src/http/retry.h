/* How long to wait before another attempt: exponential backoff with jitter, or what the server says
 * (Retry-After), never beyond the deadline. */
#ifndef PLIMSOLL_HTTP_RETRY_H
#define PLIMSOLL_HTTP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
    unsigned most, done;
    int64_t deadline_ms; /* 0: none */
};

struct retry retry_start(unsigned most, int64_t deadline_ms);

/* Waits; false when there is no other attempt to make: too many, or no time for the wait. */
bool retry_wait(struct retry *retry, long server_seconds);

#endif
