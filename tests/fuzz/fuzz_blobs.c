/*
 * From a manifest or an index to an image, wherever blobs lie (a registry, a content store).
 *
 * Input: a byte that chooses the options, and the blobs with a NUL byte between them; the first is
 * what the name leads to. In them a digest of "sha256:" and 64 equal digits (0, 1, …) means the
 * blob of that number.
 */
#undef NDEBUG
#include "base/digest.h"
#include "base/limits.h"
#include "source/manifest.h"
#include "source/sources.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOBS = 8, MOST_READS = 20000 };

struct blobs {
    struct blob_store store;
    slice texts[BLOBS];
    size_t count, reads;
};

static bool find(const struct blobs *blobs, slice digest, slice *text)
{
    assert(digest_valid(digest));
    size_t number = (size_t)(digest.ptr[digest.len - 1] - '0');
    if (number >= blobs->count)
        return false;
    *text = blobs->texts[number];
    return true;
}

static struct error *has_blob(struct blob_store *store, slice digest, bool *present)
{
    slice text;
    *present = find((struct blobs *)store, digest, &text);
    return NULL;
}

static struct error *read_blob(struct blob_store *store, slice digest, bool manifest,
                               const char *what, slice *text)
{
    struct blobs *blobs = (struct blobs *)store;
    (void)manifest;
    assert(blobs->reads++ < MOST_READS);
    return find(blobs, digest, text) ? NULL : error_make(ERROR_INPUT, "%s is not there", what);
}

static struct error *find_layer(struct blob_store *store, struct image_layer *layer, uint64_t size)
{
    (void)store;
    assert(size <= INT64_MAX && digest_valid(layer->digest));
    layer->remote = true;
    layer->size = size;
    return NULL;
}

static void check_image(const struct image *image)
{
    assert(image->layer_count <= LIMIT_LAYERS && digest_valid(image->digest));
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct image_layer *layer = &image->layers[i];
        assert(layer->index == i && digest_valid(layer->diff_id));
        assert(layer_is_there(layer) ? digest_valid(layer->digest) : layer->problem.len > 0);
        assert(layer->toc.kind == TOC_NONE || digest_valid(layer->toc.digest));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct blobs blobs = {.store = {.has = has_blob, .read = read_blob, .find_layer = find_layer}};
    unsigned choice = size ? data[0] : 0;
    slice rest = slice_from(slice_make(data, size), 1);
    struct source_options options = {.platform = choice & 1 ? SLICE("linux/arm64") : SLICE_EMPTY,
                                     .select = choice & 2 ? SLICE("app:1") : SLICE_EMPTY};
    blobs.store.remote = choice & 4;
    while (blobs.count < BLOBS && slice_pull(&rest, '\0', &blobs.texts[blobs.count]))
        blobs.count++;
    struct image *image = image_new(&arena, "x");
    slice first = SLICE("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    CLEANUP_ERROR struct error *error =
        choice & 8 ? manifest_open_index(image, &blobs.store, &options, &arena, blobs.texts[0])
                   : manifest_open(image, &blobs.store, &options, &arena, first);
    if (error)
        assert(error->message[0] && error->kind != ERROR_USAGE);
    else
        check_image(image);
    return 0;
}
