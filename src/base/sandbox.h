/*
 * Closing a process in before it looks at the first untrusted byte: Landlock (no files), seccomp
 * (few system calls, no sockets, no exec), resource limits (memory, CPU, file size).
 *
 * Each of them is used where the kernel has it; what is missing is told once, so that the user
 * knows, and the rest is used.
 */
#ifndef PLIMSOLL_BASE_SANDBOX_H
#define PLIMSOLL_BASE_SANDBOX_H

#include "base/error.h"

struct sandbox {
    int read_folder;       /* a folder whose files may be opened for reading, or -1 */
    uint64_t memory_bytes; /* address space beyond what the process has now */
    uint64_t cpu_seconds;
    bool threads;        /* there are other threads already: the filter is theirs, too */
    uint64_t file_bytes; /* largest size of a file it may write to (its spill file) */
};

/* Which of the three the kernel has; looked up once. */
struct sandbox_support {
    bool landlock, seccomp;
};
struct sandbox_support sandbox_support(void);

/*
 * Closes every file handle but those in `keep` (-1 is none) and stderr. Sorts `keep`.
 */
void sandbox_close_all_but(int *keep, size_t count);

/*
 * Closes this process in, for good. On error the process must end: what could be set has been, but
 * not all of it. A kernel that lacks a part is no error.
 */
MUST_CHECK struct error *sandbox_enter(const struct sandbox *sandbox);

#endif
