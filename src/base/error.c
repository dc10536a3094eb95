#include "base/error.h"

#include <errno.h>

static struct error *error_from_args(enum error_kind kind, const char *format, va_list args)
{
    struct error *error = memory_alloc(sizeof(*error));
    error->kind = kind;
    if (vasprintf(&error->message, format, args) < 0)
        memory_exhausted();
    return error;
}

struct error *error_make(enum error_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct error *error = error_from_args(kind, format, args);
    va_end(args);
    return error;
}

struct error *error_errno(const char *format, ...)
{
    const char *reason = strerror(errno);
    va_list args;
    va_start(args, format);
    struct error *error = error_from_args(ERROR_SYSTEM, format, args);
    va_end(args);
    CLEANUP_FREE char *front = error->message;
    if (asprintf(&error->message, "%s: %s", front, reason) < 0)
        memory_exhausted();
    return error;
}

struct error *error_wrap(struct error *error, const char *format, ...)
{
    if (!error)
        return NULL;
    va_list args;
    va_start(args, format);
    CLEANUP_FREE char *front = NULL;
    if (vasprintf(&front, format, args) < 0)
        memory_exhausted();
    va_end(args);
    CLEANUP_FREE char *back = error->message;
    if (asprintf(&error->message, "%s: %s", front, back) < 0)
        memory_exhausted();
    return error;
}

void error_free(struct error *error)
{
    if (!error)
        return;
    free(error->message);
    free(error);
}

struct error *error_first(struct error *first, struct error *next)
{
    if (!first)
        return next;
    error_free(next);
    return first;
}
