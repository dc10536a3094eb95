/* Syft's own JSON, as its schema has it since version 3. */
#include "base/limits.h"
#include "sbom/builder.h"

static void read_source(struct sbom_builder *builder, const json_t *source)
{
    size_t i;
    const json_t *layer;
    const json_t *image = json_object_get(source, "metadata");
    slice name = sbom_text(image, "userInput", builder);
    builder->sbom->image->name = name.len ? name : sbom_text(source, "name", builder);
    builder->sbom->image->digest = sbom_text(image, "manifestDigest", builder);
    builder->sbom->image->config_digest = sbom_text(image, "imageID", builder);
    /* Layers are known by their diff IDs here. */
    json_array_foreach(json_object_get(image, "layers"), i, layer)
        sbom_image_property(builder, SLICE("DiffID"), sbom_text(layer, "digest", builder));
}

static void read_distro(struct sbom_builder *builder, const json_t *distro)
{
    struct os *os = &builder->sbom->inventory.os;
    slice id = sbom_text(distro, "id", builder);
    sbom_set_os(builder, id, sbom_text(distro, "versionID", builder),
                sbom_text(distro, "prettyName", builder));
    if (id.len)
        os->codename = sbom_text(distro, "versionCodename", builder);
}

static void add_locations(struct sbom_builder *builder, struct sbom_item *item,
                          const json_t *artifact)
{
    size_t i;
    const json_t *location;
    json_array_foreach(json_object_get(artifact, "locations"), i, location)
    {
        slice kind = sbom_text(json_object_get(location, "annotations"), "evidence", builder);
        if (i == 0)
            sbom_item_property(builder, item, SLICE("LayerDiffID"),
                               sbom_text(location, "layerID", builder));
        if (i == 0 || slice_equal(kind, SLICE("primary")))
            *(slice *)list_add(&item->locations, builder->arena, sizeof(slice)) =
                sbom_text(location, "path", builder);
    }
}

static slice license_of(struct sbom_builder *builder, const json_t *artifact)
{
    CLEANUP_BUFFER struct buffer text = {0};
    size_t i;
    const json_t *license;
    json_array_foreach(json_object_get(artifact, "licenses"), i, license)
    {
        slice one = sbom_text(license, "spdxExpression", builder);
        one = one.len ? one : sbom_text(license, "value", builder);
        sbom_add_license(&text, one);
    }
    return arena_copy(builder->arena, buffer_slice(&text));
}

static struct error *read_artifact(struct sbom_builder *builder, const json_t *artifact)
{
    const json_t *metadata = json_object_get(artifact, "metadata");
    const json_t *cpe = json_array_get(json_object_get(artifact, "cpes"), 0);
    struct sbom_item item = {
        .ref = sbom_text(artifact, "id", builder),
        .name = sbom_text(artifact, "name", builder),
        .version = sbom_text(artifact, "version", builder),
        .purl = sbom_text(artifact, "purl", builder),
        .cpe = sbom_text(cpe, "cpe", builder),
        .license = license_of(builder, artifact),
        .supplier = sbom_text(metadata, "maintainer", builder),
        .is_package = true,
    };
    slice source = sbom_text(metadata, "source", builder);
    if (source.len) {
        slice version = sbom_text(metadata, "sourceVersion", builder);
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
    slice version = sbom_text(json_object_get(document, "schema"), "version", builder);
    const json_t *artifacts = json_object_get(document, "artifacts");
    if (!json_is_array(artifacts))
        return error_make(ERROR_INPUT, "its artifacts are no list");
    builder->sbom->format = arena_format(builder->arena, "Syft JSON %.*s", SLICE_ARG(version));
    builder->sbom->tool =
        arena_format(builder->arena, "%.*s %.*s", SLICE_ARG(sbom_text(descriptor, "name", builder)),
                     SLICE_ARG(sbom_text(descriptor, "version", builder)));
    builder->sbom->relations = json_array_size(json_object_get(document, "artifactRelationships"));
    read_source(builder, json_object_get(document, "source"));
    read_distro(builder, json_object_get(document, "distro"));
    json_array_foreach(artifacts, i, artifact) TRY(read_artifact(builder, artifact));
    return NULL;
}
