#include "inventory/inventory.h"
#include "inventory/internal.h"

slice evidence_fact(const struct evidence *evidence, const char *key)
{
    const struct fact *facts = evidence->facts.items;
    /* The last one counts, as in the shell that os-release is written for. */
    for (size_t i = evidence->facts.count; i-- > 0;)
        if (slice_equal(facts[i].key, slice_from_text(key)))
            return facts[i].value;
    return SLICE_EMPTY;
}

struct component *assembly_add(struct assembly *assembly, const struct package *package,
                               size_t layer, slice location, struct component *owner)
{
    struct arena *arena = assembly->arena;
    const slice parts[] = {package->type,
                           package->name,
                           package->version,
                           package->arch,
                           package->build,
                           slice_make(&layer, sizeof(layer)),
                           slice_make(&owner, sizeof(owner))};
    slice key = map_key(arena, parts, sizeof(parts) / sizeof(parts[0]));
    struct component *component = map_get(&assembly->components, key);
    if (!component) {
        component = ARENA_NEW(arena, struct component);
        component->type = package->type;
        component->name = package->name;
        component->version = package->version;
        component->arch = package->arch;
        component->layer = layer;
        component->source_name = package->source_name;
        component->source_version = package->source_version;
        component->maintainer = package->maintainer;
        component->license = package->license;
        component->build = package->build;
        component->owner = owner;
        map_put(&assembly->components, key, component);
        *(struct component **)list_add(&assembly->inventory->components, arena, sizeof(component)) =
            component;
    }
    /* One file that names a package twice: its places are not all looked through for that. */
    const slice *locations = component->locations.items;
    size_t count = component->locations.count;
    if (count && slice_equal(locations[count - 1], location))
        return component;
    *(slice *)list_add(&component->locations, arena, sizeof(slice)) = location;
    return component;
}

void assemble_os(struct assembly *assembly)
{
    struct os *os = &assembly->inventory->os;
    const struct live *best = NULL;
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "os-release"))
            continue;
        /* /etc's counts before /usr/lib's (os-release(5)). */
        if (!best || slice_equal(live->place, SLICE("etc/os-release")))
            best = live;
    }
    assembly->inventory->os_without_id = best && !evidence_fact(best->evidence, "ID").len;
    if (!best || best->evidence->facts.count == 0)
        return;
    *os = (struct os){
        .found = true,
        .id = evidence_fact(best->evidence, "ID"),
        .version_id = evidence_fact(best->evidence, "VERSION_ID"),
        .name = evidence_fact(best->evidence, "PRETTY_NAME"),
        .codename = evidence_fact(best->evidence, "VERSION_CODENAME"),
        .id_like = evidence_fact(best->evidence, "ID_LIKE"),
    };
    if (os->name.len == 0)
        os->name = evidence_fact(best->evidence, "NAME");
    if (os->id.len == 0)
        os->id = SLICE("linux"); /* os-release(5): the default */
}

static void note_databases(struct assembly *assembly)
{
    struct list *list = &assembly->inventory->databases;
    struct map seen = {.arena = assembly->arena};
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "databases"))
            continue;
        slice kind = evidence_fact(live->evidence, "database");
        if (!map_get(&seen, kind))
            *(slice *)list_add(list, assembly->arena, sizeof(slice)) = kind;
        map_put(&seen, kind, assembly);
    }
}

void assemble_dpkg(struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "dpkg"))
            continue;
        const struct package *packages = live->evidence->packages.items;
        for (size_t j = 0; j < live->evidence->packages.count; j++)
            assembly_add(assembly, &packages[j], live->origins[j], live->path, NULL);
    }
}

void assembly_problem(struct assembly *assembly, size_t layer, slice path, slice message)
{
    struct inventory_problem *problem =
        list_add(&assembly->inventory->problems, assembly->arena, sizeof(*problem));
    *problem = (struct inventory_problem){layer, path, message};
}

static void note_problems(struct assembly *assembly, const struct layer_outcome *outcomes)
{
    for (size_t i = 0; i < assembly->image->layer_count; i++) {
        if (!outcomes[i].complete) {
            assembly_problem(assembly, i, SLICE_EMPTY, outcomes[i].failure);
            continue;
        }
        const struct problem *problems = outcomes[i].record.problems.items;
        for (size_t j = 0; j < outcomes[i].record.problems.count; j++)
            assembly_problem(assembly, i, problems[j].path, problems[j].message);
    }
    const struct lost_link *lost = assembly->evidence.lost.items;
    for (size_t i = 0; i < assembly->evidence.lost.count; i++) {
        size_t layer;
        if (!tree_find_file(&assembly->tree, lost[i].layer, lost[i].target, &layer))
            assembly_problem(assembly, lost[i].layer, lost[i].path,
                             arena_format(assembly->arena,
                                          "it is a hard link to %.*s, which is not there",
                                          SLICE_ARG(lost[i].target)));
    }
}

bool release_is_same(slice a, slice b)
{
    slice shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;
    if (shorter.len == longer.len)
        return slice_equal(a, b);
    return shorter.len && slice_starts(longer, shorter) && longer.ptr[shorter.len] == '.';
}

int component_compare(const struct component *a, const struct component *b)
{
    const slice pairs[][2] = {{a->type, b->type},
                              {a->name, b->name},
                              {a->version, b->version},
                              {a->arch, b->arch},
                              {a->build, b->build}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int order = slice_compare(pairs[i][0], pairs[i][1]);
        if (order)
            return order;
    }
    return (a->layer > b->layer) - (a->layer < b->layer);
}

static int compare_components(const void *a, const void *b)
{
    return component_compare(*(struct component *const *)a, *(struct component *const *)b);
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

/* Order, package URLs, and references that no two components share. */
static void finish_components(struct assembly *assembly)
{
    struct list *list = &assembly->inventory->components;
    struct component **components = list->items;
    struct map taken = {.arena = assembly->arena};
    if (list->count)
        qsort(components, list->count, sizeof(*components), compare_components);
    for (size_t i = 0; i < list->count; i++) {
        struct component *component = components[i];
        component->purl = component_purl(component, &assembly->inventory->os, assembly->arena);
        component->ref = component->purl;
        if (map_get(&taken, component->ref))
            component->ref = arena_format(assembly->arena, "%.*s#layer-%zu",
                                          SLICE_ARG(component->purl), component->layer);
        while (map_get(&taken, component->ref))
            component->ref =
                arena_format(assembly->arena, "%.*s-%zu", SLICE_ARG(component->ref), i);
        map_put(&taken, component->ref, component);
        qsort(component->locations.items, component->locations.count, sizeof(slice),
              compare_slices);
    }
}

void inventory_build(struct inventory *inventory, struct arena *arena, const struct image *image,
                     const struct layer_outcome *outcomes)
{
    struct assembly assembly = {.inventory = inventory,
                                .arena = arena,
                                .image = image,
                                .components = {.arena = arena},
                                .conda = {.arena = arena}};
    const struct record **records = arena_array(arena, image->layer_count + 1, sizeof(*records));
    *inventory = (struct inventory){0};
    for (size_t i = 0; i < image->layer_count; i++)
        records[i] = outcomes[i].complete ? &outcomes[i].record : NULL;
    tree_build(&assembly.tree, arena, records, image->layer_count);
    evidence_merge(&assembly.evidence, &assembly.tree);
    find_redirects(&assembly);
    assemble_os(&assembly);
    note_databases(&assembly);
    assemble_dpkg(&assembly);
    assemble_conda(&assembly);
    assemble_python(&assembly);
    note_problems(&assembly, outcomes);
    finish_components(&assembly);
}
