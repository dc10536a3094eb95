#include "cli/scan.h"
#include "cli/exceptions.h"
#include "cli/store_age.h"
#include "policy/secret_baseline.h"
#include "base/clock.h"
#include "http/http.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "version_number.h"

#include <sys/resource.h>
#include <time.h>

struct scan {
    const struct options *options;
    struct arena *arena;
    struct image *image;
    struct layer_outcome *outcomes;
    bool *from_cache; /* whether a layer's record was there already */
    struct layer_cache *cache;
    struct caught_layers *caught;
    struct secrets *secrets, *masking;
    struct layer_outcome config; /* what the image's config holds of secrets */
    int64_t deadline_ms;
    struct inventory inventory;
    struct list redirects; /* of struct redirect: all that inventories have asked for */
    struct match_result result;
    struct store_status store;
    bool has_store;
    struct scan_exceptions *exceptions;
    struct verdict verdict;
    struct report report;
};

static void add_error(struct scan *scan, const char *where, size_t layer, slice path, slice message)
{
    struct report_error *error = list_add(&scan->report.errors, scan->arena, sizeof(*error));
    *error = (struct report_error){where, layer, path, message};
}

/* Takes the error over. */
static void take_error(struct scan *scan, const char *where, struct error *error)
{
    if (!error)
        return;
    add_error(scan, where, SIZE_MAX, SLICE_EMPTY,
              arena_copy(scan->arena, slice_from_text(error->message)));
    error_free(error);
}

static struct layer_reading reading_of(struct scan *scan, size_t known_redirects)
{
    return (struct layer_reading){
        .options = scan->options,
        .arena = scan->arena,
        .image = scan->image,
        .cache = scan->cache,
        .caught = scan->caught,
        .secrets = scan->secrets,
        .deadline_ms = scan->deadline_ms,
        .redirects = scan->redirects.items,
        .redirect_count = scan->redirects.count,
        .known_redirects = known_redirects,
        .outcomes = scan->outcomes,
        .from_cache = scan->from_cache,
    };
}

/* Reads the layers: at first, or once more with redirects beyond those that are known. */
static void walk_layers(struct scan *scan, size_t known_redirects)
{
    struct layer_reading reading = reading_of(scan, known_redirects);
    read_layers(&reading);
}

/* An instruction in which a secret stands is shown without it. */
static void mask_instructions(struct scan *scan)
{
    const struct masked_text *masked = scan->config.record.masked.items;
    for (size_t i = 0; scan->config.complete && i < scan->config.record.masked.count; i++)
        if (masked[i].layer < scan->image->layer_count)
            scan->image->layers[masked[i].layer].instruction = masked[i].text;
}

/* What is read by its table of contents is not looked through: that would be all of it. */
static void remark_lazy_layers(const struct scan *scan)
{
    size_t count = 0;
    for (size_t i = 0; i < scan->image->layer_count; i++)
        count += layer_is_lazy(scan->options, &scan->image->layers[i]);
    if (count)
        remark("secrets were not looked for in %zu layer%s read by their tables of contents; "
               "--scanners vuln,secret reads them whole",
               count, count == 1 ? "" : "s");
}

static void apply_baseline(struct scan *scan)
{
    struct secret_baseline baseline = {0};
    const char *path = scan->options->secret_baseline;
    if (!path)
        return;
    take_error(scan, "policy", secret_baseline_read(&baseline, path, scan->arena));
    secret_baseline_apply(&baseline, &scan->inventory.secrets, scan->arena);
}

/* Before the layers, which may take all the time that there is. */
static void look_at_config(struct scan *scan)
{
    struct layer_reading reading = reading_of(scan, SIZE_MAX);
    /* Also when nobody asked for secrets: instructions stand in reports, which are handed on. */
    reading.secrets = scan->masking;
    if (!scan->masking)
        return;
    if (scan->secrets)
        remark_lazy_layers(scan);
    read_config(&reading, &scan->config);
    if (scan->config.failure.len)
        add_error(scan, "image", SIZE_MAX, SLICE_EMPTY,
                  arena_format(scan->arena, "cannot look for secrets in the image's config: %.*s",
                               SLICE_ARG(scan->config.failure)));
    const struct problem *problems = scan->config.record.problems.items;
    for (size_t i = 0; i < scan->config.record.problems.count; i++)
        add_error(scan, "image", SIZE_MAX, SLICE_EMPTY, problems[i].message);
    mask_instructions(scan);
}

