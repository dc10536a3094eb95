/* SPDX 2.3 (ISO/IEC 5962) as tag-value. */
#include "base/text.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/spdx_parts.h"

struct writer {
    struct buffer *out;
    const struct report *report;
    struct spdx_document document;
};

/* What would begin or end a text of several lines is broken up: it cannot be written otherwise. */
static void add_broken_up(struct writer *writer, slice value)
{
    while (value.len) {
        size_t at = 0;
        while (at < value.len && !slice_starts(slice_from(value, at), SLICE("<text>")) &&
               !slice_starts(slice_from(value, at), SLICE("</text>")))
            at++;
        text_add_utf8(writer->out, slice_first(value, at));
        value = slice_from(value, at);
        if (value.len) {
            buffer_text(writer->out, "< ");
            value = slice_from(value, 1);
        }
    }
}

static void add(struct writer *writer, const char *tag, slice value)
{
    if (value.len == 0)
        return;
    buffer_format(writer->out, "%s: ", tag);
    add_broken_up(writer, value);
    buffer_add_byte(writer->out, '\n');
}

/* Text of several lines. */
static void add_text(struct writer *writer, const char *tag, slice value)
{
    if (value.len == 0)
        return;
    buffer_format(writer->out, "%s: <text>", tag);
    add_broken_up(writer, value);
    buffer_text(writer->out, "</text>\n");
}

static void add_checksums(struct writer *writer, const struct component *component)
{
    const struct component_hash *hashes = component ? component->hashes.items : NULL;
    for (size_t i = 0; component && i < component->hashes.count; i++)
        if (report_is_hash(&hashes[i]))
            add(writer, "PackageChecksum",
                arena_format(writer->report->arena, "%.*s: %.*s",
                             SLICE_ARG(spdx_algorithm(hashes[i].algorithm, writer->report->arena)),
                             SLICE_ARG(hashes[i].digits)));
}

static void add_references(struct writer *writer, const struct spdx_package *package)
{
    struct arena *arena = writer->report->arena;
    if (package->purl.len)
        add(writer, "ExternalRef",
            arena_format(arena, "PACKAGE-MANAGER purl %.*s", SLICE_ARG(package->purl)));
    if (package->cpe.len)
        add(writer, "ExternalRef",
            arena_format(arena, "SECURITY %s %.*s",
                         slice_starts(package->cpe, SLICE("cpe:2.3:")) ? "cpe23Type" : "cpe22Type",
                         SLICE_ARG(package->cpe)));
}

static void add_package(struct writer *writer, const struct spdx_package *package)
{
    struct arena *arena = writer->report->arena;
    buffer_add_byte(writer->out, '\n');
    add(writer, "PackageName", package->name);
    add(writer, "SPDXID", arena_format(arena, "SPDXRef-%.*s", SLICE_ARG(package->id)));
    add(writer, "PackageVersion", package->version);
    add(writer, "PackageSupplier",
        package->supplier.len
            ? arena_format(arena, "Organization: %.*s", SLICE_ARG(package->supplier))
            : SLICE("NOASSERTION"));
    add(writer, "PackageDownloadLocation", SLICE("NOASSERTION"));
    add(writer, "FilesAnalyzed", SLICE("false"));
    add_checksums(writer, package->component);
    add_text(writer, "PackageSourceInfo", package->locations);
    add(writer, "PackageLicenseConcluded", SLICE("NOASSERTION"));
    add(writer, "PackageLicenseDeclared",
        package->license.len ? package->license : SLICE("NOASSERTION"));
    add(writer, "PackageCopyrightText", SLICE("NOASSERTION"));
    add_references(writer, package);
    add(writer, "PrimaryPackagePurpose", package->purpose);
}

static void add_notes(struct writer *writer, const struct spdx_package *package)
{
    struct arena *arena = writer->report->arena;
    if (package->notes.len == 0)
        return;
    buffer_add_byte(writer->out, '\n');
    add(writer, "Annotator", arena_format(arena, "Tool: plimsoll-%s", writer->report->version));
    add(writer, "AnnotationDate", slice_from_text(writer->report->started));
    add(writer, "AnnotationType", SLICE("OTHER"));
    add(writer, "SPDXREF", arena_format(arena, "SPDXRef-%.*s", SLICE_ARG(package->id)));
    add_text(writer, "AnnotationComment", package->notes);
}

static void add_extracted(struct writer *writer)
{
    struct spdx_extracted_list list = spdx_extracted(&writer->document, writer->report->arena);
    for (size_t i = 0; i < list.count; i++) {
        buffer_add_byte(writer->out, '\n');
        add(writer, "LicenseID", list.packages[i]->license);
        add_text(writer, "ExtractedText", list.packages[i]->extracted);
        add(writer, "LicenseName", list.packages[i]->extracted);
    }
}

static void add_relationships(struct writer *writer)
{
    struct arena *arena = writer->report->arena;
    const struct spdx_package *packages = writer->document.packages;
    buffer_add_byte(writer->out, '\n');
    add(writer, "Relationship", SLICE("SPDXRef-DOCUMENT DESCRIBES SPDXRef-Image"));
    for (size_t i = 1; i < writer->document.count; i++)
        add(writer, "Relationship",
            arena_format(arena, "SPDXRef-Image CONTAINS SPDXRef-%.*s", SLICE_ARG(packages[i].id)));
}

static void write_tag_value(const struct report *report, const struct report_options *options,
                            struct buffer *out)
{
    struct writer writer = {.out = out, .report = report, .document = spdx_document_of(report)};
    const struct spdx_document *document = &writer.document;
    (void)options;
    buffer_text(out, "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n");
    add(&writer, "DocumentName", document->name);
    add(&writer, "DocumentNamespace", document->space);
    add(&writer, "Creator", arena_format(report->arena, "Tool: plimsoll-%s", report->version));
    add(&writer, "Created", slice_from_text(report->started));
    for (size_t i = 0; i < document->count; i++)
        add_package(&writer, &document->packages[i]);
    add_extracted(&writer);
    add_relationships(&writer);
    for (size_t i = 0; i < document->count; i++)
        add_notes(&writer, &document->packages[i]);
}

const struct report_format report_spdx_tag_value = {
    .name = "spdx-tag-value",
    .alias = "spdx-tv",
    .help = "SBOM: SPDX 2.3 tag-value",
    .versions = "2.3",
    .is_sbom = true,
    .write = write_tag_value,
};
