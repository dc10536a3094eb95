/* Links that lead from places which analyzers know by heart to elsewhere in the image. */
#include "inventory/internal.h"
#include "analyze/analyzer.h"
#include "base/limits.h"

/* The limit is reached, and that has been told: no further links are looked at. */
static bool is_full(const struct assembly *assembly)
{
    return assembly->inventory->redirects.count >= LIMIT_REDIRECTS &&
           assembly->inventory->problems.count;
}

static void add_redirect(struct assembly *assembly, slice from, slice as, bool folder, bool hard)
{
    const struct redirect *redirects = assembly->inventory->redirects.items;
    struct redirect wanted = {from, as, folder, hard};
    for (size_t i = 0; i < assembly->inventory->redirects.count; i++)
        if (redirect_equal(&redirects[i], &wanted))
            return;
    if (assembly->inventory->redirects.count == LIMIT_REDIRECTS) {
        assembly_problem(assembly, assembly->tree.count - 1, as,
                         SLICE("more links than the limit lead to package metadata elsewhere: it "
                               "is not read"));
        return;
    }
    *(struct redirect *)list_add(&assembly->inventory->redirects, assembly->arena, sizeof(wanted)) =
        wanted;
}

static bool was_read(const struct assembly *assembly, slice path, slice place)
{
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (slice_equal(live->path, path) && slice_equal(live->place, place))
            return true;
    }
    return false;
}

static void tell_circle(struct assembly *assembly, slice path)
{
    const struct list *list = &assembly->inventory->problems;
    const struct inventory_problem *problems = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(problems[i].path, path))
            return; /* a well-known place that is itself a link is come to twice */
    assembly_problem(assembly, assembly->tree.count - 1, path, SLICE("its links lead in a circle"));
}

/* Where the place really is, when links make that another path than the one that is asked for. */
static void follow_place(struct assembly *assembly, slice place)
{
    slice real;
    size_t layer;
    bool folder = slice_ends(place, SLICE("/"));
    slice path = folder ? slice_first(place, place.len - 1) : place;
    size_t top = assembly->tree.count - 1;
    if (!tree_resolve(&assembly->tree, top, path, true, &real)) {
        tell_circle(assembly, path);
        return;
    }
    if (slice_equal(real, path))
        return;
    if (folder) {
        if (tree_find_file(&assembly->tree, top, real, &layer))
            return; /* what it leads to is no folder */
        slice below = arena_format(assembly->arena, "%.*s/x", SLICE_ARG(real));
        slice metadata = arena_format(assembly->arena, "%.*s/METADATA", SLICE_ARG(real));
        if (!analyzer_wants_path(below) && !analyzer_wants_path(metadata))
            add_redirect(assembly, real, path, true, false);
    } else if (!analyzer_wants_path(real) && tree_find_file(&assembly->tree, top, real, &layer) &&
               !was_read(assembly, real, path)) {
        add_redirect(assembly, real, path, false, false);
    }
}

/* A symlink that is itself at a path which an analyzer asks for: read what it leads to. */
static void follow_wanted_links(struct assembly *assembly)
{
    for (size_t layer = 0; layer < assembly->tree.count; layer++) {
        const struct record *record = assembly->tree.layers[layer].record;
        for (size_t i = 0; record && i < record->links.count; i++) {
            const struct link *link = (const struct link *)record->links.items + i;
            if (link->hard || is_full(assembly))
                continue;
            if (analyzer_wants_path(link->path))
                follow_place(assembly, link->path);
            /* A metadata folder that is itself a link to a folder of another name. */
            if (slice_ends(link->path, SLICE(".dist-info")) ||
                slice_ends(link->path, SLICE(".egg-info")))
                follow_place(assembly,
                             arena_format(assembly->arena, "%.*s/", SLICE_ARG(link->path)));
        }
    }
    const struct lost_link *lost = assembly->evidence.lost.items;
    for (size_t i = 0; i < assembly->evidence.lost.count && !is_full(assembly); i++) {
        size_t layer;
        if (tree_find_file(&assembly->tree, lost[i].layer, lost[i].target, &layer))
            add_redirect(assembly, lost[i].target, lost[i].path, false, true);
    }
}

void find_redirects(struct assembly *assembly)
{
    if (assembly->tree.count == 0)
        return;
    for (size_t i = 0; i < analyzer_count; i++)
        for (size_t j = 0; analyzers[i]->places && analyzers[i]->places[j]; j++)
            follow_place(assembly, slice_from_text(analyzers[i]->places[j]));
    follow_wanted_links(assembly);
}
