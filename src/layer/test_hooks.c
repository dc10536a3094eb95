#include "layer/test_hooks.h"

#ifdef PLIMSOLL_TEST_HOOKS

#include "base/memory.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Exit codes that show the test that a call which should have been fatal came back. */
enum { CALL_WORKED = 90, CALL_FAILED = 91 };

static void do_open(int output)
{
    (void)output;
    _exit(open("/etc/passwd", O_RDONLY) >= 0 ? CALL_WORKED : CALL_FAILED);
}

static void do_socket(int output)
{
    (void)output;
    _exit(socket(AF_INET, SOCK_STREAM, 0) >= 0 ? CALL_WORKED : CALL_FAILED);
}

static void do_exec(int output)
{
    (void)output;
    execl("/bin/true", "true", (char *)NULL);
    _exit(CALL_FAILED);
}

static void do_alloc(int output)
{
    (void)output;
    for (;;)
        memset(memory_alloc(1 << 20), 1, 1 << 20);
}

static void do_loop(int output)
{
    (void)output;
    for (volatile unsigned i = 0;; i++)
        ;
}

static void do_garbage(int output)
{
    static const char garbage[] = "plimsoll-record\x01 and then nothing that makes sense";
    _exit(write(output, garbage, sizeof(garbage)) < 0);
}

static void do_half(int output)
{
    _exit(write(output, "plimsoll-rec", 12) < 0);
}

static void do_hang(int output)
{
    static volatile int lock = 1;
    (void)output;
    while (lock)
        syscall(SYS_futex, &lock, FUTEX_WAIT, 1, NULL, NULL, 0);
}

/* Says that it has said all, and stays. */
static void do_shut(int output)
{
    close(output);
    do_hang(output);
}

/* Says something all the time, and never ends. */
static void do_drip(int output)
{
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    static volatile int lock = 1;
    while (write(output, "p", 1) == 1)
        syscall(SYS_futex, &lock, FUTEX_WAIT, 1, &pause, NULL, 0);
    do_hang(output);
}

static const struct {
    const char *name;
    void (*act)(int output); /* in the worker */
    int signal;              /* from the parent, while the worker waits */
} actions[] = {
    {"open", do_open, 0},        {"socket", do_socket, 0},   {"exec", do_exec, 0},
    {"alloc", do_alloc, 0},      {"loop", do_loop, 0},       {"garbage", do_garbage, 0},
    {"half", do_half, 0},        {"hang", do_hang, 0},       {"segv", do_hang, SIGSEGV},
    {"abort", do_hang, SIGABRT}, {"kill", do_hang, SIGKILL}, {"stop", do_hang, SIGSTOP},
    {"bus", do_hang, SIGBUS},    {"term", do_hang, SIGTERM}, {"hup", do_hang, SIGHUP},
    {"int", do_hang, SIGINT},    {"pipe", do_hang, SIGPIPE}, {"xcpu", do_hang, SIGXCPU},
    {"xfsz", do_hang, SIGXFSZ},  {"fpe", do_hang, SIGFPE},   {"ill", do_hang, SIGILL},
    {"usr1", do_hang, SIGUSR1},  {"alrm", do_hang, SIGALRM}, {"sys", do_hang, SIGSYS},
    {"trap", do_hang, SIGTRAP},  {"quit", do_hang, SIGQUIT}, {"shut", do_shut, 0},
    {"drip", do_drip, 0},
};

/* The action that is wished for this layer, or -1. */
static int wished_action(size_t layer)
{
    const char *wish = getenv("PLIMSOLL_TEST_WORKER");
    slice number, action;
    uint64_t index;
    if (!wish || !slice_split(slice_from_text(wish), ':', &number, &action) ||
        !slice_to_u64(number, &index) || index != layer)
        return -1;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (slice_equal(action, slice_from_text(actions[i].name)))
            return (int)i;
    return -1;
}

void test_hook_misbehave(size_t layer, int output)
{
    int action = wished_action(layer);
    if (action >= 0)
        actions[action].act(output);
}

int test_hook_signal(size_t layer)
{
    int action = wished_action(layer);
    return action >= 0 ? actions[action].signal : 0;
}

static uint64_t number_in(const char *variable, uint64_t otherwise)
{
    const char *wish = getenv(variable);
    uint64_t number;
    return wish && slice_to_u64(slice_from_text(wish), &number) ? number : otherwise;
}

uint64_t test_hook_seconds(uint64_t otherwise)
{
    return number_in("PLIMSOLL_TEST_WORKER_SECONDS", otherwise);
}

size_t test_hook_helpers(void)
{
    return (size_t)number_in("PLIMSOLL_TEST_HELPERS", SIZE_MAX);
}

#else
/* ISO C wants something in every file. */
typedef int test_hooks_are_off;
#endif
