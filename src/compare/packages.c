/* What became of the packages. Several versions of one name are matched so that what is identical
 * pairs first, and of the rest as few as can be seem to go down. */
#include "compare/compare.h"
#include "version/version.h"

const char *const package_fate_names[PACKAGE_FATES] = {"added",      "removed", "upgraded",
                                                       "downgraded", "changed", "unchanged"};

/* Whose rules of version order go for which type of package. */
static const struct {
    slice type, ecosystem;
} orders[] = {
    {SLICE("deb"), SLICE("Debian")},      {SLICE("pypi"), SLICE("PyPI")},
    {SLICE("conda"), SLICE("PyPI")}, /* its order is that of PEP 440 where PEP 440 has one */
    {SLICE("npm"), SLICE("npm")},         {SLICE("golang"), SLICE("Go")},
    {SLICE("cargo"), SLICE("crates.io")}, {SLICE("hex"), SLICE("Hex")},
    {SLICE("swift"), SLICE("SwiftURL")},  {SLICE("bitnami"), SLICE("Bitnami")},
};

static const struct version_scheme *scheme_of(slice type)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (slice_equal(orders[i].type, type))
            return version_scheme_for(orders[i].ecosystem);
    return NULL;
}

static int compare_versions(const struct side_package *a, const struct side_package *b)
{
    const struct version_scheme *scheme = scheme_of(a->type);
    int order = scheme ? scheme->compare(a->version, b->version) : 0;
    return order ? order : slice_compare(a->version, b->version);
}

/* A package that has no partner yet. */
struct single {
    const struct side_package *package;
    bool paired;
};

static int compare_names(const struct side_package *a, const struct side_package *b)
{
    int order = slice_compare(a->type, b->type);
    return order ? order : slice_compare(a->name, b->name);
}

/* By type, name and architecture; then the highest version first. */
static int compare_singles(const void *left, const void *right)
{
    const struct side_package *a = ((const struct single *)left)->package;
    const struct side_package *b = ((const struct single *)right)->package;
    int order = compare_names(a, b);
    order = order ? order : slice_compare(a->arch, b->arch);
    return order ? order : compare_versions(b, a);
}

/* The same without the architecture. */
static int compare_any_arch(const void *left, const void *right)
{
    const struct side_package *a = ((const struct single *)left)->package;
    const struct side_package *b = ((const struct single *)right)->package;
    int order = compare_names(a, b);
    order = order ? order : compare_versions(b, a);
    return order ? order : slice_compare(a->arch, b->arch);
}

struct pairing {
    struct arena *arena;
    struct list *changes;
    struct single *sides[2];
    size_t counts[2];
};

static void add_change(struct pairing *pairing, const struct side_package *before,
                       const struct side_package *after)
{
    struct package_change *change =
        list_add(pairing->changes, pairing->arena, sizeof(struct package_change));
    *change = (struct package_change){PACKAGE_CHANGED, before, after};
    if (!before || !after) {
        change->fate = before ? PACKAGE_REMOVED : PACKAGE_ADDED;
        return;
    }
    const struct version_scheme *scheme = scheme_of(before->type);
    bool ordered = scheme && scheme->valid(before->version) && scheme->valid(after->version);
    int order = ordered ? scheme->compare(before->version, after->version) : 0;
    if (slice_equal(before->version, after->version) || (ordered && order == 0))
        change->fate = PACKAGE_UNCHANGED;
    else if (ordered)
        change->fate = order < 0 ? PACKAGE_UPGRADED : PACKAGE_DOWNGRADED;
}

static void pair(struct pairing *pairing, struct single *before, struct single *after)
{
    add_change(pairing, before->package, after->package);
    before->paired = after->paired = true;
}

/* Drops those that have a partner. */
static void keep_singles(struct pairing *pairing)
{
    for (size_t side = 0; side < 2; side++) {
        size_t kept = 0;
        for (size_t i = 0; i < pairing->counts[side]; i++)
            if (!pairing->sides[side][i].paired)
                pairing->sides[side][kept++] = pairing->sides[side][i];
        pairing->counts[side] = kept;
    }
}

