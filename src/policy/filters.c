#include "policy/filters.h"
#include "base/glob.h"

/* "/etc", "./etc" and "etc" are one: paths in an image have no slash in front. */
static slice without_front(slice path)
{
    if (slice_starts(path, SLICE("./")))
        path = slice_from(path, strlen("./"));
    while (slice_starts(path, SLICE("/")))
        path = slice_from(path, 1);
    while (slice_ends(path, SLICE("/")))
        path.len--;
    return path;
}

/* The part before the next comma that stands in no braces; false when the list is used up. */
static bool pull_pattern(slice *list, slice *pattern)
{
    size_t braces = 0, at = 0;
    if (!list->ptr)
        return false;
    for (; at < list->len && (braces || list->ptr[at] != ','); at++) {
        braces += list->ptr[at] == '{';
        braces -= list->ptr[at] == '}' && braces;
    }
    *pattern = slice_first(*list, at);
    *list = at < list->len ? slice_from(*list, at + 1) : (slice){NULL, 0};
    return true;
}

struct error *filters_add_paths(struct filters *filters, const char *by, slice list, bool folders,
                                bool files)
{
    slice one;
    while (pull_pattern(&list, &one)) {
        slice pattern = without_front(slice_trim(one));
        if (pattern.len == 0 || !glob_valid(pattern))
            return error_make(ERROR_USAGE, "%s: \"%.*s\" is no pattern for a path", by,
                              SLICE_ARG(one));
        if (filters->path_count == PATH_FILTERS)
            return error_make(ERROR_USAGE, "%s: there can be %d patterns in all", by, PATH_FILTERS);
        filters->paths[filters->path_count++] = (struct path_filter){pattern, by, folders, files};
    }
    return NULL;
}

void filters_drop_paths(struct filters *filters, const char *by)
{
    size_t kept = 0;
    for (size_t i = 0; i < filters->path_count; i++)
        if (strcmp(filters->paths[i].by, by) != 0)
            filters->paths[kept++] = filters->paths[i];
    filters->path_count = kept;
}

struct error *filters_set_types(struct filters *filters, slice list)
{
    slice word;
    filters->leave_out_system = filters->leave_out_libraries = true;
    while (slice_pull(&list, ',', &word)) {
        word = slice_trim(word);
        if (slice_equal(word, SLICE("os")))
            filters->leave_out_system = false;
        else if (slice_equal(word, SLICE("library")))
            filters->leave_out_libraries = false;
        else
            return error_make(ERROR_USAGE,
                              "--pkg-types: \"%.*s\" is no kind of package; there is os, library",
                              SLICE_ARG(word));
    }
    return NULL;
}

/* Grype's words stand for those of ours that mean the same. */
static const struct {
    const char *word, *status;
} status_words[] = {
    {"unknown", "unknown"},
    {"not_affected", "not_affected"},
    {"affected", "affected"},
    {"fixed", "fixed"},
    {"under_investigation", "under_investigation"},
    {"will_not_fix", "will_not_fix"},
    {"fix_deferred", "fix_deferred"},
    {"end_of_life", "end_of_life"},
    {"wont-fix", "will_not_fix"},
    {"not-fixed", "affected"},
};
enum { STATUS_WORDS = sizeof(status_words) / sizeof(status_words[0]) };

struct error *filters_add_statuses(struct filters *filters, const char *by, slice list)
{
    slice word;
    while (slice_pull(&list, ',', &word)) {
        size_t at = 0;
        word = slice_trim(word);
        while (at < STATUS_WORDS && !slice_equal(word, slice_from_text(status_words[at].word)))
            at++;
        if (at == STATUS_WORDS)
            return error_make(ERROR_USAGE,
                              "%s: \"%.*s\" is no status; there is affected, fixed, will_not_fix, "
                              "fix_deferred, end_of_life, under_investigation, not_affected, "
                              "unknown (or not-fixed, wont-fix)",
                              by, SLICE_ARG(word));
        if (filters->status_count == STATUS_FILTERS)
            return error_make(ERROR_USAGE, "%s: there can be %d of them", by, STATUS_FILTERS);
        filters->statuses[filters->status_count] = status_words[at].status;
        filters->status_by[filters->status_count++] = by;
    }
    return NULL;
}

