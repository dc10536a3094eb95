#include "compare/page.h"
#include "base/text.h"

static void add_sentence(struct page *page, struct list *list, slice sentence)
{
    *(slice *)list_add(list, page->arena, sizeof(slice)) = sentence;
}

static struct page_table *add_table(struct page *page, slice title, const char *alignment,
                                    const char *const *heads)
{
    struct page_table *table = list_add(&page->tables, page->arena, sizeof(*table));
    *table = (struct page_table){
        .title = title, .columns = strlen(alignment), .alignment = alignment, .is_long = true};
    for (size_t i = 0; i < table->columns; i++)
        table->heads[i] = heads[i];
    return table;
}

static slice *add_row(struct page *page, struct page_table *table, int severity)
{
    struct page_row *row = list_add(&table->rows, page->arena, sizeof(*row));
    row->severity = severity;
    return row->cells;
}

static slice or_dash(slice text)
{
    return text.len ? text : SLICE("-");
}

static slice number(struct page *page, uint64_t value)
{
    return arena_format(page->arena, "%llu", (unsigned long long)value);
}

/* "-92.3%", "new", "-" */
static slice percent(struct page *page, uint64_t before, uint64_t after)
{
    int64_t tenths;
    if (before == after)
        return SLICE("-");
    if (!compare_percent(before, after, &tenths))
        return SLICE("new");
    int64_t size = tenths < 0 ? -tenths : tenths;
    return arena_format(page->arena, "%c%lld.%lld%%", tenths < 0 ? '-' : '+',
                        (long long)(size / 10), (long long)(size % 10));
}

static slice joined(struct page *page, const struct list *list)
{
    return or_dash(list_join(list, ", ", page->arena));
}

static slice words_of_side(struct page *page, const struct side *side)
{
    struct arena *arena = page->arena;
    CLEANUP_BUFFER struct buffer text = {0};
    if (strcmp(side->kind, "report") == 0 && side->image.len)
        buffer_format(&text, "%.*s (the report of %.*s)", SLICE_ARG(side->name),
                      SLICE_ARG(side->image));
    else
        buffer_add(&text, side->name);
    buffer_format(&text, ": %.*s",
                  SLICE_ARG(side->os_name.len ? side->os_name : SLICE("no distribution known")));
    if (side->platform.len)
        buffer_format(&text, ", %.*s", SLICE_ARG(side->platform));
    buffer_format(&text, ", %zu layer%s, %.*s, %zu package%s", side->layer_count,
                  side->layer_count == 1 ? "" : "s", SLICE_ARG(text_size(arena, side->size)),
                  side->packages.count, side->packages.count == 1 ? "" : "s");
    return arena_copy(arena, buffer_slice(&text));
}

static void add_sides(struct page *page, const struct comparison *comparison)
{
    static const char *const words[] = {"Before", "After"};
    for (size_t i = 0; i < comparison->side_count; i++) {
        const struct side *side = &comparison->sides[i];
        const slice *errors = side->errors.items;
        slice text = words_of_side(page, side);
        if (compare_is_pair(comparison))
            text = arena_format(page->arena, "%s: %.*s", words[i], SLICE_ARG(text));
        if (side->errors.count == 0 || side->layer_count)
            add_sentence(page, &page->sides, text);
        for (size_t j = 0; j < side->errors.count; j++)
            add_sentence(page, &page->errors,
                         arena_format(page->arena, "%.*s: %.*s", SLICE_ARG(side->name),
                                      SLICE_ARG(errors[j])));
    }
}

static void add_notes(struct page *page, const struct comparison *comparison)
{
    const slice *notes = comparison->notes.items;
    for (size_t i = 0; i < comparison->side_count; i++) {
        const struct side *side = &comparison->sides[i];
        const slice *unjudged = side->unjudged.items;
        for (size_t j = 0; j < side->unjudged.count; j++)
            add_sentence(page, &page->notes,
                         arena_format(page->arena, "NOT JUDGED in %.*s: %.*s.",
                                      SLICE_ARG(side->name), SLICE_ARG(unjudged[j])));
    }
    for (size_t i = 0; i < comparison->notes.count; i++)
        add_sentence(page, &page->notes, notes[i]);
}

/* -- two sides ------------------------------------------------------------------------------ */

static void add_numbers(struct page *page, struct page_table *table, const char *name,
                        uint64_t before, uint64_t after, int severity)
{
    slice *cells = add_row(page, table, severity);
    cells[0] = slice_from_text(name);
    cells[1] = number(page, before);
    cells[2] = number(page, after);
    cells[3] = percent(page, before, after);
}

