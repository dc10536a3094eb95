/* Workers and the processes that feed them, when one of them does not do its part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tarkit.h"
#include "base/digest.h"
#include "base/file.h"
#include "layer/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A tar with nothing in it. */
static char empty_tar[10240];

static int file_of(slice bytes)
{
    int fd = memfd_create("layer", MFD_CLOEXEC);
    assert_return_code(fd, errno);
    assert_int_equal(pwrite(fd, bytes.ptr, bytes.len, 0), bytes.len);
    return fd;
}

static size_t open_handles(void)
{
    int next = dup(STDERR_FILENO);
    assert_return_code(next, errno);
    close(next);
    return (size_t)next;
}

/* cmocka's handlers, set for each test, would go on with the tests in the worker. */
static void let_signals_kill(void)
{
    static const int numbers[] = {SIGSEGV, SIGSYS, SIGBUS, SIGILL, SIGFPE};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        signal(numbers[i], SIG_DFL);
}

/* Runs the jobs; afterwards no process and no handle is left. (What hangs fails by Meson's
 * time limit: clocks of test machines stand still and jump.) */
static void run(const struct layer_job *jobs, size_t count, struct arena *arena,
                struct layer_outcome *outcomes)
{
    let_signals_kill();
    size_t handles = open_handles();
    worker_run(jobs, count, arena, outcomes, NULL, NULL);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(open_handles(), handles);
}

static void assert_failed(const struct layer_outcome *outcome, const char *part)
{
    assert_false(outcome->complete);
    if (outcome->failure.len == 0 || !slice_contains(outcome->failure, slice_from_text(part)))
        fail_msg("\"%.*s\"", SLICE_ARG(outcome->failure));
}

/* --- workers --------------------------------------------------------------------------------- */

static void misbehave(const char *how, const char *says, const char *seconds)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_CLOSE int fd = file_of(slice_make(empty_tar, sizeof(empty_tar)));
    struct layer_job jobs[2] = {
        {.index = 0, .input = LAYER_INPUT_RANGE, .fd = fd, .length = sizeof(empty_tar)},
        {.index = 1, .input = LAYER_INPUT_RANGE, .fd = fd, .length = sizeof(empty_tar)}};
    struct layer_outcome outcomes[2];
    setenv("PLIMSOLL_TEST_WORKER", how, 1);
    setenv("PLIMSOLL_TEST_WORKER_SECONDS", seconds, 1);
    run(jobs, 2, &arena, outcomes);
    unsetenv("PLIMSOLL_TEST_WORKER");
    unsetenv("PLIMSOLL_TEST_WORKER_SECONDS");
    assert_failed(&outcomes[0], says);
    assert_true(outcomes[1].complete);
}

/* The time limit holds as well for one that is never silent, and that says it is done. */
static void test_workers(void **state)
{
    (void)state;
    misbehave("0:hang", "time limit", "1");
    misbehave("0:drip", "time limit", "1");
    misbehave("0:shut", "SIGKILL", "60");
    misbehave("0:segv", "SIGSEGV", "60");
    misbehave("0:half", "", "60");
}

static void test_fed_by_hand(void **state)
{
    (void)state;
    let_signals_kill();
    static const char *const ways[] = {"0:hang", "0:drip", "0:shut", "0:segv", "0:half"};
    for (size_t i = 0; i < 5; i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct layer_job job = {.index = 0, .input = LAYER_INPUT_PIPE};
        struct layer_outcome outcome;
        struct worker *worker;
        size_t handles = open_handles();
        setenv("PLIMSOLL_TEST_WORKER", ways[i], 1);
        setenv("PLIMSOLL_TEST_WORKER_SECONDS", "1", 1);
        CLEANUP_ERROR struct error *error = worker_start(&worker, &job);
        unsetenv("PLIMSOLL_TEST_WORKER");
        unsetenv("PLIMSOLL_TEST_WORKER_SECONDS");
        assert_null(error);
        for (int fed = 0; fed < 100; fed++)
            if (!worker_feed(worker, slice_make(empty_tar, sizeof(empty_tar))))
                break;
        worker_finish(worker, &arena, &outcome);
        assert_failed(&outcome, "");
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(open_handles(), handles);
    }
}

