/* CycloneDX 1.2 to 1.7 (ECMA-424), as JSON. */
#include "base/limits.h"
#include "sbom/builder.h"

static slice text_of(const json_t *object, const char *key, struct sbom_builder *builder)
{
    return json_get_slice(object, key, builder->arena);
}

static void add_properties(struct sbom_builder *builder, struct sbom_item *item,
                           const json_t *object)
{
    size_t i;
    const json_t *property;
    json_array_foreach(json_object_get(object, "properties"), i, property) sbom_item_property(
        builder, item, text_of(property, "name", builder), text_of(property, "value", builder));
}

static void add_hashes(struct sbom_builder *builder, struct sbom_item *item, const json_t *object)
{
    size_t i;
    const json_t *hash;
    json_array_foreach(json_object_get(object, "hashes"), i, hash) *
        (struct component_hash *)list_add(&item->hashes, builder->arena,
                                          sizeof(struct component_hash)) =
        (struct component_hash){text_of(hash, "alg", builder), text_of(hash, "content", builder)};
}

static void add_locations(struct sbom_builder *builder, struct sbom_item *item,
                          const json_t *object)
{
    size_t i;
    const json_t *occurrence;
    const json_t *evidence = json_object_get(object, "evidence");
    json_array_foreach(json_object_get(evidence, "occurrences"), i, occurrence) *
        (slice *)list_add(&item->locations, builder->arena, sizeof(slice)) =
        text_of(occurrence, "location", builder);
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
        slice one = text_of(choice, "expression", builder);
        if (one.len == 0)
            one = text_of(license, "id", builder);
        if (one.len == 0)
            one = text_of(license, "name", builder);
        if (one.len)
            buffer_format(&text, "%s%.*s", text.len ? " AND " : "", SLICE_ARG(one));
    }
    return arena_copy(builder->arena, buffer_slice(&text));
}

static slice supplier_of(struct sbom_builder *builder, const json_t *object)
{
    slice name = text_of(json_object_get(object, "supplier"), "name", builder);
    name = name.len ? name : text_of(object, "publisher", builder);
    return name.len ? name : text_of(object, "author", builder);
}

/* Types that are no packages without a package URL; of all others one counts, known or not. */
static bool is_package_type(slice type)
{
    static const char *const types[] = {"container", "operating-system",   "device", "file", "data",
                                        "platform",  "cryptographic-asset"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(type, slice_from_text(types[i])))
            return false;
    return true;
}

static bool is_type(slice type)
{
    static const char *const types[] = {"application",
                                        "framework",
                                        "library",
                                        "container",
                                        "platform",
                                        "operating-system",
                                        "device",
                                        "device-driver",
                                        "firmware",
                                        "file",
                                        "machine-learning-model",
                                        "data",
                                        "cryptographic-asset"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(type, slice_from_text(types[i])))
            return true;
    return false;
}

static void check_component(struct sbom_builder *builder, const struct sbom_item *item, slice type)
{
    if (!is_type(type))
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
    sbom_set_os(builder, item->name, version, text_of(object, "description", builder));
}

/* The item holds its name with its group, as ecosystems without package URLs write it. */
static struct sbom_item item_of(struct sbom_builder *builder, const json_t *object, slice type)
{
    struct sbom_item item = {
        .ref = text_of(object, "bom-ref", builder),
        .name = text_of(object, "name", builder),
        .version = text_of(object, "version", builder),
        .purl = text_of(object, "purl", builder),
        .cpe = text_of(object, "cpe", builder),
        .license = license_of(builder, object),
        .supplier = supplier_of(builder, object),
        .is_package = is_package_type(type),
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
        slice type = text_of(object, "type", builder);
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
    slice name = text_of(first, "name", builder), version = text_of(first, "version", builder);
    return name.len ? arena_format(builder->arena, "%.*s %.*s", SLICE_ARG(name), SLICE_ARG(version))
                    : SLICE_EMPTY;
}

static void read_metadata(struct sbom_builder *builder, const json_t *metadata)
{
    struct sbom *sbom = builder->sbom;
    const json_t *image = json_object_get(metadata, "component");
    const json_t *author = json_array_get(json_object_get(metadata, "authors"), 0);
    slice name = text_of(image, "name", builder), version = text_of(image, "version", builder);
    struct sbom_item item = {0};
    sbom->created = text_of(metadata, "timestamp", builder);
    sbom->tool = tool_of(builder, metadata);
    sbom->author = text_of(author, "name", builder);
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
    slice type = text_of(root, "type", builder);
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
        sbom_note_id(builder, text_of(service, "bom-ref", builder));
}

static void read_dependencies(struct sbom_builder *builder, const json_t *document)
{
    size_t i, j;
    const json_t *dependency, *on;
    note_services(builder, document);
    json_array_foreach(json_object_get(document, "dependencies"), i, dependency)
    {
        sbom_check_id(builder, text_of(dependency, "ref", builder), "a dependency");
        json_array_foreach(json_object_get(dependency, "dependsOn"), j, on)
        {
            slice id = json_is_string(on)
                           ? slice_make(json_string_value(on), json_string_length(on))
                           : SLICE_EMPTY;
            builder->sbom->relations++;
            sbom_check_id(builder, id, "a dependency");
        }
    }
}

struct error *sbom_read_cyclonedx(struct sbom_builder *builder, const json_t *document)
{
    slice version = text_of(document, "specVersion", builder);
    slice known = SLICE("1.2 1.3 1.4 1.5 1.6 1.7");
    if (version.len != 3 || !slice_contains(known, version))
        return error_make(ERROR_INPUT, "it is CycloneDX %.*s; plimsoll reads 1.2 to 1.7",
                          SLICE_ARG(version));
    builder->sbom->format = arena_format(builder->arena, "CycloneDX %.*s", SLICE_ARG(version));
    builder->sbom->serial = text_of(document, "serialNumber", builder);
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
