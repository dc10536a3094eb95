/*
 * Installed Python distributions, wherever they lie: the metadata files of *.dist-info folders (PEP
 * 376, 427, "Core metadata specifications"), of *.egg-info folders and files, and of eggs. Both
 * folder kinds may hold either file. Beside them RECORD (what belongs to it), INSTALLER (who put it
 * there) and direct_url.json (PEP 610).
 */
#include "analyze/analyzers.h"
#include "analyze/url.h"
#include "analyze/python_name.h"
#include "base/json_scan.h"
#include "base/limits.h"

enum file_kind { NO_PYTHON_FILE, METADATA, RECORD, INSTALLER, DIRECT_URL };

static bool is_metadata_folder(slice name)
{
    return slice_ends(name, SLICE(".dist-info")) || slice_ends(name, SLICE(".egg-info")) ||
           slice_equal(name, SLICE("EGG-INFO"));
}

static enum file_kind kind_of(slice path)
{
    static const struct {
        const char *name;
        enum file_kind kind;
    } names[] = {
        {"METADATA", METADATA},   {"PKG-INFO", METADATA},          {"RECORD", RECORD},
        {"INSTALLER", INSTALLER}, {"direct_url.json", DIRECT_URL},
    };
    slice name = slice_basename(path);
    if (slice_ends(name, SLICE(".egg-info")))
        return name.len > 9 ? METADATA : NO_PYTHON_FILE;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal(name, slice_from_text(names[i].name)))
            return is_metadata_folder(slice_basename(slice_dirname(path))) ? names[i].kind
                                                                           : NO_PYTHON_FILE;
    return NO_PYTHON_FILE;
}

static struct want wants(slice path, const struct entry *entry)
{
    (void)entry;
    switch (kind_of(path)) {
    case METADATA: /* the long description that follows the fields is of no interest */
        return (struct want){WANT_FIRST, LIMIT_MIB};
    case INSTALLER:
        return (struct want){WANT_FIRST, 256};
    case DIRECT_URL:
        return (struct want){WANT_FIRST, 64 * LIMIT_KIB};
    case RECORD:
        return (struct want){WANT_WHOLE, 0};
    case NO_PYTHON_FILE:
        break;
    }
    return (struct want){WANT_NOTHING, 0};
}

/*
 * Name and version from "name-1.0.dist-info", "name-1.0-py3.8.egg-info", "name-1.0-py3.8.egg": a
 * name has no '-' in these (it is escaped to '_').
 */
static void from_folder_name(slice path, struct package *package)
{
    slice folder = slice_dirname(path);
    slice name =
        slice_ends(path, SLICE(".egg-info")) ? slice_basename(path) : slice_basename(folder);
    if (slice_equal(name, SLICE("EGG-INFO")))
        name = slice_basename(slice_dirname(folder));
    static const char *const endings[] = {".dist-info", ".egg-info", ".egg"};
    for (size_t i = 0; i < 3; i++)
        if (slice_ends(name, slice_from_text(endings[i])))
            name.len -= strlen(endings[i]);
    slice version = SLICE_EMPTY, python;
    if (slice_split(name, '-', &name, &version))
        slice_split(version, '-', &version, &python);
    if (package->name.len == 0)
        package->name = name;
    if (package->version.len == 0)
        package->version = version;
}

/* What the metadata says of the licence: the first that says something counts, in this order. */
struct license_words {
    slice expression; /* License-Expression (PEP 639) */
    slice field;      /* License, where it is a name and not a whole text */
    slice classifier; /* "License :: OSI Approved :: MIT License": its last part */
};

static void note_license(struct license_words *words, slice key, slice value)
{
    enum { LONGEST_NAME = 100 };
    slice prefix = SLICE("License :: ");
    if (slice_equal_nocase(key, SLICE("License-Expression")))
        words->expression = value;
    else if (slice_equal_nocase(key, SLICE("License")) && value.len <= LONGEST_NAME &&
             !slice_equal_nocase(value, SLICE("UNKNOWN")))
        words->field = value;
    else if (slice_equal_nocase(key, SLICE("Classifier")) && slice_starts(value, prefix) &&
             words->classifier.len == 0 && !slice_ends(value, SLICE(":: OSI Approved")))
        words->classifier = slice_trim(slice_from(value, slice_find_last(value, ':') + 1));
}

