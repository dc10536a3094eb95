#include "cli/sides.h"
#include "base/file.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/sbom_file.h"
#include "cli/scan.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A word of the command line, and what is known of it before it is opened. */
struct thing {
    const char *name;
    const struct options *options;
    struct arena *scratch;     /* freed once the side is made */
    bool is_json;              /* a file that begins as a JSON object; then: */
    slice text;                /* its bytes */
    bool has_report, has_sbom; /* by its members */
};

struct side_kind {
    const char *name;
    bool (*recognise)(const struct thing *thing);
    struct error *(*open)(struct side *side, struct arena *arena, const struct thing *thing);
};

static void say(slice sentence)
{
    CLEANUP_ARENA struct arena arena = {0};
    progress_clear();
    fprintf(stderr, "plimsoll: %.*s\n", SLICE_ARG(text_safe(&arena, sentence)));
}

static void say_errors(const struct side *side)
{
    CLEANUP_ARENA struct arena arena = {0};
    const slice *errors = side->errors.items;
    for (size_t i = 0; i < side->errors.count; i++)
        say(arena_format(&arena, "%.*s: %.*s", SLICE_ARG(side->name), SLICE_ARG(errors[i])));
}

/* Whether it is a file that begins as a JSON object does: no image does. */
static bool looks_like_json(const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    char bytes[256];
    size_t got = 0;
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return false;
    CLEANUP_ERROR struct error *error = file_read_at(fd, bytes, sizeof(bytes), 0, &got);
    slice text = slice_make(bytes, error ? 0 : got);
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    while (text.len && byte_is_space(*text.ptr))
        text = slice_from(text, 1);
    return text.len && *text.ptr == '{';
}

/* What it is, by the names of its members: nothing is built of it, since it may be large. */
static void look_at_members(struct thing *thing)
{
    struct json_scan scan;
    slice key;
    bool version = false, verdict = false, sbom = false;
    json_scan_start(&scan, thing->text, thing->scratch);
    json_scan_enter(&scan, '{');
    while (json_scan_key(&scan, &key)) {
        version |= slice_equal(key, SLICE("schema_version"));
        verdict |= slice_equal(key, SLICE("verdict"));
        sbom |= sbom_is_known_by(key);
        json_scan_skip(&scan);
    }
    thing->has_report = version && verdict && !scan.failure;
    thing->has_sbom = sbom && !thing->has_report && !scan.failure;
}

static struct error *look_at(struct thing *thing)
{
    thing->is_json = looks_like_json(thing->name);
    if (!thing->is_json)
        return NULL;
    TRY(file_read_whole(thing->scratch, AT_FDCWD, thing->name, LIMIT_SAVED_REPORT_BYTES,
                        &thing->text));
    look_at_members(thing);
    return NULL;
}

static struct error *read_document(const struct thing *thing, json_t **document)
{
    return json_read_with(document, thing->text, "it", JSON_REJECT_DUPLICATES);
}

/* -- a saved report -------------------------------------------------------------------------- */

static bool is_report(const struct thing *thing)
{
    return thing->has_report;
}

static struct error *open_report(struct side *side, struct arena *arena, const struct thing *thing)
{
    const struct options *options = thing->options;
    CLEANUP_JSON json_t *document = NULL;
    struct side_wish wish = {.policy = &options->policy,
                             .vulnerabilities = options->scan_vulnerabilities,
                             .secrets = options->scan_secrets};
    struct error *error = read_document(thing, &document);
    if (!error && options->secret_baseline && options->scan_secrets)
        error = secret_baseline_read(&wish.baseline, options->secret_baseline, thing->scratch);
    if (!error)
        error = side_from_document(side, arena, document, &wish);
    if (error)
        side_failed(side, arena, error);
    say_errors(side);
    return NULL;
}

/* -- an SBOM -----------------------------------------------------------------------------------
 */

static bool is_sbom(const struct thing *thing)
{
    return thing->is_json ? thing->has_sbom : sbom_file_is(thing->name);
}

bool side_is_sbom(const char *name)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct thing thing = {.name = name, .scratch = &scratch};
    CLEANUP_ERROR struct error *error = look_at(&thing);
    return !error && is_sbom(&thing);
}

static struct error *open_sbom(struct side *side, struct arena *arena, const struct thing *thing)
{
    const struct report *report = NULL;
    TRY(sbom_file_collect(thing->options, thing->scratch, thing->name, &report));
    side_from_report(side, arena, report);
    return NULL;
}

/* -- any other JSON ---------------------------------------------------------------------------- */

static bool is_json(const struct thing *thing)
{
    return thing->is_json;
}

static struct error *open_json(struct side *side, struct arena *arena, const struct thing *thing)
{
    CLEANUP_JSON json_t *document = NULL;
    struct error *broken = read_document(thing, &document);
    side_failed(
        side, arena,
        broken
            ? broken
            : error_make(ERROR_INPUT,
                         "it is JSON, but neither an SBOM nor a report of plimsoll: make one with "
                         "plimsoll image IMAGE -f json=FILE"));
    say_errors(side);
    return NULL;
}

/* -- an image, by name or path ------------------------------------------------------------------
 */

static bool is_anything(const struct thing *thing)
{
    return thing->name != NULL;
}

/* The scan says itself on stderr what went wrong. */
static struct error *open_image(struct side *side, struct arena *arena, const struct thing *thing)
{
    const struct report *report = NULL;
    TRY(scan_image_named(thing->options, thing->scratch, thing->name, &report));
    side_from_report(side, arena, report);
    image_close((struct image *)(uintptr_t)report->image);
    return NULL;
}

/* The last one takes whatever is left. */
static const struct side_kind kinds[] = {
    {"report", is_report, open_report},
    {"sbom", is_sbom, open_sbom},
    {"report", is_json, open_json},
    {"image", is_anything, open_image},
};

struct error *side_open(struct side *side, struct arena *arena, const struct options *options,
                        const char *name)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct thing thing = {.name = name, .options = options, .scratch = &scratch};
    *side = (struct side){.name = slice_from_text(name), .kind = "report"};
    struct error *error = look_at(&thing);
    if (error) {
        side_failed(side, arena, error);
        say_errors(side);
        return NULL;
    }
    size_t kind = 0;
    while (!kinds[kind].recognise(&thing))
        kind++;
    side->kind = kinds[kind].name;
    return kinds[kind].open(side, arena, &thing);
}
