/*
 * An error is a value with a sentence for a person: what was being done, to what, why it failed,
 * what to try. NULL means that all is well.
 *
 * It travels up as a return value and is wrapped on its way, each level saying what it was doing;
 * only `main` prints it and picks the exit code. Who receives an error owns it: hand it on, or
 * error_free it.
 */
#ifndef PLIMSOLL_BASE_ERROR_H
#define PLIMSOLL_BASE_ERROR_H

#include "base/memory.h"

enum error_kind {
    ERROR_USAGE, /* the command line is wrong: exit code 2 */
    ERROR_INPUT, /* what was read is not what it should be: malformed, cut, wrong digest */
    ERROR_LIMIT, /* a named limit (base/limits.h) was passed */
    ERROR_SYSTEM /* the machine refused: file, memory, process */
};

struct error {
    enum error_kind kind;
    char *message;
};

#define MUST_CHECK __attribute__((warn_unused_result))

MUST_CHECK struct error *error_make(enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As error_make of kind ERROR_SYSTEM, with ": " and the text of errno at its end. */
MUST_CHECK struct error *error_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts "what was being done: " before the message; NULL stays NULL. Takes and returns ownership. */
MUST_CHECK struct error *error_wrap(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void error_free(struct error *error);

/* The first of the two that is one; the other is freed. For work that goes on after a failure. */
MUST_CHECK struct error *error_first(struct error *first, struct error *next);

static inline void cleanup_error(struct error **error)
{
    error_free(*error);
}
#define CLEANUP_ERROR __attribute__((unused, cleanup(cleanup_error)))

/* Hands an error on to the caller. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        struct error *try_error = (call);                                                          \
        if (try_error)                                                                             \
            return try_error;                                                                      \
    } while (0)

#endif
