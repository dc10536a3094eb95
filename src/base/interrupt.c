#include "base/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { FILES = 64, PATH_BYTES = 4096, EXIT_TIME = 3 };

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static char files[FILES][PATH_BYTES];
static unsigned held;

/* Only what a signal handler may do (signal-safety(7)). */
static void stop(int number)
{
    static const char late[] =
        "plimsoll: the time limit was reached (--timeout); nothing was decided\n";
    static const char clear_line[] = "\r\033[K";
    for (size_t i = 0; i < FILES; i++)
        if (files[i][0])
            unlink(files[i]);
    for (size_t i = FILES; i-- > 0;) /* folders, the innermost first */
        if (files[i][0])
            rmdir(files[i]);
    if (isatty(STDERR_FILENO) && write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
        _exit(EXIT_TIME);
    if (number == SIGALRM && write(STDERR_FILENO, late, sizeof(late) - 1) < 0)
        _exit(EXIT_TIME);
    _exit(number == SIGALRM ? EXIT_TIME : 128 + number);
}

void interrupt_setup(void)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction now, action = {.sa_handler = stop};
        sigfillset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

static void mask(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(how, &set, NULL);
}

void interrupt_hold(void)
{
    if (held++ == 0)
        mask(SIG_BLOCK);
}

void interrupt_release(void)
{
    if (--held == 0)
        mask(SIG_UNBLOCK);
}

void interrupt_remember(const char *path)
{
    size_t length = strlen(path);
    interrupt_hold();
    for (size_t i = 0; i < FILES && length < PATH_BYTES; i++)
        if (!files[i][0]) {
            memcpy(files[i], path, length + 1);
            break;
        }
    interrupt_release();
}

void interrupt_forget(const char *path)
{
    interrupt_hold();
    for (size_t i = 0; i < FILES; i++)
        if (strcmp(files[i], path) == 0)
            files[i][0] = '\0';
    interrupt_release();
}

void interrupt_after(int64_t milliseconds)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}
