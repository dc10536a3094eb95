/*
 * Debian packages: dpkg's database. `status` holds a stanza for each package (deb-control(5),
 * dpkg(1) for the states); distroless images have a file for each in `status.d`. Who owns which
 * file stands in info/NAME.list or info/NAME:ARCH.list, in distroless images in NAME.md5sums.
 */
#include "analyze/analyzers.h"

#define PLACE_STATUS "var/lib/dpkg/status"
#define PLACE_STATUS_FOLDER "var/lib/dpkg/status.d/"
#define PLACE_INFO_FOLDER "var/lib/dpkg/info/"

enum file_kind { NO_DPKG_FILE, STATUS, FILE_LIST, CHECKSUMS };

static enum file_kind kind_of(slice path)
{
    if (!slice_starts(path, SLICE("var/lib/dpkg/")))
        return NO_DPKG_FILE;
    if (slice_equal(path, SLICE(PLACE_STATUS)))
        return STATUS;
    bool info = slice_starts(path, SLICE(PLACE_INFO_FOLDER));
    bool folder = slice_starts(path, SLICE(PLACE_STATUS_FOLDER));
    if ((info || folder) && slice_ends(path, SLICE(".md5sums")))
        return CHECKSUMS;
    if (info && slice_ends(path, SLICE(".list")))
        return FILE_LIST;
    return folder ? STATUS : NO_DPKG_FILE;
}

static struct want wants(slice path, const struct entry *entry)
{
    (void)entry;
    return (struct want){kind_of(path) == NO_DPKG_FILE ? WANT_NOTHING : WANT_WHOLE, 0};
}

struct stanza {
    struct package package;
    slice status;
    bool any;
};

/* The states in which a package's files lie there (dpkg(1), "Package states"). */
static bool is_installed(const struct stanza *stanza)
{
    static const char *const states[] = {"installed", "unpacked", "half-configured",
                                         "triggers-awaited", "triggers-pending"};
    slice word, last = SLICE_EMPTY, rest = stanza->status;
    if (rest.len == 0)
        return true; /* status.d has no such line */
    while (slice_pull(&rest, ' ', &word))
        if (word.len)
            last = word;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (slice_equal(last, slice_from_text(states[i])))
            return true;
    return false;
}

/* An epoch of 0 is the same as none; reports leave it out. */
static slice without_zero_epoch(slice version)
{
    return slice_starts(version, SLICE("0:")) ? slice_from(version, 2) : version;
}

/* "openssl (3.0.1-1)", "openssl", or nothing: then the package is its own source. */
static void finish_source(struct package *package)
{
    slice name, rest;
    slice source = package->source_name;
    package->source_version = package->version;
    if (source.len == 0) {
        package->source_name = package->name;
    } else if (slice_split(source, '(', &name, &rest)) {
        size_t end = slice_find(rest, ')');
        package->source_name = slice_trim(name);
        package->source_version =
            without_zero_epoch(slice_trim(end == SIZE_MAX ? rest : slice_first(rest, end)));
    }
}

static struct error *end_stanza(struct analysis *analysis, struct stanza *stanza, size_t line)
{
    struct package *package = &stanza->package;
    if (!stanza->any || !is_installed(stanza))
        return NULL;
    if (package->name.len == 0 || package->version.len == 0)
        return error_make(ERROR_INPUT,
                          "the stanza that ends at line %zu is of an installed package but has no "
                          "%s: the package database is damaged",
                          line, package->name.len ? "Version" : "Package");
    package->type = SLICE("deb");
    package->version = without_zero_epoch(package->version);
    finish_source(package);
    return analysis_add_package(analysis, package);
}

static void add_field(struct stanza *stanza, slice key, slice value)
{
    struct package *package = &stanza->package;
    const struct {
        const char *name;
        slice *field;
    } fields[] = {
        {"Package", &package->name},          {"Version", &package->version},
        {"Architecture", &package->arch},     {"Source", &package->source_name},
        {"Maintainer", &package->maintainer}, {"Status", &stanza->status},
    };
    stanza->any = true;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (slice_equal_nocase(key, slice_from_text(fields[i].name)))
            *fields[i].field = slice_trim(value);
}

