#include "sbom/builder.h"
#include "base/limits.h"
#include "sbom/properties.h"
#include "sbom/purl.h"

struct sbom_owner {
    struct component *component;
    slice ref;
    bool is_vendor;
};

void sbom_add_license(struct buffer *text, slice license)
{
    if (license.len)
        buffer_format(text, "%s%.*s", text->len ? " AND " : "", SLICE_ARG(license));
}

void sbom_item_property(struct sbom_builder *builder, struct sbom_item *item, slice name,
                        slice value)
{
    *(slice *)list_add(&item->names, builder->arena, sizeof(slice)) = name;
    *(slice *)list_add(&item->values, builder->arena, sizeof(slice)) = value;
}

void sbom_fault(struct sbom_builder *builder, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    *(slice *)list_add(&builder->sbom->faults, builder->arena, sizeof(slice)) =
        arena_copy(builder->arena, slice_from_text(text));
}

bool sbom_is_group(const struct sbom_item *item)
{
    const slice *names = item->names.items;
    if (item->purl.len || item->version.len)
        return false;
    for (size_t i = 0; i < item->names.count; i++)
        if (slice_equal(names[i], SLICE("aquasecurity:trivy:Class")) ||
            slice_equal(names[i], SLICE("aquasecurity:trivy:Type")) ||
            slice_equal(names[i], SLICE("Class")) || slice_equal(names[i], SLICE("Type")))
            return true;
    return false;
}

void sbom_note_id(struct sbom_builder *builder, slice id)
{
    if (id.len)
        map_put(&builder->ids, id, builder);
}

void sbom_check_id(struct sbom_builder *builder, slice id, const char *where)
{
    if (id.len == 0)
        sbom_fault(builder, "%s has no reference", where);
    else if (!map_get(&builder->ids, id))
        sbom_fault(builder, "%s names \"%.*s\", which nothing is", where, SLICE_ARG(id));
}

/* -- layers --------------------------------------------------------------------------------------
 */

static struct image_layer *layer_at(struct sbom_builder *builder, size_t index)
{
    while (builder->layers.count <= index) {
        size_t next = builder->layers.count;
        struct image_layer *layer = list_add(&builder->layers, builder->arena, sizeof(*layer));
        *layer = (struct image_layer){.index = next, .folder = -1};
    }
    return (struct image_layer *)builder->layers.items + index;
}

/* The layer of that diff ID, the next one where it is new; for SBOMs that know layers so. */
static size_t layer_of(struct sbom_builder *builder, slice diff_id)
{
    const struct image_layer *layers = builder->layers.items;
    for (size_t i = 0; i < builder->layers.count; i++)
        if (slice_equal(layers[i].diff_id, diff_id))
            return i;
    if (builder->layers.count >= LIMIT_LAYERS)
        return 0;
    layer_at(builder, builder->layers.count)->diff_id = diff_id;
    return builder->layers.count - 1;
}

static slice unless_dash(slice word)
{
    return slice_equal(word, SLICE("-")) ? SLICE_EMPTY : word;
}

/* "plimsoll:layer:3" and "plimsoll:layer:3:instruction" */
static void read_layer(struct sbom_builder *builder, slice key, slice value)
{
    slice number = key, rest = SLICE_EMPTY, digest, diff_id, size;
    uint64_t index, bytes = 0;
    slice_split(key, ':', &number, &rest);
    if (!slice_to_u64(number, &index) || index >= LIMIT_LAYERS)
        return;
    struct image_layer *layer = layer_at(builder, index);
    if (slice_equal(rest, SLICE("instruction"))) {
        layer->instruction = value;
        return;
    }
    if (!slice_pull(&value, ' ', &digest) || !slice_pull(&value, ' ', &diff_id) ||
        !slice_pull(&value, ' ', &size))
        return;
    slice_to_u64(size, &bytes);
    layer->digest = unless_dash(digest);
    layer->diff_id = unless_dash(diff_id);
    layer->size = bytes;
    layer->base = slice_equal(value, SLICE("base"))  ? BASE_YES
                  : slice_equal(value, SLICE("own")) ? BASE_NO
                                                     : BASE_UNKNOWN;
}

