#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

/* What a worker needs: its pipe, its input, memory, the clock, and an end. */
static const int allowed_calls[] = {
    SCMP_SYS(read),         SCMP_SYS(pread64),   SCMP_SYS(write),         SCMP_SYS(lseek),
    SCMP_SYS(close),        SCMP_SYS(ftruncate), SCMP_SYS(mmap),          SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(mprotect),  SCMP_SYS(madvise),       SCMP_SYS(brk),
    SCMP_SYS(futex),        SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(getrusage),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(exit),      SCMP_SYS(exit_group),    SCMP_SYS(restart_syscall),
};

/* Besides those, to walk a folder; Landlock says which. */
static const int folder_calls[] = {
    SCMP_SYS(openat2), SCMP_SYS(getdents64), SCMP_SYS(readlinkat),
    SCMP_SYS(fstat),   SCMP_SYS(newfstatat), SCMP_SYS(fgetxattr),
};

/* The sanitizers' run-time looks around; only test builds have it. */
static const int sanitizer_calls[] = {
    SCMP_SYS(gettid),          SCMP_SYS(getpid),      SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),    SCMP_SYS(sched_yield), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(readlink),        SCMP_SYS(openat),      SCMP_SYS(open),
    SCMP_SYS(tgkill),          SCMP_SYS(prctl),       SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(fstat),       SCMP_SYS(newfstatat),
};

static int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

struct sandbox_support sandbox_support(void)
{
    static int known;
    static struct sandbox_support support;
    if (!known) {
        support.landlock = landlock_version() > 0;
        /* A filter at address 0 is refused with EFAULT where filters are known at all. */
        support.seccomp = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 && errno == EFAULT;
        known = 1;
    }
    return support;
}

static int compare_handles(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void sandbox_close_all_but(int *keep, size_t count)
{
    unsigned first = 0;
    qsort(keep, count, sizeof(*keep), compare_handles);
    for (size_t i = 0; i <= count; i++) {
        unsigned end = i < count ? (unsigned)keep[i] : ~0U;
        if (i < count && keep[i] < 0)
            continue;
        if (end > first) {
            /* stderr stays: sanitizers and the C library's last words go there. */
            if (first <= STDERR_FILENO && end > STDERR_FILENO) {
                if (first < STDERR_FILENO)
                    close_range(first, STDERR_FILENO - 1, 0);
                first = STDERR_FILENO + 1;
            }
            if (end > first)
                close_range(first, i < count ? end - 1 : ~0U, 0);
        }
        first = end + 1;
    }
}

static struct error *set_limit(int resource, uint64_t value, const char *name)
{
    struct rlimit limit = {value, value};
    if (setrlimit(resource, &limit) == 0)
        return NULL;
    int reason = errno;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur <= value)
        return NULL; /* it is already lower than that */
    errno = reason;
    return error_errno("cannot limit a worker's %s", name);
}

/* Address space in use, from /proc/self/statm: the limit counts what the parent had mapped too. */
static uint64_t address_space(void)
{
    CLEANUP_FILE FILE *file = fopen("/proc/self/statm", "re");
    char line[64] = "";
    uint64_t pages;
    if (!file || !fgets(line, sizeof(line), file))
        return 256 * 1024 * 1024;
    slice first = slice_first(slice_from_text(line), slice_find(slice_from_text(line), ' '));
    return slice_to_u64(first, &pages) ? pages * 4096 : 0;
}

static struct error *enter_limits(const struct sandbox *sandbox)
{
    if (!UNDER_SANITIZER)
        TRY(set_limit(RLIMIT_AS, address_space() + sandbox->memory_bytes, "memory"));
    TRY(set_limit(RLIMIT_CPU, sandbox->cpu_seconds, "CPU time"));
    TRY(set_limit(RLIMIT_FSIZE, sandbox->file_bytes, "file size"));
    TRY(set_limit(RLIMIT_NPROC, 0, "processes"));
    /* No core: it would hold the image's secrets. */
    return set_limit(RLIMIT_CORE, 0, "core size");
}

static struct error *allow_folder(int ruleset, int folder)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = folder,
    };
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        return error_errno("cannot set up Landlock for the folder");
    return NULL;
}

static struct error *enter_landlock(const struct sandbox *sandbox)
{
    int version = landlock_version();
    if (version == 0)
        return NULL;
    /* Every right to files that version 1 of Landlock knows, and those that came later. */
    struct landlock_ruleset_attr rules = {.handled_access_fs = (1ULL << 13) - 1};
    if (version >= 2)
        rules.handled_access_fs |= 1ULL << 13; /* REFER */
    if (version >= 3)
        rules.handled_access_fs |= 1ULL << 14; /* TRUNCATE by path */
    CLEANUP_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0)
        return error_errno("cannot set up Landlock");
    if (sandbox->read_folder >= 0)
        TRY(allow_folder(ruleset, sandbox->read_folder));
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return error_errno("cannot enter Landlock");
    return NULL;
}

static bool allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) < 0)
            return false;
    return true;
}

/* What fdopendir asks of a handle. Other commands of fcntl can have the kernel send signals. */
static bool allow_fcntl(scmp_filter_ctx filter)
{
    static const unsigned commands[] = {F_GETFL, F_GETFD, F_SETFD};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct scmp_arg_cmp command = {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = commands[i]};
        if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, &command) < 0)
            return false;
    }
    return true;
}

#define ALLOW(filter, calls) allow((filter), (calls), sizeof(calls) / sizeof((calls)[0]))

static struct error *enter_seccomp(const struct sandbox *sandbox)
{
    if (!sandbox_support().seccomp)
        return NULL;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool made = filter && ALLOW(filter, allowed_calls);
    if (made && sandbox->read_folder >= 0)
        made = ALLOW(filter, folder_calls) && allow_fcntl(filter);
    if (made && UNDER_SANITIZER)
        made = ALLOW(filter, sanitizer_calls);
    /*
     * Some kernels turn off speculation past stores for whoever has a filter, which makes inflating
     * take twice as long. It guards code that shares a process with hostile code (a JIT's sandbox);
     * here the whole process is the cage.
     */
    if (made)
        made = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1) == 0;
    if (made && sandbox->threads)
        made = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    if (!made || seccomp_load(filter) < 0)
        return error_make(ERROR_SYSTEM, "cannot enter the seccomp filter");
    seccomp_release(filter);
    return NULL;
}

struct error *sandbox_enter(const struct sandbox *sandbox)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_errno("cannot give up privileges");
    /* Landlock before seccomp, which takes away the calls that set it up. */
    TRY(enter_limits(sandbox));
    TRY(enter_landlock(sandbox));
    return enter_seccomp(sandbox);
}
