/*
 * OpenVEX 0.2 (OPENVEX-SPEC.md, openvex_json_schema.json): what counts as "affected" with the
 * upgrade that repairs it, what an ignore file excepts or VEX states as "not_affected" or "fixed".
 * The product is the image, the packages are its subcomponents. Read back with --vex it suppresses
 * the same findings.
 *
 * What filters take out (--severity) is not stated, nor is an exception that is for some places of
 * a package only: VEX knows no paths.
 */
#include "base/json_write.h"
#include "base/map.h"
#include "report/parts.h"
#include "report/reports.h"

enum status { FIXED, NOT_AFFECTED, UNDER_INVESTIGATION, AFFECTED, UNSTATED };

static const char *const status_names[] = {"fixed", "not_affected", "under_investigation",
                                           "affected"};

static const char *const justifications[] = {
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
};

struct row {
    const struct finding *finding;
    enum status status;
    slice words;
    bool is_justification; /* `words` is one of the labels */
};

static enum status status_of(const struct finding *finding)
{
    if (finding->suppressed_reason.len == 0)
        return slice_equal(slice_from_text(finding->status), SLICE("under_investigation"))
                   ? UNDER_INVESTIGATION
                   : AFFECTED;
    if (finding->excepted)
        return NOT_AFFECTED;
    if (!report_is_by_vex(finding))
        return UNSTATED;
    return slice_equal(finding->vex_status, SLICE("fixed")) ? FIXED : NOT_AFFECTED;
}

static slice action_of(const struct finding *finding, struct arena *arena)
{
    if (finding->fixed.count == 0)
        return arena_format(arena, "no version of %.*s that repairs it is known",
                            SLICE_ARG(finding->component->name));
    return arena_format(arena, "upgrade %.*s to %.*s", SLICE_ARG(finding->component->name),
                        SLICE_ARG(report_fixed(finding, arena)));
}

static struct row row_of(const struct finding *finding, struct arena *arena)
{
    struct row row = {.finding = finding, .status = status_of(finding)};
    row.words = row.status == AFFECTED       ? action_of(finding, arena)
                : row.status == NOT_AFFECTED ? finding->suppressed_reason
                                             : SLICE_EMPTY;
    if (row.status != NOT_AFFECTED || !report_is_by_vex(finding))
        return row;
    /* A label alone says it to programs as well. (The schema allows one of the two.) */
    if (slice_starts(row.words, SLICE("not affected: ")))
        row.words = slice_from(row.words, strlen("not affected: "));
    for (size_t i = 0; i < sizeof(justifications) / sizeof(justifications[0]); i++)
        row.is_justification |= slice_equal(row.words, slice_from_text(justifications[i]));
    return row;
}

/* The most careful first, so that it is the one that stays of a package and a vulnerability. */
static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int order = slice_compare(a->finding->id, b->finding->id);
    if (order == 0 && a->status != b->status)
        order = a->status > b->status ? -1 : 1;
    order = order ? order : slice_compare(a->words, b->words);
    order = order ? order : slice_compare(a->finding->component->purl, b->finding->component->purl);
    return order ? order : slice_compare(a->finding->component->ref, b->finding->component->ref);
}

/* In order, each package with each vulnerability once. */
static struct row *rows_of(const struct report *report, size_t *count)
{
    struct finding *const *findings = report->result->findings.items;
    size_t total = report->result->findings.count, kept = 0;
    struct row *rows = arena_array(report->arena, total + 1, sizeof(*rows));
    struct map seen = {.arena = report->arena};
    *count = 0;
    for (size_t i = 0; i < total; i++) {
        rows[*count] = row_of(findings[i], report->arena);
        *count += rows[*count].status != UNSTATED;
    }
    qsort(rows, *count, sizeof(*rows), compare_rows);
    for (size_t i = 0; i < *count; i++) {
        const slice parts[] = {rows[i].finding->id, rows[i].finding->component->purl};
        slice key = map_key(report->arena, parts, 2);
        if (map_get(&seen, key))
            continue;
        map_put(&seen, key, &rows[i]);
        rows[kept++] = rows[i];
    }
    *count = kept;
    return rows;
}

