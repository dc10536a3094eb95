/*
 * Instructions that looking for secrets takes, text by text: what a bound can be held against,
 * since the same text takes the same number whatever else the machine does.
 *
 *     secret_cost TEXTS DATABASE [CONFIG]
 *
 * TEXTS holds texts, each behind a line "NAME LENGTH PATH", of the file that it would be of;
 * DATABASE is the built secrets.hs; CONFIG a file of rules in place of it. A line "NAME LENGTH
 * INSTRUCTIONS" is written for each. Counts by the processor's own counters; where there are none,
 * run it under `valgrind --tool=callgrind`: then each text is dumped under its name (--dump-line=no
 * keeps the dumps small), and the number is 0. Exit code 77: there is no counter, and this is not
 * callgrind.
 */
#include "base/file.h"
#include "base/limits.h"
#include "secret/rule_set.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

static int open_counter(void)
{
    struct perf_event_attr what = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(what),
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .disabled = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);
}

static void ignore_hit(void *context, const struct secret_hit *hit)
{
    (void)context, (void)hit;
}

static uint64_t count(struct secret_scanner *scanner, slice path, slice text, const char *name,
                      int counter)
{
    uint64_t number = 0;
    if (counter >= 0) {
        ioctl(counter, PERF_EVENT_IOC_RESET, 0);
        ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
    }
    CALLGRIND_ZERO_STATS;
    secret_scan(scanner, SECRET_TEXT, path, text, ignore_hit, NULL);
    CALLGRIND_DUMP_STATS_AT(name);
    if (counter >= 0) {
        ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
        if (read(counter, &number, sizeof(number)) != sizeof(number))
            return 0;
    }
    return number;
}

/* Expressions are compiled when they are first needed, which is no cost of a text: each rule's
 * examples need its own. A user's rules have none: there the text itself does. */
static struct error *compile_all(const struct secret_rules *set)
{
    CLEANUP_BUFFER struct buffer out = {0};
    size_t tried, failed;
    return secret_rules_test(set, &out, &tried, &failed);
}

static void run(struct secret_scanner *scanner, slice texts, int counter, bool own)
{
    slice line, name, rest, length, path;
    uint64_t bytes;
    while (slice_pull_line(&texts, &line) && slice_split(line, ' ', &name, &rest) &&
           slice_split(rest, ' ', &length, &path) && slice_to_u64(length, &bytes) &&
           bytes <= texts.len) {
        char label[200];
        snprintf(label, sizeof(label), "%.*s", SLICE_ARG(name));
        slice text = slice_first(texts, (size_t)bytes);
        if (own)
            secret_scan(scanner, SECRET_TEXT, path, text, ignore_hit, NULL);
        uint64_t instructions = count(scanner, path, text, label, counter);
        printf("%s %zu %llu\n", label, text.len, (unsigned long long)instructions);
        texts = slice_from(texts, text.len);
    }
}

static struct error *start(int count_of, char **arguments, struct secret_rules *set,
                           struct secret_rule_file *file, struct arena *arena, slice *texts)
{
    struct secret_memory memory = {0};
    TRY(file_read_whole(arena, AT_FDCWD, arguments[1], LIMIT_GIB, texts));
    TRY(file_read_whole(arena, AT_FDCWD, arguments[2], LIMIT_GIB, &memory.built));
    if (count_of > 3) {
        slice config;
        TRY(file_read_whole(arena, AT_FDCWD, arguments[3], LIMIT_GIB, &config));
        TRY(secret_rule_file_read(file, config, arguments[3], arena));
    }
    secret_rules_list(set, count_of > 3 ? file : NULL, arena);
    TRY(secret_rules_open(set, arena, &memory));
    return count_of > 3 ? NULL : compile_all(set);
}

int main(int count_of, char **arguments)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct secret_rule_file file = {0};
    struct secret_rules set;
    slice texts;
    int counter = open_counter();
    if (counter < 0 && !RUNNING_ON_VALGRIND)
        return 77;
    if (count_of < 3)
        return 2;
    CLEANUP_ERROR struct error *error = start(count_of, arguments, &set, &file, &arena, &texts);
    if (error) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    run(set.scanner, texts, counter, count_of > 3);
    secret_rules_close(&set);
    return 0;
}
