/* SPDX 2.2 and 2.3 (ISO/IEC 5962), as JSON. */
#include "base/limits.h"
#include "sbom/builder.h"
#include "sbom/properties.h"

static slice unless_no_assertion(slice text)
{
    return slice_equal(text, SLICE("NOASSERTION")) || slice_equal(text, SLICE("NONE")) ? SLICE_EMPTY
                                                                                       : text;
}

/* "Organization: Debian (a@b.c)" */
static slice agent_of(slice text)
{
    text = unless_no_assertion(text);
    for (size_t i = 0; i < 2; i++) {
        slice prefix = i ? SLICE("Person: ") : SLICE("Organization: ");
        if (slice_starts(text, prefix))
            return slice_from(text, prefix.len);
    }
    return text;
}

/* "plimsoll:layer: 0" a line, or Trivy's "LayerDiffID: sha256:…". */
static void add_notes(struct sbom_builder *builder, struct sbom_item *item, slice text)
{
    slice name, value;
    while (sbom_property_pull(&text, builder->arena, &name, &value))
        sbom_item_property(builder, item, name, value);
}

static void add_annotations(struct sbom_builder *builder, struct sbom_item *item,
                            const json_t *package)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(package, "annotations"), i, entry)
        add_notes(builder, item, sbom_text(entry, "comment", builder));
    json_array_foreach(json_object_get(package, "attributionTexts"), i,
                       entry) if (json_is_string(entry))
        add_notes(builder, item, sbom_string(entry, builder));
}

static void add_references(struct sbom_builder *builder, struct sbom_item *item,
                           const json_t *package)
{
    size_t i;
    const json_t *reference;
    json_array_foreach(json_object_get(package, "externalRefs"), i, reference)
    {
        slice type = sbom_text(reference, "referenceType", builder);
        slice locator = sbom_text(reference, "referenceLocator", builder);
        if (slice_equal(type, SLICE("purl")) && item->purl.len == 0)
            item->purl = locator;
        else if (slice_starts(type, SLICE("cpe2")) && item->cpe.len == 0)
            item->cpe = locator;
    }
    json_array_foreach(json_object_get(package, "checksums"), i, reference)
    {
        slice algorithm = sbom_text(reference, "algorithm", builder);
        if (slice_starts(algorithm, SLICE("SHA")) && !slice_starts(algorithm, SLICE("SHA3")))
            algorithm =
                arena_format(builder->arena, "SHA-%.*s", SLICE_ARG(slice_from(algorithm, 3)));
        *(struct component_hash *)list_add(&item->hashes, builder->arena,
                                           sizeof(struct component_hash)) =
            (struct component_hash){algorithm, sbom_text(reference, "checksumValue", builder)};
    }
}

/* Trivy: "built package from: glibc 2.36-9"; Syft: "acquired package info from …: /a, /b". */
static void add_source_info(struct sbom_builder *builder, struct sbom_item *item, slice text)
{
    slice built = SLICE("built package from: "), acquired = SLICE("acquired package info"), path;
    if (slice_starts(text, built)) {
        slice name, version;
        if (slice_split(slice_from(text, built.len), ' ', &name, &version)) {
            sbom_item_property(builder, item, SLICE("SrcName"), name);
            sbom_item_property(builder, item, SLICE("SrcVersion"), version);
        }
        return;
    }
    if (!slice_starts(text, acquired) || !slice_split(text, ':', &path, &text))
        return;
    while (slice_pull(&text, ',', &path)) {
        path = slice_trim(path);
        if (slice_starts(path, SLICE("/")))
            *(slice *)list_add(&item->locations, builder->arena, sizeof(slice)) = path;
    }
}

/* Licences that are not on SPDX's list, by their ids. */
static void read_extracted(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    const json_t *info;
    json_array_foreach(json_object_get(document, "hasExtractedLicensingInfos"), i, info)
    {
        slice *text = ARENA_NEW(builder->arena, slice);
        *text = sbom_text(info, "name", builder);
        if (text->len == 0)
            *text = sbom_text(info, "extractedText", builder);
        map_put(&builder->licenses, sbom_text(info, "licenseId", builder), text);
    }
}

static slice license_of(struct sbom_builder *builder, const json_t *package)
{
    slice license = unless_no_assertion(sbom_text(package, "licenseDeclared", builder));
    if (license.len == 0)
        license = unless_no_assertion(sbom_text(package, "licenseConcluded", builder));
    bool alone =
        slice_starts(license, SLICE("LicenseRef-")) && slice_find(license, ' ') == SIZE_MAX;
    const slice *text = alone ? map_get(&builder->licenses, license) : NULL;
    return text ? *text : license;
}

static void read_image(struct sbom_builder *builder, const struct sbom_item *item)
{
    const slice *names = item->names.items, *values = item->values.items;
    struct image *image = builder->sbom->image;
    image->name = item->name;
    if (slice_starts(item->version, SLICE("sha256:")))
        image->digest = item->version;
    for (size_t i = 0; i < item->names.count; i++)
        sbom_image_property(builder, names[i], values[i]);
}

