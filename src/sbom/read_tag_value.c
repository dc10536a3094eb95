/* SPDX 2's tag-value as its JSON, as far as the reader wants it. */
#include "base/limits.h"
#include "sbom/builder.h"

struct reading {
    json_t *document, *files, *packages, *relationships, *annotations, *licenses, *creators;
    json_t *package, *annotation, *license; /* the one that is being read, or NULL */
    struct arena arena;
    bool past_packages; /* in a part on files or snippets, whose tags are not looked at */
};

static void set(json_t *object, const char *key, slice value)
{
    json_t *text = json_stringn(value.len ? value.ptr : "", value.len);
    if (object && text)
        json_object_set_new(object, key, text);
    else
        json_decref(text);
}

static void append(json_t *list, slice value)
{
    json_t *text = json_stringn(value.len ? value.ptr : "", value.len);
    if (text)
        json_array_append_new(list, text);
}

static json_t *begin(json_t *list)
{
    json_t *object = json_object();
    json_array_append_new(list, object);
    return object;
}

/* Files and snippets are passed over, but relationships may name them. */
static void note_file(struct reading *reading, slice id)
{
    set(begin(reading->files), "SPDXID", id);
}

static void add_relationship(struct reading *reading, slice value)
{
    slice from, type, to;
    if (!slice_split(value, ' ', &from, &type) || !slice_split(type, ' ', &type, &to))
        return;
    json_t *relation = begin(reading->relationships);
    set(relation, "spdxElementId", from);
    set(relation, "relationshipType", type);
    set(relation, "relatedSpdxElement", slice_trim(to));
}

/* "PACKAGE-MANAGER purl pkg:…" */
static void add_reference(struct reading *reading, slice value)
{
    slice category, type, locator;
    if (!reading->package || !slice_split(value, ' ', &category, &type) ||
        !slice_split(type, ' ', &type, &locator))
        return;
    json_t *reference = begin(json_get_list(reading->package, "externalRefs"));
    set(reference, "referenceCategory", category);
    set(reference, "referenceType", type);
    set(reference, "referenceLocator", slice_trim(locator));
}

static void add_attribution(struct reading *reading, slice value)
{
    if (reading->package)
        append(json_get_list(reading->package, "attributionTexts"), value);
}

