/* CycloneDX 1.2 to 1.7 (ECMA-424), as JSON. */
#include "base/limits.h"
#include "sbom/builder.h"

static void add_properties(struct sbom_builder *builder, struct sbom_item *item,
                           const json_t *object)
{
    size_t i;
    const json_t *property;
    json_array_foreach(json_object_get(object, "properties"), i, property) sbom_item_property(
        builder, item, sbom_text(property, "name", builder), sbom_text(property, "value", builder));
}

static void add_hashes(struct sbom_builder *builder, struct sbom_item *item, const json_t *object)
{
    size_t i;
    const json_t *hash;
    json_array_foreach(json_object_get(object, "hashes"), i, hash) *
        (struct component_hash *)list_add(&item->hashes, builder->arena,
                                          sizeof(struct component_hash)) = (struct component_hash){
        sbom_text(hash, "alg", builder), sbom_text(hash, "content", builder)};
}

static void add_locations(struct sbom_builder *builder, struct sbom_item *item,
                          const json_t *object)
{
    size_t i;
    const json_t *occurrence;
    const json_t *evidence = json_object_get(object, "evidence");
    json_array_foreach(json_object_get(evidence, "occurrences"), i, occurrence) *
        (slice *)list_add(&item->locations, builder->arena, sizeof(slice)) =
        sbom_text(occurrence, "location", builder);
}

/* Several licences hold together. */
static slice license_of(struct sbom_builder *builder, const json_t *object)
{
    CLEANUP_BUFFER struct buffer text = {0};
    size_t i;
    const json_t *choice;
    json_array_foreach(json_object_get(object, "licenses"), i, choice)
    {
        const json_t *license = json_object_get(choice, "license");
        slice one = sbom_text(choice, "expression", builder);
        if (one.len == 0)
            one = sbom_text(license, "id", builder);
        if (one.len == 0)
            one = sbom_text(license, "name", builder);
        sbom_add_license(&text, one);
    }
    return arena_copy(builder->arena, buffer_slice(&text));
}

static slice supplier_of(struct sbom_builder *builder, const json_t *object)
{
    slice name = sbom_text(json_object_get(object, "supplier"), "name", builder);
    name = name.len ? name : sbom_text(object, "publisher", builder);
    return name.len ? name : sbom_text(object, "author", builder);
}

/* Types that are no packages without a package URL; of all others one counts, known or not. */
#define NO_PACKAGES "container operating-system device file data platform cryptographic-asset"
#define TYPES                                                                                      \
    NO_PACKAGES " application framework library device-driver firmware machine-learning-model"

static void check_component(struct sbom_builder *builder, const struct sbom_item *item, slice type)
{
    if (!slice_is_among(type, TYPES))
        sbom_fault(builder, "component \"%.*s\" has no type that there is: \"%.*s\"",
                   SLICE_ARG(item->name), SLICE_ARG(type));
    if (item->name.len == 0)
        sbom_fault(builder, "a component has no name (reference \"%.*s\")", SLICE_ARG(item->ref));
}

static void read_os(struct sbom_builder *builder, const json_t *object,
                    const struct sbom_item *item)
{
    const slice *names = item->names.items, *values = item->values.items;
    slice version = item->version;
    for (size_t i = 0; i < item->names.count; i++)
        if (slice_equal(names[i], SLICE("syft:distro:versionID")))
            version = values[i];
    sbom_set_os(builder, item->name, version, sbom_text(object, "description", builder));
}

/* The item holds its name with its group, as ecosystems without package URLs write it. */
static struct sbom_item item_of(struct sbom_builder *builder, const json_t *object, slice type)
{
    struct sbom_item item = {
        .ref = sbom_text(object, "bom-ref", builder),
        .name = sbom_text(object, "name", builder),
        .version = sbom_text(object, "version", builder),
        .purl = sbom_text(object, "purl", builder),
        .cpe = sbom_text(object, "cpe", builder),
        .license = license_of(builder, object),
        .supplier = supplier_of(builder, object),
        .is_package = !slice_is_among(type, NO_PACKAGES),
    };
    add_properties(builder, &item, object);
    add_hashes(builder, &item, object);
    add_locations(builder, &item, object);
    if (sbom_is_group(&item))
        item.is_package = false;
    sbom_note_id(builder, item.ref);
    return item;
}