/* A folder's pattern takes whatever lies below a folder of that name. */
static bool matches(const struct path_filter *filter, slice path)
{
    path = without_front(path);
    if (filter->files && glob_match(filter->pattern, path))
        return true;
    for (slice folder = slice_dirname(path); filter->folders && folder.len;
         folder = slice_dirname(folder))
        if (glob_match(filter->pattern, folder))
            return true;
    return false;
}

static const struct path_filter *filter_of(const struct filters *filters, slice path)
{
    for (size_t i = 0; i < filters->path_count; i++)
        if (matches(&filters->paths[i], path))
            return &filters->paths[i];
    return NULL;
}

/* Only when each place that a component was found in is left out. */
static const struct path_filter *filter_of_component(const struct filters *filters,
                                                     const struct component *component)
{
    const slice *locations = component->locations.items;
    const struct path_filter *filter = NULL;
    for (size_t i = 0; i < component->locations.count; i++) {
        filter = filter_of(filters, locations[i]);
        if (!filter)
            return NULL;
    }
    return filter;
}

static void suppress(struct finding *finding, slice reason, const char *by)
{
    if (finding->suppressed_reason.len)
        return;
    finding->suppressed_reason = reason;
    finding->suppressed_by = slice_from_text(by);
}

static void apply_to_finding(const struct filters *filters, struct arena *arena,
                             struct finding *finding)
{
    bool of_system = component_is_of_system(finding->component);
    const struct path_filter *filter = filter_of_component(filters, finding->component);
    if (of_system ? filters->leave_out_system : filters->leave_out_libraries)
        suppress(finding,
                 of_system ? SLICE("packages of the distribution are not asked for")
                           : SLICE("packages of programming languages are not asked for"),
                 "--pkg-types");
    if (filter)
        suppress(finding,
                 arena_format(arena, "it lies where \"%.*s\" leaves out what is found",
                              SLICE_ARG(filter->pattern)),
                 filter->by);
    for (size_t i = 0; i < filters->status_count; i++)
        if (strcmp(filters->statuses[i], finding->status) == 0)
            suppress(finding, arena_format(arena, "its status is %s", finding->status),
                     filters->status_by[i]);
    if (filters->only_notfixed && finding->fixed.count)
        suppress(finding, SLICE("a version that repairs it is known"), "--only-notfixed");
}

/* Only files have paths: what stands in the config is not left out with them. */
static void apply_to_secret(const struct filters *filters, struct arena *arena,
                            struct image_secret *secret)
{
    struct secret_place *places = secret->places.items;
    for (size_t i = 0; i < secret->places.count; i++) {
        const struct path_filter *filter = filter_of(filters, places[i].secret->path);
        if (!filter || places[i].stand != IN_FILE || places[i].suppressed_reason.len)
            continue;
        places[i].suppressed_reason = arena_format(
            arena, "it lies where \"%.*s\" leaves out what is found", SLICE_ARG(filter->pattern));
        places[i].suppressed_by = slice_from_text(filter->by);
    }
    image_secret_settle(secret);
}

void filters_apply(const struct filters *filters, struct arena *arena, struct match_result *result,
                   struct list *list)
{
    struct finding **findings = result->findings.items;
    struct image_secret *secrets = list->items;
    for (size_t i = 0; i < result->findings.count; i++)
        apply_to_finding(filters, arena, findings[i]);
    for (size_t i = 0; i < list->count && filters->path_count; i++)
        apply_to_secret(filters, arena, &secrets[i]);
}

bool filters_leave_out(const struct filters *filters, const struct unjudged *unjudged)
{
    return (unjudged->of == UNJUDGED_SYSTEM && filters->leave_out_system) ||
           (unjudged->of == UNJUDGED_LIBRARIES && filters->leave_out_libraries);
}
