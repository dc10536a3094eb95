/* The clock that deadlines and durations are on: it never jumps (CLOCK_MONOTONIC). */
#ifndef PLIMSOLL_BASE_CLOCK_H
#define PLIMSOLL_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_microseconds(void);
int64_t clock_milliseconds(void);

#endif
