#include "layer/worker_child.h"
#include "layer/test_hooks.h"
#include "layer/walk_lazy.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/sandbox.h"

#include <sys/resource.h>

/*
 * The walk of a layer that is a stream. Digests are of all bytes, so what follows the tar's end is
 * read too; an uncompressed layer in a file is seeked through instead and then not hashed, unless
 * it ends without the mark that a whole tar has: then it is hashed to know whether it was cut.
 */
struct layer_stream {
    struct stream *below, *top;
    const char *compression;
    struct side_thread *reader, *unpacker, *hasher; /* or NULL */
};

static void start_hashing(struct layer_stream *layer, const struct layer_job *job, bool hash_all)
{
    bool packed = layer->top != layer->below;
    bool comes_by = job->input == LAYER_INPUT_PIPE || job->input == LAYER_INPUT_FED;
    if (!job->verify || job->helper || (!packed && !comes_by && !hash_all))
        return;
    if (packed)
        stream_hash(layer->below, job->blob_digest, NULL);
    stream_hash(layer->top, job->diff_id, packed ? layer->hasher : NULL);
    if (job->blob_digest.len && job->diff_id.len)
        stream_check_by_digests(layer->top);
    else
        stream_check_later(layer->top);
    if (layer->reader)
        stream_read_ahead(layer->below, layer->reader);
    if (packed && layer->unpacker)
        stream_read_ahead(layer->top, layer->unpacker);
}

/* Of a layer that is not compressed both digests are of the same bytes: nothing need be hashed to
 * see that the image names two different ones. */
static struct error *compare_names(const struct layer_stream *layer, const struct layer_job *job)
{
    size_t algorithm = slice_find(job->diff_id, ':') + 1;
    if (layer->top != layer->below || !job->verify || job->diff_id.len == 0 ||
        job->blob_digest.len == 0 || slice_equal(job->diff_id, job->blob_digest) ||
        !slice_equal(slice_first(job->diff_id, algorithm),
                     slice_first(job->blob_digest, algorithm)))
        return NULL;
    return error_make(
        ERROR_INPUT,
        "it is stored under the digest %.*s, but the image's config names %.*s (its diff "
        "ID) in its place: the layers are not those of this image; save it again "
        "(--no-verify reads it all the same)",
        SLICE_ARG(job->blob_digest), SLICE_ARG(job->diff_id));
}

static struct error *open_layer(struct layer_stream *layer, const struct layer_job *job, int input,
                                bool hash_all)
{
    slice first;
    layer->below = job->input == LAYER_INPUT_RANGE
                       ? stream_from_range(input, job->offset, job->length)
                       : stream_from_pipe(input, 0);
    layer->top = layer->below;
    TRY(stream_unpack(&layer->top, layer->below, &layer->compression));
    TRY(compare_names(layer, job));
    start_hashing(layer, job, hash_all);
    TRY(stream_need(layer->top, 1, &first));
    if (first.len)
        return NULL;
    return error_make(ERROR_INPUT,
                      "it is empty: even a layer without files has the mark of a tar's "
                      "end; fetch the image again");
}

static void close_layer(struct layer_stream *layer)
{
    stream_close(layer->top);
}

/* Reads to the end, notes the digests, and compares them with what the image names. */
static struct error *verify_stream(struct layer_stream *layer, const struct layer_job *job,
                                   struct arena *arena, struct record_statistics *statistics)
{
    bool packed = layer->top != layer->below;
    if (layer->top->digest || packed)
        TRY(stream_drain(layer->top));
    if (packed) {
        TRY(stream_check(layer->top));
        TRY(stream_drain(layer->below));
    }
    statistics->diff_id = stream_digest(layer->top, arena);
    statistics->digest = packed ? stream_digest(layer->below, arena) : statistics->diff_id;
    if (packed)
        TRY(record_check_digest(statistics->digest, job->blob_digest, "digest"));
    return record_check_digest(statistics->diff_id,
                               job->diff_id.len ? job->diff_id : job->blob_digest,
                               "unpacked digest (diff ID)");
}

