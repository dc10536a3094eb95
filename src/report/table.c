/* The table for people: findings grouped by where they came from, then a summary in sentences. */
#include "base/text.h"
#include "report/advice.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/table_parts.h"

enum { COLUMNS = TABLE_COLUMNS, GAP = 2 };

static const char *const titles[COLUMNS] = {"PACKAGE", "INSTALLED", "FIXED IN", "SEVERITY", "ID"};

const char *const table_colors[SEVERITY_COUNT] = {"\033[2m",  "\033[2m",  "\033[36m",
                                                  "\033[33m", "\033[31m", "\033[1;31m"};

void table_color(struct table *table, const char *code)
{
    if (table->options->color)
        buffer_text(table->out, code);
}

/* The part of `line` that fits into `width` columns, up to a space where there is one. */
static size_t fitting(slice line, size_t width)
{
    size_t last_space = 0, at = 0;
    for (size_t columns = 0; at < line.len;) {
        size_t length = utf8_length(slice_from(line, at));
        length = length ? length : 1;
        columns += text_width(slice_first(slice_from(line, at), length));
        if (columns > width)
            return last_space ? last_space : at ? at : length;
        if (line.ptr[at] == ' ' && at)
            last_space = at;
        at += length;
    }
    return line.len;
}

/* A line of text, broken between words where the terminal ends. */
void table_line(struct table *table, slice line)
{
    slice safe = text_safe(table->report->arena, line);
    do {
        size_t part = table->options->width ? fitting(safe, table->options->width) : safe.len;
        buffer_add(table->out, slice_first(safe, part));
        buffer_add_byte(table->out, '\n');
        safe = slice_from(safe, part);
        while (safe.len && safe.ptr[0] == ' ')
            safe = slice_from(safe, 1);
    } while (safe.len);
}

static slice fixed_in(const struct table *table, const struct finding *finding)
{
    return finding->fixed.count ? report_fixed(finding, table->report->arena) : SLICE("-");
}

static void cells_of(const struct table *table, const struct finding *finding, slice cells[COLUMNS])
{
    struct arena *arena = table->report->arena;
    slice id = finding->kev ? arena_format(arena, "%.*s (exploited)", SLICE_ARG(finding->id))
                            : finding->id;
    cells[0] = text_safe(arena, finding->component->name);
    cells[1] = text_safe(arena, finding->component->version);
    cells[2] = text_safe(arena, fixed_in(table, finding));
    cells[3] = slice_from_text(severity_names[finding->severity]);
    cells[4] = text_safe(arena, id);
}

static size_t total_width(const struct table *table)
{
    size_t total = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        total += table->widths[i] + GAP;
    return total;
}

/* Wide enough for every cell; on a terminal the widest of the three texts give way first. */
static void measure(struct table *table, struct finding *const *findings, size_t count)
{
    for (size_t i = 0; i < COLUMNS; i++)
        table->widths[i] = strlen(titles[i]);
    for (size_t i = 0; i < count; i++) {
        slice cells[COLUMNS];
        cells_of(table, findings[i], cells);
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t width = text_width(cells[j]);
            if (width > table->widths[j])
                table->widths[j] = width;
        }
    }
    while (table->options->width && total_width(table) > table->options->width) {
        size_t widest = 0;
        for (size_t i = 1; i < 3; i++)
            if (table->widths[i] > table->widths[widest])
                widest = i;
        if (table->widths[widest] <= 8)
            break;
        table->widths[widest]--;
    }
}

static void add_cells(struct table *table, const slice cells[COLUMNS])
{
    buffer_add_byte(table->out, ' ');
    for (size_t i = 0; i < COLUMNS; i++) {
        buffer_add_byte(table->out, ' ');
        size_t used = text_add_cut(table->out, cells[i], table->widths[i]);
        for (; i + 1 < COLUMNS && used < table->widths[i] + 1; used++)
            buffer_add_byte(table->out, ' ');
    }
    buffer_add_byte(table->out, '\n');
}

static void add_finding(struct table *table, const struct finding *finding)
{
    slice cells[COLUMNS];
    cells_of(table, finding, cells);
    table_color(table, table_colors[finding->severity]);
    add_cells(table, cells);
    table_color(table, "\033[0m");
}

/* Worst first, then by package and id. */
static int compare_rows(const void *a, const void *b)
{
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    int order = component_compare(x->component, y->component);
    return order ? order : slice_compare(x->id, y->id);
}

/* What a layer's findings stand under: the base image as one group, then each own instruction. */
static bool is_in_base(const struct report *report, size_t layer, bool *guessed)
{
    const struct image *image = report->image;
    *guessed = false;
    if (image->layers[layer].base != BASE_UNKNOWN)
        return image->layers[layer].base == BASE_YES;
    *guessed = image->guessed_base_layers != SIZE_MAX;
    return *guessed && layer < image->guessed_base_layers;
}

