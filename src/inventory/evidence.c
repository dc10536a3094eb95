#include "inventory/evidence.h"
#include "analyze/analyzer.h"
#include "base/limits.h"

struct merge {
    const struct tree *tree;
    struct evidence_set *set;
    struct map by_key;     /* "analyzer path" → struct live: the newest of that file */
    struct map by_place;   /* "analyzer place" → struct live: the newest known by that path */
    struct map dormant;    /* "analyzer place path" → struct dormant, the topmost first */
    struct map hard_links; /* path → struct known_link, the topmost first */
    struct live forgotten; /* stands in the map for a file whose history has ended */
};

static const struct evidence nothing;

static slice key_of(struct arena *arena, slice analyzer, slice path)
{
    return map_key(arena, (slice[]){analyzer, path}, 2);
}

static struct live *live_at(const struct evidence_set *set, size_t i)
{
    return ((struct live **)set->items.items)[i];
}

static slice package_key(struct arena *arena, const struct package *package)
{
    const slice parts[] = {package->type, package->name, package->version, package->arch};
    return map_key(arena, parts, sizeof(parts) / sizeof(parts[0]));
}

/*
 * A package that the file's previous state already named at this version keeps its origin: that a
 * later layer rewrote the database moves nothing. The chain must not break: removed and put back
 * counts from where it was put back.
 */