/* The fields stand in front of the first empty line, as in an e-mail (RFC 822). */
static void read_fields(slice bytes, struct package *package)
{
    slice line, key, value;
    struct license_words license = {0};
    if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
        bytes = slice_from(bytes, 3);
    while (slice_pull_line(&bytes, &line) && slice_trim(line).len) {
        if (byte_is_space(line.ptr[0]) || !slice_split(line, ':', &key, &value))
            continue;
        value = slice_trim(value);
        if (package->name.len == 0 && slice_equal_nocase(key, SLICE("Name")))
            package->name = value;
        else if (package->version.len == 0 && slice_equal_nocase(key, SLICE("Version")))
            package->version = value;
        else
            note_license(&license, key, value);
    }
    package->license = license.expression.len ? license.expression
                       : license.field.len    ? license.field
                                              : license.classifier;
}

static struct error *read_metadata(struct analysis *analysis, slice bytes)
{
    struct package package = {.type = SLICE("pypi")};
    analysis_evidence(analysis);
    read_fields(bytes, &package);
    from_folder_name(analysis->path, &package);
    package.name = python_name_normalize(analysis->scratch, package.name);
    if (package.name.len == 0)
        return error_make(ERROR_INPUT, "it names no package, nor does its folder");
    return analysis_add_package(analysis, &package);
}

/* RECORD is CSV (PEP 376): path,hash,size; a path with a comma or a quote in it stands in quotes.
 */
static bool pull_record_path(struct arena *arena, slice *rest, slice *path)
{
    slice line;
    if (!slice_pull_line(rest, &line))
        return false;
    if (line.len == 0 || line.ptr[0] != '"') {
        size_t end = slice_find(line, ',');
        *path = end == SIZE_MAX ? line : slice_first(line, end);
        return true;
    }
    char *out = arena_alloc(arena, line.len);
    size_t length = 0;
    for (size_t i = 1; i < line.len; i++) {
        if (line.ptr[i] == '"' && (i + 1 >= line.len || line.ptr[++i] != '"'))
            break;
        out[length++] = line.ptr[i];
    }
    *path = slice_make(out, length);
    return true;
}

static struct error *read_record(struct analysis *analysis, slice bytes)
{
    slice path, normal;
    slice own_folder = slice_dirname(analysis->path);
    slice site = slice_dirname(own_folder);
    while (pull_record_path(analysis->scratch, &bytes, &path)) {
        /* A cheap look first: thousands of lines, of which hardly one is asked for. */
        if (kind_of(path) != METADATA)
            continue;
        slice whole =
            arena_format(analysis->scratch, "%.*s/%.*s", SLICE_ARG(site), SLICE_ARG(path));
        path_normalize(analysis->scratch, whole, &normal);
        if (!slice_equal(slice_dirname(normal), own_folder))
            analysis_add_owned(analysis, normal);
    }
    return NULL;
}

/* Only where it came from; a user name or password in the URL stays out of the record. */
static struct error *read_direct_url(struct analysis *analysis, slice bytes)
{
    struct json_scan scan;
    slice key, url = SLICE_EMPTY;
    json_scan_start(&scan, bytes, analysis->scratch);
    json_scan_enter(&scan, '{');
    while (json_scan_key(&scan, &key)) {
        if (slice_equal(key, SLICE("url")) && json_scan_peek(&scan) == '"')
            json_scan_string(&scan, &url);
        else
            json_scan_skip(&scan);
    }
    if (scan.failure)
        return error_make(ERROR_INPUT, "it is not valid JSON at byte %zu: %s",
                          json_scan_offset(&scan), scan.failure);
    analysis_add_fact(analysis, "direct_url", url_without_credentials(url, analysis->scratch));
    return NULL;
}

static struct error *read_file(struct analysis *analysis, slice bytes)
{
    switch (kind_of(analysis->path)) {
    case METADATA:
        return read_metadata(analysis, bytes);
    case RECORD:
        return read_record(analysis, bytes);
    case DIRECT_URL:
        return read_direct_url(analysis, bytes);
    case INSTALLER:
        analysis_add_fact(analysis, "installer", slice_trim(bytes));
        break;
    case NO_PYTHON_FILE:
        break;
    }
    return NULL;
}

const struct analyzer analyzer_python = {
    .name = "python",
    .version = 1,
    .wants = wants,
    .read = read_file,
};