static void add_totals(struct page *page, const struct comparison *comparison)
{
    static const char *const heads[] = {"", "BEFORE", "AFTER", "CHANGE"};
    const struct side_counts *a = &comparison->counts[0], *b = &comparison->counts[1];
    const struct side *before = &comparison->sides[0], *after = &comparison->sides[1];
    struct page_table *table = add_table(page, SLICE_EMPTY, "lrrr", heads);
    table->is_long = false;
    for (int i = SEVERITY_CRITICAL; i >= 0; i--)
        if (i >= SEVERITY_LOW || a->by_severity[i] || b->by_severity[i])
            add_numbers(page, table, severity_names[i], a->by_severity[i], b->by_severity[i], i);
    add_numbers(page, table, "all findings", a->all, b->all, -1);
    add_numbers(page, table, "fixable", a->fixable, b->fixable, -1);
    add_numbers(page, table, "exploited", a->exploited, b->exploited, -1);
    if (a->in_base || b->in_base || a->in_own || b->in_own) {
        add_numbers(page, table, "from the base image", a->in_base, b->in_base, -1);
        add_numbers(page, table, "from own layers", a->in_own, b->in_own, -1);
    }
    add_numbers(page, table, "secrets", a->secrets, b->secrets, -1);
    add_numbers(page, table, "packages", before->packages.count, after->packages.count, -1);
    add_numbers(page, table, "layers", before->layer_count, after->layer_count, -1);
    slice *cells = add_row(page, table, -1);
    cells[0] = SLICE("size");
    cells[1] = text_size(page->arena, before->size);
    cells[2] = text_size(page->arena, after->size);
    cells[3] = percent(page, before->size, after->size);
}

static slice title(struct page *page, const char *words, size_t count)
{
    return arena_format(page->arena, "%s (%zu)", words, count);
}

/* What stands for a version that is not there. */
static void versions_of(const struct finding_change *change, slice cells[2])
{
    cells[0] = change->before || change->version_before.len ? or_dash(change->version_before)
                                                            : SLICE("(not there)");
    cells[1] = change->after || change->version_after.len ? or_dash(change->version_after)
                                                          : SLICE("(removed)");
}

static void add_findings(struct page *page, const struct comparison *comparison, enum fate fate)
{
    static const char *const heads[] = {"PACKAGE",  "BEFORE", "AFTER", "FIXED IN",
                                        "SEVERITY", "ID",     "FROM"};
    static const char *const titles[FATES] = {"New findings", "Fixed findings",
                                              "Unchanged findings"};
    const struct finding_change *changes = comparison->findings.items;
    if (comparison->finding_fates[fate] == 0)
        return;
    bool origins = comparison->counts[0].in_base || comparison->counts[0].in_own ||
                   comparison->counts[1].in_base || comparison->counts[1].in_own;
    struct page_table *table =
        add_table(page, title(page, titles[fate], comparison->finding_fates[fate]),
                  origins ? "lllllll" : "llllll", heads);
    table->is_minor = fate != FATE_NEW;
    for (size_t i = 0; i < comparison->findings.count; i++) {
        if (changes[i].fate != fate)
            continue;
        const struct side_finding *finding =
            changes[i].after ? changes[i].after : changes[i].before;
        slice *cells = add_row(page, table, (int)finding->severity);
        cells[0] = finding->package.name;
        versions_of(&changes[i], &cells[1]);
        cells[3] = joined(page, &finding->fixed);
        cells[4] = slice_from_text(severity_names[finding->severity]);
        cells[5] = finding->kev
                       ? arena_format(page->arena, "%.*s (exploited)", SLICE_ARG(finding->id))
                       : finding->id;
        cells[6] = finding->base == BASE_YES  ? SLICE("base image")
                   : finding->base == BASE_NO ? SLICE("own layers")
                                              : SLICE("-");
    }
}

static void add_secrets(struct page *page, const struct comparison *comparison, enum fate fate)
{
    static const char *const heads[] = {"SECRET", "SEVERITY", "WHERE"};
    static const char *const titles[FATES] = {"New secrets", "Secrets that are gone",
                                              "Unchanged secrets"};
    const struct secret_change *changes = comparison->secrets.items;
    if (comparison->secret_fates[fate] == 0)
        return;
    struct page_table *table =
        add_table(page, title(page, titles[fate], comparison->secret_fates[fate]), "lll", heads);
    table->is_minor = fate == FATE_FIXED;
    for (size_t i = 0; i < comparison->secrets.count; i++) {
        const struct side_secret *secret = changes[i].secret;
        if (changes[i].fate != fate)
            continue;
        slice *cells = add_row(page, table, (int)secret->severity);
        cells[0] = secret->title;
        cells[1] = slice_from_text(severity_names[secret->severity]);
        cells[2] = secret->path;
    }
}

