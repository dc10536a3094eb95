#include "cli/read_layers.h"
#include "cli/layer_key.h"
#include "base/progress.h"

struct caught_layer {
    slice path;
    struct layer_outcome outcome;
};

/* -- which layers are to be read ------------------------------------------------------------------
 */

static bool same_bytes(const struct image_layer *a, const struct image_layer *b)
{
    if (a->member || b->member)
        return a->member == b->member;
    return a->remote && b->remote && slice_equal(a->digest, b->digest);
}

size_t layer_first_alike(const struct image *image, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_bytes(&image->layers[i], &image->layers[index]) &&
            slice_equal(image->layers[i].diff_id, image->layers[index].diff_id))
            return i;
    return index;
}

/* The same bytes cannot have two diff IDs: such a layer is wrong without a look at it. */
static bool contradicts_earlier(const struct layer_reading *reading, size_t index)
{
    const struct image_layer *layers = reading->image->layers;
    for (size_t i = 0; i < index && !reading->options->no_verify; i++)
        if (layer_is_there(&layers[index]) && same_bytes(&layers[i], &layers[index]) &&
            !slice_equal(layers[i].diff_id, layers[index].diff_id))
            return true;
    return false;
}

/* -- jobs -----------------------------------------------------------------------------------------
 */

static struct error *feed_remote(void *context, size_t index, int output, int requests)
{
    struct image *image = context;
    return image->remote->fetch(image->remote, &image->layers[index], output, requests);
}

static void set_input(struct layer_job *job, const struct image *image,
                      const struct image_layer *layer)
{
    if (layer->member) {
        job->input = layer->member->fd < 0 ? LAYER_INPUT_PIPE : LAYER_INPUT_RANGE;
        job->fd = layer->member->fd;
        job->offset = layer->member->offset;
        job->length = layer->member->size;
    } else if (layer->folder >= 0) {
        job->input = LAYER_INPUT_OVERLAY;
        job->fd = layer->folder;
        job->length = layer->size;
    } else if (layer->remote) {
        job->input = LAYER_INPUT_FED;
        job->feed = (struct feed){feed_remote, (void *)(uintptr_t)image};
        job->length = layer->size;
    } else {
        job->input = image->root_kind == ROOT_FILE ? LAYER_INPUT_FILE : LAYER_INPUT_FOLDER;
        job->fd = image->root_folder;
        job->name = image->name;
        job->plain_folder = image->root_kind == ROOT_FOLDER;
    }
}

bool layer_is_lazy(const struct options *options, const struct image_layer *layer)
{
    bool whole = options->no_lazy || (options->scan_secrets && options->scanners_given);
    return layer->toc.kind != TOC_NONE && !whole;
}

static struct layer_job job_of_layer(const struct layer_reading *reading, size_t index)
{
    const struct image_layer *layer = &reading->image->layers[index];
    struct layer_job job = {
        .index = index,
        .blob_digest = layer->digest,
        .diff_id = layer->diff_id,
        .verify = !reading->options->no_verify,
        .deadline_ms = reading->deadline_ms,
        .redirects = reading->redirects,
        .redirect_count = reading->redirect_count,
        .secrets = secrets_scanner(reading->secrets),
    };
    set_input(&job, reading->image, layer);
    if (job.input == LAYER_INPUT_RANGE || job.input == LAYER_INPUT_FED)
        job.toc = layer->toc;
    if (!layer_is_lazy(reading->options, layer))
        job.toc.kind = TOC_NONE;
    if (job.toc.kind != TOC_NONE)
        job.secrets = NULL;
    return job;
}

static void show_progress(void *context, size_t done, size_t total)
{
    (void)context;
    progress_show("reading layers", done, total);
}

static void run_jobs(struct layer_reading *reading, const size_t *layers, size_t count)
{
    struct layer_job *jobs = arena_array(reading->arena, count + 1, sizeof(*jobs));
    struct layer_outcome *outcomes = arena_array(reading->arena, count + 1, sizeof(*outcomes));
    for (size_t i = 0; i < count; i++)
        jobs[i] = job_of_layer(reading, layers[i]);
    worker_run(jobs, count, reading->arena, outcomes, show_progress, NULL);
    for (size_t i = 0; i < count; i++)
        reading->outcomes[layers[i]] = outcomes[i];
}

/* -- packed archives: layers come by in the archive's order ---------------------------------------
 */

static bool catch_begin(void *context, slice path, uint64_t size)
{
    struct caught_layers *caught = context;
    struct layer_job job = {.index = caught->layers.count,
                            .input = LAYER_INPUT_PIPE,
                            .length = size,
                            .verify = !caught->options->no_verify,
                            .deadline_ms = caught->deadline_ms,
                            .secrets = secrets_scanner(caught->secrets)};
    CLEANUP_ERROR struct error *error = worker_start(&caught->worker, &job);
    if (error)
        return false; /* then it is missed, and replayed */
    struct caught_layer *layer = list_add(&caught->layers, caught->arena, sizeof(*layer));
    layer->path = arena_copy(caught->arena, path);
    progress_show("reading layers", caught->layers.count, 0);
    return true;
}

