/* Syft's own JSON, as its schema has it since version 3. */
#include "base/limits.h"
#include "sbom/builder.h"

static slice text_of(const json_t *object, const char *key, struct sbom_builder *builder)
{
    return json_get_slice(object, key, builder->arena);
}

static void read_source(struct sbom_builder *builder, const json_t *source)
{
    size_t i;
    const json_t *layer;
    const json_t *image = json_object_get(source, "metadata");
    slice name = text_of(image, "userInput", builder);
    builder->sbom->image->name = name.len ? name : text_of(source, "name", builder);
    builder->sbom->image->digest = text_of(image, "manifestDigest", builder);
    builder->sbom->image->config_digest = text_of(image, "imageID", builder);
    /* Layers are known by their diff IDs here. */
    json_array_foreach(json_object_get(image, "layers"), i, layer)
        sbom_image_property(builder, SLICE("DiffID"), text_of(layer, "digest", builder));
}

static void read_distro(struct sbom_builder *builder, const json_t *distro)
{
    struct os *os = &builder->sbom->inventory.os;
    slice id = text_of(distro, "id", builder);
    sbom_set_os(builder, id, text_of(distro, "versionID", builder),
                text_of(distro, "prettyName", builder));
    if (id.len)
        os->codename = text_of(distro, "versionCodename", builder);
}

static void add_locations(struct sbom_builder *builder, struct sbom_item *item,
                          const json_t *artifact)
{
    size_t i;
    const json_t *location;
    json_array_foreach(json_object_get(artifact, "locations"), i, location)
    {
        slice kind = text_of(json_object_get(location, "annotations"), "evidence", builder);
        if (i == 0)
            sbom_item_property(builder, item, SLICE("LayerDiffID"),
                               text_of(location, "layerID", builder));
        if (i == 0 || slice_equal(kind, SLICE("primary")))
            *(slice *)list_add(&item->locations, builder->arena, sizeof(slice)) =
                text_of(location, "path", builder);
    }
}

static slice license_of(struct sbom_builder *builder, const json_t *artifact)
{
    CLEANUP_BUFFER struct buffer text = {0};
    size_t i;
    const json_t *license;
    json_array_foreach(json_object_get(artifact, "licenses"), i, license)
    {
        slice one = text_of(license, "spdxExpression", builder);
        one = one.len ? one : text_of(license, "value", builder);
        if (one.len)
            buffer_format(&text, "%s%.*s", text.len ? " AND " : "", SLICE_ARG(one));
    }
    return arena_copy(builder->arena, buffer_slice(&text));
}

static struct error *read_artifact(struct sbom_builder *builder, const json_t *artifact)
{
    const json_t *metadata = json_object_get(artifact, "metadata");
    const json_t *cpe = json_array_get(json_object_get(artifact, "cpes"), 0);
    struct sbom_item item = {
        .ref = text_of(artifact, "id", builder),
        .name = text_of(artifact, "name", builder),
        .version = text_of(artifact, "version", builder),
        .purl = text_of(artifact, "purl", builder),
        .cpe = text_of(cpe, "cpe", builder),
        .license = license_of(builder, artifact),
        .supplier = text_of(metadata, "maintainer", builder),
        .is_package = true,
    };
    slice source = text_of(metadata, "source", builder);
    if (source.len) {
        slice version = text_of(metadata, "sourceVersion", builder);
        sbom_item_property(builder, &item, SLICE("SrcName"), source);
        sbom_item_property(builder, &item, SLICE("SrcVersion"),
                           version.len ? version : item.version);
    }
    add_locations(builder, &item, artifact);
    return sbom_add(builder, &item);
}

struct error *sbom_read_syft(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    const json_t *artifact;
    const json_t *descriptor = json_object_get(document, "descriptor");
    slice version = text_of(json_object_get(document, "schema"), "version", builder);
    const json_t *artifacts = json_object_get(document, "artifacts");
    if (!json_is_array(artifacts))
        return error_make(ERROR_INPUT, "its artifacts are no list");
    builder->sbom->format = arena_format(builder->arena, "Syft JSON %.*s", SLICE_ARG(version));
    builder->sbom->tool =
        arena_format(builder->arena, "%.*s %.*s", SLICE_ARG(text_of(descriptor, "name", builder)),
                     SLICE_ARG(text_of(descriptor, "version", builder)));
    builder->sbom->relations = json_array_size(json_object_get(document, "artifactRelationships"));
    read_source(builder, json_object_get(document, "source"));
    read_distro(builder, json_object_get(document, "distro"));
    json_array_foreach(artifacts, i, artifact) TRY(read_artifact(builder, artifact));
    return NULL;
}
