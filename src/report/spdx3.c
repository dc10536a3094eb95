/* SPDX 3.0.1 as JSON-LD: profiles core, software and simpleLicensing. */
#include "base/json_write.h"
#include "base/map.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/spdx_parts.h"

struct writer {
    struct json_writer json;
    const struct report *report;
    struct arena *arena;
    struct spdx_document document;
    struct map suppliers; /* name → slice * of its id */
    struct list elements; /* of slice: the ids of all that stand in the graph */
};

static slice id(const struct writer *writer, const char *kind, slice name)
{
    return arena_format(writer->arena, "%.*s#%s%.*s", SLICE_ARG(writer->document.space), kind,
                        SLICE_ARG(name));
}

static void begin(struct writer *writer, const char *type, slice spdx_id)
{
    struct json_writer *json = &writer->json;
    json_begin_object(json);
    json_field(json, "type", slice_from_text(type));
    json_field(json, "spdxId", spdx_id);
    json_field(json, "creationInfo", SLICE("_:creationinfo"));
    *(slice *)list_add(&writer->elements, writer->arena, sizeof(slice)) = spdx_id;
}

static void add_creation(struct writer *writer)
{
    struct json_writer *json = &writer->json;
    slice agent = id(writer, "agent-plimsoll", SLICE_EMPTY);
    slice tool = id(writer, "tool-plimsoll", SLICE_EMPTY);
    json_begin_object(json);
    json_field(json, "type", SLICE("CreationInfo"));
    json_field(json, "@id", SLICE("_:creationinfo"));
    json_field(json, "specVersion", SLICE("3.0.1"));
    json_field(json, "created", slice_from_text(writer->report->started));
    json_field_strings(json, "createdBy", &agent, 1);
    json_field_strings(json, "createdUsing", &tool, 1);
    json_end_object(json);
    begin(writer, "SoftwareAgent", agent);
    json_field(json, "name", SLICE("plimsoll"));
    json_end_object(json);
    begin(writer, "Tool", tool);
    json_field(json, "name", arena_format(writer->arena, "plimsoll-%s", writer->report->version));
    json_end_object(json);
}

/* Each supplier is an organisation of its own, once. */
static slice supplier_id(struct writer *writer, slice name)
{
    slice *known = map_get(&writer->suppliers, name);
    if (known)
        return *known;
    known = ARENA_NEW(writer->arena, slice);
    *known = id(writer, "organization-",
                arena_format(writer->arena, "%016llx", (unsigned long long)slice_hash(name)));
    map_put(&writer->suppliers, name, known);
    begin(writer, "Organization", *known);
    json_field(&writer->json, "name", name);
    json_end_object(&writer->json);
    return *known;
}

static const char *purpose_of(const struct spdx_package *package)
{
    return slice_equal(package->purpose, SLICE("CONTAINER"))          ? "container"
           : slice_equal(package->purpose, SLICE("OPERATING-SYSTEM")) ? "operatingSystem"
           : slice_equal(package->purpose, SLICE("FILE"))             ? "file"
                                                                      : "library";
}

static void add_identifiers(struct writer *writer, const struct spdx_package *package)
{
    struct json_writer *json = &writer->json;
    if (package->cpe.len == 0)
        return;
    json_put_key(json, "externalIdentifier");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "type", SLICE("ExternalIdentifier"));
    json_field(json, "externalIdentifierType",
               slice_starts(package->cpe, SLICE("cpe:2.3:")) ? SLICE("cpe23") : SLICE("cpe22"));
    json_field(json, "identifier", package->cpe);
    json_end_object(json);
    json_end_array(json);
}

static void add_hashes(struct writer *writer, const struct component *component)
{
    struct json_writer *json = &writer->json;
    const struct component_hash *hashes = component ? component->hashes.items : NULL;
    if (!component || component->hashes.count == 0)
        return;
    json_put_key(json, "verifiedUsing");
    json_begin_array(json);
    for (size_t i = 0; i < component->hashes.count; i++) {
        if (!report_is_hash(&hashes[i]))
            continue;
        CLEANUP_BUFFER struct buffer name = {0};
        slice algorithm = spdx_algorithm(hashes[i].algorithm, writer->arena);
        for (size_t at = 0; at < algorithm.len; at++)
            if (algorithm.ptr[at] != '-')
                buffer_add_byte(&name, byte_lower(algorithm.ptr[at]));
        json_begin_object(json);
        json_field(json, "type", SLICE("Hash"));
        json_field(json, "algorithm", buffer_slice(&name));
        json_field(json, "hashValue", hashes[i].digits);
        json_end_object(json);
    }
    json_end_array(json);
}

