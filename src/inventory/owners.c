/*
 * Who owns a Python distribution: a package of the distribution, a conda package, or nobody but
 * pip. The word of a Linux distribution counts for what it made: its versions carry backports that
 * the upstream number does not show.
 */
#include "inventory/internal.h"
#include "archive/entry.h"

/* "NAME.list", "NAME:ARCH.list", "NAME.md5sums" → the component of that package. */
static struct component *package_of_list(struct assembly *assembly, const struct map *debs,
                                         slice path)
{
    slice name = slice_basename(path);
    size_t dot = slice_find_last(name, '.');
    name = slice_first(name, dot == SIZE_MAX ? name.len : dot);
    struct component *component = map_get(debs, name);
    slice bare, arch;
    if (!component && slice_split(name, ':', &bare, &arch))
        component = map_get(debs, bare);
    (void)assembly;
    return component;
}

static void index_debs(struct assembly *assembly, struct map *debs)
{
    struct component **components = assembly->inventory->components.items;
    for (size_t i = 0; i < assembly->inventory->components.count; i++) {
        struct component *component = components[i];
        if (!slice_equal(component->type, SLICE("deb")))
            continue;
        map_put(debs, component->name, component);
        map_put(debs,
                arena_format(assembly->arena, "%.*s:%.*s", SLICE_ARG(component->name),
                             SLICE_ARG(component->arch)),
                component);
        /* status.d names its files as it likes; the stanza inside says which package it is. */
        const slice *locations = component->locations.items;
        for (size_t j = 0; j < component->locations.count; j++)
            if (!slice_equal(locations[j], SLICE("var/lib/dpkg/status")))
                map_put(debs, slice_basename(locations[j]), component);
    }
}

static void own(struct assembly *assembly, struct owners *owners, slice path,
                struct component *component)
{
    slice real;
    tree_resolve(&assembly->tree, assembly->tree.count - 1, path, false, &real);
    map_put(&owners->by_path, real, component);
}

void owners_from_dpkg(struct assembly *assembly, struct owners *owners)
{
    struct map debs = {.arena = assembly->arena};
    index_debs(assembly, &debs);
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "dpkg") || live->evidence->owned.count == 0)
            continue;
        struct component *component = package_of_list(assembly, &debs, live->place);
        const slice *paths = live->evidence->owned.items;
        for (size_t j = 0; component && j < live->evidence->owned.count; j++)
            own(assembly, owners, paths[j], component);
    }
}

void owners_from_conda(struct assembly *assembly, struct owners *owners)
{
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "conda") || live->evidence->owned.count == 0)
            continue;
        struct component *component = map_get(&assembly->conda, live->path);
        const slice *paths = live->evidence->owned.items;
        for (size_t j = 0; component && j < live->evidence->owned.count; j++)
            own(assembly, owners, paths[j], component);
    }
}

/* Entries below a symlinked folder can stand in a layer under either of their names. */
static bool is_there(struct assembly *assembly, slice path)
{
    size_t top = assembly->tree.count - 1, layer;
    slice real;
    tree_resolve(&assembly->tree, top, path, false, &real);
    return tree_find_file(&assembly->tree, top, real, &layer) ||
           tree_find_file(&assembly->tree, top, path, &layer);
}

/* Whether any of the files that the record speaks of is still there; none named is no
 * contradiction. */
static bool files_remain(struct assembly *assembly, const struct evidence *evidence)
{
    size_t named = 0;
    const slice *owned = evidence->owned.items;
    const struct fact *facts = evidence->facts.items;
    for (size_t i = 0; i < evidence->owned.count; i++)
        if (is_there(assembly, owned[i]))
            return true;
    /* A Python package whose metadata is gone was uninstalled or upgraded by pip: not believed. */
    if (evidence->owned.count)
        return false;
    for (size_t i = 0; i < evidence->facts.count; i++) {
        if (!slice_equal(facts[i].key, SLICE("file")))
            continue;
        named++;
        if (is_there(assembly, facts[i].value))
            return true;
    }
    return named == 0;
}

void assemble_conda(struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "conda") || !files_remain(assembly, live->evidence))
            continue;
        const struct package *packages = live->evidence->packages.items;
        for (size_t j = 0; j < live->evidence->packages.count; j++) {
            struct component *component =
                assembly_add(assembly, &packages[j], live->origins[j], live->path, NULL);
            component->channel = evidence_fact(live->evidence, "channel");
            map_put(&assembly->conda, live->path, component);
        }
    }
}
