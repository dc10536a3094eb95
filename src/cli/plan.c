#include "cli/plan.h"
#include "cli/command.h"
#include "cli/layer_key.h"
#include "base/text.h"

/* How a layer would be read, and how many of its bytes: UINT64_MAX where that is not known before.
 */
struct plan_line {
    const char *how;
    uint64_t bytes;
    const char *and_more; /* what cannot be counted yet */
};

static bool in_cache(const struct layer_reading *reading, size_t index)
{
    struct layer_keys keys = layer_keys_of(reading, index);
    slice bytes;
    for (size_t i = 0; reading->cache && i < keys.count; i++)
        if (layer_cache_get(reading->cache, keys.keys[i], reading->arena, &bytes))
            return true;
    return false;
}

static struct plan_line plan_layer(const struct layer_reading *reading, size_t index)
{
    const struct image_layer *layer = &reading->image->layers[index];
    bool lazy = layer_is_lazy(reading->options, layer);
    if (!layer_is_there(layer))
        return (struct plan_line){"not there", 0, ""};
    if (layer_first_alike(reading->image, index) != index)
        return (struct plan_line){"the same as a layer below", 0, ""};
    if (in_cache(reading, index))
        return (struct plan_line){"in the cache", 0, ""};
    if (layer->folder >= 0)
        return (struct plan_line){"in place, from its folder", 0, "the files that are asked for"};
    if (lazy)
        return (struct plan_line){"by its table of contents", layer->toc.length,
                                  "the chunks that are asked for"};
    if (layer->remote)
        return (struct plan_line){"fetched whole", layer->size, ""};
    return (struct plan_line){"read from the file", layer->size, ""};
}

static void add_line(const struct layer_reading *reading, size_t index, struct buffer *out,
                     uint64_t *sum)
{
    const struct image_layer *layer = &reading->image->layers[index];
    struct plan_line line = plan_layer(reading, index);
    slice name = layer->digest.len ? layer->digest : layer->diff_id;
    buffer_format(out, "layer %zu  %.*s  %llu bytes: %s", index, SLICE_ARG(slice_first(name, 19)),
                  (unsigned long long)layer->size, line.how);
    if (line.bytes || *line.and_more)
        buffer_format(out, ", %llu bytes", (unsigned long long)line.bytes);
    if (*line.and_more)
        buffer_format(out, " and %s", line.and_more);
    buffer_text(out, "\n");
    *sum += line.bytes;
}

struct error *plan_print(const struct options *options, struct image *image,
                         struct layer_cache *cache, struct secrets *secrets, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer out = {0};
    uint64_t sum = 0;
    struct layer_reading reading = {
        .options = options, .arena = arena, .image = image, .cache = cache, .secrets = secrets};
    reading.made_by = layer_makers(&reading);
    slice from = image->taken_from.len ? image->taken_from : SLICE("the file");
    buffer_format(&out, "%.*s, from %.*s\n", SLICE_ARG(text_safe(arena, image->name)),
                  SLICE_ARG(text_safe(arena, from)));
    for (size_t i = 0; i < image->layer_count; i++)
        add_line(&reading, i, &out, &sum);
    buffer_format(&out, "in all %llu bytes of layers\n", (unsigned long long)sum);
    image_close(image);
    return command_write(options, &out);
}