static void check_package(struct sbom_builder *builder, const json_t *package,
                          const struct sbom_item *item)
{
    if (item->name.len == 0)
        sbom_fault(builder, "a package has no name (%.*s)", SLICE_ARG(item->ref));
    if (!slice_starts(item->ref, SLICE("SPDXRef-")))
        sbom_fault(builder, "package \"%.*s\" has no SPDXID that begins with SPDXRef-",
                   SLICE_ARG(item->name));
    if (sbom_text(package, "downloadLocation", builder).len == 0)
        sbom_fault(builder, "package \"%.*s\" has no downloadLocation", SLICE_ARG(item->name));
}

static struct error *read_package(struct sbom_builder *builder, const json_t *package,
                                  slice described)
{
    slice purpose = sbom_text(package, "primaryPackagePurpose", builder);
    struct sbom_item item = {
        .ref = sbom_text(package, "SPDXID", builder),
        .name = sbom_text(package, "name", builder),
        .version = sbom_text(package, "versionInfo", builder),
        .license = license_of(builder, package),
        .supplier = agent_of(sbom_text(package, "supplier", builder)),
    };
    add_annotations(builder, &item, package);
    add_references(builder, &item, package);
    add_source_info(builder, &item, sbom_text(package, "sourceInfo", builder));
    check_package(builder, package, &item);
    bool is_root = described.len && slice_equal(item.ref, described);
    bool is_system = slice_is_among(purpose, "OPERATING-SYSTEM OPERATING_SYSTEM");
    bool no_purl = item.purl.len == 0 || slice_starts(item.purl, SLICE("pkg:oci/"));
    if (no_purl && (is_root || slice_equal(purpose, SLICE("CONTAINER")))) {
        read_image(builder, &item);
        return NULL;
    }
    if (is_system)
        sbom_set_os(builder, item.name, item.version, SLICE_EMPTY);
    item.is_package = !is_system && !slice_is_among(purpose, "FILE CONTAINER SOURCE DEVICE") &&
                      !sbom_is_group(&item);
    return sbom_add(builder, &item);
}

static void note_ids(struct sbom_builder *builder, const json_t *document)
{
    static const char *const lists[] = {"packages", "files", "snippets"};
    size_t i;
    const json_t *element;
    sbom_note_id(builder, SLICE("SPDXRef-DOCUMENT"));
    for (size_t list = 0; list < sizeof(lists) / sizeof(lists[0]); list++)
        json_array_foreach(json_object_get(document, lists[list]), i, element)
            sbom_note_id(builder, sbom_text(element, "SPDXID", builder));
}

/* An end of a relationship may lie in another document, or be said to be none. */
static void check_end(struct sbom_builder *builder, slice id)
{
    if (!slice_starts(id, SLICE("DocumentRef-")) && unless_no_assertion(id).len)
        sbom_check_id(builder, id, "a relationship");
}

/* Which element the document is about. */
static slice described_by(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    const json_t *relation;
    slice found = SLICE_EMPTY;
    json_array_foreach(json_object_get(document, "relationships"), i, relation)
    {
        slice type = sbom_text(relation, "relationshipType", builder);
        bool describes = slice_equal(type, SLICE("DESCRIBES"));
        if (describes && found.len == 0)
            found = sbom_text(relation, "relatedSpdxElement", builder);
        builder->sbom->relations += !describes;
        check_end(builder, sbom_text(relation, "spdxElementId", builder));
        check_end(builder, sbom_text(relation, "relatedSpdxElement", builder));
    }
    const json_t *first = json_array_get(json_object_get(document, "documentDescribes"), 0);
    if (found.len == 0 && json_is_string(first))
        found = sbom_string(first, builder);
    return found;
}

static void read_creation(struct sbom_builder *builder, const json_t *creation)
{
    size_t i;
    const json_t *creator;
    struct sbom *sbom = builder->sbom;
    sbom->created = sbom_text(creation, "created", builder);
    json_array_foreach(json_object_get(creation, "creators"), i, creator)
    {
        slice text = sbom_string(creator, builder);
        if (slice_starts(text, SLICE("Tool: ")) && sbom->tool.len == 0)
            sbom->tool = slice_from(text, 6);
        else if (sbom->author.len == 0)
            sbom->author = agent_of(text);
    }
    if (json_array_size(json_object_get(creation, "creators")) == 0)
        sbom_fault(builder, "the document does not say who made it");
}

struct error *sbom_read_spdx2(struct sbom_builder *builder, const json_t *document)
{
    size_t i;
    const json_t *package;
    slice version = sbom_text(document, "spdxVersion", builder);
    if (!slice_equal(version, SLICE("SPDX-2.3")) && !slice_equal(version, SLICE("SPDX-2.2")))
        return error_make(ERROR_INPUT, "it is of version \"%.*s\"; plimsoll reads SPDX-2.2 and 2.3",
                          SLICE_ARG(version));
    builder->sbom->format =
        arena_format(builder->arena, "SPDX %.*s", SLICE_ARG(slice_from(version, 5)));
    read_creation(builder, json_object_get(document, "creationInfo"));
    note_ids(builder, document);
    read_extracted(builder, document);
    slice described = described_by(builder, document);
    json_array_foreach(json_object_get(document, "packages"), i, package)
        TRY(read_package(builder, package, described));
    return NULL;
}