static void add_package(struct writer *writer, const struct spdx_package *package)
{
    struct json_writer *json = &writer->json;
    slice supplier = package->supplier.len ? supplier_id(writer, package->supplier) : SLICE_EMPTY;
    begin(writer, "software_Package", id(writer, "", package->id));
    json_field(json, "name", package->name);
    if (package->version.len)
        json_field(json, "software_packageVersion", package->version);
    if (package->purl.len)
        json_field(json, "software_packageUrl", package->purl);
    json_field(json, "software_primaryPurpose", slice_from_text(purpose_of(package)));
    if (package->locations.len)
        json_field(json, "software_sourceInfo", package->locations);
    if (supplier.len)
        json_field(json, "suppliedBy", supplier);
    add_identifiers(writer, package);
    add_hashes(writer, package->component);
    json_end_object(json);
    if (package->notes.len == 0)
        return;
    begin(writer, "Annotation", id(writer, "annotation-", package->id));
    json_field(json, "annotationType", SLICE("other"));
    json_field(json, "subject", id(writer, "", package->id));
    json_field(json, "statement", package->notes);
    json_end_object(json);
}

static void add_relationship(struct writer *writer, slice name, const char *type, slice from,
                             const slice *to, size_t count)
{
    begin(writer, "Relationship", id(writer, "relationship-", name));
    json_field(&writer->json, "relationshipType", slice_from_text(type));
    json_field(&writer->json, "from", from);
    json_field_strings(&writer->json, "to", to, count);
    json_end_object(&writer->json);
}

static void add_licenses(struct writer *writer)
{
    struct map known = {.arena = writer->arena};
    for (size_t i = 0; i < writer->document.count; i++) {
        const struct spdx_package *package = &writer->document.packages[i];
        slice text = package->license;
        if (text.len == 0)
            continue;
        slice hash = arena_format(writer->arena, "%016llx", (unsigned long long)slice_hash(text));
        slice license = id(writer, "license-", hash);
        if (!map_get(&known, text)) {
            map_put(&known, text, writer);
            begin(writer, "simplelicensing_LicenseExpression", license);
            json_field(&writer->json, "simplelicensing_licenseExpression", text);
            if (package->extracted.len)
                json_field(&writer->json, "description", package->extracted);
            json_end_object(&writer->json);
        }
        add_relationship(writer,
                         arena_format(writer->arena, "license-%.*s", SLICE_ARG(package->id)),
                         "hasDeclaredLicense", id(writer, "", package->id), &license, 1);
    }
}

static void add_contents(struct writer *writer)
{
    size_t count = writer->document.count - 1;
    slice *to = arena_array(writer->arena, count + 1, sizeof(slice));
    for (size_t i = 0; i < count; i++)
        to[i] = id(writer, "", writer->document.packages[i + 1].id);
    if (count)
        add_relationship(writer, SLICE("contents"), "contains",
                         id(writer, "", writer->document.packages[0].id), to, count);
}

static void add_collections(struct writer *writer)
{
    static const slice profiles[] = {{"core", 4}, {"software", 8}, {"simpleLicensing", 15}};
    struct json_writer *json = &writer->json;
    slice image = id(writer, "", writer->document.packages[0].id);
    slice sbom = id(writer, "sbom", SLICE_EMPTY), analyzed = SLICE("analyzed");
    const slice *elements = writer->elements.items;
    size_t count = writer->elements.count;
    begin(writer, "software_Sbom", sbom);
    json_field_strings(json, "software_sbomType", &analyzed, 1);
    json_field_strings(json, "rootElement", &image, 1);
    json_field_strings(json, "element", elements, count);
    json_end_object(json);
    elements = writer->elements.items;
    json_begin_object(json);
    json_field(json, "type", SLICE("SpdxDocument"));
    json_field(json, "spdxId", id(writer, "document", SLICE_EMPTY));
    json_field(json, "creationInfo", SLICE("_:creationinfo"));
    json_field(json, "name", writer->document.name);
    json_field_strings(json, "profileConformance", profiles, 3);
    json_field_strings(json, "rootElement", &sbom, 1);
    json_field_strings(json, "element", elements, writer->elements.count);
    json_end_object(json);
}

static void write_json(const struct report *report, const struct report_options *options,
                       struct buffer *out)
{
    struct writer writer = {.json = {.out = out},
                            .report = report,
                            .arena = report->arena,
                            .suppliers = {.arena = report->arena},
                            .document = spdx_document_of(report)};
    struct json_writer *json = &writer.json;
    (void)options;
    json_begin_object(json);
    json_field(json, "@context", SLICE("https://spdx.org/rdf/3.0.1/spdx-context.jsonld"));
    json_put_key(json, "@graph");
    json_begin_array(json);
    add_creation(&writer);
    for (size_t i = 0; i < writer.document.count; i++)
        add_package(&writer, &writer.document.packages[i]);
    add_contents(&writer);
    add_licenses(&writer);
    add_collections(&writer);
    json_end_array(json);
    json_end_object(json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_spdx3 = {
    .name = "spdx3",
    .alias = "spdx3-json spdx-3 spdx-json-3",
    .help = "SBOM: SPDX 3.0 JSON-LD",
    .versions = "3.0 3.0.1",
    .is_sbom = true,
    .write = write_json,
};