/* A tar without its end mark is read a second time for its digest: that says nothing of what was
 * read the first time, by which a record could be kept in the cache. */
static void test_second_look_proves_nothing(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer tar = {0};
    struct layer_outcome outcome;
    tarkit_add_file(&tar, "a", SLICE("b"));
    CLEANUP_CLOSE int fd = file_of(buffer_slice(&tar));
    struct layer_job job = {.input = LAYER_INPUT_RANGE,
                            .fd = fd,
                            .length = tar.len,
                            .verify = true,
                            .diff_id = digest_of(buffer_slice(&tar), &arena)};
    run(&job, 1, &arena, &outcome);
    assert_true(outcome.complete);
    assert_int_equal(outcome.record.problems.count, 0);
    assert_false(outcome.record.statistics.digest_skipped);
    assert_int_equal(outcome.record.statistics.diff_id.len, 0);
    /* but it is looked at: one that was cut has another */
    job.diff_id = digest_of(SLICE("other"), &arena);
    run(&job, 1, &arena, &outcome);
    assert_int_equal(outcome.record.problems.count, 1);
}

/* --- feeders --------------------------------------------------------------------------------- */

static struct error *feed_whole(void *context, size_t index, int output, int requests)
{
    (void)context;
    (void)index;
    (void)requests;
    return file_write_all(output, slice_make(empty_tar, sizeof(empty_tar)));
}

static struct error *feed_without_end(void *context, size_t index, int output, int requests)
{
    /* A file of 8 GiB, and then its bytes. */
    CLEANUP_BUFFER struct buffer tar = {0};
    (void)context;
    (void)index;
    (void)requests;
    char head[512] = "large";
    memcpy(head + 124, "77777777777", 12);
    memcpy(head + 257, "ustar\00000", 8);
    head[156] = '0';
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < sizeof(head); i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    for (slice bytes = slice_make(head, sizeof(head));;
         bytes = slice_make(empty_tar, sizeof(empty_tar))) {
        CLEANUP_ERROR struct error *gone = file_write_all(output, bytes);
        if (gone)
            return NULL;
    }
}

static struct error *feed_nothing_and_stay(void *context, size_t index, int output, int requests)
{
    (void)context;
    (void)index;
    (void)output;
    (void)requests;
    while (pause() < 0)
        ;
    return NULL;
}

static struct error *feed_half_and_fail(void *context, size_t index, int output, int requests)
{
    (void)context;
    (void)index;
    (void)requests;
    CLEANUP_ERROR struct error *ignored = file_write_all(output, slice_make(empty_tar, 100));
    return error_make(ERROR_INPUT, "the moon is full");
}

static struct error *feed_half_and_die(void *context, size_t index, int output, int requests)
{
    (void)context;
    (void)index;
    (void)requests;
    CLEANUP_ERROR struct error *ignored = file_write_all(output, slice_make(empty_tar, 100));
    raise(SIGKILL);
    return NULL;
}

/* The whole layer, and then a word on why it failed, without coming to an end. */
static struct error *feed_words_and_stay(void *context, size_t index, int output, int requests)
{
    (void)context;
    (void)index;
    (void)requests;
    CLEANUP_ERROR struct error *ignored = file_write_all(output, slice_make(empty_tar, 10240));
    close(output);
    for (int fd = 3; fd < 100; fd++)
        if (write(fd, "never mind", 10) > 0)
            break;
    while (pause() < 0)
        ;
    return NULL;
}

/* Each file goes to one; what was taken by that number under another name is looked at twice. */
static void test_claims(void **state)
{
    (void)state;
    struct claims *claims = claims_new();
    assert_non_null(claims);
    assert_true(claims_take(claims, 0, SLICE("a"), false));
    assert_false(claims_take(claims, 0, SLICE("a"), true));
    assert_true(claims_take(claims, 1, SLICE("a"), true));
    assert_false(claims_take(claims, 1, SLICE("a"), false));
    assert_true(claims_take(claims, 1, SLICE("b"), false));
    assert_true(claims_take(claims, (1 << 20) - 1, SLICE(""), true));
    assert_false(claims_take(claims, (1 << 20) - 1, SLICE(""), false));
    for (size_t beyond = 1 << 20; beyond; beyond *= 16) {
        assert_false(claims_take(claims, beyond, SLICE("a"), true));
        assert_true(claims_take(claims, beyond, SLICE("a"), false));
    }
    claims_share(claims, true);
    pid_t other = fork();
    claims_share(claims, false);
    if (other == 0)
        _exit(claims_take(claims, 5, SLICE("c"), true) &&
              !claims_take(claims, 0, SLICE("a"), true));
    int status = 0;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_false(claims_take(claims, 5, SLICE("c"), false));
    claims_free(claims);
    claims_free(NULL);
}

