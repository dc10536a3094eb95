#include "sbom/properties.h"

static void add(struct list *list, struct arena *arena, const char *name, slice value)
{
    if (value.len)
        *(struct sbom_property *)list_add(list, arena, sizeof(struct sbom_property)) =
            (struct sbom_property){name, value};
}

struct list sbom_component_properties(const struct component *component, bool locations,
                                      struct arena *arena)
{
    struct list list = {0};
    const struct identity *held = component->contains.items;
    const slice *places = component->locations.items;
    if (!slice_equal(component->ref, component->purl))
        add(&list, arena, "plimsoll:ref", component->ref);
    add(&list, arena, "plimsoll:layer", arena_format(arena, "%zu", component->layer));
    add(&list, arena, "plimsoll:architecture", component->arch);
    add(&list, arena, "plimsoll:source-name", component->source_name);
    add(&list, arena, "plimsoll:source-version", component->source_version);
    add(&list, arena, "plimsoll:build", component->build);
    add(&list, arena, "plimsoll:channel", component->channel);
    add(&list, arena, "plimsoll:installer", component->installer);
    add(&list, arena, "plimsoll:direct-url", component->direct_url);
    if (component->owner)
        add(&list, arena, component->owner_is_vendor ? "plimsoll:owner:vendor" : "plimsoll:owner",
            component->owner->ref);
    for (size_t i = 0; i < component->contains.count; i++)
        add(&list, arena, held[i].bundled ? "plimsoll:bundles" : "plimsoll:contains",
            arena_format(arena, "%.*s/%.*s@%.*s", SLICE_ARG(held[i].type), SLICE_ARG(held[i].name),
                         SLICE_ARG(held[i].version)));
    for (size_t i = 0; locations && i < component->locations.count; i++)
        add(&list, arena, "plimsoll:location", places[i]);
    return list;
}

static void add_os(struct list *list, const struct inventory *inventory, struct arena *arena)
{
    const struct os *os = &inventory->os;
    if (inventory->os_without_id)
        add(list, arena, "plimsoll:os:without-id", SLICE("true"));
    if (!os->found)
        return;
    add(list, arena, "plimsoll:os:id", os->id);
    add(list, arena, "plimsoll:os:version-id", os->version_id);
    add(list, arena, "plimsoll:os:name", os->name);
    add(list, arena, "plimsoll:os:codename", os->codename);
    add(list, arena, "plimsoll:os:id-like", os->id_like);
}

static slice word_or_dash(slice word)
{
    return word.len ? word : SLICE("-");
}

static void add_layer(struct list *list, const struct image_layer *layer, struct arena *arena)
{
    static const char *const bases[] = {"unknown", "base", "own"};
    char *name = arena_text(arena, arena_format(arena, "plimsoll:layer:%zu", layer->index));
    char *line = arena_text(arena, arena_format(arena, "%s:instruction", name));
    add(list, arena, name,
        arena_format(arena, "%.*s %.*s %llu %s", SLICE_ARG(word_or_dash(layer->digest)),
                     SLICE_ARG(word_or_dash(layer->diff_id)), (unsigned long long)layer->size,
                     bases[layer->base]));
    add(list, arena, line, layer->instruction);
}

struct list sbom_image_properties(const struct image *image, const struct inventory *inventory,
                                  const struct list *errors, struct arena *arena)
{
    struct list list = {0};
    const slice *databases = inventory->databases.items, *messages = errors->items;
    add(&list, arena, "plimsoll:image:name", image->name);
    add(&list, arena, "plimsoll:image:digest", image->digest);
    add(&list, arena, "plimsoll:image:config-digest", image->config_digest);
    add(&list, arena, "plimsoll:image:platform", image->platform);
    add_os(&list, inventory, arena);
    for (size_t i = 0; i < image->layer_count; i++)
        add_layer(&list, &image->layers[i], arena);
    for (size_t i = 0; i < inventory->databases.count; i++)
        add(&list, arena, "plimsoll:database-not-read", databases[i]);
    for (size_t i = 0; i < errors->count; i++)
        add(&list, arena, "plimsoll:error", messages[i]);
    return list;
}

slice sbom_properties_to_text(const struct list *properties, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct sbom_property *property = properties->items;
    for (size_t i = 0; i < properties->count; i++) {
        buffer_format(&text, "%s%s: ", i ? "\n" : "", property[i].name);
        for (size_t at = 0; at < property[i].value.len; at++) {
            char byte = property[i].value.ptr[at];
            if (byte == '\n')
                buffer_text(&text, "\\n");
            else if (byte == '\r')
                buffer_text(&text, "\\r");
            else if (byte == '\\')
                buffer_text(&text, "\\\\");
            else
                buffer_add_byte(&text, byte);
        }
    }
    return arena_copy(arena, buffer_slice(&text));
}

static slice unescaped(slice text, struct arena *arena)
{
    if (slice_find(text, '\\') == SIZE_MAX)
        return text;
    char *bytes = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        char byte = text.ptr[at];
        if (byte == '\\' && at + 1 < text.len) {
            byte = text.ptr[++at];
            byte = byte == 'n' ? '\n' : byte == 'r' ? '\r' : byte;
        }
        bytes[len++] = byte;
    }
    return slice_make(bytes, len);
}

bool sbom_property_pull(slice *text, struct arena *arena, slice *name, slice *value)
{
    slice line;
    while (slice_pull_line(text, &line)) {
        /* A name has colons in it, but none with a space behind. */
        for (size_t at = 0; at + 1 < line.len; at++)
            if (line.ptr[at] == ':' && line.ptr[at + 1] == ' ') {
                *name = slice_first(line, at);
                *value = unescaped(slice_from(line, at + 2), arena);
                return true;
            }
    }
    return false;
}