/* Tags whose value goes as it is into a field of the package that is being read. */
static const char *package_field(slice tag)
{
    static const struct {
        const char *tag, *field;
    } fields[] = {{"PackageVersion", "versionInfo"},
                  {"PackageSupplier", "supplier"},
                  {"PackageDownloadLocation", "downloadLocation"},
                  {"PackageSourceInfo", "sourceInfo"},
                  {"PackageLicenseConcluded", "licenseConcluded"},
                  {"PackageLicenseDeclared", "licenseDeclared"},
                  {"PrimaryPackagePurpose", "primaryPackagePurpose"}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (slice_equal(tag, slice_from_text(fields[i].tag)))
            return fields[i].field;
    return NULL;
}

static bool read_part(struct reading *reading, slice tag, slice value)
{
    if (slice_equal(tag, SLICE("PackageName"))) {
        reading->package = begin(reading->packages);
        reading->past_packages = false;
        set(reading->package, "name", value);
    } else if (slice_equal(tag, SLICE("FileName")) || slice_equal(tag, SLICE("SnippetSPDXID"))) {
        reading->package = NULL;
        reading->past_packages = true;
    } else if (slice_equal(tag, SLICE("Annotator"))) {
        reading->annotation = begin(reading->annotations);
    } else if (slice_equal(tag, SLICE("SPDXREF"))) {
        set(reading->annotation, "SPDXREF", value);
    } else if (slice_equal(tag, SLICE("AnnotationComment"))) {
        set(reading->annotation, "comment", value);
    } else if (slice_equal(tag, SLICE("LicenseID"))) {
        reading->license = begin(reading->licenses);
        set(reading->license, "licenseId", value);
    } else if (slice_equal(tag, SLICE("ExtractedText"))) {
        set(reading->license, "extractedText", value);
    } else if (slice_equal(tag, SLICE("LicenseName"))) {
        set(reading->license, "name", value);
    } else {
        return false;
    }
    return true;
}

static void read_tag(struct reading *reading, slice tag, slice value)
{
    const char *field = package_field(tag);
    if (read_part(reading, tag, value))
        return;
    if (slice_equal(tag, SLICE("SPDXVersion")))
        set(reading->document, "spdxVersion", value);
    else if (slice_equal(tag, SLICE("DocumentNamespace")))
        set(reading->document, "documentNamespace", value);
    else if (slice_equal(tag, SLICE("Creator")))
        append(reading->creators, value);
    else if (slice_equal(tag, SLICE("Created")))
        set(json_object_get(reading->document, "creationInfo"), "created", value);
    else if (slice_equal(tag, SLICE("Relationship")))
        add_relationship(reading, value);
    else if (reading->past_packages && slice_equal(tag, SLICE("SPDXID")))
        note_file(reading, value);
    else if (slice_equal(tag, SLICE("SnippetSPDXID")))
        note_file(reading, value);
    else if (reading->past_packages || !reading->package)
        return;
    else if (slice_equal(tag, SLICE("SPDXID")))
        set(reading->package, "SPDXID", value);
    else if (slice_equal(tag, SLICE("ExternalRef")))
        add_reference(reading, value);
    else if (slice_equal(tag, SLICE("PackageAttributionText")))
        add_attribution(reading, value);
    else if (field)
        set(reading->package, field, value);
}

/* "<text>…</text>" may go over many lines. */
static bool take_value(slice *rest, slice *value)
{
    slice open = SLICE("<text>"), close = SLICE("</text>"), line;
    if (!slice_starts(*rest, open)) {
        if (!slice_pull_line(rest, &line))
            line = SLICE_EMPTY;
        *value = slice_trim(line);
        return true;
    }
    slice text = slice_from(*rest, open.len);
    const char *end = text.len ? memmem(text.ptr, text.len, close.ptr, close.len) : NULL;
    if (!end)
        return false;
    *value = slice_first(text, (size_t)(end - text.ptr));
    *rest = slice_from(text, value->len + close.len);
    slice_pull_line(rest, &line);
    return true;
}

/* Annotations name what they are of. */
static void hand_out_annotations(struct reading *reading)
{
    size_t i;
    json_t *annotation, *package;
    struct map by_id = {.arena = &reading->arena};
    json_array_foreach(reading->packages, i, package)
        map_put(&by_id, json_get_slice(package, "SPDXID", &reading->arena), package);
    json_array_foreach(reading->annotations, i, annotation)
    {
        package = map_get(&by_id, json_get_slice(annotation, "SPDXREF", &reading->arena));
        if (package)
            json_array_append(json_get_list(package, "annotations"), annotation);
    }
}

static struct error *read_all(struct reading *reading, slice rest)
{
    size_t count = 0;
    while (rest.len) {
        slice tag, value, line = slice_first(rest, slice_find(rest, '\n'));
        size_t colon = slice_find(line, ':');
        if (colon == SIZE_MAX || *line.ptr == '#') {
            slice_pull_line(&rest, &line);
            continue;
        }
        tag = slice_trim(slice_first(line, colon));
        rest = slice_from(rest, colon + 1);
        while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '\t'))
            rest = slice_from(rest, 1);
        if (!take_value(&rest, &value))
            return error_make(ERROR_INPUT, "the text of %.*s does not end", SLICE_ARG(tag));
        if (slice_equal(tag, SLICE("PackageName")) && ++count > LIMIT_SBOM_COMPONENTS)
            return error_make(ERROR_LIMIT, "it has more packages than the limit of %d",
                              LIMIT_SBOM_COMPONENTS);
        read_tag(reading, tag, value);
    }
    return NULL;
}

struct error *sbom_tag_value_to_json(json_t **document, slice bytes)
{
    struct reading reading = {
        .document = json_object(),
        .files = json_array(),
        .packages = json_array(),
        .relationships = json_array(),
        .annotations = json_array(),
        .licenses = json_array(),
        .creators = json_array(),
    };
    json_t *creation = json_object();
    json_object_set(creation, "creators", reading.creators);
    json_object_set_new(reading.document, "creationInfo", creation);
    json_object_set(reading.document, "files", reading.files);
    json_object_set(reading.document, "packages", reading.packages);
    json_object_set(reading.document, "relationships", reading.relationships);
    json_object_set(reading.document, "hasExtractedLicensingInfos", reading.licenses);
    struct error *error = read_all(&reading, bytes);
    if (!error)
        hand_out_annotations(&reading);
    json_decref(reading.files);
    json_decref(reading.packages);
    json_decref(reading.relationships);
    json_decref(reading.annotations);
    json_decref(reading.licenses);
    json_decref(reading.creators);
    arena_free(&reading.arena);
    *document = reading.document;
    if (error) {
        json_decref(reading.document);
        *document = NULL;
    }
    return error;
}
