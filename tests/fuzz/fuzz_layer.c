/*
 * Two layers, each the tar that half of the input is, walked and put together as an image's.
 *
 * What is in the inventory must have come from a layer that is there, and must not depend on when
 * the inventory is built.
 */
#undef NDEBUG
#include "base/limits.h"
#include "inventory/inventory.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, LAYERS = 2 };

/* Puts the checksums right of all blocks that look like headers: few inputs would get far else. */
static void seal(struct buffer *tar)
{
    for (size_t at = 0; at + BLOCK <= tar->len; at += BLOCK) {
        char *block = tar->bytes + at;
        unsigned sum = 0;
        if (memcmp(block + 257, "ustar", 5) != 0)
            continue;
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < BLOCK; i++)
            sum += (unsigned char)block[i];
        snprintf(block + 148, 7, "%06o", sum);
        block[154] = '\0';
    }
}

static void walk(slice tar, const struct walk_options *options, struct arena *arena,
                 struct layer_outcome *outcome)
{
    struct stream *stream = stream_from_memory(tar);
    bool end_marked;
    CLEANUP_ERROR struct error *error =
        walk_tar(stream, options, arena, &outcome->record, &end_marked);
    assert(!error || (error->message[0] && error->kind != ERROR_USAGE));
    assert(outcome->record.statistics.bytes_unpacked <= tar.len);
    outcome->complete = true;
    stream_close(stream);
}

static void check_component(const struct component *component)
{
    assert(component->layer < LAYERS);
    assert(component->name.len && component->ref.len);
    assert(slice_starts(component->purl, SLICE("pkg:")));
    for (size_t i = 0; i < component->purl.len; i++)
        assert(component->purl.ptr[i] > ' ' && component->purl.ptr[i] < 0x7f);
    const slice *locations = component->locations.items;
    assert(component->locations.count > 0);
    for (size_t i = 1; i < component->locations.count; i++)
        assert(slice_compare(locations[i - 1], locations[i]) < 0);
}

static void check_inventory(const struct inventory *inventory)
{
    struct component **components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++) {
        check_component(components[i]);
        for (size_t j = 0; j < i; j++)
            assert(!slice_equal(components[i]->ref, components[j]->ref));
        if (i)
            assert(component_compare(components[i - 1], components[i]) <= 0);
    }
    const struct inventory_problem *problems = inventory->problems.items;
    for (size_t i = 0; i < inventory->problems.count; i++)
        assert(problems[i].layer < LAYERS && problems[i].message.len);
}

static void build(const slice *tars, const struct walk_options *options, struct arena *arena,
                  struct inventory *inventory)
{
    struct image_layer *layers = arena_array(arena, LAYERS, sizeof(*layers));
    struct image image = {.layers = layers, .layer_count = LAYERS, .root_folder = -1};
    struct layer_outcome *outcomes = arena_array(arena, LAYERS, sizeof(*outcomes));
    for (size_t i = 0; i < LAYERS; i++) {
        layers[i].index = i;
        walk(tars[i], options, arena, &outcomes[i]);
    }
    inventory_build(inventory, arena, &image, outcomes);
    check_inventory(inventory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct inventory first, second;
    buffer_add(&bytes, slice_make(data, size));
    seal(&bytes);
    slice input = buffer_slice(&bytes);
    size_t half = input.len / BLOCK / 2 * BLOCK;
    slice tars[LAYERS] = {slice_first(input, half), slice_from(input, half)};
    build(tars, &(struct walk_options){.spill = -1}, &arena, &first);
    /* As scans do it: once more with what links lead to. */
    struct walk_options options = {
        .redirects = first.redirects.items, .redirect_count = first.redirects.count, .spill = -1};
    build(tars, &options, &arena, &second);
    assert(second.components.count >= first.components.count || first.redirects.count);
    if (first.redirects.count == 0)
        assert(second.components.count == first.components.count);
    return 0;
}