/* -- the image -----------------------------------------------------------------------------------
 */

static void read_os(struct sbom_builder *builder, slice key, slice value)
{
    struct os *os = &builder->sbom->inventory.os;
    const struct {
        slice name, *field;
    } fields[] = {{SLICE("id"), &os->id},
                  {SLICE("version-id"), &os->version_id},
                  {SLICE("name"), &os->name},
                  {SLICE("codename"), &os->codename},
                  {SLICE("id-like"), &os->id_like}};
    if (slice_equal(key, SLICE("without-id")))
        builder->sbom->inventory.os_without_id = true;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (slice_equal(key, fields[i].name)) {
            *fields[i].field = value;
            os->found = true;
        }
}

static bool take_prefix(slice *name, slice prefix)
{
    if (!slice_starts(*name, prefix))
        return false;
    *name = slice_from(*name, prefix.len);
    return true;
}

static void read_foreign_image(struct sbom_builder *builder, slice name, slice value)
{
    struct image *image = builder->sbom->image;
    take_prefix(&name, SLICE("aquasecurity:trivy:"));
    if (slice_equal(name, SLICE("DiffID")))
        layer_of(builder, value);
    else if (slice_equal(name, SLICE("ImageID")) && image->config_digest.len == 0)
        image->digest = image->config_digest = value;
    else if (slice_equal(name, SLICE("RepoTag")))
        *(slice *)list_add(&image->tags, builder->arena, sizeof(slice)) = value;
}

void sbom_image_property(struct sbom_builder *builder, slice name, slice value)
{
    struct image *image = builder->sbom->image;
    struct inventory *inventory = &builder->sbom->inventory;
    if (!take_prefix(&name, SLICE(SBOM_PROPERTY_PREFIX)))
        read_foreign_image(builder, name, value);
    else if (take_prefix(&name, SLICE("layer:")))
        read_layer(builder, name, value);
    else if (take_prefix(&name, SLICE("os:")))
        read_os(builder, name, value);
    else if (slice_equal(name, SLICE("image:name")))
        image->name = value;
    else if (slice_equal(name, SLICE("image:digest")))
        image->digest = value;
    else if (slice_equal(name, SLICE("image:config-digest")))
        image->config_digest = value;
    else if (slice_equal(name, SLICE("image:platform")))
        image->platform = value;
    else if (slice_equal(name, SLICE("database-not-read")))
        *(slice *)list_add(&inventory->databases, builder->arena, sizeof(slice)) = value;
    else if (slice_equal(name, SLICE("error")))
        *(slice *)list_add(&builder->sbom->problems, builder->arena, sizeof(slice)) = value;
}

void sbom_set_os(struct sbom_builder *builder, slice id, slice version, slice name)
{
    struct os *os = &builder->sbom->inventory.os;
    /* Trivy's word for an image of no distribution. */
    bool none = id.len == 0 || slice_equal(id, SLICE("none"));
    if (os->found || none)
        return;
    *os = (struct os){.found = true,
                      .id = id,
                      .version_id = version,
                      .name = name.len ? name
                                       : arena_format(builder->arena, "%.*s %.*s", SLICE_ARG(id),
                                                      SLICE_ARG(version))};
}

/* -- components ----------------------------------------------------------------------------------
 */

static void add_location(struct sbom_builder *builder, struct component *component, slice path)
{
    while (path.len && *path.ptr == '/')
        path = slice_from(path, 1);
    /* Files say it again soon if at all; not all of many are gone through for that. */
    enum { LOOKED_BACK = 32 };
    const slice *known = component->locations.items;
    size_t count = component->locations.count;
    for (size_t i = count > LOOKED_BACK ? count - LOOKED_BACK : 0; i < count; i++)
        if (slice_equal(known[i], path))
            return;
    *(slice *)list_add(&component->locations, builder->arena, sizeof(slice)) = path;
}

