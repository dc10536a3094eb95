/* SPDX 2.3 (ISO/IEC 5962) as JSON. */
#include "base/json_write.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/spdx_parts.h"

struct writer {
    struct json_writer json;
    const struct report *report;
    struct spdx_document document;
};

static slice reference(const struct writer *writer, slice id)
{
    return arena_format(writer->report->arena, "SPDXRef-%.*s", SLICE_ARG(id));
}

static void add_creation(struct writer *writer)
{
    struct json_writer *json = &writer->json;
    slice tool = arena_format(writer->report->arena, "Tool: plimsoll-%s", writer->report->version);
    json_put_key(json, "creationInfo");
    json_begin_object(json);
    json_field(json, "created", slice_from_text(writer->report->started));
    json_field_strings(json, "creators", &tool, 1);
    json_end_object(json);
}

static void add_reference(struct json_writer *json, const char *category, const char *type,
                          slice locator)
{
    if (locator.len == 0)
        return;
    json_begin_object(json);
    json_field(json, "referenceCategory", slice_from_text(category));
    json_field(json, "referenceType", slice_from_text(type));
    json_field(json, "referenceLocator", locator);
    json_end_object(json);
}

static void add_references(struct json_writer *json, const struct spdx_package *package)
{
    if (package->purl.len == 0 && package->cpe.len == 0)
        return;
    json_put_key(json, "externalRefs");
    json_begin_array(json);
    add_reference(json, "PACKAGE-MANAGER", "purl", package->purl);
    add_reference(json, "SECURITY",
                  slice_starts(package->cpe, SLICE("cpe:2.3:")) ? "cpe23Type" : "cpe22Type",
                  package->cpe);
    json_end_array(json);
}

static void add_checksums(struct json_writer *json, const struct component *component,
                          struct arena *arena)
{
    const struct component_hash *hashes = component ? component->hashes.items : NULL;
    if (!component || component->hashes.count == 0)
        return;
    json_put_key(json, "checksums");
    json_begin_array(json);
    for (size_t i = 0; i < component->hashes.count; i++) {
        if (!report_is_hash(&hashes[i]))
            continue;
        json_begin_object(json);
        json_field(json, "algorithm", spdx_algorithm(hashes[i].algorithm, arena));
        json_field(json, "checksumValue", hashes[i].digits);
        json_end_object(json);
    }
    json_end_array(json);
}

static void add_notes(struct writer *writer, const struct spdx_package *package)
{
    struct json_writer *json = &writer->json;
    if (package->notes.len == 0)
        return;
    json_put_key(json, "annotations");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "annotationDate", slice_from_text(writer->report->started));
    json_field(json, "annotationType", SLICE("OTHER"));
    json_field(json, "annotator",
               arena_format(writer->report->arena, "Tool: plimsoll-%s", writer->report->version));
    json_field(json, "comment", package->notes);
    json_end_object(json);
    json_end_array(json);
}

/* The JSON schema has an underscore where the specification's text has a dash. */
static slice purpose_in_json(slice purpose)
{
    return slice_equal(purpose, SLICE("OPERATING-SYSTEM")) ? SLICE("OPERATING_SYSTEM") : purpose;
}

static void add_package(struct writer *writer, const struct spdx_package *package)
{
    struct json_writer *json = &writer->json;
    struct arena *arena = writer->report->arena;
    json_begin_object(json);
    json_field(json, "SPDXID", reference(writer, package->id));
    json_field(json, "name", package->name);
    if (package->version.len)
        json_field(json, "versionInfo", package->version);
    json_field(json, "supplier",
               package->supplier.len
                   ? arena_format(arena, "Organization: %.*s", SLICE_ARG(package->supplier))
                   : SLICE("NOASSERTION"));
    json_field(json, "downloadLocation", SLICE("NOASSERTION"));
    json_field_bool(json, "filesAnalyzed", false);
    if (package->locations.len)
        json_field(json, "sourceInfo", package->locations);
    add_checksums(json, package->component, arena);
    json_field(json, "licenseConcluded", SLICE("NOASSERTION"));
    json_field(json, "licenseDeclared",
               package->license.len ? package->license : SLICE("NOASSERTION"));
    json_field(json, "copyrightText", SLICE("NOASSERTION"));
    add_references(json, package);
    json_field(json, "primaryPackagePurpose", purpose_in_json(package->purpose));
    add_notes(writer, package);
    json_end_object(json);
}

static void add_relationship(struct writer *writer, slice from, const char *type, slice to)
{
    struct json_writer *json = &writer->json;
    json_begin_object(json);
    json_field(json, "spdxElementId", reference(writer, from));
    json_field(json, "relationshipType", slice_from_text(type));
    json_field(json, "relatedSpdxElement", reference(writer, to));
    json_end_object(json);
}

static void add_relationships(struct writer *writer)
{
    const struct spdx_package *packages = writer->document.packages;
    json_put_key(&writer->json, "relationships");
    json_begin_array(&writer->json);
    add_relationship(writer, SLICE("DOCUMENT"), "DESCRIBES", packages[0].id);
    for (size_t i = 1; i < writer->document.count; i++)
        add_relationship(writer, packages[0].id, "CONTAINS", packages[i].id);
    json_end_array(&writer->json);
}

/* Each licence that is not on SPDX's list, once. */
static void add_extracted(struct writer *writer)
{
    struct json_writer *json = &writer->json;
    struct spdx_extracted_list list = spdx_extracted(&writer->document, writer->report->arena);
    if (list.count == 0)
        return;
    json_put_key(json, "hasExtractedLicensingInfos");
    json_begin_array(json);
    for (size_t i = 0; i < list.count; i++) {
        json_begin_object(json);
        json_field(json, "licenseId", list.packages[i]->license);
        json_field(json, "extractedText", list.packages[i]->extracted);
        json_field(json, "name", list.packages[i]->extracted);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_json(const struct report *report, const struct report_options *options,
                       struct buffer *out)
{
    struct writer writer = {
        .json = {.out = out}, .report = report, .document = spdx_document_of(report)};
    struct json_writer *json = &writer.json;
    (void)options;
    json_begin_object(json);
    json_field(json, "spdxVersion", SLICE("SPDX-2.3"));
    json_field(json, "dataLicense", SLICE("CC0-1.0"));
    json_field(json, "SPDXID", SLICE("SPDXRef-DOCUMENT"));
    json_field(json, "name", writer.document.name);
    json_field(json, "documentNamespace", writer.document.space);
    add_creation(&writer);
    json_put_key(json, "packages");
    json_begin_array(json);
    for (size_t i = 0; i < writer.document.count; i++)
        add_package(&writer, &writer.document.packages[i]);
    json_end_array(json);
    add_relationships(&writer);
    add_extracted(&writer);
    json_end_object(json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_spdx_json = {
    .name = "spdx",
    .alias = "spdx-json",
    .help = "SBOM: SPDX 2.3 JSON",
    .versions = "2.3",
    .is_sbom = true,
    .write = write_json,
};