static struct error *read_components(struct sbom_builder *builder, const json_t *list,
                                     unsigned depth)
{
    size_t i;
    const json_t *object;
    if (depth > LIMIT_SBOM_NESTING)
        return error_make(ERROR_LIMIT, "components stand in components deeper than the limit of %d",
                          LIMIT_SBOM_NESTING);
    json_array_foreach(list, i, object)
    {
        if (!json_is_object(object)) {
            sbom_fault(builder, "something in a list of components is none");
            continue;
        }
        slice type = sbom_text(object, "type", builder);
        struct sbom_item item = item_of(builder, object, type);
        check_component(builder, &item, type);
        if (slice_equal(type, SLICE("operating-system")))
            read_os(builder, object, &item);
        if (!slice_equal(type, SLICE("operating-system")) || item.purl.len)
            TRY(sbom_add(builder, &item));
        TRY(read_components(builder, json_object_get(object, "components"), depth + 1));
    }
    return NULL;
}

/* Tools are a list of their own, or components since 1.5. */
static slice tool_of(struct sbom_builder *builder, const json_t *metadata)
{
    const json_t *tools = json_object_get(metadata, "tools");
    const json_t *first =
        json_array_get(json_is_array(tools) ? tools : json_object_get(tools, "components"), 0);
    slice name = sbom_text(first, "name", builder), version = sbom_text(first, "version", builder);
    return name.len ? arena_format(builder->arena, "%.*s %.*s", SLICE_ARG(name), SLICE_ARG(version))
                    : SLICE_EMPTY;
}

static void read_metadata(struct sbom_builder *builder, const json_t *metadata)
{
    struct sbom *sbom = builder->sbom;
    const json_t *image = json_object_get(metadata, "component");
    const json_t *author = json_array_get(json_object_get(metadata, "authors"), 0);
    slice name = sbom_text(image, "name", builder), version = sbom_text(image, "version", builder);
    struct sbom_item item = {0};
    sbom->created = sbom_text(metadata, "timestamp", builder);
    sbom->tool = tool_of(builder, metadata);
    sbom->author = sbom_text(author, "name", builder);
    if (name.len)
        sbom->image->name = name;
    if (slice_starts(version, SLICE("sha256:")))
        sbom->image->digest = version;
    add_properties(builder, &item, image);
    add_properties(builder, &item, metadata);
    const slice *names = item.names.items, *values = item.values.items;
    for (size_t i = 0; i < item.names.count; i++)
        sbom_image_property(builder, names[i], values[i]);
}

/* What the SBOM is of: an image, or a package that holds the others. */
static struct error *read_root(struct sbom_builder *builder, const json_t *root)
{
    slice type = sbom_text(root, "type", builder);
    struct sbom_item item = item_of(builder, root, type);
    bool is_image = item.purl.len == 0 || slice_starts(item.purl, SLICE("pkg:oci/")) ||
                    slice_starts(item.purl, SLICE("pkg:docker/"));
    if (json_is_object(root) && !is_image)
        TRY(sbom_add(builder, &item));
    return read_components(builder, json_object_get(root, "components"), 0);
}

static void note_services(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    const json_t *service;
    json_array_foreach(json_object_get(document, "services"), i, service)
        sbom_note_id(builder, sbom_text(service, "bom-ref", builder));
}

static void read_dependencies(struct sbom_builder *builder, const json_t *document)
{
    size_t i, j;
    const json_t *dependency, *on;
    note_services(builder, document);
    json_array_foreach(json_object_get(document, "dependencies"), i, dependency)
    {
        sbom_check_id(builder, sbom_text(dependency, "ref", builder), "a dependency");
        json_array_foreach(json_object_get(dependency, "dependsOn"), j, on)
        {
            slice id = json_slice(on);
            builder->sbom->relations++;
            sbom_check_id(builder, id, "a dependency");
        }
    }
}

struct error *sbom_read_cyclonedx(struct sbom_builder *builder, const json_t *document)
{
    slice version = sbom_text(document, "specVersion", builder);
    slice known = SLICE("1.2 1.3 1.4 1.5 1.6 1.7");
    if (version.len != 3 || !slice_contains(known, version))
        return error_make(ERROR_INPUT, "it is CycloneDX %.*s; plimsoll reads 1.2 to 1.7",
                          SLICE_ARG(version));
    builder->sbom->format = arena_format(builder->arena, "CycloneDX %.*s", SLICE_ARG(version));
    const json_t *components = json_object_get(document, "components");
    if (components && !json_is_array(components))
        return error_make(ERROR_INPUT, "its components are no list");
    if (!json_object_get(document, "bomFormat"))
        sbom_fault(builder, "the document has no bomFormat");
    read_metadata(builder, json_object_get(document, "metadata"));
    TRY(read_root(builder, json_object_get(json_object_get(document, "metadata"), "component")));
    TRY(read_components(builder, components, 0));
    read_dependencies(builder, document);
    return NULL;
}
