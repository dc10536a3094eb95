/* The secrets in the table for people: a row for each, its places below. */
#include "report/sentences.h"
#include "report/table_parts.h"

static slice origin_of(const struct report *report, const struct image_secret *found)
{
    struct arena *arena = report->arena;
    if (found->layer == SIZE_MAX)
        return SLICE("In the image's config");
    slice instruction = report->image->layers[found->layer].instruction;
    if (found->deleted_in != SIZE_MAX)
        return arena_format(arena, "Deleted in layer %zu, still readable in layer %zu%s%.*s",
                            found->deleted_in, found->layer, instruction.len ? ": " : "",
                            SLICE_ARG(instruction));
    if (report->image->root_folder >= 0)
        return report->image->root_kind == ROOT_FILE_SYSTEM ? SLICE("In the root file system")
                                                            : SLICE_EMPTY;
    return arena_format(arena, "Layer %zu%s%.*s", found->layer, instruction.len ? ": " : "",
                        SLICE_ARG(instruction));
}

enum { PLACES_SHOWN = 4 };

/* Those beyond the first, of many the first few. */
static void add_other_places(struct table *table, const struct image_secret *found)
{
    const struct secret_place *places = found->places.items;
    size_t count = found->places.count, shown = count < PLACES_SHOWN ? count : PLACES_SHOWN;
    struct arena *arena = table->report->arena;
    for (size_t i = 1; i < shown; i++)
        table_line(table, arena_format(arena, "            also in %.*s",
                                       SLICE_ARG(secret_place_words(table->report, &places[i]))));
    if (count > shown)
        table_line(table, arena_format(arena, "            and in %zu more place%s", count - shown,
                                       count - shown == 1 ? "" : "s"));
}

static void add_secret(struct table *table, const struct image_secret *found)
{
    struct arena *arena = table->report->arena;
    table_color(table, table_colors[found->severity]);
    table_line(table, arena_format(arena, "  %-8s  %.*s  %.*s", severity_names[found->severity],
                                   SLICE_ARG(found->title), SLICE_ARG(found->secret->match)));
    table_color(table, "\033[0m");
    table_line(table, arena_format(arena, "            %.*s",
                                   SLICE_ARG(secret_place(table->report, found))));
    slice origin = origin_of(table->report, found);
    if (origin.len)
        table_line(table, arena_format(arena, "            %.*s", SLICE_ARG(origin)));
    add_other_places(table, found);
    if (found->secret->more)
        table_line(table, arena_format(arena, "            %llu more in this file are not listed",
                                       (unsigned long long)found->secret->more));
    if (found->advice.len)
        table_line(table, arena_format(arena, "            %.*s", SLICE_ARG(found->advice)));
}

/* Worst first, otherwise as they were found. */
static int compare_secrets(const void *a, const void *b)
{
    const struct image_secret *x = *(const struct image_secret *const *)a;
    const struct image_secret *y = *(const struct image_secret *const *)b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    return (x > y) - (x < y);
}

void table_secrets(struct table *table)
{
    const struct report *report = table->report;
    const struct image_secret *secrets = report->inventory->secrets.items;
    const struct image_secret **shown =
        arena_array(report->arena, report->inventory->secrets.count + 1, sizeof(*shown));
    size_t count = 0, hidden = 0;
    for (size_t i = 0; i < report->inventory->secrets.count; i++)
        if (secrets[i].suppressed_reason.len == 0)
            shown[count++] = &secrets[i];
        else
            hidden += !secrets[i].excepted; /* those are told with the excepted findings */
    qsort(shown, count, sizeof(*shown), compare_secrets);
    if (count) {
        table_color(table, "\033[1m");
        table_line(table, SLICE("Secrets"));
        table_color(table, "\033[0m");
    }
    for (size_t i = 0; i < count; i++)
        add_secret(table, shown[i]);
    if (count)
        table_line(table,
                   arena_format(report->arena,
                                "%zu secret%s. Whoever has the image has %s, deleted or not: "
                                "revoke first, then build without (RUN --mount=type=secret, "
                                ".dockerignore).",
                                count, count == 1 ? "" : "s", count == 1 ? "it" : "them"));
    if (count == 0 && report->secrets_wanted)
        table_line(table, SLICE("No secrets."));
    if (hidden)
        table_line(table, arena_format(report->arena,
                                       "%zu more secrets are not counted: test data of packages, "
                                       "allowed, or of other severities (--show-suppressed lists "
                                       "them).",
                                       hidden));
}