static void collect_secrets(struct scan *scan)
{
    if (!scan->secrets)
        return;
    inventory_add_secrets(&scan->inventory, scan->arena, scan->image, scan->outcomes, &scan->config,
                          &scan->secrets->rules);
    apply_baseline(scan);
    if (scan->secrets->failure)
        add_error(scan, "image", SIZE_MAX, SLICE_EMPTY,
                  slice_from_text(scan->secrets->failure->message));
}

/* With --verbose: how each layer was read. */
static void remark_layer(const struct scan *scan, size_t i)
{
    const struct record_statistics *layer = &scan->outcomes[i].record.statistics;
    if (scan->from_cache[i])
        remark_detail("layer %zu: its record was in the cache", i);
    else if (scan->image->layers[i].toc.kind != TOC_NONE && layer->digest_skipped)
        remark_detail("layer %zu: read by its table of contents, %llu of %llu bytes", i,
                      (unsigned long long)layer->bytes_read,
                      (unsigned long long)scan->image->layers[i].size);
    else if (layer->digest_skipped)
        remark_detail("layer %zu is not compressed: it was seeked through, so its digest was "
                      "not checked",
                      i);
}

static void add_statistics(struct scan *scan)
{
    struct report_stats *stats = &scan->report.stats;
    stats->bytes_unpacked = stats->entries = stats->entries_read = 0; /* of the last walk */
    for (size_t i = 0; i < scan->image->layer_count; i++) {
        const struct record_statistics *layer = &scan->outcomes[i].record.statistics;
        if (layer_first_alike(scan->image, i) != i)
            continue;
        stats->bytes_unpacked += layer->bytes_unpacked;
        stats->entries += layer->entries;
        stats->entries_read += layer->entries_read;
        if (!scan->image->bundle || !bundle_is_packed(scan->image->bundle))
            stats->bytes_read += layer->bytes_read;
        if (layer->peak_memory > stats->worker_peak_memory)
            stats->worker_peak_memory = layer->peak_memory;
        remark_layer(scan, i);
    }
}

/* Adds what the inventory asks for now to what was asked for before; true when that is more. */
static bool grown_redirects(struct scan *scan)
{
    const struct redirect *wanted = scan->inventory.redirects.items;
    size_t before = scan->redirects.count;
    for (size_t i = 0; i < scan->inventory.redirects.count; i++) {
        const struct redirect *known = scan->redirects.items;
        size_t at = 0;
        while (at < scan->redirects.count && !redirect_equal(&known[at], &wanted[i]))
            at++;
        if (at == scan->redirects.count)
            *(struct redirect *)list_add(&scan->redirects, scan->arena, sizeof(*wanted)) =
                wanted[i];
    }
    return scan->redirects.count > before;
}

static void build_inventory(struct scan *scan)
{
    struct report_stats *stats = &scan->report.stats;
    int64_t start = clock_microseconds();
    scan->outcomes =
        arena_array(scan->arena, scan->image->layer_count + 1, sizeof(struct layer_outcome));
    scan->from_cache = arena_array(scan->arena, scan->image->layer_count + 1, sizeof(bool));
    walk_layers(scan, SIZE_MAX);
    add_statistics(scan);
    int64_t walked = clock_microseconds(), walking_again = 0;
    inventory_build(&scan->inventory, scan->arena, scan->image, scan->outcomes);
    /* A link to a link shows only when the first has been followed: a few times at the most. */
    for (size_t known = 0; grown_redirects(scan); known = scan->redirects.count) {
        if (stats->redirect_walks++ == LIMIT_REDIRECT_ROUNDS) {
            add_error(scan, "image", SIZE_MAX, SLICE_EMPTY,
                      SLICE("package databases lie behind more links to links than are followed"));
            break;
        }
        const struct redirect *last =
            (const struct redirect *)scan->redirects.items + scan->redirects.count - 1;
        remark_detail("the layers are walked again: a link at %.*s leads to %.*s, which was not "
                      "read%s",
                      SLICE_ARG(last->as), SLICE_ARG(last->from),
                      scan->redirects.count > 1 ? "; and others" : "");
        int64_t again = clock_microseconds();
        walk_layers(scan, known);
        add_statistics(scan);
        walking_again += clock_microseconds() - again;
        inventory_build(&scan->inventory, scan->arena, scan->image, scan->outcomes);
    }
    stats->walk_microseconds = (uint64_t)(walked - start + walking_again);
    stats->merge_microseconds = (uint64_t)(clock_microseconds() - walked - walking_again);
}