static void add_group_title(struct table *table, size_t layer)
{
    const struct image *image = table->report->image;
    bool guessed;
    struct arena *arena = table->report->arena;
    slice title;
    if (is_in_base(table->report, layer, &guessed))
        title = guessed ? SLICE("Base image (a guess from the history)") : SLICE("Base image");
    else if (image->root_folder >= 0)
        title = SLICE("Root file system");
    else if (image->layers[layer].instruction.len)
        title = arena_format(arena, "Layer %zu: %.*s", layer,
                             SLICE_ARG(image->layers[layer].instruction));
    else
        title = arena_format(arena, "Layer %zu (instruction unknown)", layer);
    buffer_add_byte(table->out, '\n');
    table_color(table, "\033[1m");
    text_add_cut(table->out, text_safe(arena, title),
                 table->options->width ? table->options->width : 200);
    table_color(table, "\033[0m");
    buffer_add_byte(table->out, '\n');
}

/* The group's number: 0 for the base image, else the layer's and one more. */
static size_t group_of(const struct report *report, const struct finding *finding)
{
    bool guessed;
    size_t layer = finding->component->layer;
    return is_in_base(report, layer, &guessed) ? 0 : layer + 1;
}

static void add_groups(struct table *table, struct finding **rows, size_t count)
{
    slice heads[COLUMNS];
    const struct report *report = table->report;
    for (size_t i = 0; i < COLUMNS; i++)
        heads[i] = slice_from_text(titles[i]);
    for (size_t group = 0; group <= report->image->layer_count; group++) {
        bool open = false;
        for (size_t i = 0; i < count; i++) {
            if (group_of(report, rows[i]) != group)
                continue;
            if (!open) {
                add_group_title(table, rows[i]->component->layer);
                table_color(table, "\033[2m");
                add_cells(table, heads);
                table_color(table, "\033[0m");
            }
            open = true;
            add_finding(table, rows[i]);
        }
    }
}

static void add_head(struct table *table)
{
    const struct report *report = table->report;
    const struct os *os = &report->inventory->os;
    if (report->image->root_folder >= 0 && report->image->root_kind != ROOT_FILE_SYSTEM)
        return; /* no image */
    slice platform = report->image->platform;
    slice system = os->found ? os->name : SLICE("no distribution known");
    table_line(table,
               arena_format(report->arena, "%.*s: %.*s%s%.*s, %zu layer%s, %zu package%s",
                            SLICE_ARG(report->image->name), SLICE_ARG(system),
                            platform.len ? ", " : "", SLICE_ARG(platform),
                            report->image->layer_count, report->image->layer_count == 1 ? "" : "s",
                            report->inventory->components.count,
                            report->inventory->components.count == 1 ? "" : "s"));
}

static void add_counts(struct table *table, struct finding *const *rows, size_t count)
{
    const struct report *report = table->report;
    CLEANUP_BUFFER struct buffer text = {0};
    size_t counts[SEVERITY_COUNT] = {0}, fixable = 0;
    for (size_t i = 0; i < count; i++) {
        counts[rows[i]->severity]++;
        fixable += rows[i]->fixed.count > 0;
    }
    for (int i = SEVERITY_CRITICAL; i >= 0; i--)
        if (counts[i])
            buffer_format(&text, "%s%zu %s", text.len ? ", " : "", counts[i], severity_names[i]);
    if (count == 0 && !report->store)
        return; /* not looked for */
    table_line(table, count ? arena_format(report->arena,
                                           "%zu finding%s: %.*s. %zu can be fixed by an "
                                           "upgrade.",
                                           count, count == 1 ? "" : "s",
                                           SLICE_ARG(buffer_slice(&text)), fixable)
                            : SLICE("No findings."));
    if (counts[SEVERITY_UNKNOWN])
        table_line(table,
                   arena_format(report->arena,
                                "%zu are UNKNOWN: no feed in the store says how severe they are.",
                                counts[SEVERITY_UNKNOWN]));
}

static void add_end_of_life(struct table *table)
{
    const struct report *report = table->report;
    slice sentence = end_of_life_sentence(report->result, &report->inventory->os, report->arena);
    if (sentence.len)
        table_line(table, sentence);
}

static void add_unjudged(struct table *table)
{
    const struct report *report = table->report;
    const struct unjudged *unjudged = report->result->unjudged.items;
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        table_line(table, arena_format(report->arena, "NOT JUDGED: %.*s.",
                                       SLICE_ARG(unjudged_sentence(&unjudged[i], report->arena))));
}