static struct error *read_status(struct analysis *analysis, slice bytes)
{
    struct stanza stanza = {0};
    slice line, key, value;
    size_t number = 0;
    analysis_evidence(analysis);
    while (slice_pull_line(&bytes, &line)) {
        number++;
        if (slice_trim(line).len == 0) {
            TRY(end_stanza(analysis, &stanza, number));
            stanza = (struct stanza){0};
        } else if (line.ptr[0] == ' ' || line.ptr[0] == '\t' || line.ptr[0] == '#') {
            continue;
        } else if (slice_split(line, ':', &key, &value)) {
            add_field(&stanza, key, value);
        } else {
            return error_make(ERROR_INPUT,
                              "line %zu is no field of a package: the package database is damaged",
                              number);
        }
    }
    return end_stanza(analysis, &stanza, number);
}

/* Only those paths are kept that another analyzer reads: who owns the rest is of no interest. */
static void add_owned(struct analysis *analysis, slice path)
{
    slice normal;
    path_normalize(analysis->scratch, path, &normal);
    if (analyzer_wants_path(normal))
        analysis_add_owned(analysis, normal);
}

/* Policy has it that configuration, which people change, lies below /etc (Debian Policy, 10.7.2).
 */
static void add_brought(struct buffer *hashes, struct arena *scratch, slice path)
{
    static const char *const merged[] = {"bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/"};
    slice normal;
    path_normalize(scratch, path, &normal);
    if (normal.len == 0 || slice_starts(normal, SLICE("etc/")))
        return;
    uint64_t hash = slice_hash(normal);
    buffer_add(hashes, slice_make((const char *)&hash, sizeof(hash)));
    for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++) {
        if (!slice_starts(normal, slice_from_text(merged[i])))
            continue;
        /* Where /lib is a link to usr/lib, lists go on saying /lib. */
        hash = slice_hash(arena_format(scratch, "usr/%.*s", SLICE_ARG(normal)));
        buffer_add(hashes, slice_make((const char *)&hash, sizeof(hash)));
    }
}

/* "NAME.list", "NAME:ARCH.list", "NAME.md5sums": the package that the file is of. */
static slice package_of_path(slice path)
{
    slice name = slice_basename(path);
    name = slice_first(name, slice_find_last(name, '.'));
    return slice_first(name, slice_find(name, ':'));
}

static void end_brought(struct analysis *analysis, const struct buffer *hashes)
{
    struct brought_files *brought =
        list_add(&analysis->record->brought, analysis->arena, sizeof(*brought));
    *brought = (struct brought_files){
        .package = arena_copy(analysis->arena, package_of_path(analysis->path)),
        .written = analysis->entry->modified,
        .files = path_set_make(analysis->arena, buffer_slice(hashes)),
    };
}

static struct error *read_file(struct analysis *analysis, slice bytes)
{
    CLEANUP_BUFFER struct buffer hashes = {0};
    slice line;
    enum file_kind kind = kind_of(analysis->path);
    if (kind == STATUS)
        return read_status(analysis, bytes);
    while (slice_pull_line(&bytes, &line)) {
        size_t space = slice_find(line, ' ');
        slice owned = line;
        if (kind == CHECKSUMS) /* "MD5  path" */
            owned = space == SIZE_MAX ? SLICE_EMPTY : slice_trim(slice_from(line, space));
        if (owned.len)
            add_owned(analysis, owned);
        if (owned.len && analysis->secrets)
            add_brought(&hashes, analysis->scratch, owned);
    }
    if (hashes.len)
        end_brought(analysis, &hashes);
    return NULL;
}

static const char *const places[] = {PLACE_STATUS, PLACE_STATUS_FOLDER, PLACE_INFO_FOLDER, NULL};

const struct analyzer analyzer_dpkg = {
    .name = "dpkg",
    .version = 2,
    .wants = wants,
    .read = read_file,
    .places = places,
};
