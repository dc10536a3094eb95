/* In the table for people: what was suppressed, by whom and why. */
#include "report/parts.h"
#include "report/sentences.h"
#include "report/table_parts.h"

/* What is suppressed by a filter or by us, in a line each. */
static void add_filters(struct table *table)
{
    static const char *const by[] = {"--severity", "--ignore-unfixed", "plimsoll"};
    static const char *const words[] = {
        "%zu more are of severities that were not asked for (--severity).",
        "%zu more have no fix (--ignore-unfixed).",
        ("%zu more are in packages of kernel headers, which hold no kernel code: not counted "
         "(--kernel-headers counts them)."),
    };
    const struct report *report = table->report;
    struct finding *const *findings = report->result->findings.items;
    for (size_t kind = 0; kind < 3; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < report->result->findings.count; i++)
            count += slice_equal(findings[i]->suppressed_by, slice_from_text(by[kind]));
        if (count) {
            char line[256];
            snprintf(line, sizeof(line), words[kind], count);
            table_line(table, slice_from_text(line));
        }
    }
}

/* Those that somebody said something about: in an ignore file, or in a VEX document. */
static void add_excepted(struct table *table)
{
    const struct report *report = table->report;
    struct finding *const *findings = report->result->findings.items;
    const struct image_secret *secrets = report->inventory->secrets.items;
    size_t excepted = 0, stated = 0, excepted_secrets = 0;
    for (size_t i = 0; i < report->result->findings.count; i++) {
        excepted += findings[i]->excepted;
        stated += report_is_by_vex(findings[i]);
    }
    for (size_t i = 0; i < report->inventory->secrets.count; i++)
        excepted_secrets += secrets[i].excepted;
    const char *how = report->show_suppressed ? "" : " (--show-suppressed lists them)";
    size_t all = excepted + excepted_secrets;
    if (all)
        table_line(table, arena_format(report->arena, "%zu more %s excepted in an ignore file%s.",
                                       all, all == 1 ? "is" : "are", how));
    if (stated)
        table_line(table,
                   arena_format(report->arena, "%zu more %s not affected or fixed, as VEX says%s.",
                                stated, stated == 1 ? "is" : "are", how));
}

static slice place(const struct report *report, slice by, slice until)
{
    struct arena *arena = report->arena;
    return arena_format(arena, "            by %.*s%s%.*s", SLICE_ARG(by),
                        until.len ? ", until " : "", SLICE_ARG(until));
}

static void list_findings(struct table *table)
{
    const struct report *report = table->report;
    size_t count;
    struct finding *const *findings = report_findings(report, true, &count);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = findings[i];
        table_line(table, arena_format(report->arena, "  %-10s  %.*s  %.*s %.*s",
                                       severity_names[finding->severity], SLICE_ARG(finding->id),
                                       SLICE_ARG(finding->component->name),
                                       SLICE_ARG(finding->component->version)));
        table_line(table, arena_format(report->arena, "            %.*s",
                                       SLICE_ARG(finding->suppressed_reason)));
        table_line(table, place(report, finding->suppressed_by, finding->suppressed_until));
    }
}

static void list_secrets(struct table *table)
{
    const struct report *report = table->report;
    size_t count;
    const struct image_secret *const *secrets = report_secrets(report, true, &count);
    for (size_t i = 0; i < count; i++) {
        const struct image_secret *found = secrets[i];
        table_line(table, arena_format(report->arena, "  %-10s  %.*s  %.*s",
                                       severity_names[found->severity], SLICE_ARG(found->title),
                                       SLICE_ARG(secret_place(report, found))));
        table_line(table, arena_format(report->arena, "            %.*s",
                                       SLICE_ARG(found->suppressed_reason)));
        table_line(table, place(report, found->suppressed_by, found->suppressed_until));
    }
}

static void list(struct table *table)
{
    struct report_counts counts = report_count(table->report);
    size_t secrets;
    report_secrets(table->report, true, &secrets);
    if (!table->report->show_suppressed || counts.suppressed + secrets == 0)
        return;
    table_color(table, "\033[1m");
    table_line(table, SLICE("Suppressed"));
    table_color(table, "\033[0m");
    list_findings(table);
    list_secrets(table);
}

static void add_exceptions(struct table *table)
{
    const struct report *report = table->report;
    struct exception *const *entries =
        report->exceptions ? report->exceptions->entries.items : NULL;
    size_t unused = 0, count = report->exceptions ? report->exceptions->entries.count : 0;
    for (size_t i = 0; i < count; i++) {
        unused += entries[i]->state == EXCEPTION_UNUSED;
        if (entries[i]->state == EXCEPTION_EXPIRED)
            table_line(table, arena_format(report->arena,
                                           "The exception for %.*s (%s:%zu) has run out on %.*s: "
                                           "it hides nothing any more.",
                                           SLICE_ARG(entries[i]->what), entries[i]->file,
                                           entries[i]->line, SLICE_ARG(entries[i]->until)));
        if (entries[i]->state == EXCEPTION_UNUSED && report->show_suppressed)
            table_line(table, arena_format(
                                  report->arena,
                                  "The exception for %.*s (%s:%zu) is for nothing that was "
                                  "found.",
                                  SLICE_ARG(entries[i]->what), entries[i]->file, entries[i]->line));
    }
    if (unused && !report->show_suppressed)
        table_line(table,
                   arena_format(report->arena,
                                "%zu exception%s for nothing that was found (--show-suppressed "
                                "lists them).",
                                unused, unused == 1 ? " is" : "s are"));
}

void table_suppressed(struct table *table)
{
    list(table);
    add_filters(table);
    add_excepted(table);
    add_exceptions(table);
}