static void add_packages(struct page *page, const struct comparison *comparison,
                         enum package_fate fate)
{
    static const char *const heads[] = {"PACKAGE", "TYPE", "BEFORE", "AFTER"};
    static const char *const titles[PACKAGE_FATES] = {
        "Packages added",      "Packages removed",          "Packages upgraded",
        "Packages downgraded", "Packages of other version", "Packages unchanged"};
    const struct package_change *changes = comparison->packages.items;
    if (comparison->package_fates[fate] == 0)
        return;
    struct page_table *table =
        add_table(page, title(page, titles[fate], comparison->package_fates[fate]), "llll", heads);
    table->is_minor = true;
    for (size_t i = 0; i < comparison->packages.count; i++) {
        const struct package_change *change = &changes[i];
        if (change->fate != fate)
            continue;
        const struct side_package *package = change->before ? change->before : change->after;
        slice *cells = add_row(page, table, -1);
        cells[0] = package->arch.len
                       ? arena_format(page->arena, "%.*s (%.*s)", SLICE_ARG(package->name),
                                      SLICE_ARG(package->arch))
                       : package->name;
        cells[1] = package->type;
        cells[2] = change->before ? or_dash(change->before->version) : SLICE("(not there)");
        cells[3] = change->after ? or_dash(change->after->version) : SLICE("(removed)");
    }
}

static void summarise_pair(struct page *page, const struct comparison *comparison)
{
    const size_t *findings = comparison->finding_fates, *packages = comparison->package_fates;
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_format(&text,
                  "Findings: %zu fixed, %zu new, %zu unchanged. Packages: %zu removed, %zu "
                  "added, %zu upgraded, %zu downgraded",
                  findings[FATE_FIXED], findings[FATE_NEW], findings[FATE_UNCHANGED],
                  packages[PACKAGE_REMOVED], packages[PACKAGE_ADDED], packages[PACKAGE_UPGRADED],
                  packages[PACKAGE_DOWNGRADED]);
    if (packages[PACKAGE_CHANGED])
        buffer_format(&text, ", %zu of another version", packages[PACKAGE_CHANGED]);
    buffer_format(&text, ", %zu unchanged.", packages[PACKAGE_UNCHANGED]);
    page->summary = arena_copy(page->arena, buffer_slice(&text));
}

static void add_pair(struct page *page, const struct comparison *comparison)
{
    add_totals(page, comparison);
    add_findings(page, comparison, FATE_NEW);
    add_secrets(page, comparison, FATE_NEW);
    add_findings(page, comparison, FATE_FIXED);
    add_secrets(page, comparison, FATE_FIXED);
    add_findings(page, comparison, FATE_UNCHANGED);
    add_secrets(page, comparison, FATE_UNCHANGED);
    for (int fate = PACKAGE_ADDED; fate < PACKAGE_UNCHANGED; fate++)
        add_packages(page, comparison, fate);
    summarise_pair(page, comparison);
}

/* -- more ------------------------------------------------------------------------------------- */

static slice age_of(struct page *page, const struct side *side, slice today)
{
    slice day = side->created.len ? side->created : SLICE("-");
    return compare_is_end_of_life(side, today)
               ? arena_format(page->arena, "%.*s (end of life)", SLICE_ARG(day))
               : day;
}

static void add_ranking(struct page *page, const struct comparison *comparison)
{
    static const char *const heads[] = {"RANK",     "IMAGE",   "CRITICAL",  "HIGH",    "MEDIUM",
                                        "LOW",      "FIXABLE", "EXPLOITED", "SECRETS", "SIZE",
                                        "PACKAGES", "MADE",    "TRUST"};
    struct page_table *table = add_table(page, SLICE_EMPTY, "rlrrrrrrrrrll", heads);
    table->is_long = false;
    for (size_t i = 0; i < comparison->side_count; i++) {
        const struct side *side = &comparison->sides[comparison->ranking[i]];
        const struct side_counts *counts = &comparison->counts[comparison->ranking[i]];
        slice *cells = add_row(page, table, -1);
        cells[0] = number(page, i + 1);
        cells[1] = side->name;
        for (int j = 0; j < 4; j++)
            cells[2 + j] = number(page, counts->by_severity[SEVERITY_CRITICAL - j]);
        cells[6] = number(page, counts->fixable);
        cells[7] = number(page, counts->exploited);
        cells[8] = number(page, counts->secrets);
        cells[9] = text_size(page->arena, side->size);
        cells[10] = number(page, side->packages.count);
        cells[11] = age_of(page, side, comparison->today);
        cells[12] = side->errors.count     ? SLICE("not read whole")
                    : side->unjudged.count ? SLICE("not all judged")
                                           : SLICE("whole");
    }
    const struct side *first = &comparison->sides[comparison->ranking[0]];
    page->summary = arena_format(page->arena, "First is %.*s: %.*s.", SLICE_ARG(first->name),
                                 SLICE_ARG(comparison->reason));
}

struct page page_of(const struct comparison *comparison)
{
    const struct compare_gates *gates = &comparison->gates;
    struct page page = {.arena = comparison->arena};
    add_sides(&page, comparison);
    if (!compare_is_pair(comparison))
        add_ranking(&page, comparison);
    else if (compare_is_possible(comparison))
        add_pair(&page, comparison);
    else
        page.summary = SLICE("There is nothing to compare.");
    add_notes(&page, comparison);
    if (comparison->exit_code || gates->has_max_new || gates->has_min_reduction)
        page.verdict =
            arena_format(page.arena, "%s (exit code %d)",
                         comparison->exit_code ? "Does not pass" : "Passes", comparison->exit_code);
    return page;
}