static void add_layer_error(struct scan *scan, size_t index, slice path, slice message)
{
    const struct image_layer *layer = &scan->image->layers[index];
    slice digest = layer->digest.len ? layer->digest : layer->diff_id;
    slice where = digest.len
                      ? arena_format(scan->arena, " (%.*s)", SLICE_ARG(slice_first(digest, 19)))
                      : SLICE_EMPTY;
    add_error(scan, "layer", index, path,
              arena_format(scan->arena, "cannot read %.*s%slayer %zu%.*s of %.*s: %.*s",
                           SLICE_ARG(path), path.len ? " in " : "", index, SLICE_ARG(where),
                           SLICE_ARG(scan->image->name), SLICE_ARG(message)));
}

static void add_inventory_errors(struct scan *scan)
{
    const struct inventory_problem *problems = scan->inventory.problems.items;
    for (size_t i = 0; i < scan->image->layer_count; i++)
        if (scan->image->layers[i].problem.len && layer_is_there(&scan->image->layers[i]))
            add_layer_error(scan, i, SLICE_EMPTY, scan->image->layers[i].problem);
    for (size_t i = 0; i < scan->inventory.problems.count; i++)
        add_layer_error(scan, problems[i].layer, problems[i].path, problems[i].message);
}

static slice today(struct arena *arena)
{
    char text[16];
    time_t now = time(NULL);
    struct tm parts;
#ifdef PLIMSOLL_TEST_HOOKS
    if (getenv("PLIMSOLL_TEST_TODAY")) /* of the tests alone: nobody else sets the clock back */
        return arena_copy(arena, slice_from_text(getenv("PLIMSOLL_TEST_TODAY")));
#endif
    gmtime_r(&now, &parts);
    return arena_copy(arena, slice_make(text, strftime(text, sizeof(text), "%Y-%m-%d", &parts)));
}

