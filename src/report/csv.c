/*
 * CSV (RFC 4180) with a line for each finding and secret, also those that are suppressed, and for
 * what could not be read or judged. Cells that a spreadsheet would run are made text.
 */
#include "base/limits.h"
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

/* All columns; a row sets those that it has. */
enum column {
    KIND,
    STATE,
    IMAGE,
    ID,
    ALIASES,
    SEVERITY,
    SCORE,
    VECTOR,
    SEVERITY_SOURCE,
    TITLE,
    TYPE,
    PACKAGE,
    INSTALLED,
    FIXED,
    STATUS,
    LAYER,
    ORIGIN,
    INSTRUCTION,
    LOCATION,
    LINE,
    COLUMN,
    DELETED_IN,
    MATCH,
    PURL,
    EPSS,
    EPSS_PERCENTILE,
    KEV,
    SOURCES,
    URL,
    REASON,
    BY,
    UNTIL,
    VARIABLE,
    PLACES,
    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
    "kind",
    "state",
    "image",
    "id",
    "aliases",
    "severity",
    "score",
    "vector",
    "severity_source",
    "title",
    "type",
    "package",
    "installed",
    "fixed",
    "status",
    "layer",
    "origin",
    "instruction",
    "location",
    "line",
    "column",
    "deleted_in",
    "match",
    "purl",
    "epss",
    "epss_percentile",
    "kev",
    "sources",
    "url",
    "reason",
    "by",
    "until",
    "variable",
    "places",
};

struct row {
    slice cells[COLUMN_COUNT];
};

static void add_row(struct buffer *out, const struct row *row)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (i)
            buffer_add_byte(out, ',');
        csv_add(out, row->cells[i]);
    }
    buffer_text(out, "\r\n");
}

/* "a; b" */
static slice joined(const struct list *list, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const slice *items = list->items;
    for (size_t i = 0; i < list->count; i++) {
        buffer_text(&text, i ? "; " : "");
        buffer_add(&text, items[i]);
    }
    return arena_copy(arena, buffer_slice(&text));
}

static slice sources_of(const struct finding *finding, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct finding_source *sources = finding->sources.items;
    for (size_t i = 0; i < finding->sources.count; i++)
        buffer_format(&text, "%s%.*s %.*s", i ? "; " : "", SLICE_ARG(sources[i].ecosystem),
                      SLICE_ARG(sources[i].id));
    return arena_copy(arena, buffer_slice(&text));
}

static void set_layer(struct row *row, const struct report *report, size_t index)
{
    if (index == SIZE_MAX)
        return;
    const struct image_layer *layer = &report->image->layers[index];
    row->cells[LAYER] = arena_format(report->arena, "%zu", index);
    row->cells[ORIGIN] = report_origin(layer->base);
    row->cells[INSTRUCTION] = layer->instruction;
}

static void set_rating(struct row *row, const struct report *report, const struct finding *finding)
{
    row->cells[SEVERITY] = slice_from_text(severity_names[finding->severity]);
    if (finding->score_tenths >= 0)
        row->cells[SCORE] = arena_format(report->arena, "%d.%d", finding->score_tenths / 10,
                                         finding->score_tenths % 10);
    row->cells[VECTOR] = finding->vector;
    row->cells[SEVERITY_SOURCE] = finding->severity_source;
    if (finding->epss >= 0) {
        row->cells[EPSS] = arena_format(report->arena, "%.5f", finding->epss);
        row->cells[EPSS_PERCENTILE] = arena_format(report->arena, "%.5f", finding->epss_percentile);
    }
    row->cells[KEV] = finding->kev ? SLICE("yes") : SLICE("no");
}

static void add_finding(struct buffer *out, const struct report *report,
                        const struct finding *finding)
{
    const struct component *component = finding->component;
    struct row row = {{[KIND] = SLICE("vulnerability"), [IMAGE] = report->image->name}};
    bool suppressed = finding->suppressed_reason.len > 0;
    row.cells[STATE] = suppressed ? SLICE("suppressed") : SLICE("open");
    row.cells[ID] = finding->id;
    row.cells[ALIASES] = joined(&finding->aliases, report->arena);
    set_rating(&row, report, finding);
    row.cells[TITLE] = text_fold(report->arena, finding->summary);
    row.cells[TYPE] = component->type;
    row.cells[PACKAGE] = component->name;
    row.cells[INSTALLED] = component->version;
    row.cells[FIXED] = joined(&finding->fixed, report->arena);
    row.cells[STATUS] = slice_from_text(finding->status);
    set_layer(&row, report, component->layer);
    row.cells[LOCATION] = joined(&component->locations, report->arena);
    row.cells[PURL] = component->purl;
    row.cells[SOURCES] = sources_of(finding, report->arena);
    row.cells[URL] = report_url(finding, report->arena);
    row.cells[REASON] = finding->suppressed_reason;
    row.cells[BY] = finding->suppressed_by;
    row.cells[UNTIL] = finding->suppressed_until;
    add_row(out, &row);
}

