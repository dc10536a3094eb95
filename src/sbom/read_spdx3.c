/* SPDX 3.0 as JSON-LD: the packages of its graph, with what relations and annotations say of them.
 */
#include "base/limits.h"
#include "sbom/builder.h"
#include "sbom/properties.h"

struct graph {
    struct sbom_builder *builder;
    struct map by_id;    /* spdxId → json_t * */
    struct map notes;    /* spdxId → struct sbom_item *: its annotations, as properties */
    struct map licenses; /* spdxId of a package → slice * */
};

static void read_annotation(struct graph *graph, const json_t *element)
{
    struct arena *arena = graph->builder->arena;
    slice subject = sbom_text(element, "subject", graph->builder), name, value;
    slice statement = sbom_text(element, "statement", graph->builder);
    struct sbom_item *notes = map_get(&graph->notes, subject);
    if (!notes) {
        notes = ARENA_NEW(arena, struct sbom_item);
        map_put(&graph->notes, subject, notes);
    }
    while (sbom_property_pull(&statement, arena, &name, &value))
        sbom_item_property(graph->builder, notes, name, value);
}

static void read_relationship(struct graph *graph, const json_t *element)
{
    slice type = sbom_text(element, "relationshipType", graph->builder);
    const json_t *to = json_object_get(element, "to");
    size_t i;
    const json_t *end;
    graph->builder->sbom->relations += json_array_size(to);
    sbom_check_id(graph->builder, sbom_text(element, "from", graph->builder), "a relationship");
    json_array_foreach(to, i, end)
        sbom_check_id(graph->builder, sbom_string(end, graph->builder), "a relationship");
    if (!slice_equal(type, SLICE("hasDeclaredLicense")))
        return;
    const json_t *license =
        map_get(&graph->by_id, sbom_string(json_array_get(to, 0), graph->builder));
    slice *text = ARENA_NEW(graph->builder->arena, slice);
    *text = sbom_text(license, "description", graph->builder);
    if (text->len == 0)
        *text = sbom_text(license, "simplelicensing_licenseExpression", graph->builder);
    map_put(&graph->licenses, sbom_text(element, "from", graph->builder), text);
}

static bool is_type(const json_t *element, const char *type, struct sbom_builder *builder)
{
    const json_t *has = json_object_get(element, "type");
    has = has ? has : json_object_get(element, "@type");
    if (json_is_array(has))
        has = json_array_get(has, 0);
    return slice_equal(sbom_string(has, builder), slice_from_text(type));
}

static slice id_of(const json_t *element, struct sbom_builder *builder)
{
    slice id = sbom_text(element, "spdxId", builder);
    return id.len ? id : sbom_text(element, "@id", builder);
}

static void add_identifiers(struct graph *graph, struct sbom_item *item, const json_t *element)
{
    size_t i;
    const json_t *identifier;
    json_array_foreach(json_object_get(element, "externalIdentifier"), i, identifier)
    {
        slice type = sbom_text(identifier, "externalIdentifierType", graph->builder);
        slice text = sbom_text(identifier, "identifier", graph->builder);
        if (slice_equal(type, SLICE("packageUrl")) && item->purl.len == 0)
            item->purl = text;
        else if (slice_starts(type, SLICE("cpe")) && item->cpe.len == 0)
            item->cpe = text;
    }
}

static void read_image(struct graph *graph, const struct sbom_item *item)
{
    const slice *names = item->names.items, *values = item->values.items;
    struct image *image = graph->builder->sbom->image;
    image->name = item->name;
    if (slice_starts(item->version, SLICE("sha256:")))
        image->digest = item->version;
    for (size_t i = 0; i < item->names.count; i++)
        sbom_image_property(graph->builder, names[i], values[i]);
}

static struct error *read_package(struct graph *graph, const json_t *element)
{
    struct sbom_builder *builder = graph->builder;
    slice id = id_of(element, builder),
          purpose = sbom_text(element, "software_primaryPurpose", builder);
    const struct sbom_item *notes = map_get(&graph->notes, id);
    const slice *license = map_get(&graph->licenses, id);
    const json_t *supplier = map_get(&graph->by_id, sbom_text(element, "suppliedBy", builder));
    struct sbom_item item = {
        .ref = id,
        .name = sbom_text(element, "name", builder),
        .version = sbom_text(element, "software_packageVersion", builder),
        .purl = sbom_text(element, "software_packageUrl", builder),
        .license = license ? *license : SLICE_EMPTY,
        .supplier = sbom_text(supplier, "name", builder),
        .is_package = !slice_is_among(purpose, "file container source device"),
    };
    if (notes) {
        item.names = notes->names;
        item.values = notes->values;
    }
    add_identifiers(graph, &item, element);
    if (item.name.len == 0)
        sbom_fault(builder, "a package has no name (%.*s)", SLICE_ARG(id));
    bool no_purl = item.purl.len == 0 || slice_starts(item.purl, SLICE("pkg:oci/"));
    if (no_purl && (slice_equal(purpose, SLICE("container")) || item.purl.len)) {
        read_image(graph, &item);
        return NULL;
    }
    if (slice_equal(purpose, SLICE("operatingSystem"))) {
        sbom_set_os(builder, item.name, item.version, SLICE_EMPTY);
        item.is_package = false;
    }
    return sbom_add(builder, &item);
}

static void read_creation(struct sbom_builder *builder, const json_t *element, struct graph *graph)
{
    const json_t *by = json_array_get(json_object_get(element, "createdBy"), 0);
    const json_t *using = json_array_get(json_object_get(element, "createdUsing"), 0);
    builder->sbom->created = sbom_text(element, "created", builder);
    builder->sbom->author =
        sbom_text(map_get(&graph->by_id, sbom_string(by, builder)), "name", builder);
    builder->sbom->tool =
        sbom_text(map_get(&graph->by_id, sbom_string(using, builder)), "name", builder);
    builder->sbom->format = arena_format(builder->arena, "SPDX %.*s",
                                         SLICE_ARG(sbom_text(element, "specVersion", builder)));
}

static void read_relations(struct graph *graph, const json_t *elements)
{
    size_t i;
    const json_t *element;
    struct sbom_builder *builder = graph->builder;
    json_array_foreach(elements, i, element)
    {
        if (is_type(element, "Annotation", builder))
            read_annotation(graph, element);
        else if (is_type(element, "Relationship", builder))
            read_relationship(graph, element);
        else if (is_type(element, "CreationInfo", builder))
            read_creation(builder, element, graph);
    }
}

struct error *sbom_read_spdx3(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    json_t *element;
    struct graph graph = {.builder = builder,
                          .by_id = {.arena = builder->arena},
                          .notes = {.arena = builder->arena},
                          .licenses = {.arena = builder->arena}};
    const json_t *elements = json_object_get(document, "@graph");
    if (!json_is_array(elements))
        return error_make(ERROR_INPUT, "it has no \"@graph\", in which SPDX 3 lists its elements");
    json_array_foreach(elements, i, element)
    {
        slice id = id_of(element, builder);
        sbom_note_id(builder, id);
        if (id.len)
            map_put(&graph.by_id, id, element);
    }
    read_relations(&graph, elements);
    if (!slice_starts(builder->sbom->format, SLICE("SPDX 3.")))
        return error_make(ERROR_INPUT, "it is of no version of SPDX 3 that is known");
    json_array_foreach(elements, i, element) if (is_type(element, "software_Package", builder))
        TRY(read_package(&graph, element));
    return NULL;
}