static bool is_same_statement(const struct row *a, const struct row *b)
{
    return slice_equal(a->finding->id, b->finding->id) && a->status == b->status &&
           slice_equal(a->words, b->words);
}

static void write_vulnerability(struct json_writer *json, const struct row *rows, size_t count,
                                struct arena *arena)
{
    struct list aliases = {0};
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < count; i++) {
        const slice *names = rows[i].finding->aliases.items;
        for (size_t j = 0; j < rows[i].finding->aliases.count; j++) {
            if (map_get(&seen, names[j]))
                continue;
            map_put(&seen, names[j], arena);
            *(slice *)list_add(&aliases, arena, sizeof(slice)) = names[j];
        }
    }
    json_put_key(json, "vulnerability");
    json_begin_object(json);
    json_field(json, "name", rows->finding->id);
    json_field_strings(json, "aliases", aliases.items, aliases.count);
    json_end_object(json);
}

static void write_products(struct json_writer *json, const struct report *report,
                           const struct row *rows, size_t count)
{
    json_put_key(json, "products");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "@id", report->target->purl);
    json_put_key(json, "subcomponents");
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json);
        json_field(json, "@id", rows[i].finding->component->purl);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
    json_end_array(json);
}

static void write_statement(struct json_writer *json, const struct report *report,
                            const struct row *rows, size_t count)
{
    json_begin_object(json);
    write_vulnerability(json, rows, count, report->arena);
    write_products(json, report, rows, count);
    json_field(json, "status", slice_from_text(status_names[rows->status]));
    if (rows->status == AFFECTED)
        json_field(json, "action_statement", rows->words);
    if (rows->status == NOT_AFFECTED)
        json_field(json, rows->is_justification ? "justification" : "impact_statement",
                   rows->words);
    json_end_object(json);
}

static void write_statements(struct json_writer *json, const struct report *report,
                             const struct row *rows, size_t count)
{
    json_put_key(json, "statements");
    json_begin_array(json);
    for (size_t i = 0, alike; i < count; i += alike) {
        for (alike = 1; i + alike < count && is_same_statement(&rows[i], &rows[i + alike]); alike++)
            ;
        write_statement(json, report, &rows[i], alike);
    }
    json_end_array(json);
}

/* The same findings of the same image make the same id. */
static slice id_of(const struct report *report, const struct row *rows, size_t count)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct json_writer json = {.out = &text, .compact = true};
    json_begin_object(&json);
    write_statements(&json, report, rows, count);
    json_end_object(&json);
    return arena_format(report->arena, "https://openvex.dev/docs/public/vex-%.*s",
                        SLICE_ARG(report_uuid(buffer_slice(&text), report->arena)));
}

static void write_report(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct json_writer json = {.out = out};
    size_t count;
    const struct row *rows = rows_of(report, &count);
    (void)options;
    if (count == 0)
        return; /* the schema wants one statement at the least, and there is none to make */
    json_begin_object(&json);
    json_field(&json, "@context", SLICE("https://openvex.dev/ns/v0.2.0"));
    json_field(&json, "@id", id_of(report, rows, count));
    json_field(&json, "author", SLICE("not named (written by plimsoll)"));
    json_field(&json, "timestamp", slice_from_text(report->started));
    json_field_number(&json, "version", 1);
    json_field(&json, "tooling", arena_format(report->arena, "plimsoll %s", report->version));
    write_statements(&json, report, rows, count);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_openvex = {
    .name = "openvex",
    .alias = "vex",
    .help = "OpenVEX 0.2: what was excepted, what is affected, and what to do",
    .write = write_report,
};
