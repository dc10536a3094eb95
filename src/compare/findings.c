/* What became of the findings. */
#include "compare/compare.h"
#include "base/map.h"

const char *const fate_names[FATES] = {"new", "fixed", "unchanged"};

/* Findings of the side before that answer to one key, those without a partner looked for. */
struct waiting {
    size_t finding;
    struct waiting *next;
};
struct chain {
    struct waiting *first, *last;
};

struct matching {
    struct arena *arena;
    const struct side_finding *before;
    bool *paired; /* of those before */
    struct map chains;
};

static void add_waiting(struct matching *matching, slice key, size_t finding)
{
    struct waiting *waiting = ARENA_NEW(matching->arena, struct waiting);
    struct chain *chain = map_get(&matching->chains, key);
    waiting->finding = finding;
    if (!chain) {
        chain = ARENA_NEW(matching->arena, struct chain);
        map_put(&matching->chains, key, chain);
        chain->first = waiting;
    } else {
        chain->last->next = waiting;
    }
    chain->last = waiting;
}

/* The next one under the key that has no partner, which it has then; NULL when there is none. */
static const struct side_finding *take_waiting(struct matching *matching, slice key)
{
    struct chain *chain = map_get(&matching->chains, key);
    while (chain && chain->first && matching->paired[chain->first->finding])
        chain->first = chain->first->next;
    if (!chain || !chain->first)
        return NULL;
    matching->paired[chain->first->finding] = true;
    return &matching->before[chain->first->finding];
}

/* The vulnerability in that very package. */
static slice exact_key(const struct matching *matching, const struct side_finding *finding)
{
    const struct side_package *package = &finding->package;
    const slice parts[] = {package->type, package->name, package->version, package->arch,
                           finding->id};
    return map_key(matching->arena, parts, 5);
}

/* The vulnerability, by one of its ids (0: the preferred one), in a package of that name. */
static slice loose_key(const struct matching *matching, const struct side_finding *finding,
                       size_t id)
{
    const slice parts[] = {finding->package.type, finding->package.name,
                           id ? ((const slice *)finding->aliases.items)[id - 1] : finding->id};
    return map_key(matching->arena, parts, 3);
}

/* For each of those after its partner before, or NULL: the identical ones first. */
static const struct side_finding **match(struct matching *matching, const struct list *before,
                                         const struct list *after)
{
    const struct side_finding *items = after->items;
    const struct side_finding **partners =
        arena_array(matching->arena, after->count + 1, sizeof(*partners));
    for (size_t i = 0; i < before->count; i++) {
        const struct side_finding *finding = &matching->before[i];
        add_waiting(matching, exact_key(matching, finding), i);
        for (size_t id = 0; id <= finding->aliases.count; id++)
            add_waiting(matching, loose_key(matching, finding, id), i);
    }
    for (size_t i = 0; i < after->count; i++)
        partners[i] = take_waiting(matching, exact_key(matching, &items[i]));
    for (size_t i = 0; i < after->count; i++)
        for (size_t id = 0; !partners[i] && id <= items[i].aliases.count; id++)
            partners[i] = take_waiting(matching, loose_key(matching, &items[i], id));
    return partners;
}

static slice package_key(struct arena *arena, const struct side_package *package)
{
    const slice parts[] = {package->type, package->name, package->version, package->arch};
    return map_key(arena, parts, 4);
}

/* Which change each package had; `after` says on which side it is looked for. */
static struct map index_packages(struct arena *arena, const struct list *changes, bool after)
{
    struct map index = {.arena = arena};
    struct package_change *items = changes->items;
    for (size_t i = 0; i < changes->count; i++) {
        const struct side_package *package = after ? items[i].after : items[i].before;
        if (package)
            map_put(&index, package_key(arena, package), &items[i]);
    }
    return index;
}

static const struct side_package *other_of(const struct map *index, struct arena *arena,
                                           const struct side_finding *finding, bool after)
{
    const struct package_change *change = map_get(index, package_key(arena, &finding->package));
    return !change ? NULL : after ? change->after : change->before;
}

static void add_change(struct list *changes, struct arena *arena, enum fate fate,
                       const struct side_finding *before, const struct side_finding *after)
{
    struct finding_change *change = list_add(changes, arena, sizeof(*change));
    *change = (struct finding_change){.fate = fate, .before = before, .after = after};
    change->version_before = before ? before->package.version : SLICE_EMPTY;
    change->version_after = after ? after->package.version : SLICE_EMPTY;
}

/* A finding that is gone: with its package, or by an upgrade? And one that is new, likewise. */
static void add_versions(struct list *changes, struct arena *arena, const struct list *packages)
{
    struct map befores = index_packages(arena, packages, false);
    struct map afters = index_packages(arena, packages, true);
    struct finding_change *items = changes->items;
    for (size_t i = 0; i < changes->count; i++) {
        const struct side_package *other;
        if (items[i].fate == FATE_FIXED &&
            (other = other_of(&befores, arena, items[i].before, true)))
            items[i].version_after = other->version;
        if (items[i].fate == FATE_NEW && (other = other_of(&afters, arena, items[i].after, false)))
            items[i].version_before = other->version;
    }
}

void compare_findings(struct list *changes, struct arena *arena, const struct side *before,
                      const struct side *after, const struct list *packages)
{
    const struct side_finding *items = after->findings.items;
    struct matching matching = {.arena = arena,
                                .before = before->findings.items,
                                .paired =
                                    arena_array(arena, before->findings.count + 1, sizeof(bool)),
                                .chains = {.arena = arena}};
    const struct side_finding **partners = match(&matching, &before->findings, &after->findings);
    for (size_t i = 0; i < after->findings.count; i++)
        if (!partners[i])
            add_change(changes, arena, FATE_NEW, NULL, &items[i]);
    for (size_t i = 0; i < before->findings.count; i++)
        if (!matching.paired[i])
            add_change(changes, arena, FATE_FIXED, &matching.before[i], NULL);
    for (size_t i = 0; i < after->findings.count; i++)
        if (partners[i])
            add_change(changes, arena, FATE_UNCHANGED, partners[i], &items[i]);
    add_versions(changes, arena, packages);
}