static struct error *walk_layer_stream(const struct layer_job *job,
                                       const struct worker_handles *handles,
                                       const struct walk_options *options, struct arena *arena,
                                       struct record *record)
{
    struct layer_stream layer = {
        .reader = handles->reader, .unpacker = handles->unpacker, .hasher = handles->hasher};
    int input = handles->input;
    bool end_marked = false;
    struct error *error = open_layer(&layer, job, input, false);
    bool seeked = !error && job->verify && !layer.top->digest && job->input == LAYER_INPUT_RANGE &&
                  (job->diff_id.len || job->blob_digest.len);
    if (job->helper) {
        bool packed = layer.top != layer.below; /* that only one can unpack */
        if (!error && !packed)
            error = walk_tar(layer.top, options, arena, record, &end_marked);
        record->statistics.bytes_read = layer.below->bytes_in;
        close_layer(&layer);
        return error;
    }
    if (!error)
        error = walk_tar(layer.top, options, arena, record, &end_marked);
    if (!error)
        error = verify_stream(&layer, job, arena, &record->statistics);
    record->statistics.bytes_read = layer.below->bytes_in;
    record->statistics.compression = slice_from_text(layer.compression);
    record->statistics.digest_skipped = seeked;
    close_layer(&layer);
    if (error || !seeked || end_marked)
        return error;
    struct layer_stream again = {
        .reader = handles->reader, .unpacker = handles->unpacker, .hasher = handles->hasher};
    error = open_layer(&again, job, input, true);
    if (!error)
        error = verify_stream(&again, job, arena, &record->statistics);
    record->statistics.bytes_read += again.below->bytes_in;
    record->statistics.digest_skipped = false;
    /* What was hashed need not be what was walked before: who can write the file could put a
     * record under another layer's diff ID in the cache. */
    record->statistics.digest = record->statistics.diff_id = SLICE_EMPTY;
    close_layer(&again);
    return error;
}

/* By its table of contents: from a file, or from a process that is asked. */
static struct error *walk_by_toc(const struct layer_job *job, const struct worker_handles *handles,
                                 const struct walk_options *options, struct arena *arena,
                                 struct record *record)
{
    struct layer_bytes bytes = {
        .fd = handles->input,
        .requests = handles->requests,
        .offset = job->input == LAYER_INPUT_RANGE ? job->offset : 0,
        .length = job->length,
    };
    return walk_lazy(&bytes, &job->toc, options, arena, record);
}

static struct error *walk_job(const struct layer_job *job, const struct worker_handles *handles,
                              const struct walk_options *options, struct arena *arena,
                              struct record *record)
{
    if (job->input == LAYER_INPUT_CONFIG)
        return walk_config(job->config, job->instructions, job->instruction_count, options, arena,
                           record);
    if (job->input == LAYER_INPUT_FILE)
        return walk_single_file(handles->input, job->name, options, arena, record);
    if (job->input == LAYER_INPUT_FOLDER)
        return walk_folder(handles->input, options, arena, record);
    if (job->input == LAYER_INPUT_OVERLAY)
        return walk_overlay(handles->input, options, arena, record);
    if (job->toc.kind != TOC_NONE)
        return walk_by_toc(job, handles, options, arena, record);
    return walk_layer_stream(job, handles, options, arena, record);
}

static void note_usage(struct record_statistics *statistics)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return;
    statistics->peak_memory = (uint64_t)usage.ru_maxrss * 1024;
    statistics->cpu_microseconds =
        (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
        (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* A worker that hashes what it reads has threads beside it, which the filter must hold as well. */
static void close_in(const struct layer_job *job, struct worker_handles *handles)
{
    int keep[4] = {handles->input, handles->requests, handles->output, handles->spill};
    bool folder = job->input == LAYER_INPUT_FOLDER || job->input == LAYER_INPUT_OVERLAY;
    bool streamed =
        !folder && job->input < LAYER_INPUT_FILE && job->toc.kind == TOC_NONE && !job->helper;
    sandbox_close_all_but(keep, 4);
    if (job->verify && streamed && sandbox_support().seccomp) {
        handles->reader = side_thread_start();
        handles->unpacker = side_thread_start();
        handles->hasher = side_thread_start();
    }
    struct sandbox sandbox = {
        .read_folder = folder ? handles->input : -1,
        .memory_bytes = LIMIT_WORKER_MEMORY,
        .cpu_seconds = test_hook_seconds(LIMIT_WORKER_CPU_SECONDS),
        .file_bytes = LIMIT_ENTRY_BYTES,
        .threads = handles->reader || handles->unpacker || handles->hasher,
    };
    CLEANUP_ERROR struct error *error = sandbox_enter(&sandbox);
    if (error)
        _exit(WORKER_EXIT_SANDBOX);
}

_Noreturn void worker_child(const struct layer_job *job, struct worker_handles *handles)
{
    struct arena arena = {0};
    struct record record = {0};
    struct buffer out = {0};
    memory_exhausted_quietly();
    close_in(job, handles);
    test_hook_misbehave(test_hook_layer(job->index, job->helper), handles->output);
    struct walk_options options = {.redirects = job->redirects,
                                   .redirect_count = job->redirect_count,
                                   .spill = handles->spill,
                                   .secrets = job->secrets,
                                   .plain_folder = job->plain_folder,
                                   .claims = job->claims,
                                   .helper = job->helper};
    record_add_problem(&record, &arena, walk_job(job, handles, &options, &arena, &record));
    if (job->input == LAYER_INPUT_PIPE || job->input == LAYER_INPUT_FED)
        close(handles->input); /* so that whoever writes to it stops before it is asked to read */
    note_usage(&record.statistics);
    record_write(&record, &out);
    CLEANUP_ERROR struct error *error = file_write_all(handles->output, buffer_slice(&out));
    _exit(error ? WORKER_EXIT_PIPE : 0);
}
