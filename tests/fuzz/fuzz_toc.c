/*
 * A layer with a table of contents: the first byte says of which form, the next two how much of the
 * input is the layer's content; the rest is the table, to which a right digest is made.
 *
 * Whatever the table says, only bytes of the layer are read, each at most once, and what is found
 * does not depend on whether the layer is a file or fetched.
 */
#undef NDEBUG
#include "layer/walk_lazy.h"
#include "../unit/lazykit.h"
#include "base/file.h"
#include "base/limits.h"
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fetcher {
    slice layer;
    int requests, answers;
};

static void *fetch(void *context)
{
    struct fetcher *fetcher = context;
    struct layer_range range;
    bool more = true;
    while (more) {
        CLEANUP_ERROR struct error *error =
            layer_range_next(fetcher->requests, fetcher->layer.len, &range, &more);
        assert(!error); /* the walk never asks for what is not in the layer */
        if (!more)
            break;
        slice answer =
            slice_first(slice_from(fetcher->layer, (size_t)range.offset), (size_t)range.count);
        CLEANUP_ERROR struct error *unread = file_write_all(fetcher->answers, answer);
        if (unread)
            break;
    }
    close(fetcher->answers);
    return NULL;
}

static struct error *walk_fetched(slice layer, const struct layer_toc *where, struct arena *arena,
                                  struct record *record)
{
    int requests[2], answers[2];
    pthread_t thread;
    struct walk_options options = {.spill = -1};
    assert(pipe(requests) == 0 && pipe(answers) == 0);
    struct fetcher fetcher = {layer, requests[0], answers[1]};
    assert(pthread_create(&thread, NULL, fetch, &fetcher) == 0);
    struct layer_bytes bytes = {.fd = answers[0], .requests = requests[1], .length = layer.len};
    struct error *error = walk_lazy(&bytes, where, &options, arena, record);
    close(requests[1]);
    close(answers[0]);
    pthread_join(thread, NULL);
    close(requests[0]);
    return error;
}

static struct error *walk_file(slice layer, const struct layer_toc *where, struct arena *arena,
                               struct record *record)
{
    struct walk_options options = {.spill = -1};
    CLEANUP_CLOSE int fd = memfd_create("layer", MFD_CLOEXEC);
    assert(!file_write_all(fd, layer));
    struct layer_bytes bytes = {.fd = fd, .requests = -1, .length = layer.len};
    return walk_lazy(&bytes, where, &options, arena, record);
}

static slice found_in(const struct record *record, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record found = *record;
    found.statistics.bytes_read = 0;
    record_write(&found, &bytes);
    return arena_copy(arena, buffer_slice(&bytes));
}

static void check(const struct lazykit_layer *layer)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct record record, fetched;
    slice bytes = buffer_slice(&layer->blob);
    CLEANUP_ERROR struct error *error = walk_file(bytes, &layer->where, &arena, &record);
    CLEANUP_ERROR struct error *other = walk_fetched(bytes, &layer->where, &arena, &fetched);
    assert(!error == !other);
    assert(!error || (error->message[0] && error->kind != ERROR_USAGE));
    assert(!error || error->kind != ERROR_SYSTEM);
    assert(!error || strcmp(error->message, other->message) == 0);
    assert(slice_equal(found_in(&record, &arena), found_in(&fetched, &arena)));
    assert(record.statistics.bytes_read <= bytes.len);
    assert(record.statistics.bytes_read <= fetched.statistics.bytes_read);
    assert(record.statistics.bytes_unpacked <= LIMIT_LAYER_BYTES || error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lazykit_layer layer = {0};
    signal(SIGPIPE, SIG_IGN);
    if (size < 3)
        return 0;
    slice input = slice_make(data + 3, size - 3);
    size_t content = (size_t)data[1] << 8 | data[2];
    buffer_add(&layer.blob, slice_first(input, content));
    lazykit_end(&layer, data[0] & 1 ? TOC_ESTARGZ : TOC_ZSTD_CHUNKED, slice_from(input, content));
    if (data[0] & 2) /* what lies behind the table's beginning is not as it should be */
        layer.blob.bytes[layer.table_at + data[0] % layer.table_length] ^= 1;
    check(&layer);
    lazykit_free(&layer);
    return 0;
}
