#include "base/limits.h"
#include "base/map.h"
#include "sbom/sbom.h"

static struct error *check_distributions(const struct sbom *sbom, const struct sbom *other)
{
    const struct os *a = &sbom->inventory.os, *b = &other->inventory.os;
    if (!a->found || !b->found ||
        (slice_equal(a->id, b->id) && release_is_same(a->version_id, b->version_id)))
        return NULL;
    return error_make(ERROR_INPUT,
                      "%.*s is of %.*s %.*s, %.*s of %.*s %.*s: in one SBOM, the packages of one "
                      "would be judged by the advisories of the other",
                      SLICE_ARG(sbom->image->name), SLICE_ARG(a->id), SLICE_ARG(a->version_id),
                      SLICE_ARG(other->image->name), SLICE_ARG(b->id), SLICE_ARG(b->version_id));
}

static void append(struct list *list, struct arena *arena, const struct list *more, size_t size)
{
    for (size_t i = 0; i < more->count; i++)
        memcpy(list_add(list, arena, size), (const char *)more->items + i * size, size);
}

static void add_layers(struct image *image, struct arena *arena, const struct image *other)
{
    size_t count = image->layer_count + other->layer_count;
    struct image_layer *layers = arena_array(arena, count, sizeof(*layers));
    memcpy(layers, image->layers, image->layer_count * sizeof(*layers));
    memcpy(layers + image->layer_count, other->layers, other->layer_count * sizeof(*layers));
    for (size_t i = 0; i < count; i++)
        layers[i].index = i;
    image->layers = layers;
    image->layer_count = count;
}

static int compare_components(const void *a, const void *b)
{
    return component_compare(*(struct component *const *)a, *(struct component *const *)b);
}

static bool is_same(const struct component *a, const struct component *b)
{
    return a->purl.len && slice_equal(a->purl, b->purl) && slice_equal(a->name, b->name) &&
           slice_equal(a->version, b->version) && slice_equal(a->arch, b->arch);
}

struct error *sbom_merge(struct sbom *sbom, struct arena *arena, const struct sbom *other)
{
    struct list *list = &sbom->inventory.components;
    struct component **components = list->items;
    struct component *const *more = other->inventory.components.items;
    size_t shift = sbom->image->layer_count;
    struct map known = {.arena = arena};
    TRY(check_distributions(sbom, other));
    if (shift + other->image->layer_count > LIMIT_LAYERS)
        return error_make(ERROR_LIMIT, "together they have more layers than the limit of %d",
                          LIMIT_LAYERS);
    for (size_t i = 0; i < list->count; i++)
        map_put(&known, components[i]->ref, components[i]);
    for (size_t i = 0; i < other->inventory.components.count; i++) {
        struct component *same = map_get(&known, more[i]->ref);
        if (same && !is_same(same, more[i])) {
            more[i]->ref = arena_format(arena, "%.*s#%zu", SLICE_ARG(more[i]->ref), shift);
            same = map_get(&known, more[i]->ref);
        }
        if (same) {
            append(&same->locations, arena, &more[i]->locations, sizeof(slice));
            continue;
        }
        more[i]->layer += shift;
        *(struct component **)list_add(list, arena, sizeof(more[i])) = more[i];
    }
    if (list->count)
        qsort(list->items, list->count, sizeof(*components), compare_components);
    if (!sbom->inventory.os.found)
        sbom->inventory.os = other->inventory.os;
    add_layers(sbom->image, arena, other->image);
    append(&sbom->inventory.databases, arena, &other->inventory.databases, sizeof(slice));
    append(&sbom->problems, arena, &other->problems, sizeof(slice));
    sbom->relations += other->relations;
    return NULL;
}