const char *scan_moment(struct arena *arena)
{
    char text[32];
    uint64_t seconds;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = time(NULL);
    struct tm parts;
    if (epoch && slice_to_u64(slice_from_text(epoch), &seconds) && seconds < 253402300800)
        now = (time_t)seconds;
    gmtime_r(&now, &parts);
    return arena_text(arena,
                      slice_make(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

static uint64_t days_since(slice date)
{
    int64_t then = date_seconds(slice_first(date, strlen("2026-08-21"))), now = time(NULL);
    return then >= 0 && now > then ? (uint64_t)(now - then) / 86400 : 0;
}

/* --db-max-age: what is older is used all the same, but nothing passes by it. */
static void check_store_age(struct scan *scan)
{
    int64_t most = scan->options->db_max_age;
    slice why =
        most ? store_too_old(&scan->store, &scan->inventory, most, scan->arena) : SLICE_EMPTY;
    if (why.len)
        add_error(scan, "store", SIZE_MAX, SLICE_EMPTY, why);
}

static struct error *match_in_store(struct scan *scan, struct store *store)
{
    TRY(store_status(store, scan->arena, &scan->store));
    scan->has_store = true;
    scan->report.store_age_days = days_since(scan->store.built);
    check_store_age(scan);
    TRY(match_run(&scan->result, scan->arena, &scan->inventory, store, today(scan->arena)));
    return outputs_want_prose(&scan->options->outputs)
               ? match_add_prose(&scan->result, scan->arena, store)
               : NULL;
}

/* --distro: in place of what the image says, for matching. */
static void set_distribution(struct scan *scan)
{
    struct os *os = &scan->inventory.os;
    const struct options *options = scan->options;
    if (options->distro_id.len == 0)
        return;
    scan->inventory.os_without_id = false;
    *os = (struct os){.found = true,
                      .id = options->distro_id,
                      .version_id = options->distro_version,
                      .name = arena_format(scan->arena, "%.*s %.*s (--distro)",
                                           SLICE_ARG(options->distro_id),
                                           SLICE_ARG(options->distro_version))};
}

static void match_components(struct scan *scan)
{
    set_distribution(scan);
    int64_t start = clock_microseconds();
    struct store *store = NULL;
    const char *path = store_place(scan->options, scan->arena);
    struct error *error =
        path ? store_open(&store, path)
             : error_make(ERROR_INPUT, "there is no advisory store: `plimsoll db import PATH…` "
                                       "makes one from OSV's files");
    if (!error) {
        remark_detail("advisory store: %s", path);
        error = match_in_store(scan, store);
    }
    take_error(scan, "store", error);
    store_close(store);
    scan->report.stats.match_microseconds = (uint64_t)(clock_microseconds() - start);
}

/* What makes a gate end in 3 stands among the errors, too. */
static void add_unjudged_errors(struct scan *scan)
{
    const struct unjudged *unjudged = scan->result.unjudged.items;
    if (!scan->verdict.blocked_unjudged || scan->report.errors.count)
        return;
    for (size_t i = 0; i < scan->result.unjudged.count; i++)
        add_error(scan, "store", SIZE_MAX, SLICE_EMPTY,
                  arena_format(scan->arena,
                               "not judged: %.*s (--allow-unjudged lets the gate pass)",
                               SLICE_ARG(unjudged_sentence(&unjudged[i], scan->arena))));
}

static void print_errors(const struct scan *scan)
{
    const struct report_error *errors = scan->report.errors.items;
    progress_clear();
    for (size_t i = 0; i < scan->report.errors.count; i++) {
        slice safe = text_safe(scan->arena, errors[i].message);
        fprintf(stderr, "plimsoll: %.*s\n", SLICE_ARG(safe));
    }
}

/* What the table says in its summary is said on stderr where no table is shown. */
static void print_remarks(const struct scan *scan)
{
    const struct unjudged *unjudged = scan->result.unjudged.items;
    if (outputs_show(&scan->options->outputs, report_formats[0]))
        return;
    for (size_t i = 0; i < scan->result.unjudged.count && !scan->verdict.blocked_unjudged; i++)
        remark("not judged: %.*s", SLICE_ARG(unjudged_sentence(&unjudged[i], scan->arena)));
    slice end = end_of_life_sentence(&scan->result, &scan->inventory.os, scan->arena);
    if (end.len)
        remark("%.*s", SLICE_ARG(end));
}

static void note_sandbox(void)
{
    struct sandbox_support support = sandbox_support();
    if (!support.landlock)
        remark("this kernel has no Landlock: workers are held by seccomp and limits alone");
    if (!support.seccomp)
        remark("this kernel has no seccomp: workers are held by %s limits alone",
               support.landlock ? "Landlock and" : "resource");
}

/* In which the report of what was found up to the deadline can be written. */
enum { GRACE_MS = 900 };

int64_t scan_deadline(const struct options *options)
{
    int64_t most = (int64_t)LIMIT_SCAN_SECONDS * 1000;
    int64_t wanted = options->timeout_ms ? options->timeout_ms : most;
    interrupt_after(wanted + GRACE_MS);
    return clock_milliseconds() + wanted;
}

struct layer_cache *scan_cache(const struct options *options, struct arena *arena)
{
    struct layer_cache *cache = NULL;
    const char *folder = cache_place(options, arena);
    if (options->no_cache || !folder)
        return NULL;
    CLEANUP_ERROR struct error *error = layer_cache_open(&cache, folder, options->cache_size);
    if (error)
        remark("the cache is not used: %s", error->message);
    return cache;
}

static void scan_image(struct scan *scan)
{
    note_sandbox();
    if (scan->image->remark.len)
        remark("%.*s", SLICE_ARG(scan->image->remark));
    if (scan->image->taken_from.len)
        remark_detail("taken from %.*s", SLICE_ARG(scan->image->taken_from));
    look_at_config(scan);
    build_inventory(scan);
    collect_secrets(scan);
    add_inventory_errors(scan);
    if (scan->options->scan_vulnerabilities)
        match_components(scan);
    match_add_unopened(&scan->result, scan->arena, &scan->inventory);
}

/* What is in it is known already: an SBOM says so. */
static void scan_known(struct scan *scan, const struct scan_request *request)
{
    const slice *problems = request->known_problems->items;
    look_at_config(scan);
    /* Of secrets an SBOM tells nothing: for them the layers are read all the same. */
    if (scan->secrets) {
        build_inventory(scan);
        add_inventory_errors(scan);
    }
    scan->inventory = *request->known;
    collect_secrets(scan);
    for (size_t i = 0; i < request->known_problems->count; i++)
        add_error(scan, "image", SIZE_MAX, SLICE_EMPTY,
                  arena_format(scan->arena, "%.*s is not of the whole image: %.*s",
                               SLICE_ARG(scan->image->name), SLICE_ARG(problems[i])));
    if (scan->options->scan_vulnerabilities)
        match_components(scan);
    match_add_unopened(&scan->result, scan->arena, &scan->inventory);
}

static void apply_exceptions(struct scan *scan)
{
    struct scan_exceptions *exceptions = scan->exceptions;
    struct exception_scan subject = {
        .target = &exceptions->target,
        .result = &scan->result,
        .secrets = &scan->inventory.secrets,
        .vulnerabilities_wanted = scan->has_store,
        .secrets_wanted = scan->secrets && scan->image->layer_count,
        .today = today(scan->arena),
    };
    take_error(scan, "policy", exceptions->failure);
    target_make(&exceptions->target, scan->image, scan->arena);
    exceptions_use(exceptions, &subject, scan->arena);
    scan->report.exceptions = &exceptions->exceptions;
    scan->report.target = &exceptions->target;
}

static void fill_report(struct scan *scan)
{
    struct report *report = &scan->report;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        report->stats.parent_peak_memory = (uint64_t)usage.ru_maxrss * 1024;
    report->stats.wanted = scan->options->stats;
    report->stats.outcomes = scan->outcomes;
    if (scan->image->bundle) {
        report->stats.image_bytes = bundle_size(scan->image->bundle);
        report->stats.bytes_read += bundle_bytes_read(scan->image->bundle);
    }
    report->image = scan->image;
    report->secrets_wanted = scan->secrets != NULL;
    report->vulnerabilities_wanted = scan->options->scan_vulnerabilities;
    report->sbom_findings = scan->options->scan_vulnerabilities && scan->options->scanners_given;
    report->by_cve = scan->options->by_cve;
    report->leave_out_packages = scan->options->leave_out_packages;
    report->show_suppressed = scan->options->show_suppressed;
    report->started = scan_moment(scan->arena);
    report->version = PLIMSOLL_VERSION;
    report->inventory = &scan->inventory;
    report->result = &scan->result;
    report->policy = &scan->options->policy;
    report->verdict = &scan->verdict;
    report->store = scan->has_store ? &scan->store : NULL;
    report->template_text = scan->options->outputs.template_text;
    report->template_path = scan->options->outputs.template_path;
    report->arena = scan->arena;
}

/* Everything but the writing; the scan lives in the arena, since its report points into it. */
static struct scan *collect(const struct scan_request *request, struct scan_exceptions *exceptions)
{
    struct arena *arena = request->arena;
    struct scan *scan = ARENA_NEW(arena, struct scan);
    *scan = (struct scan){.options = request->options,
                          .arena = arena,
                          .image = request->image,
                          .caught = request->caught,
                          .cache = request->cache,
                          .secrets = request->secrets,
                          .masking = request->masking,
                          .exceptions = exceptions,
                          .deadline_ms = request->deadline_ms};
    scan->report.stats.open_microseconds = (uint64_t)(clock_microseconds() - request->started);
    take_error(scan, "image", error_wrap(request->failure, "cannot read the image"));
    if (scan->image && request->options->target_name)
        scan->image->name = slice_from_text(request->options->target_name);
    if (!scan->image)
        scan->image = image_new(arena, request->name);
    else if (request->known)
        scan_known(scan, request);
    else
        scan_image(scan);
    apply_exceptions(scan);
    policy_apply(&request->options->policy, arena, &scan->result, &scan->inventory.secrets);
    policy_decide(&request->options->policy, arena, &scan->result, &scan->inventory.secrets,
                  scan->report.errors.count, &scan->verdict);
    add_unjudged_errors(scan);
    fill_report(scan);
    print_errors(scan);
    return scan;
}

/* What makes the command line a wrong one, before anything is read. The image is closed then. */
static struct error *begin(const struct scan_request *request, struct scan_exceptions **exceptions)
{
    if (request->failure && request->failure->kind == ERROR_USAGE)
        return request->failure;
    *exceptions = ARENA_NEW(request->arena, struct scan_exceptions);
    struct error *error = exceptions_load(*exceptions, request->options, request->arena);
    if (!error)
        return NULL;
    if (request->image)
        image_close(request->image);
    error_free(request->failure);
    return error;
}

struct error *scan_collect(const struct scan_request *request, const struct report **report)
{
    struct scan_exceptions *exceptions;
    TRY(begin(request, &exceptions));
    *report = &collect(request, exceptions)->report;
    return NULL;
}

struct error *scan_run(const struct scan_request *request, int *exit_code)
{
    struct scan_exceptions *exceptions;
    TRY(begin(request, &exceptions));
    struct scan *scan = collect(request, exceptions);
    *exit_code = scan->verdict.exit_code;
    print_remarks(scan);
    struct error *error = outputs_write(&scan->options->outputs, &scan->report);
    image_close(scan->image);
    return error;
}