/* What stands on both sides, version and architecture alike; both are in the order of packages. */
static void pair_identical(struct pairing *pairing)
{
    for (size_t i = 0, j = 0; i < pairing->counts[0] && j < pairing->counts[1];) {
        struct single *before = &pairing->sides[0][i], *after = &pairing->sides[1][j];
        int order = side_package_compare(before->package, after->package);
        if (order == 0)
            pair(pairing, before, after);
        i += order <= 0;
        j += order >= 0;
    }
    keep_singles(pairing);
}

/*
 * Within a group of one name, both sides from the highest version down: each takes the highest that
 * is not lower than itself, which leaves as few as can be without such a partner. With `down`
 * whatever is next will do.
 */
static void pair_group(struct pairing *pairing, size_t at[2], const size_t end[2], bool down)
{
    for (; at[0] < end[0] && at[1] < end[1]; at[0]++) {
        struct single *before = &pairing->sides[0][at[0]], *after = &pairing->sides[1][at[1]];
        if (!down && compare_versions(after->package, before->package) < 0)
            continue;
        pair(pairing, before, after);
        at[1]++;
    }
}

static bool same_group(const struct single *a, const struct single *b, bool with_arch)
{
    return compare_names(a->package, b->package) == 0 &&
           (!with_arch || slice_equal(a->package->arch, b->package->arch));
}

static int compare_groups(const struct single *a, const struct single *b, bool with_arch)
{
    int order = compare_names(a->package, b->package);
    return order || !with_arch ? order : slice_compare(a->package->arch, b->package->arch);
}

static void pair_groups(struct pairing *pairing, bool with_arch, bool down)
{
    size_t at[2] = {0, 0};
    for (size_t side = 0; side < 2; side++)
        if (pairing->counts[side])
            qsort(pairing->sides[side], pairing->counts[side], sizeof(struct single),
                  with_arch ? compare_singles : compare_any_arch);
    while (at[0] < pairing->counts[0] && at[1] < pairing->counts[1]) {
        const struct single *firsts[2] = {&pairing->sides[0][at[0]], &pairing->sides[1][at[1]]};
        int order = compare_groups(firsts[0], firsts[1], with_arch);
        size_t end[2] = {at[0], at[1]};
        for (size_t side = 0; side < 2; side++)
            while (end[side] < pairing->counts[side] &&
                   same_group(&pairing->sides[side][end[side]], firsts[side], with_arch))
                end[side]++;
        if (order == 0)
            pair_group(pairing, at, end, down);
        at[0] = order <= 0 ? end[0] : at[0];
        at[1] = order >= 0 ? end[1] : at[1];
    }
    keep_singles(pairing);
}

static int compare_changes(const void *left, const void *right)
{
    const struct package_change *a = left, *b = right;
    if (a->fate != b->fate)
        return a->fate < b->fate ? -1 : 1;
    int order =
        side_package_compare(a->before ? a->before : a->after, b->before ? b->before : b->after);
    return order || !a->before || !a->after ? order : side_package_compare(a->after, b->after);
}

static struct single *singles_of(struct arena *arena, const struct side *side)
{
    const struct side_package *packages = side->packages.items;
    struct single *singles = arena_array(arena, side->packages.count + 1, sizeof(*singles));
    for (size_t i = 0; i < side->packages.count; i++)
        singles[i].package = &packages[i];
    return singles;
}

void compare_packages(struct list *changes, struct arena *arena, const struct side *before,
                      const struct side *after)
{
    struct pairing pairing = {arena,
                              changes,
                              {singles_of(arena, before), singles_of(arena, after)},
                              {before->packages.count, after->packages.count}};
    pair_identical(&pairing);
    pair_groups(&pairing, true, false);
    pair_groups(&pairing, true, true);
    pair_groups(&pairing, false, false);
    pair_groups(&pairing, false, true);
    for (size_t i = 0; i < pairing.counts[0]; i++)
        add_change(&pairing, pairing.sides[0][i].package, NULL);
    for (size_t i = 0; i < pairing.counts[1]; i++)
        add_change(&pairing, NULL, pairing.sides[1][i].package);
    if (changes->count)
        qsort(changes->items, changes->count, sizeof(struct package_change), compare_changes);
}
