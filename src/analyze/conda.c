/*
 * conda packages: a record in <environment>/conda-meta/ for each, with its name, version, build,
 * channel and the files that it linked into the environment.
 */
#include "analyze/analyzers.h"
#include "analyze/url.h"
#include "base/json_scan.h"

/*
 * A sample of a package's files is kept, to see later whether they are still there: spread over the
 * whole list, since what people delete to save space (headers, tests) stands together in it.
 */
enum { SAMPLE_FILES = 32 };

struct sample {
    slice files[SAMPLE_FILES];
    size_t count, stride, seen;
    slice last;
};

static void sample_add(struct sample *sample, slice file)
{
    sample->last = file;
    if (sample->seen++ % sample->stride)
        return;
    if (sample->count == SAMPLE_FILES) {
        for (size_t i = 0; i < SAMPLE_FILES / 2; i++)
            sample->files[i] = sample->files[2 * i];
        sample->count = SAMPLE_FILES / 2;
        sample->stride *= 2;
        if ((sample->seen - 1) % sample->stride)
            return;
    }
    sample->files[sample->count++] = file;
}

static struct want wants(slice path, const struct entry *entry)
{
    (void)entry;
    bool here = slice_ends(path, SLICE(".json")) &&
                slice_equal(slice_basename(slice_dirname(path)), SLICE("conda-meta"));
    return (struct want){here ? WANT_WHOLE : WANT_NOTHING, 0};
}

static slice in_environment(struct analysis *analysis, slice file)
{
    slice prefix = slice_dirname(slice_dirname(analysis->path));
    slice whole = arena_format(analysis->scratch, "%.*s/%.*s", SLICE_ARG(prefix), SLICE_ARG(file));
    path_normalize(analysis->scratch, whole, &whole);
    return whole;
}

static void read_files(struct analysis *analysis, struct json_scan *scan)
{
    struct sample sample = {.stride = 1};
    slice file;
    if (json_scan_peek(scan) != '[') {
        json_scan_skip(scan);
        return;
    }
    json_scan_enter(scan, '[');
    while (json_scan_item(scan)) {
        if (json_scan_peek(scan) != '"') {
            json_scan_skip(scan);
            continue;
        }
        if (!json_scan_string(scan, &file))
            return;
        if (analyzer_wants_path(file))
            analysis_add_owned(analysis, in_environment(analysis, file));
        else
            sample_add(&sample, file);
    }
    for (size_t i = 0; i < sample.count; i++)
        analysis_add_fact(analysis, "file", in_environment(analysis, sample.files[i]));
    if (sample.seen)
        analysis_add_fact(analysis, "file", in_environment(analysis, sample.last));
}

static struct error *read_file(struct analysis *analysis, slice bytes)
{
    struct package package = {.type = SLICE("conda")};
    slice channel = SLICE_EMPTY, key;
    const struct {
        const char *name;
        slice *value;
    } texts[] = {
        {"name", &package.name},       {"version", &package.version}, {"build", &package.build},
        {"license", &package.license}, {"subdir", &package.arch},     {"channel", &channel},
    };
    struct json_scan scan;
    json_scan_start(&scan, bytes, analysis->scratch);
    json_scan_enter(&scan, '{');
    while (json_scan_key(&scan, &key)) {
        slice *value = NULL;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            if (slice_equal(key, slice_from_text(texts[i].name)))
                value = texts[i].value;
        if (value && json_scan_peek(&scan) == '"')
            json_scan_string(&scan, value);
        else if (slice_equal(key, SLICE("files")))
            read_files(analysis, &scan);
        else
            json_scan_skip(&scan);
    }
    if (!json_scan_end(&scan))
        return error_make(ERROR_INPUT, "it is not valid JSON at byte %zu: %s",
                          json_scan_offset(&scan), scan.failure);
    if (package.name.len == 0 || package.version.len == 0)
        return error_make(ERROR_INPUT, "it has no %s", package.name.len ? "version" : "name");
    char *name = arena_text(analysis->scratch, package.name);
    for (size_t i = 0; i < package.name.len; i++)
        name[i] = byte_lower(name[i]);
    package.name = slice_make(name, package.name.len);
    if (channel.len)
        analysis_add_fact(analysis, "channel", url_without_credentials(channel, analysis->scratch));
    return analysis_add_package(analysis, &package);
}

const struct analyzer analyzer_conda = {
    .name = "conda",
    .version = 1,
    .wants = wants,
    .read = read_file,
};
