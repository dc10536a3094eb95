#include "http/retry.h"
#include "http/http.h"
#include "base/clock.h"
#include "base/limits.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

enum { FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 30000 };

struct retry retry_start(unsigned most, int64_t deadline_ms)
{
    return (struct retry){.most = most, .deadline_ms = deadline_ms};
}

static int64_t first_wait(void)
{
#ifdef PLIMSOLL_TEST_HOOKS
    const char *wait = getenv("PLIMSOLL_TEST_BACKOFF_MS");
    if (wait)
        return atoi(wait);
#endif
    return FIRST_WAIT_MS;
}

/* So that many clients that failed together do not come back together. */
static int64_t with_jitter(int64_t wait)
{
    uint16_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        return wait;
    return wait + wait * random / (4 * 65536);
}

bool retry_wait(struct retry *retry, long server_seconds)
{
    if (retry->done >= retry->most || server_seconds > LIMIT_HTTP_WAIT_SECONDS)
        return false;
    int64_t wait = first_wait() << (retry->done < 16 ? retry->done : 16);
    wait = with_jitter(wait > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : wait);
    if (server_seconds > 0)
        wait = (int64_t)server_seconds * 1000;
    if (retry->deadline_ms && clock_milliseconds() + wait >= retry->deadline_ms)
        return false;
    retry->done++;
    poll(NULL, 0, (int)wait);
    return true;
}
