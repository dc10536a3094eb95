#include "analyze/analyzer.h"
#include "analyze/analyzers.h"
#include "base/limits.h"

const struct analyzer *const analyzers[] = {
    &analyzer_os_release, &analyzer_dpkg,      &analyzer_python,
    &analyzer_conda,      &analyzer_databases, &analyzer_secret,
};

const size_t analyzer_count = sizeof(analyzers) / sizeof(analyzers[0]);

bool analyzer_wants_path(slice path)
{
    struct entry entry = {.kind = ENTRY_FILE, .path = path};
    for (size_t i = 0; i < analyzer_count; i++)
        if (!analyzers[i]->everywhere && analyzers[i]->wants(path, &entry).kind != WANT_NOTHING)
            return true;
    return false;
}

struct evidence *analysis_evidence(struct analysis *analysis)
{
    struct list *list = &analysis->record->evidence;
    if (analysis->evidence)
        return (struct evidence *)list->items + analysis->evidence - 1;
    struct evidence *evidence = list_add(list, analysis->arena, sizeof(*evidence));
    *evidence = (struct evidence){.path = arena_copy(analysis->arena, analysis->entry->path),
                                  .analyzer = slice_from_text(analysis->analyzer->name)};
    evidence->dormant = analysis->dormant;
    if (!slice_equal(analysis->entry->path, analysis->path))
        evidence->place = arena_copy(analysis->arena, analysis->path);
    analysis->evidence = list->count;
    return evidence;
}

struct error *analysis_add_package(struct analysis *analysis, const struct package *package)
{
    struct evidence *evidence = analysis_evidence(analysis);
    if (evidence->packages.count >= LIMIT_PACKAGES_PER_FILE)
        return error_make(ERROR_LIMIT, "it names more than %d packages", LIMIT_PACKAGES_PER_FILE);
    struct package copy = *package;
    slice *fields[] = {&copy.type,       &copy.name,        &copy.version,
                       &copy.arch,       &copy.source_name, &copy.source_version,
                       &copy.maintainer, &copy.license,     &copy.build};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i]->len > LIMIT_FIELD_BYTES)
            return error_make(ERROR_LIMIT,
                              "a field of a package has %zu bytes, more than the limit "
                              "of %llu",
                              fields[i]->len, (unsigned long long)LIMIT_FIELD_BYTES);
        *fields[i] = arena_copy(analysis->arena, *fields[i]);
    }
    *(struct package *)list_add(&evidence->packages, analysis->arena, sizeof(copy)) = copy;
    return NULL;
}

void analysis_add_fact(struct analysis *analysis, const char *key, slice value)
{
    struct evidence *evidence = analysis_evidence(analysis);
    struct fact *fact = list_add(&evidence->facts, analysis->arena, sizeof(*fact));
    *fact = (struct fact){slice_from_text(key), arena_copy(analysis->arena, value)};
}

void analysis_add_owned(struct analysis *analysis, slice path)
{
    struct evidence *evidence = analysis_evidence(analysis);
    *(slice *)list_add(&evidence->owned, analysis->arena, sizeof(slice)) =
        arena_copy(analysis->arena, path);
}
