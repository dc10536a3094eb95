/* CycloneDX 1.4 to 1.7 (ECMA-424), JSON and XML: components, and on demand vulnerabilities. */
#include "report/cyclonedx.h"
#include "report/markup.h"
#include "report/parts.h"
#include "report/reports.h"
#include "sbom/license.h"
#include "sbom/properties.h"

enum { LONGEST_VERSION = 1024 }; /* by the schema */

#define VERSIONS "1.4 1.5 1.6 1.7"

struct writer {
    struct markup markup;
    const struct report *report;
    struct arena *arena;
    slice version; /* "1.7" */
    bool is_14;
};

static slice ref_of_image(const struct writer *writer)
{
    slice digest = writer->report->image->digest;
    return digest.len ? digest : SLICE("image");
}

/* Of which source a Debian package is, where Trivy looks for it. */
static void add_source(struct writer *writer, const struct component *component,
                       struct list *properties)
{
    slice version = component->source_version, epoch = SLICE_EMPTY;
    slice_split(version, ':', &epoch, &version);
    const struct {
        const char *name;
        slice value;
    } fields[] = {
        {"aquasecurity:trivy:PkgType", writer->report->inventory->os.id},
        {"aquasecurity:trivy:SrcName", component->source_name},
        {"aquasecurity:trivy:SrcEpoch", epoch},
        {"aquasecurity:trivy:SrcVersion", version},
    };
    if (!slice_equal(component->type, SLICE("deb")))
        return;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].value.len)
            *(struct sbom_property *)list_add(properties, writer->arena,
                                              sizeof(struct sbom_property)) =
                (struct sbom_property){fields[i].name, fields[i].value};
}

static void add_properties(struct writer *writer, const struct list *properties)
{
    const struct sbom_property *property = properties->items;
    if (properties->count == 0)
        return;
    markup_begin_list(&writer->markup, "properties");
    for (size_t i = 0; i < properties->count; i++)
        markup_property(&writer->markup, slice_from_text(property[i].name), property[i].value);
    markup_end(&writer->markup);
}

static void add_tools(struct writer *writer)
{
    struct markup *markup = &writer->markup;
    slice version = slice_from_text(writer->report->version);
    if (writer->is_14) {
        markup_begin_list(markup, "tools");
        markup_begin_item(markup, "tool");
        markup_field(markup, "vendor", SLICE("plimsoll"));
    } else {
        markup_begin(markup, "tools");
        markup_begin_list(markup, "components");
        markup_begin_item(markup, "component");
        markup_attribute(markup, "type", SLICE("application"));
    }
    markup_field(markup, "name", SLICE("plimsoll"));
    markup_field(markup, "version", version);
    markup_end(markup);
    markup_end(markup);
    if (!writer->is_14)
        markup_end(markup);
}

static void add_metadata(struct writer *writer)
{
    struct markup *markup = &writer->markup;
    const struct image *image = writer->report->image;
    struct list properties = report_image_properties(writer->report);
    markup_begin(markup, "metadata");
    markup_field(markup, "timestamp", slice_from_text(writer->report->started));
    add_tools(writer);
    markup_begin(markup, "component");
    markup_attribute(markup, "type", image->root_folder >= 0 ? SLICE("file") : SLICE("container"));
    markup_attribute(markup, "bom-ref", ref_of_image(writer));
    markup_field(markup, "name", image->name.len ? image->name : SLICE("image"));
    markup_field(markup, "version", image->digest);
    markup_field(markup, "purl", report_image_purl(writer->report));
    add_properties(writer, &properties);
    markup_end(markup);
    markup_end(markup);
}

static void add_licenses(struct writer *writer, slice license)
{
    struct markup *markup = &writer->markup;
    slice expression = license_expression(license, writer->arena);
    if (license.len == 0)
        return;
    markup_begin_list(markup, "licenses");
    if (expression.len && !license_is_id(expression)) {
        if (markup->xml)
            markup_value(markup, "expression", expression);
        else {
            markup_begin_item(markup, "");
            markup_field(markup, "expression", expression);
            markup_end(markup);
        }
    } else {
        if (!markup->xml)
            markup_begin_item(markup, "");
        markup_begin(markup, "license");
        markup_field(markup, expression.len ? "id" : "name", expression.len ? expression : license);
        markup_end(markup);
        if (!markup->xml)
            markup_end(markup);
    }
    markup_end(markup);
}

static void add_hashes(struct writer *writer, const struct component *component)
{
    const struct component_hash *hashes = component->hashes.items;
    size_t known = 0;
    for (size_t i = 0; i < component->hashes.count; i++)
        known += report_is_hash(&hashes[i]);
    if (known == 0)
        return;
    markup_begin_list(&writer->markup, "hashes");
    for (size_t i = 0; i < component->hashes.count; i++) {
        if (!report_is_hash(&hashes[i]))
            continue;
        markup_begin_item(&writer->markup, "hash");
        markup_attribute(&writer->markup, "alg", hashes[i].algorithm);
        markup_text(&writer->markup, "content", hashes[i].digits);
        markup_end(&writer->markup);
    }
    markup_end(&writer->markup);
}

static void add_occurrences(struct writer *writer, const struct component *component)
{
    struct markup *markup = &writer->markup;
    const slice *locations = component->locations.items;
    if (writer->is_14 || component->locations.count == 0)
        return;
    markup_begin(markup, "evidence");
    markup_begin_list(markup, "occurrences");
    for (size_t i = 0; i < component->locations.count; i++) {
        markup_begin_item(markup, "occurrence");
        markup_field(markup, "location", locations[i].len ? locations[i] : SLICE("/"));
        markup_end(markup);
    }
    markup_end(markup);
    markup_end(markup);
}