/* "pypi/setuptools@59.6.0" */
static void add_held(struct sbom_builder *builder, struct component *component, slice text,
                     bool bundled)
{
    struct identity *held;
    slice type, name;
    size_t at = slice_find_last(text, '@');
    if (at == SIZE_MAX || !slice_split(slice_first(text, at), '/', &type, &name))
        return;
    held = list_add(&component->contains, builder->arena, sizeof(*held));
    *held = (struct identity){type, name, slice_from(text, at + 1), bundled};
}

static void add_owner(struct sbom_builder *builder, struct component *component, slice ref,
                      bool is_vendor)
{
    *(struct sbom_owner *)list_add(&builder->owners, builder->arena, sizeof(struct sbom_owner)) =
        (struct sbom_owner){component, ref, is_vendor};
}

/* What plimsoll itself wrote. */
static void apply_own(struct sbom_builder *builder, struct component *component, slice name,
                      slice value)
{
    const struct {
        const char *name;
        slice *field;
    } fields[] = {{"architecture", &component->arch},
                  {"source-name", &component->source_name},
                  {"source-version", &component->source_version},
                  {"build", &component->build},
                  {"channel", &component->channel},
                  {"installer", &component->installer},
                  {"direct-url", &component->direct_url},
                  {"ref", &component->ref}};
    uint64_t index;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (slice_equal(name, slice_from_text(fields[i].name)))
            *fields[i].field = value;
    if (slice_equal(name, SLICE("layer")) && slice_to_u64(value, &index) && index < LIMIT_LAYERS)
        component->layer = index;
    else if (slice_equal(name, SLICE("location")))
        add_location(builder, component, value);
    else if (slice_equal(name, SLICE("owner")))
        add_owner(builder, component, value, false);
    else if (slice_equal(name, SLICE("owner:vendor")))
        add_owner(builder, component, value, true);
    else if (slice_equal(name, SLICE("contains")))
        add_held(builder, component, value, false);
    else if (slice_equal(name, SLICE("bundles")))
        add_held(builder, component, value, true);
}

/* What Trivy and Syft write beside the fields of the formats. */
struct foreign {
    slice source_name, source_version, source_release, source_epoch;
};

static void apply_foreign(struct sbom_builder *builder, struct component *component,
                          struct foreign *foreign, slice name, slice value)
{
    take_prefix(&name, SLICE("aquasecurity:trivy:"));
    if (slice_equal(name, SLICE("SrcName")))
        foreign->source_name = value;
    else if (slice_equal(name, SLICE("SrcVersion")))
        foreign->source_version = value;
    else if (slice_equal(name, SLICE("SrcRelease")))
        foreign->source_release = value;
    else if (slice_equal(name, SLICE("SrcEpoch")))
        foreign->source_epoch = value;
    else if (slice_equal(name, SLICE("LayerDiffID")))
        component->layer = layer_of(builder, value);
    else if (slice_equal(name, SLICE("FilePath")))
        add_location(builder, component, value);
    else if (slice_starts(name, SLICE("syft:location:")) && slice_ends(name, SLICE(":path")))
        add_location(builder, component, value);
    else if (slice_equal(name, SLICE("syft:location:0:layerID")))
        component->layer = layer_of(builder, value);
    else if (slice_equal(name, SLICE("syft:metadata:source")))
        foreign->source_name = value;
    else if (slice_equal(name, SLICE("syft:metadata:sourceVersion")))
        foreign->source_version = value;
}

static void apply_source(struct sbom_builder *builder, struct component *component,
                         const struct foreign *foreign)
{
    if (foreign->source_name.len == 0 || component->source_name.len)
        return;
    component->source_name = foreign->source_name;
    slice version = foreign->source_version;
    if (version.len && foreign->source_release.len)
        version = arena_format(builder->arena, "%.*s-%.*s", SLICE_ARG(version),
                               SLICE_ARG(foreign->source_release));
    if (version.len && foreign->source_epoch.len && !slice_equal(foreign->source_epoch, SLICE("0")))
        version = arena_format(builder->arena, "%.*s:%.*s", SLICE_ARG(foreign->source_epoch),
                               SLICE_ARG(version));
    component->source_version = version;
}