static void catch_bytes(void *context, slice bytes)
{
    struct caught_layers *caught = context;
    worker_feed(caught->worker, bytes);
}

static void catch_end(void *context)
{
    struct caught_layers *caught = context;
    struct caught_layer *layers = caught->layers.items;
    worker_finish(caught->worker, caught->arena, &layers[caught->layers.count - 1].outcome);
}

struct bundle_visitor catch_layers(struct caught_layers *caught)
{
    return (struct bundle_visitor){catch_begin, catch_bytes, catch_end, caught};
}

/* Whether the digest that was computed is of the same kind as the one that the image names. */
static bool is_comparable(slice found, slice named)
{
    return found.len == 0 || named.len == 0 || slice_starts(named, SLICE("sha256:"));
}

/* Caught before its digests were known: compared now. False where they were computed by another
 * algorithm than the image's, so that nothing can be said. */
static bool settle_caught(struct layer_reading *reading, size_t index, struct layer_outcome outcome)
{
    const struct image_layer *layer = &reading->image->layers[index];
    const struct record_statistics *found = &outcome.record.statistics;
    struct record *record = &reading->outcomes[index].record;
    reading->outcomes[index] = outcome;
    if (!outcome.complete || reading->options->no_verify)
        return true;
    if (!is_comparable(found->digest, layer->digest) ||
        !is_comparable(found->diff_id, layer->diff_id))
        return false;
    record_add_problem(record, reading->arena,
                       record_check_digest(found->digest, layer->digest, "digest"));
    record_add_problem(
        record, reading->arena,
        record_check_digest(found->diff_id, layer->diff_id, "unpacked digest (diff ID)"));
    return true;
}

/* The last one of a path counts, as when the archive is unpacked. */
static bool take_caught(struct layer_reading *reading, size_t index)
{
    const struct caught_layers *caught = reading->caught;
    const struct caught_layer *layers = caught ? caught->layers.items : NULL;
    for (size_t i = caught && reading->redirect_count == 0 ? caught->layers.count : 0; i-- > 0;)
        if (slice_equal(layers[i].path, reading->image->layers[index].member->path))
            return settle_caught(reading, index, layers[i].outcome);
    return false;
}

/* What was not caught when the archive was opened: it is gone through once more. */
struct replay {
    struct layer_reading *reading;
    const size_t *layers;
    size_t count, layer;
    struct worker *worker;
};

static bool replay_begin(void *context, slice path, uint64_t size)
{
    struct replay *replay = context;
    (void)size;
    for (size_t i = 0; i < replay->count; i++) {
        replay->layer = replay->layers[i];
        if (!slice_equal(replay->reading->image->layers[replay->layer].member->path, path))
            continue;
        struct layer_job job = job_of_layer(replay->reading, replay->layer);
        CLEANUP_ERROR struct error *error = worker_start(&replay->worker, &job);
        if (!error)
            return true;
        replay->reading->outcomes[replay->layer].failure =
            arena_copy(replay->reading->arena, slice_from_text(error->message));
        return false;
    }
    return false;
}

static void replay_bytes(void *context, slice bytes)
{
    struct replay *replay = context;
    worker_feed(replay->worker, bytes);
}

static void replay_end(void *context)
{
    struct replay *replay = context;
    worker_finish(replay->worker, replay->reading->arena,
                  &replay->reading->outcomes[replay->layer]);
    progress_show("reading layers", replay->layer + 1, replay->reading->image->layer_count);
}

static void read_packed(struct layer_reading *reading, const size_t *layers, size_t count)
{
    size_t *missed = arena_array(reading->arena, count + 1, sizeof(size_t));
    struct replay replay = {.reading = reading, .layers = missed};
    struct bundle_visitor visitor = {replay_begin, replay_bytes, replay_end, &replay};
    for (size_t i = 0; i < count; i++)
        if (!take_caught(reading, layers[i]))
            missed[replay.count++] = layers[i];
    if (replay.count == 0)
        return;
    for (size_t i = 0; i < replay.count; i++)
        reading->outcomes[missed[i]] =
            (struct layer_outcome){.failure = SLICE("the archive ends before it")};
    CLEANUP_ERROR struct error *error = bundle_replay(reading->image->bundle, &visitor);
    for (size_t i = 0; i < replay.count && error; i++)
        if (!reading->outcomes[missed[i]].complete)
            reading->outcomes[missed[i]].failure =
                arena_copy(reading->arena, slice_from_text(error->message));
}

/* -- the cache ------------------------------------------------------------------------------------
 */

static bool take_cached(const struct layer_reading *reading, struct layer_outcome *outcome,
                        const struct layer_keys *keys)
{
    for (size_t i = 0; reading->cache && i < keys->count; i++) {
        slice bytes;
        struct layer_outcome found = {0};
        if (!layer_cache_get(reading->cache, keys->keys[i], reading->arena, &bytes))
            continue;
        CLEANUP_ERROR struct error *error = record_read(bytes, reading->arena, &found.record);
        found.complete = error == NULL;
        if (error)
            continue;
        /* What was read then was not read now. */
        found.record.statistics.bytes_read = found.record.statistics.entries_read = 0;
        *outcome = found;
        return true;
    }
    return false;
}

