#include "base/progress.h"
#include "base/clock.h"
#include "base/text.h"

enum { FIRST_SHOWN_AFTER_MS = 400, REDRAWN_EVERY_MS = 100 };

/* Process-wide options, set once by main. */
static struct {
    bool quiet, verbose, terminal, drawn;
    int64_t started_ms, drawn_ms;
} state;

void progress_setup(bool quiet, bool verbose)
{
    state.quiet = quiet;
    state.verbose = verbose && !quiet;
    state.terminal = isatty(STDERR_FILENO) && !quiet;
    state.started_ms = clock_milliseconds();
}

bool progress_is_verbose(void)
{
    return state.verbose;
}

void progress_show(const char *what, uint64_t done, uint64_t total)
{
    if (!state.terminal)
        return;
    int64_t now = clock_milliseconds();
    if (now - state.started_ms < FIRST_SHOWN_AFTER_MS || now - state.drawn_ms < REDRAWN_EVERY_MS)
        return;
    CLEANUP_ARENA struct arena arena = {0};
    slice safe = text_safe(&arena, slice_from_text(what));
    if (total)
        fprintf(stderr, "\r\033[K%.*s %3d%%", SLICE_ARG(safe), (int)(done * 100.0 / (double)total));
    else
        fprintf(stderr, "\r\033[K%.*s", SLICE_ARG(safe));
    fflush(stderr);
    state.drawn = true;
    state.drawn_ms = now;
}

void progress_clear(void)
{
    if (state.drawn)
        fputs("\r\033[K", stderr);
    state.drawn = false;
}

static void remark_args(const char *format, va_list args)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_ARENA struct arena arena = {0};
    if (vasprintf(&text, format, args) < 0)
        memory_exhausted();
    progress_clear();
    slice safe = text_safe(&arena, slice_from_text(text));
    fprintf(stderr, "plimsoll: %.*s\n", SLICE_ARG(safe));
}

void remark(const char *format, ...)
{
    if (state.quiet)
        return;
    va_list args;
    va_start(args, format);
    remark_args(format, args);
    va_end(args);
}

void remark_detail(const char *format, ...)
{
    if (!state.verbose)
        return;
    va_list args;
    va_start(args, format);
    remark_args(format, args);
    va_end(args);
}
