#include "inventory/tree.h"
#include "archive/entry.h"
#include "base/limits.h"

/* Runtimes find the folder of a whiteout through the links of the layers below. */
static struct path_set whiteout_set(struct tree *tree, size_t layer, bool opaque)
{
    CLEANUP_BUFFER struct buffer hashes = {0};
    const struct record *record = tree->layers[layer].record;
    const struct whiteout *whiteouts = record->whiteouts.items;
    for (size_t i = 0; i < record->whiteouts.count; i++) {
        slice path = whiteouts[i].path;
        if (whiteouts[i].opaque != opaque)
            continue;
        if (layer)
            tree_resolve(tree, layer - 1, path, opaque, &path);
        uint64_t hash = slice_hash(path);
        buffer_add(&hashes, slice_make(&hash, sizeof(hash)));
    }
    return path_set_make(tree->arena, buffer_slice(&hashes));
}

static void add_symlinks(struct tree *tree, size_t layer)
{
    const struct record *record = tree->layers[layer].record;
    const struct link *links = record->links.items;
    for (size_t i = 0; i < record->links.count; i++) {
        if (links[i].hard)
            continue;
        struct tree_symlink *symlink = ARENA_NEW(tree->arena, struct tree_symlink);
        *symlink =
            (struct tree_symlink){layer, links[i].target, map_get(&tree->symlinks, links[i].path)};
        map_put(&tree->symlinks, links[i].path, symlink);
    }
}

void tree_build(struct tree *tree, struct arena *arena, const struct record *const *records,
                size_t count)
{
    *tree = (struct tree){.arena = arena, .count = count, .symlinks = {.arena = arena}};
    tree->layers = arena_array(arena, count + 1, sizeof(struct tree_layer));
    for (size_t i = 0; i < count; i++) {
        tree->layers[i].record = records[i];
        if (!records[i])
            continue;
        tree->layers[i].gone = whiteout_set(tree, i, false);
        tree->layers[i].emptied = whiteout_set(tree, i, true);
        add_symlinks(tree, i);
    }
}

bool tree_removes(const struct tree *tree, size_t layer, slice path)
{
    const struct tree_layer *at = &tree->layers[layer];
    if (!at->record)
        return false;
    if (at->gone.count && path_set_has(&at->gone, slice_hash(path)))
        return true;
    while (path.len) {
        path = slice_dirname(path);
        uint64_t hash = slice_hash(path);
        if ((at->gone.count && path_set_has(&at->gone, hash)) ||
            (at->emptied.count && path_set_has(&at->emptied, hash)) ||
            (path.len && path_set_has(&at->record->files, hash)))
            return true;
    }
    return false;
}

bool tree_has(const struct tree *tree, size_t layer, slice path)
{
    const struct record *record = tree->layers[layer].record;
    uint64_t hash = slice_hash(path);
    return record && (path_set_has(&record->files, hash) || path_set_has(&record->folders, hash));
}

bool tree_find_file(const struct tree *tree, size_t top, slice path, size_t *layer)
{
    uint64_t hash = slice_hash(path);
    for (size_t i = top + 1; i-- > 0;) {
        const struct record *record = tree->layers[i].record;
        if (!record)
            continue;
        if (path_set_has(&record->files, hash)) {
            *layer = i;
            return true;
        }
        if (path_set_has(&record->folders, hash) || tree_removes(tree, i, path))
            return false;
    }
    return false;
}

/* The symlink at `path` as seen from `top`, unless a layer between has taken it away. */
static const struct tree_symlink *visible_symlink(const struct tree *tree, size_t top, slice path)
{
    const struct tree_symlink *symlink = map_get(&tree->symlinks, path);
    size_t layer;
    while (symlink && symlink->layer > top)
        symlink = symlink->below;
    if (!symlink || !tree_find_file(tree, top, path, &layer) || layer != symlink->layer)
        return NULL;
    return symlink;
}

/* The first link on the way along `path`: *link is the part up to it, *rest what follows. */
static const struct tree_symlink *first_link(const struct tree *tree, size_t top, slice path,
                                             bool last, slice *link, slice *rest)
{
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len ? path.ptr[i] != '/' : !last)
            continue;
        *link = slice_first(path, i);
        *rest = slice_from(path, i);
        const struct tree_symlink *symlink = visible_symlink(tree, top, *link);
        if (symlink)
            return symlink;
    }
    return NULL;
}

bool tree_resolve(const struct tree *tree, size_t top, slice path, bool last, slice *resolved)
{
    slice link, rest;
    *resolved = path;
    if (tree->symlinks.count == 0)
        return true;
    for (int depth = 0; depth < LIMIT_LINK_DEPTH; depth++) {
        const struct tree_symlink *symlink = first_link(tree, top, path, last, &link, &rest);
        *resolved = path;
        if (!symlink)
            return true;
        slice target = path_of_target(tree->arena, link, symlink->target);
        path_normalize(tree->arena,
                       arena_format(tree->arena, "%.*s%.*s", SLICE_ARG(target), SLICE_ARG(rest)),
                       &path);
    }
    return false;
}