/* A key of a place counts when it is the same before and after: what was read is what lay there. */
static bool is_still(const struct layer_keys *keys, const struct layer_keys *before, size_t key)
{
    for (size_t i = 0; i < before->count; i++)
        if (before->kinds[i] == keys->kinds[key] && slice_equal(before->keys[i], keys->keys[key]))
            return true;
    return false;
}

static struct layer_job job_of_config(const struct layer_reading *reading)
{
    const struct image *image = reading->image;
    slice *instructions =
        arena_array(reading->arena, image->layer_count + 1, sizeof(*instructions));
    for (size_t i = 0; i < image->layer_count; i++)
        instructions[i] = image->layers[i].instruction;
    return (struct layer_job){
        .index = image->layer_count,
        .input = LAYER_INPUT_CONFIG,
        .fd = -1,
        .deadline_ms = reading->deadline_ms,
        .secrets = secrets_scanner(reading->secrets),
        .config = image->config,
        .instructions = instructions,
        .instruction_count = image->layer_count,
    };
}

void read_config(struct layer_reading *reading, struct layer_outcome *outcome)
{
    *outcome = (struct layer_outcome){0};
    if (!reading->secrets || reading->image->config.len == 0)
        return;
    struct layer_job job = job_of_config(reading);
    worker_run(&job, 1, reading->arena, outcome, NULL, NULL);
}

static void keep_in_cache(struct layer_reading *reading, size_t index,
                          const struct layer_keys *before)
{
    const struct layer_outcome *outcome = &reading->outcomes[index];
    if (!reading->cache || !outcome->complete || outcome->record.problems.count ||
        outcome->bytes.len == 0)
        return;
    struct layer_keys keys = layer_keys_of(reading, index);
    /* Once, and by its content where that is known: so other images find it, too. */
    for (size_t i = keys.count; i-- > 0;)
        if (layer_key_is_proven(&keys, i, &outcome->record.statistics) &&
            is_still(&keys, before, i)) {
            layer_cache_put(reading->cache, keys.keys[i], outcome->bytes);
            return;
        }
}

/* -- all of them ----------------------------------------------------------------------------------
 */

/* Whether a layer that was read without the newest redirects is the same with them: it has nothing
 * where they lead. What lies below a folder shows in no set. */
static bool stays_the_same(const struct layer_reading *reading, size_t index)
{
    const struct layer_outcome *outcome = &reading->outcomes[index];
    if (reading->known_redirects == SIZE_MAX || !outcome->complete)
        return false;
    for (size_t i = reading->known_redirects; i < reading->redirect_count; i++) {
        const struct redirect *redirect = &reading->redirects[i];
        if (redirect->folder || path_set_has(&outcome->record.files, slice_hash(redirect->from)))
            return false;
    }
    return true;
}

/* The layers that are to be read, in `layers`; the others have their outcome then. */
static size_t sort_out(struct layer_reading *reading, size_t *layers, struct layer_keys *keys)
{
    const struct image *image = reading->image;
    size_t count = 0;
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct image_layer *layer = &image->layers[i];
        if (stays_the_same(reading, i)) {
            reading->outcomes[i].record.statistics.bytes_read = 0; /* this time */
            continue;
        }
        reading->outcomes[i] = (struct layer_outcome){0};
        reading->from_cache[i] = false;
        if (image->root_folder < 0 && !layer_is_there(layer))
            reading->outcomes[i].failure = layer->problem;
        else if (contradicts_earlier(reading, i))
            reading->outcomes[i].failure =
                SLICE("the image names the same bytes for it as for a layer "
                      "below, but another diff ID: one of them is wrong");
        else if (layer_first_alike(image, i) != i)
            continue;
        else {
            keys[i] = layer_keys_of(reading, i);
            reading->from_cache[i] = take_cached(reading, &reading->outcomes[i], &keys[i]);
            if (!reading->from_cache[i])
                layers[count++] = i;
        }
    }
    return count;
}

void read_layers(struct layer_reading *reading)
{
    const struct image *image = reading->image;
    size_t *layers = arena_array(reading->arena, image->layer_count + 1, sizeof(size_t));
    struct layer_keys *keys = arena_array(reading->arena, image->layer_count + 1, sizeof(*keys));
    reading->made_by = layer_makers(reading);
    size_t count = sort_out(reading, layers, keys);
    if (image->bundle && bundle_is_packed(image->bundle))
        read_packed(reading, layers, count);
    else
        run_jobs(reading, layers, count);
    for (size_t i = 0; i < count; i++)
        keep_in_cache(reading, layers[i], &keys[layers[i]]);
    for (size_t i = 0; i < image->layer_count; i++) {
        size_t first = layer_first_alike(image, i);
        if (first == i || reading->outcomes[i].failure.len)
            continue;
        reading->outcomes[i] = reading->outcomes[first];
        reading->from_cache[i] = reading->from_cache[first];
    }
}