/* A distribution's package: of which source, and of which release ("debian-12"). */
static void apply_system_purl(struct sbom_builder *builder, struct component *component,
                              const struct purl *purl)
{
    slice upstream = purl_qualifier(purl, "upstream"), version;
    component->name = purl->name;
    if (upstream.len) {
        component->source_name = upstream;
        if (slice_split(upstream, '@', &component->source_name, &version))
            component->source_version = version;
    }
    component->distribution = purl->space;
    slice prefix = arena_format(builder->arena, "%.*s-", SLICE_ARG(purl->space));
    if (purl->space.len == 0 || !slice_starts(purl->distro, prefix))
        return;
    component->distribution_release = slice_from(purl->distro, prefix.len);
    sbom_set_os(builder, purl->space, component->distribution_release, SLICE_EMPTY);
}

/* What the package URL says: names as their ecosystems have them. */
static void apply_purl(struct sbom_builder *builder, struct component *component,
                       const struct purl *purl)
{
    struct arena *arena = builder->arena;
    component->type = purl->type;
    component->name = purl->space.len ? arena_format(arena, "%.*s/%.*s", SLICE_ARG(purl->space),
                                                     SLICE_ARG(purl->name))
                                      : purl->name;
    component->version = purl->version;
    component->arch = purl->arch;
    if (slice_equal(purl->type, SLICE("maven")) && purl->space.len)
        component->name =
            arena_format(arena, "%.*s:%.*s", SLICE_ARG(purl->space), SLICE_ARG(purl->name));
    if (slice_equal(purl->type, SLICE("conda"))) {
        component->build = purl_qualifier(purl, "build");
        component->channel = purl_qualifier(purl, "channel");
        component->arch = purl_qualifier(purl, "subdir");
    }
    if (slice_equal(purl->type, SLICE("deb")) || slice_equal(purl->type, SLICE("rpm")) ||
        slice_equal(purl->type, SLICE("apk")))
        apply_system_purl(builder, component, purl);
}

static void apply_properties(struct sbom_builder *builder, struct component *component,
                             const struct sbom_item *item)
{
    const slice *names = item->names.items, *values = item->values.items;
    struct foreign foreign = {0};
    for (size_t i = 0; i < item->names.count; i++) {
        slice name = names[i];
        if (take_prefix(&name, SLICE(SBOM_PROPERTY_PREFIX)))
            apply_own(builder, component, name, values[i]);
        else
            apply_foreign(builder, component, &foreign, name, values[i]);
    }
    apply_source(builder, component, &foreign);
    if (slice_equal(component->type, SLICE("deb"))) {
        if (component->source_name.len == 0)
            component->source_name = component->name;
        if (component->source_version.len == 0)
            component->source_version = component->version;
    }
}

/* The same package under the same reference, or from another maker in the same layer: one. */
static bool is_known(struct sbom_builder *builder, const struct sbom_item *item,
                     struct component *component)
{
    if (item->ref.len && map_get(&builder->by_id, item->ref)) {
        sbom_fault(builder, "two components have the reference \"%.*s\"", SLICE_ARG(item->ref));
        return false;
    }
    struct component *other = item->purl.len ? map_get(&builder->by_purl, item->purl) : NULL;
    if (!other || other->layer != component->layer || component->contains.count ||
        item->names.count == 0 || !slice_equal(other->name, component->name) ||
        !slice_equal(other->version, component->version) ||
        !slice_equal(other->arch, component->arch))
        return false;
    const slice *names = item->names.items;
    for (size_t i = 0; i < item->names.count; i++)
        if (slice_starts(names[i], SLICE(SBOM_PROPERTY_PREFIX)))
            return false;
    const slice *locations = component->locations.items;
    for (size_t i = 0; i < component->locations.count; i++)
        add_location(builder, other, locations[i]);
    return true;
}

