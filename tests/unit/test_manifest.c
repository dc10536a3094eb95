/* From an index to an image, over blobs in memory: what is large because it is named often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/manifest.h"
#include "source/sources.h"

enum { MOST_BLOBS = 16 };

struct memory_store {
    struct blob_store store;
    struct arena arena;
    slice digests[MOST_BLOBS], blobs[MOST_BLOBS];
    size_t count, reads;
};

static bool find(const struct memory_store *memory, slice digest, slice *text)
{
    for (size_t i = 0; i < memory->count; i++)
        if (slice_equal(memory->digests[i], digest)) {
            *text = memory->blobs[i];
            return true;
        }
    return false;
}

static struct error *has_blob(struct blob_store *store, slice digest, bool *present)
{
    slice text;
    *present = find((struct memory_store *)store, digest, &text);
    return NULL;
}

static struct error *read_blob(struct blob_store *store, slice digest, bool manifest,
                               const char *what, slice *text)
{
    struct memory_store *memory = (struct memory_store *)store;
    (void)manifest;
    memory->reads++;
    return find(memory, digest, text) ? NULL : error_make(ERROR_INPUT, "%s is not there", what);
}

static struct error *find_layer(struct blob_store *store, struct image_layer *layer, uint64_t size)
{
    (void)store;
    layer->remote = true;
    layer->size = size;
    return NULL;
}

static void start(struct memory_store *memory, bool remote)
{
    *memory = (struct memory_store){
        .store = {.has = has_blob, .read = read_blob, .find_layer = find_layer, .remote = remote}};
}

static slice add(struct memory_store *memory, slice text)
{
    assert_true(memory->count < MOST_BLOBS);
    memory->blobs[memory->count] = arena_copy(&memory->arena, text);
    memory->digests[memory->count] = digest_of(text, &memory->arena);
    return memory->digests[memory->count++];
}

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

/* An index that names one digest `count` times, and is at least `size` bytes long. */
static slice add_index(struct memory_store *memory, slice digest, size_t count, const char *type,
                       size_t size)
{
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_text(&text, "{\"schemaVersion\":2,\"manifests\":[");
    for (size_t i = 0; i < count; i++)
        buffer_format(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"%.*s\"}", i ? "," : "", type,
                      SLICE_ARG(digest));
    buffer_text(&text, "]}");
    while (text.len < size)
        buffer_add_byte(&text, ' ');
    return add(memory, buffer_slice(&text));
}

static slice add_image(struct memory_store *memory, const char *architecture, size_t size)
{
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_format(&text, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[]}}",
                  architecture);
    while (text.len < size)
        buffer_add_byte(&text, ' ');
    slice config = add(memory, buffer_slice(&text));
    text.len = 0;
    buffer_format(&text, "{\"layers\":[],\"config\":{\"digest\":\"%.*s\"}}", SLICE_ARG(config));
    return add(memory, buffer_slice(&text));
}

static struct error *open_at(struct memory_store *memory, slice digest)
{
    struct image *image = image_new(&memory->arena, "x");
    struct source_options options = {.verify = true};
    return manifest_open(image, &memory->store, &options, &memory->arena, digest);
}

static void test_one(void **state)
{
    (void)state;
    struct memory_store memory;
    start(&memory, false);
    slice inner = add_index(&memory, add_image(&memory, "amd64", 0), 3, MANIFEST_TYPE, 0);
    CLEANUP_ERROR struct error *error =
        open_at(&memory, add_index(&memory, inner, 2, INDEX_TYPE, 0));
    assert_null(error);
    arena_free(&memory.arena);
}

static void assert_limit(struct error *error, struct memory_store *memory)
{
    assert_non_null(error);
    if (error->kind != ERROR_LIMIT)
        fail_msg("%s", error->message);
    assert_true(memory->reads < 10000);
    assert_true(memory->arena.used < 600 * LIMIT_MIB);
    error_free(error);
    arena_free(&memory->arena);
}

/* Eight indexes, each naming the next a thousand times, and the last nothing. */
static void test_indexes_multiplied(void **state)
{
    (void)state;
    struct memory_store memory;
    start(&memory, false);
    slice digest = add(&memory, SLICE("{\"manifests\":[]}"));
    for (int i = 0; i < 7; i++)
        digest = add_index(&memory, digest, 1000, INDEX_TYPE, 0);
    assert_limit(open_at(&memory, digest), &memory);
}

/* One large index, named again and again. */
static void test_large_index_named_often(void **state)
{
    (void)state;
    struct memory_store memory;
    start(&memory, true);
    slice large = add_index(&memory, SLICE(""), 0, MANIFEST_TYPE, 3 * LIMIT_MIB);
    assert_limit(open_at(&memory, add_index(&memory, large, 4000, INDEX_TYPE, 0)), &memory);
}

/* Two images whose platforms are looked up in large configs, each named again and again. */
static void test_large_config_named_often(void **state)
{
    (void)state;
    struct memory_store memory;
    start(&memory, false);
    slice inner[2];
    for (int i = 0; i < 2; i++)
        inner[i] = add_index(&memory, add_image(&memory, i ? "arm64" : "s390x", 3 * LIMIT_MIB),
                             2000, MANIFEST_TYPE, 0);
    slice both = arena_format(&memory.arena,
                              "{\"manifests\":[{\"mediaType\":\"" INDEX_TYPE
                              "\",\"digest\":\"%.*s\"},{\"mediaType\":\"" INDEX_TYPE
                              "\",\"digest\":\"%.*s\"}]}",
                              SLICE_ARG(inner[0]), SLICE_ARG(inner[1]));
    slice digest = add(&memory, both);
    CLEANUP_ERROR struct error *error = open_at(&memory, digest);
    assert_non_null(error);
    assert_true(memory.reads < 10000);
    arena_free(&memory.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_indexes_multiplied),
        cmocka_unit_test(test_large_index_named_often),
        cmocka_unit_test(test_large_config_named_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