static void add_component(struct writer *writer, const struct component *component)
{
    struct markup *markup = &writer->markup;
    struct list properties = sbom_component_properties(component, writer->is_14, writer->arena);
    add_source(writer, component, &properties);
    markup_begin_item(markup, "component");
    markup_attribute(markup, "type", SLICE("library"));
    markup_attribute(markup, "bom-ref", component->ref);
    if (component->maintainer.len) {
        markup_begin(markup, "supplier");
        markup_field(markup, "name", component->maintainer);
        markup_end(markup);
    }
    markup_field(markup, "name", component->name.len ? component->name : SLICE("unnamed"));
    markup_field(markup, "version", slice_first(component->version, LONGEST_VERSION));
    add_hashes(writer, component);
    add_licenses(writer, component->license);
    markup_field(markup, "cpe", report_cpe(component));
    markup_field(markup, "purl", component->purl);
    add_properties(writer, &properties);
    add_occurrences(writer, component);
    markup_end(markup);
}

static void add_os(struct writer *writer)
{
    const struct os *os = &writer->report->inventory->os;
    if (!os->found)
        return;
    markup_begin_item(&writer->markup, "component");
    markup_attribute(&writer->markup, "type", SLICE("operating-system"));
    markup_attribute(&writer->markup, "bom-ref", SLICE("operating-system"));
    markup_field(&writer->markup, "name", os->id);
    markup_field(&writer->markup, "version", os->version_id);
    markup_field(&writer->markup, "description", os->name);
    markup_end(&writer->markup);
}

static void add_components(struct writer *writer)
{
    struct component *const *components = writer->report->inventory->components.items;
    markup_begin_list(&writer->markup, "components");
    add_os(writer);
    for (size_t i = 0; i < writer->report->inventory->components.count; i++)
        add_component(writer, components[i]);
    markup_end(&writer->markup);
}

static void add_dependency(struct writer *writer, slice ref)
{
    if (writer->markup.xml) {
        markup_begin_item(&writer->markup, "dependency");
        markup_attribute(&writer->markup, "ref", ref);
        markup_end(&writer->markup);
    } else {
        markup_value(&writer->markup, "", ref);
    }
}

/* The image needs what is in it; what packages need of each other is not known. */
static void add_dependencies(struct writer *writer)
{
    struct markup *markup = &writer->markup;
    const struct inventory *inventory = writer->report->inventory;
    struct component *const *components = inventory->components.items;
    markup_begin_list(markup, "dependencies");
    markup_begin_item(markup, "dependency");
    markup_attribute(markup, "ref", ref_of_image(writer));
    if (!markup->xml)
        markup_begin_list(markup, "dependsOn");
    if (inventory->os.found)
        add_dependency(writer, SLICE("operating-system"));
    for (size_t i = 0; i < inventory->components.count; i++)
        add_dependency(writer, components[i]->ref);
    if (!markup->xml)
        markup_end(markup);
    markup_end(markup);
    markup_end(markup);
}

static void write_document(const struct report *report, slice version, bool xml, struct buffer *out)
{
    struct writer writer = {.markup = markup_start(out, xml),
                            .report = report,
                            .arena = report->arena,
                            .version = version.len ? version : SLICE("1.7")};
    struct markup *markup = &writer.markup;
    slice serial = arena_format(report->arena, "urn:uuid:%.*s",
                                SLICE_ARG(report_uuid(report_identity(report), report->arena)));
    writer.is_14 = slice_equal(writer.version, SLICE("1.4"));
    if (xml) {
        buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        markup_begin(markup, "bom");
        markup_attribute(markup, "xmlns",
                         arena_format(report->arena, "http://cyclonedx.org/schema/bom/%.*s",
                                      SLICE_ARG(writer.version)));
        markup_attribute(markup, "serialNumber", serial);
        markup_attribute(markup, "version", SLICE("1"));
    } else {
        markup_begin(markup, NULL);
        markup_field(markup, "$schema",
                     arena_format(report->arena, "http://cyclonedx.org/schema/bom-%.*s.schema.json",
                                  SLICE_ARG(writer.version)));
        markup_field(markup, "bomFormat", SLICE("CycloneDX"));
        markup_field(markup, "specVersion", writer.version);
        markup_field(markup, "serialNumber", serial);
        json_field_number(&markup->json, "version", 1);
    }
    add_metadata(&writer);
    add_components(&writer);
    add_dependencies(&writer);
    if (report->sbom_findings)
        cyclonedx_add_vulnerabilities(markup, report, writer.is_14);
    markup_end(markup);
    buffer_add_byte(out, '\n');
}

static void write_json(const struct report *report, const struct report_options *options,
                       struct buffer *out)
{
    write_document(report, options->version, false, out);
}

static void write_xml(const struct report *report, const struct report_options *options,
                      struct buffer *out)
{
    write_document(report, options->version, true, out);
}

const struct report_format report_cyclonedx = {
    .name = "cyclonedx",
    .alias = "cyclonedx-json cdx",
    .help = "SBOM: CycloneDX JSON (@1.4 to @1.7)",
    .versions = VERSIONS,
    .is_sbom = true,
    .write = write_json,
};

const struct report_format report_cyclonedx_xml = {
    .name = "cyclonedx-xml",
    .help = "SBOM: CycloneDX XML (@1.4 to @1.7)",
    .versions = VERSIONS,
    .is_sbom = true,
    .write = write_xml,
};