static void find_origins(struct merge *merge, struct live *live, const struct live *previous)
{
    const struct package *packages = live->evidence->packages.items;
    size_t count = live->evidence->packages.count;
    CLEANUP_ARENA struct arena scratch = {0};
    struct map before = {.arena = &scratch};
    live->origins = arena_array(merge->tree->arena, count + 1, sizeof(size_t));
    for (size_t i = 0; previous && i < previous->evidence->packages.count; i++) {
        const struct package *package =
            (const struct package *)previous->evidence->packages.items + i;
        map_put(&before, package_key(&scratch, package), &previous->origins[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const size_t *origin =
            previous ? map_get(&before, package_key(&scratch, &packages[i])) : NULL;
        live->origins[i] = origin ? *origin : live->layer;
    }
}

/*
 * A layer can move a package database and leave a link in its place: what was known by that place
 * up to the layer below is its previous state.
 */
static struct live *moved_here(struct merge *merge, slice place_key, size_t layer)
{
    struct live *before = map_get(&merge->by_place, place_key);
    return before && (before->alive || before->gone_in == layer) ? before : NULL;
}

static struct live *add_live(struct merge *merge, const struct evidence *evidence, size_t layer,
                             slice path)
{
    struct arena *arena = merge->tree->arena;
    slice key = key_of(arena, evidence->analyzer, path);
    struct live *previous = map_get(&merge->by_key, key);
    slice place = evidence->place.len && !evidence->dormant ? evidence->place : path;
    slice place_key = key_of(arena, evidence->analyzer, place);
    if (!previous)
        previous = moved_here(merge, place_key, layer);
    struct live *live = ARENA_NEW(arena, struct live);
    *live = (struct live){.evidence = evidence,
                          .path = path,
                          .place = place,
                          .layer = layer,
                          .gone_in = SIZE_MAX,
                          .alive = true};
    find_origins(merge, live, previous);
    if (previous)
        previous->alive = false;
    map_put(&merge->by_key, key, live);
    map_put(&merge->by_place, place_key, live);
    *(struct live **)list_add(&merge->set->items, arena, sizeof(live)) = live;
    return live;
}

static void forget(struct merge *merge, const struct live *live)
{
    merge->forgotten.evidence = &nothing;
    map_put(&merge->by_key, key_of(merge->tree->arena, live->evidence->analyzer, live->path),
            &merge->forgotten);
}

/* Marks what this layer takes away or writes over. */
static void apply_removals(struct merge *merge, size_t layer)
{
    const struct evidence_set *set = merge->set;
    for (size_t i = 0; i < set->items.count; i++) {
        struct live *live = live_at(set, i);
        if (!live->alive)
            continue;
        if (tree_removes(merge->tree, layer, live->path)) {
            live->alive = false;
            live->gone_in = layer;
            forget(merge, live);
        } else if (tree_has(merge->tree, layer, live->path)) {
            live->alive = false; /* its entry in this layer, if an analyzer read it, comes next */
            live->overwritten = true;
        }
    }
}

/* What was written over with something that no analyzer read is gone like what was removed. */
static void forget_unread(struct merge *merge)
{
    for (size_t i = 0; i < merge->set->items.count; i++) {
        struct live *live = live_at(merge->set, i);
        if (live->overwritten &&
            map_get(&merge->by_key,
                    key_of(merge->tree->arena, live->evidence->analyzer, live->path)) == live)
            forget(merge, live);
        live->overwritten = false;
    }
}

/* A hard link as a record has it, found again by its path. */
struct known_link {
    size_t layer;
    slice target;
    struct known_link *below;
};

static void note_hard_link(struct merge *merge, slice path, slice target, size_t layer)
{
    struct known_link *link = ARENA_NEW(merge->tree->arena, struct known_link);
    *link = (struct known_link){layer, target, map_get(&merge->hard_links, path)};
    map_put(&merge->hard_links, path, link);
}

/* The file that a link stands for in the end: links to links are followed, each in its layer. */
static slice end_of_links(const struct merge *merge, slice target, size_t *layer)
{
    for (int depth = 0; depth < LIMIT_LINK_DEPTH; depth++) {
        const struct known_link *link = map_get(&merge->hard_links, target);
        while (link && link->layer > *layer)
            link = link->below;
        size_t found;
        if (!link || !tree_find_file(merge->tree, *layer, target, &found) || found != link->layer)
            break;
        *layer = link->layer;
        target = link->target;
    }
    return target;
}

/* What was read of a file because a hard link is another name of it. */
struct dormant {
    size_t layer;
    const struct evidence *evidence;
    struct dormant *below;
};

static slice dormant_key(struct arena *arena, slice analyzer, slice place, slice path)
{
    return map_key(arena, (slice[]){analyzer, place, path}, 3);
}

static void note_dormant(struct merge *merge, size_t layer)
{
    struct arena *arena = merge->tree->arena;
    const struct record *record = merge->tree->layers[layer].record;
    const struct evidence *evidence = record->evidence.items;
    for (size_t i = 0; i < record->evidence.count; i++) {
        if (!evidence[i].dormant)
            continue;
        slice key = dormant_key(arena, evidence[i].analyzer, evidence[i].place, evidence[i].path);
        struct dormant *dormant = ARENA_NEW(arena, struct dormant);
        *dormant = (struct dormant){layer, &evidence[i], map_get(&merge->dormant, key)};
        map_put(&merge->dormant, key, dormant);
    }
}

/* The newest at or below the layer. */
static const struct evidence *dormant_evidence(const struct merge *merge, slice analyzer,
                                               slice path, slice target, size_t layer)
{
    if (merge->dormant.count == 0)
        return NULL;
    const struct dormant *dormant =
        map_get(&merge->dormant, dormant_key(merge->tree->arena, analyzer, path, target));
    while (dormant && dormant->layer > layer)
        dormant = dormant->below;
    return dormant ? dormant->evidence : NULL;
}

/* A hard link is another name of a file: of this layer or of one below. */
static void add_hard_link(struct merge *merge, const struct link *link, size_t layer)
{
    slice path, target;
    bool found = false;
    const struct tree *tree = merge->tree;
    size_t target_layer = layer;
    tree_resolve(tree, layer, link->path, false, &path);
    tree_resolve(tree, layer, link->target, false, &target);
    note_hard_link(merge, path, target, layer);
    if (!analyzer_wants_path(path))
        return;
    slice real = end_of_links(merge, target, &target_layer);
    for (size_t i = 0; i < analyzer_count; i++) {
        slice analyzer = slice_from_text(analyzers[i]->name);
        const struct live *live = map_get(&merge->by_key, key_of(tree->arena, analyzer, target));
        const struct evidence *evidence =
            live && live->alive && !live->evidence->place.len
                ? live->evidence
                : dormant_evidence(merge, analyzer, path, real, target_layer);
        if (!evidence)
            continue;
        found = true;
        add_live(merge, evidence, layer, path);
    }
    if (!found)
        *(struct lost_link *)list_add(&merge->set->lost, tree->arena, sizeof(struct lost_link)) =
            (struct lost_link){path, real, target_layer};
}

void evidence_merge(struct evidence_set *set, const struct tree *tree)
{
    struct merge merge = {.tree = tree,
                          .set = set,
                          .by_key = {.arena = tree->arena},
                          .by_place = {.arena = tree->arena},
                          .dormant = {.arena = tree->arena},
                          .hard_links = {.arena = tree->arena}};
    *set = (struct evidence_set){0};
    for (size_t layer = 0; layer < tree->count; layer++) {
        const struct record *record = tree->layers[layer].record;
        if (!record)
            continue;
        note_dormant(&merge, layer);
        apply_removals(&merge, layer);
        const struct evidence *evidence = record->evidence.items;
        for (size_t i = 0; i < record->evidence.count; i++) {
            slice path;
            if (evidence[i].dormant)
                continue;
            tree_resolve(tree, layer, evidence[i].path, false, &path);
            add_live(&merge, &evidence[i], layer, path);
        }
        const struct link *links = record->links.items;
        for (size_t i = 0; i < record->links.count; i++)
            if (links[i].hard)
                add_hard_link(&merge, &links[i], layer);
        forget_unread(&merge);
    }
}