/* Hexadecimal digits are compared as text. */
static struct list lowered(struct list hashes, struct arena *arena)
{
    struct component_hash *items = hashes.items;
    for (size_t i = 0; i < hashes.count; i++)
        items[i].digits = arena_lower(arena, items[i].digits);
    return hashes;
}

struct error *sbom_add(struct sbom_builder *builder, const struct sbom_item *item)
{
    struct sbom *sbom = builder->sbom;
    struct purl purl;
    if (!purl_parse(&purl, item->purl, builder->arena)) {
        if (item->purl.len)
            sbom_fault(builder, "\"%.*s\" is no package URL", SLICE_ARG(item->purl));
        if (!item->is_package)
            return NULL;
        purl =
            (struct purl){.type = SLICE("generic"), .name = item->name, .version = item->version};
    }
    if (sbom->inventory.components.count >= LIMIT_SBOM_COMPONENTS)
        return error_make(ERROR_LIMIT, "it has more components than the limit of %d",
                          LIMIT_SBOM_COMPONENTS);
    struct component *component = ARENA_NEW(builder->arena, struct component);
    component->ref = item->purl.len ? item->purl : item->ref;
    component->purl = item->purl;
    component->license = item->license;
    component->maintainer = item->supplier;
    component->cpe = item->cpe;
    component->hashes = lowered(item->hashes, builder->arena);
    apply_purl(builder, component, &purl);
    if (component->version.len == 0)
        component->version = item->version;
    const slice *locations = item->locations.items;
    for (size_t i = 0; i < item->locations.count; i++)
        add_location(builder, component, locations[i]);
    apply_properties(builder, component, item);
    if (is_known(builder, item, component))
        return NULL;
    if (item->ref.len)
        map_put(&builder->by_id, item->ref, component);
    if (!map_get(&builder->by_ref, component->ref))
        map_put(&builder->by_ref, component->ref, component);
    if (item->purl.len)
        map_put(&builder->by_purl, item->purl, component);
    *(struct component **)list_add(&sbom->inventory.components, builder->arena, sizeof(component)) =
        component;
    return NULL;
}

/* -- the end -------------------------------------------------------------------------------------
 */

static int compare_components(const void *a, const void *b)
{
    return component_compare(*(struct component *const *)a, *(struct component *const *)b);
}

static void find_owners(struct sbom_builder *builder)
{
    const struct sbom_owner *owners = builder->owners.items;
    for (size_t i = 0; i < builder->owners.count; i++) {
        struct component *owner = map_get(&builder->by_ref, owners[i].ref);
        owners[i].component->owner = owner;
        owners[i].component->owner_is_vendor = owner && owners[i].is_vendor;
    }
}

static void number_references(struct sbom_builder *builder)
{
    struct component **components = builder->sbom->inventory.components.items;
    struct map taken = {.arena = builder->arena};
    for (size_t i = 0; i < builder->sbom->inventory.components.count; i++) {
        struct component *component = components[i];
        if (component->ref.len == 0)
            component->ref = arena_format(builder->arena, "component-%zu", i);
        while (map_get(&taken, component->ref))
            component->ref = arena_format(builder->arena, "%.*s-%zu", SLICE_ARG(component->ref), i);
        map_put(&taken, component->ref, component);
    }
}

void sbom_finish(struct sbom_builder *builder)
{
    struct image *image = builder->sbom->image;
    struct list *list = &builder->sbom->inventory.components;
    struct component **components = list->items;
    layer_at(builder, 0); /* every component came with one */
    image->layers = builder->layers.items;
    image->layer_count = builder->layers.count;
    for (size_t i = 0; i < list->count; i++)
        if (components[i]->layer >= image->layer_count)
            components[i]->layer = 0;
    find_owners(builder);
    if (list->count)
        qsort(components, list->count, sizeof(*components), compare_components);
    number_references(builder);
}
