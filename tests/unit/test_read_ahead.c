/* A stream that a thread reads ahead of the one that takes its bytes: the same bytes, the same
 * digests, the same errors as without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "archive/stream.h"
#include "base/buffer.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

enum { CONTENT = 3000000 };

struct fixture {
    struct side_thread *reader, *hasher;
    struct buffer content, packed;
    int file, packed_file;
    struct arena arena;
    slice digest, packed_digest;
};

static void pack(struct buffer *out, slice content)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, content.len);
    z.next_in = (unsigned char *)(uintptr_t)content.ptr;
    z.avail_in = (unsigned)content.len;
    z.next_out = (unsigned char *)buffer_reserve(out, room);
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

static int file_of(slice bytes)
{
    int fd = memfd_create("content", 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    return fd;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.reader = side_thread_start(), .hasher = side_thread_start()};
    uint64_t random = 88172645463325252ULL;
    for (size_t i = 0; i < CONTENT; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        buffer_add_byte(&fixture.content, (char)(random & 0x1f));
    }
    pack(&fixture.packed, buffer_slice(&fixture.content));
    fixture.file = file_of(buffer_slice(&fixture.content));
    fixture.packed_file = file_of(buffer_slice(&fixture.packed));
    fixture.digest = digest_of(buffer_slice(&fixture.content), &fixture.arena);
    fixture.packed_digest = digest_of(buffer_slice(&fixture.packed), &fixture.arena);
    *state = &fixture;
    return !fixture.reader || !fixture.hasher;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    buffer_free(&fixture->content);
    buffer_free(&fixture->packed);
    close(fixture->file);
    close(fixture->packed_file);
    arena_free(&fixture->arena);
    return 0;
}

struct writer {
    slice bytes;
    int fd;
    size_t step;
};

static void *write_steps(void *context)
{
    struct writer *writer = context;
    for (slice left = writer->bytes; left.len;) {
        ssize_t count = write(writer->fd, left.ptr, slice_first(left, writer->step).len);
        if (count < 0)
            break;
        left = slice_from(left, (size_t)count);
    }
    close(writer->fd);
    return NULL;
}

/* Takes `step` bytes at a time, having asked for more than that, and compares each. */
static void take_all(struct stream *stream, slice expected, size_t want, size_t step)
{
    slice window;
    for (slice left = expected; left.len;) {
        assert_null(stream_need(stream, want, &window));
        assert_int_equal(window.len, want < left.len ? want : left.len);
        size_t count = step < window.len ? step : window.len;
        assert_memory_equal(window.ptr, left.ptr, window.len);
        stream_take(stream, count);
        left = slice_from(left, count);
    }
    assert_null(stream_need(stream, 1, &window));
    assert_int_equal(window.len, 0);
    assert_true(stream->ended);
}

static const struct {
    size_t want, step;
} manners[] = {{1, 1 << 20}, {STREAM_WINDOW, STREAM_WINDOW}, {STREAM_WINDOW, 4999}, {512, 65000}};

static void test_file(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
        struct stream *stream = stream_from_range(fixture->file, 0, CONTENT);
        slice window;
        assert_null(stream_need(stream, 8, &window));
        stream_hash(stream, fixture->digest, NULL);
        stream_read_ahead(stream, fixture->reader);
        take_all(stream, buffer_slice(&fixture->content), manners[i].want, manners[i].step);
        assert_int_equal(stream->bytes_in, CONTENT);
        slice digest = stream_digest(stream, &fixture->arena);
        assert_true(slice_equal(digest, fixture->digest));
        stream_close(stream);
    }
}

static void test_pipe(void **state)
{
    struct fixture *fixture = *state;
    static const size_t steps[] = {1 << 20, 70000, 511};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int ends[2];
        pthread_t id;
        assert_int_equal(pipe(ends), 0);
        struct writer writer = {buffer_slice(&fixture->content), ends[1], steps[i]};
        assert_int_equal(pthread_create(&id, NULL, write_steps, &writer), 0);
        struct stream *stream = stream_from_pipe(ends[0], 0);
        stream_hash(stream, fixture->digest, NULL);
        stream_read_ahead(stream, fixture->reader);
        take_all(stream, buffer_slice(&fixture->content), 1000, 777);
        assert_true(slice_equal(stream_digest(stream, &fixture->arena), fixture->digest));
        stream_close(stream);
        pthread_join(id, NULL);
        close(ends[0]);
    }
}

static void test_packed(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
        struct stream *below = stream_from_range(fixture->packed_file, 0, fixture->packed.len),
                      *top;
        const char *name;
        assert_null(stream_unpack(&top, below, &name));
        stream_hash(below, fixture->packed_digest, NULL);
        stream_hash(top, fixture->digest, fixture->hasher);
        stream_read_ahead(below, fixture->reader);
        take_all(top, buffer_slice(&fixture->content), manners[i].want, manners[i].step);
        assert_null(stream_drain(below));
        slice digest = stream_digest(top, &fixture->arena);
        slice packed = stream_digest(below, &fixture->arena);
        assert_true(slice_equal(digest, fixture->digest));
        assert_true(slice_equal(packed, fixture->packed_digest));
        stream_close(top);
    }
}

/* A file that ends early is the same error as without a thread, and stays one. */
static void test_cut_file(void **state)
{
    struct fixture *fixture = *state;
    struct stream *stream = stream_from_range(fixture->file, 0, CONTENT + 100);
    stream_read_ahead(stream, fixture->reader);
    CLEANUP_ERROR struct error *error = stream_drain(stream);
    assert_non_null(error);
    assert_non_null(strstr(error->message, "ends 100 bytes before it should"));
    CLEANUP_ERROR struct error *again = stream_drain(stream);
    assert_non_null(again);
    stream_close(stream);
}

/* Closing does not wait for a pipe in which nothing comes, and what is read later is no harm. */
static void test_closed_before_its_end(void **state)
{
    struct fixture *fixture = *state;
    struct side_thread *reader = side_thread_start();
    int ends[2];
    slice window;
    assert_non_null(reader);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    struct stream *stream = stream_from_pipe(ends[0], 0);
    stream_hash(stream, fixture->digest, NULL);
    stream_read_ahead(stream, reader);
    assert_null(stream_need(stream, 4, &window));
    assert_memory_equal(window.ptr, "0123", 4);
    stream_close(stream);
    assert_int_equal(write(ends[1], "0123456789", 10), 10);
    close(ends[1]);
    side_thread_wait(reader, 8);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_cut_file),
        cmocka_unit_test(test_closed_before_its_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
