#include "cli/layer_key.h"
#include "analyze/analyzer.h"
#include "base/file.h"

slice layer_makers(const struct layer_reading *reading)
{
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_format(&text, "record %d", RECORD_FORMAT);
    for (size_t i = 0; i < analyzer_count; i++)
        buffer_format(&text, " %s %u", analyzers[i]->name, analyzers[i]->version);
    if (reading->secrets)
        buffer_format(&text, " %.*s", SLICE_ARG(reading->secrets->rules.digest));
    for (size_t i = 0; i < reading->redirect_count; i++) {
        const struct redirect *redirect = &reading->redirects[i];
        buffer_text(&text, " redirect");
        buffer_add_string(&text, redirect->from);
        buffer_add_string(&text, redirect->as);
        buffer_format(&text, "%d%d", redirect->folder, redirect->hard);
    }
    return arena_copy(reading->arena, buffer_slice(&text));
}

static void add_key(struct layer_keys *keys, enum layer_key_kind kind, slice key)
{
    if (key.len == 0)
        return;
    keys->kinds[keys->count] = kind;
    keys->keys[keys->count++] = key;
}

static slice key_of_place(const struct layer_reading *reading, int fd, uint64_t offset,
                          slice diff_id)
{
    slice identity = file_identity(fd, reading->arena);
    if (identity.len == 0)
        return SLICE_EMPTY;
    return arena_format(reading->arena, "%.*s place %.*s at %llu %.*s %d",
                        SLICE_ARG(reading->made_by), SLICE_ARG(identity),
                        (unsigned long long)offset, SLICE_ARG(diff_id),
                        reading->options->no_verify);
}

struct layer_keys layer_keys_of(const struct layer_reading *reading, size_t index)
{
    const struct image_layer *layer = &reading->image->layers[index];
    struct layer_keys keys = {.diff_id = layer->diff_id};
    if (layer->diff_id.len == 0)
        return keys; /* a root folder, which anyone may change at any time */
    bool lazy = layer_is_lazy(reading->options, layer);
    if (layer->member)
        add_key(&keys, KEY_PLACE,
                key_of_place(reading, layer->member->fd, layer->member->offset, layer->diff_id));
    else if (layer->folder >= 0)
        add_key(&keys, KEY_PLACE, key_of_place(reading, layer->folder, 0, layer->diff_id));
    else if (lazy)
        add_key(&keys, KEY_TOC,
                arena_format(reading->arena, "%.*s toc %.*s %d", SLICE_ARG(reading->made_by),
                             SLICE_ARG(layer->toc.digest), reading->options->no_verify));
    if (!reading->options->no_verify)
        add_key(&keys, KEY_DIFF_ID,
                arena_format(reading->arena, "%.*s diff %.*s", SLICE_ARG(reading->made_by),
                             SLICE_ARG(layer->diff_id)));
    return keys;
}

bool layer_key_is_proven(const struct layer_keys *keys, size_t key,
                         const struct record_statistics *statistics)
{
    return keys->kinds[key] != KEY_DIFF_ID ||
           (statistics->diff_id.len && slice_equal(statistics->diff_id, keys->diff_id));
}
