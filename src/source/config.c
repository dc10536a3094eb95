/* An image's config: OCI image specification, config.md; Docker's image specification 1.2 alike. */
#include "base/digest.h"
#include "base/limits.h"
#include "source/history.h"
#include "source/sources.h"
#include "source/strict_json.h"

slice config_platform(const json_t *config, struct arena *arena)
{
    slice os = json_get_slice(config, "os", arena);
    slice architecture = json_get_slice(config, "architecture", arena);
    slice variant = json_get_slice(config, "variant", arena);
    if (os.len == 0 && architecture.len == 0)
        return SLICE_EMPTY;
    return arena_format(arena, "%.*s/%.*s%s%.*s", SLICE_ARG(os), SLICE_ARG(architecture),
                        variant.len ? "/" : "", SLICE_ARG(variant));
}

static struct error *read_diff_ids(struct image *image, const json_t *config, struct arena *arena)
{
    const json_t *ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
    size_t count = json_array_size(ids);
    if (!json_is_array(ids))
        return error_make(ERROR_INPUT, "the image's config has no rootfs.diff_ids: it is not the "
                                       "config of a container image");
    if (count > LIMIT_LAYERS)
        return error_make(ERROR_LIMIT, "the image has %zu layers, more than the limit of %d", count,
                          LIMIT_LAYERS);
    image->layers = arena_array(arena, count + 1, sizeof(struct image_layer));
    image->layer_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(ids, i);
        slice text = json_slice(id);
        if (!json_is_string(id) || !digest_valid(text))
            return error_make(ERROR_INPUT, "diff ID %zu in the image's config is no digest", i);
        image->layers[i].index = i;
        image->layers[i].folder = -1;
        image->layers[i].diff_id = arena_copy(arena, text);
    }
    return NULL;
}

struct error *config_read(struct image *image, slice text, struct arena *arena)
{
    CLEANUP_JSON json_t *config = NULL;
    TRY(strict_json_read(&config, text, "the image's config"));
    if (!json_is_object(config))
        return error_make(ERROR_INPUT, "the image's config is not a JSON object");
    image->config = text;
    image->platform = config_platform(config, arena);
    image->created = json_get_slice(config, "created", arena);
    TRY(read_diff_ids(image, config, arena));
    history_apply(image, json_object_get(config, "history"), arena);
    return NULL;
}