static void add_errors(struct table *table)
{
    const struct report *report = table->report;
    const struct report_error *errors = report->errors.items;
    for (size_t i = 0; i < report->errors.count; i++) {
        table_line(table, arena_format(report->arena, "ERROR: %.*s", SLICE_ARG(errors[i].message)));
    }
    if (report->errors.count)
        table_line(table, SLICE("This report is not complete: do not take the image for clean."));
}

static void add_store(struct table *table)
{
    const struct report *report = table->report;
    if (!report->store)
        return;
    table_line(table, arena_format(report->arena, "Advisories: %s of %.*s, %llu day%s old.",
                                   report->store->starter ? "the starter store" : "store",
                                   SLICE_ARG(slice_first(report->store->built, 10)),
                                   (unsigned long long)report->store_age_days,
                                   report->store_age_days == 1 ? "" : "s"));
}

static void add_verdict(struct table *table)
{
    const struct verdict *verdict = table->report->verdict;
    const struct policy *policy = table->report->policy;
    const slice *reasons = verdict->reasons.items;
    if (verdict->pass && !policy->exit_code && !policy->has_fail_on)
        return;
    table_color(table, verdict->pass ? "\033[32m" : "\033[1;31m");
    table_line(table, arena_format(table->report->arena, "%s (exit code %d)%s",
                                   verdict->pass ? "May leave port" : "May not leave port",
                                   verdict->exit_code, verdict->reasons.count ? ":" : ""));
    table_color(table, "\033[0m");
    for (size_t i = 0; i < verdict->reasons.count; i++)
        table_line(table, arena_format(table->report->arena, "  %.*s", SLICE_ARG(reasons[i])));
}

static void add_stats(struct table *table)
{
    const struct report_stats *stats = &table->report->stats;
    struct arena *arena = table->report->arena;
    if (!stats->wanted)
        return;
    double part =
        stats->image_bytes ? 100.0 * (double)stats->bytes_read / (double)stats->image_bytes : 0;
    buffer_add_byte(table->out, '\n');
    table_line(table, arena_format(arena, "Image %.*s, read %.*s (%.2f%%), %llu entries, %llu read",
                                   SLICE_ARG(text_size(arena, stats->image_bytes)),
                                   SLICE_ARG(text_size(arena, stats->bytes_read)), part,
                                   (unsigned long long)stats->entries,
                                   (unsigned long long)stats->entries_read));
    table_line(table,
               arena_format(arena, "Time: open %.1f ms, walk %.1f ms, merge %.1f ms, match %.1f ms",
                            (double)stats->open_microseconds / 1000,
                            (double)stats->walk_microseconds / 1000,
                            (double)stats->merge_microseconds / 1000,
                            (double)stats->match_microseconds / 1000));
    table_line(table, arena_format(arena, "Peak memory: parent %.*s, largest worker %.*s",
                                   SLICE_ARG(text_size(arena, stats->parent_peak_memory)),
                                   SLICE_ARG(text_size(arena, stats->worker_peak_memory))));
    for (size_t i = 0; stats->outcomes && i < table->report->image->layer_count; i++) {
        const struct record_statistics *layer = &stats->outcomes[i].record.statistics;
        table_line(table,
                   arena_format(
                       arena, "  layer %zu: %.*s, %llu entries, read %.*s, peak %.*s, CPU %.1f ms",
                       i, SLICE_ARG(layer->compression), (unsigned long long)layer->entries,
                       SLICE_ARG(text_size(arena, layer->bytes_read)),
                       SLICE_ARG(text_size(arena, layer->peak_memory)),
                       (double)layer->cpu_microseconds / 1000));
    }
}

static void write_table(const struct report *report, const struct report_options *options,
                        struct buffer *out)
{
    struct table table = {.report = report, .options = options, .out = out};
    struct finding *const *all = report->result->findings.items;
    struct finding **rows =
        arena_array(report->arena, report->result->findings.count + 1, sizeof(*rows));
    size_t count = 0;
    for (size_t i = 0; i < report->result->findings.count; i++)
        if (all[i]->suppressed_reason.len == 0)
            rows[count++] = all[i];
    qsort(rows, count, sizeof(*rows), compare_rows);
    measure(&table, rows, count);
    add_head(&table);
    add_groups(&table, rows, count);
    buffer_add_byte(out, '\n');
    add_counts(&table, rows, count);
    table_secrets(&table);
    table_suppressed(&table);
    add_unjudged(&table);
    add_errors(&table);
    add_end_of_life(&table);
    add_store(&table);
    slice advice = advice_write(report);
    if (advice.len)
        table_line(&table, advice);
    add_verdict(&table);
    add_stats(&table);
}

const struct report_format report_table = {
    .name = "table",
    .help = "for people",
    .write = write_table,
};