/* By path: also where the table is full, it is one worker that takes a file. */
static void test_claims_by_path(void **state)
{
    (void)state;
    char name[32];
    struct claims *claims = claims_new();
    assert_non_null(claims);
    for (size_t i = 0; i < (1 << 20) + 200000; i++) {
        slice path = slice_make(name, (size_t)sprintf(name, "path/%zu", i));
        bool helper = i % 3 == 0, first = claims_take_path(claims, path, helper);
        assert_true(first || helper);
        assert_int_equal(claims_take_path(claims, path, !helper), !first);
    }
    claims_free(claims);
}

/* Workers of other layers have no hold of it. */
static void test_claims_are_of_one_layer(void **state)
{
    (void)state;
    int status = 0;
    struct claims *claims = claims_new();
    assert_non_null(claims);
    let_signals_kill();
    pid_t other = fork();
    if (other == 0)
        _exit(claims_take(claims, 0, SLICE("a"), true));
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_true(claims_take(claims, 0, SLICE("a"), false));
    claims_free(claims);
}

static void feed(struct error *(*run_feed)(void *, size_t, int, int), const char *worker,
                 struct layer_outcome *outcome, struct arena *arena)
{
    struct layer_job job = {
        .index = 0, .input = LAYER_INPUT_FED, .feed = {run_feed, NULL}, .length = 10240};
    if (worker)
        setenv("PLIMSOLL_TEST_WORKER", worker, 1);
    setenv("PLIMSOLL_TEST_WORKER_SECONDS", "2", 1);
    run(&job, 1, arena, outcome);
    unsetenv("PLIMSOLL_TEST_WORKER");
    unsetenv("PLIMSOLL_TEST_WORKER_SECONDS");
}

static void test_feeders(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct layer_outcome outcome;
    feed(feed_whole, NULL, &outcome, &arena);
    assert_true(outcome.complete);
    assert_int_equal(outcome.record.problems.count, 0);
    feed(feed_nothing_and_stay, NULL, &outcome, &arena);
    assert_failed(&outcome, "time limit");
    feed(feed_half_and_fail, NULL, &outcome, &arena);
    assert_failed(&outcome, "the moon is full");
    feed(feed_half_and_die, NULL, &outcome, &arena);
    assert_failed(&outcome, "ended badly");
    feed(feed_words_and_stay, NULL, &outcome, &arena);
    assert_failed(&outcome, "never mind");
}

/* A worker that dies while its feeder writes: the feeder notices or is ended, and is not blamed. */
static void test_worker_dies_beside_feeder(void **state)
{
    (void)state;
    static const char *const ways[][2] = {
        {"0:segv", "SIGSEGV"}, {"0:kill", "SIGKILL"}, {"0:hang", "time limit"}, {"0:half", ""}};
    for (size_t i = 0; i < 4; i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct layer_outcome outcome;
        feed(feed_without_end, ways[i][0], &outcome, &arena);
        assert_failed(&outcome, ways[i][1]);
        feed(feed_nothing_and_stay, ways[i][0], &outcome, &arena);
        assert_failed(&outcome, ways[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers),        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_claims_by_path), cmocka_unit_test(test_claims_are_of_one_layer),
        cmocka_unit_test(test_fed_by_hand),    cmocka_unit_test(test_second_look_proves_nothing),
        cmocka_unit_test(test_feeders),        cmocka_unit_test(test_worker_dies_beside_feeder),
    };
#ifndef PLIMSOLL_TEST_HOOKS
    return 77; /* skipped */
#endif
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