static slice number(struct arena *arena, uint64_t value)
{
    return value ? arena_format(arena, "%llu", (unsigned long long)value) : SLICE_EMPTY;
}

/* "app/a.env:1:3 (layer 1); config:Env (TOKEN); … 4 more" */
static slice places_of(const struct report *report, const struct image_secret *found)
{
    struct list words = {0};
    const struct secret_place *places = found->places.items;
    for (size_t i = 0; i < found->places.count && i < LIMIT_SECRET_PLACES_LISTED; i++)
        *(slice *)list_add(&words, report->arena, sizeof(slice)) =
            secret_place_words(report, &places[i]);
    if (words.count < found->places.count)
        *(slice *)list_add(&words, report->arena, sizeof(slice)) =
            arena_format(report->arena, "%zu more", found->places.count - words.count);
    return joined(&words, report->arena);
}

static void add_secret(struct buffer *out, const struct report *report,
                       const struct image_secret *found)
{
    const struct secret *secret = found->secret;
    struct row row = {{[KIND] = SLICE("secret"), [IMAGE] = report->image->name}};
    row.cells[STATE] = found->suppressed_reason.len ? SLICE("suppressed") : SLICE("open");
    row.cells[ID] = secret->rule;
    row.cells[SEVERITY] = slice_from_text(severity_names[found->severity]);
    row.cells[TITLE] = found->title;
    set_layer(&row, report, found->layer);
    row.cells[LOCATION] = secret->path;
    row.cells[LINE] = number(report->arena, secret->line);
    row.cells[COLUMN] = number(report->arena, secret->column);
    if (found->deleted_in != SIZE_MAX)
        row.cells[DELETED_IN] = arena_format(report->arena, "%zu", found->deleted_in);
    row.cells[MATCH] = secret->match;
    row.cells[VARIABLE] = secret->variable;
    row.cells[PLACES] = places_of(report, found);
    row.cells[REASON] = found->suppressed_reason;
    row.cells[BY] = found->suppressed_by;
    add_row(out, &row);
}

static void add_troubles(struct buffer *out, const struct report *report)
{
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    for (size_t i = 0; i < report->errors.count; i++) {
        struct row row = {{[KIND] = SLICE("error"), [IMAGE] = report->image->name}};
        row.cells[ID] = slice_from_text(errors[i].where);
        row.cells[TITLE] = errors[i].message;
        row.cells[LOCATION] = errors[i].path;
        if (errors[i].layer < report->image->layer_count)
            set_layer(&row, report, errors[i].layer);
        add_row(out, &row);
    }
    for (size_t i = 0; i < report->result->unjudged.count; i++) {
        struct row row = {{[KIND] = SLICE("unjudged"), [IMAGE] = report->image->name}};
        row.cells[ID] = unjudged[i].what;
        row.cells[TITLE] = unjudged_sentence(&unjudged[i], report->arena);
        add_row(out, &row);
    }
}

static void write_csv(const struct report *report, const struct report_options *options,
                      struct buffer *out)
{
    struct row names = {0};
    (void)options;
    for (int i = 0; i < COLUMN_COUNT; i++)
        names.cells[i] = slice_from_text(column_names[i]);
    add_row(out, &names);
    add_troubles(out, report);
    for (int suppressed = 0; suppressed < 2; suppressed++) {
        size_t count;
        struct finding *const *findings = report_findings(report, suppressed, &count);
        for (size_t i = 0; i < count; i++)
            add_finding(out, report, findings[i]);
        const struct image_secret *const *secrets = report_secrets(report, suppressed, &count);
        for (size_t i = 0; i < count; i++)
            add_secret(out, report, secrets[i]);
    }
}

const struct report_format report_csv = {
    .name = "csv",
    .help = "CSV for spreadsheets, a line for each finding",
    .wants_prose = true,
    .write = write_csv,
};
