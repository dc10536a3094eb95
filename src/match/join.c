/*
 * One vulnerability under several ids is one finding. Ids are joined through advisories' aliases
 * and upstream; an erratum that repairs several CVEs (its `upstream` or `related` names them) is a
 * finding for each.
 */
#include "base/map.h"
#include "match/internal.h"

/* A group of ids that are one vulnerability, while it is being put together. */
struct group {
    struct list ids;  /* of slice, without repetition */
    struct list hits; /* of const struct hit * */
    slice urgency;
};

struct join {
    struct matcher *matcher;
    struct list groups; /* of struct group *; those joined into another are NULL */
    struct map by_id;   /* id → struct group */
};

static bool is_cve(slice id)
{
    return slice_starts(id, SLICE("CVE-"));
}

static void group_add_id(struct join *join, struct group *group, slice id)
{
    const slice *ids = group->ids.items;
    for (size_t i = 0; i < group->ids.count; i++)
        if (slice_equal(ids[i], id))
            return;
    *(slice *)list_add(&group->ids, join->matcher->arena, sizeof(slice)) = id;
}

static struct group *group_at(const struct join *join, size_t i)
{
    return ((struct group **)join->groups.items)[i];
}

/* Moves all that is in `from` into `into`. */
static void group_merge(struct join *join, struct group *into, struct group *from)
{
    if (into == from)
        return;
    for (size_t i = 0; i < from->ids.count; i++) {
        slice id = ((slice *)from->ids.items)[i];
        group_add_id(join, into, id);
        if (map_get(&join->by_id, id) == from)
            map_put(&join->by_id, id, into);
    }
    for (size_t i = 0; i < from->hits.count; i++)
        *(const struct hit **)list_add(&into->hits, join->matcher->arena, sizeof(void *)) =
            ((const struct hit **)from->hits.items)[i];
    if (into->urgency.len == 0)
        into->urgency = from->urgency;
    for (size_t i = 0; i < join->groups.count; i++)
        if (group_at(join, i) == from)
            ((struct group **)join->groups.items)[i] = NULL;
}

static struct group *group_new(struct join *join, const struct hit *hit)
{
    struct group *group = ARENA_NEW(join->matcher->arena, struct group);
    *(const struct hit **)list_add(&group->hits, join->matcher->arena, sizeof(void *)) = hit;
    group->urgency = hit->advisory->urgency;
    *(struct group **)list_add(&join->groups, join->matcher->arena, sizeof(group)) = group;
    return group;
}

/* Adds an id by which the group is known, and joins it with a group that is known by it already. */
static struct group *group_claim(struct join *join, struct group *group, slice id)
{
    struct group *other = map_get(&join->by_id, id);
    group_add_id(join, group, id);
    if (other && other != group) {
        group_merge(join, other, group);
        return other;
    }
    map_put(&join->by_id, id, group);
    return group;
}

static size_t count_cves(const slice *ids, size_t count)
{
    size_t cves = 0;
    for (size_t i = 0; i < count; i++)
        cves += is_cve(ids[i]);
    return cves;
}

/* A finding for each CVE that the erratum names; its own id is listed, but joins nothing. */
static void add_erratum(struct join *join, const struct hit *hit, const slice *cves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_cve(cves[i]))
            continue;
        struct group *group = group_new(join, hit);
        group_add_id(join, group, hit->advisory->id);
        group_claim(join, group, cves[i]);
    }
}

/* Distributions' ecosystems have a release behind a colon; their advisories are errata. */
static bool is_distribution(slice ecosystem)
{
    return slice_find(ecosystem, ':') != SIZE_MAX;
}

static void add_hit(struct join *join, const struct hit *hit)
{
    const struct advisory *advisory = hit->advisory;
    bool has_own = is_cve(advisory->id) || count_cves(advisory->aliases, advisory->alias_count);
    size_t upstream = count_cves(advisory->upstream, advisory->upstream_count);
    if (!has_own && upstream > 1) {
        add_erratum(join, hit, advisory->upstream, advisory->upstream_count);
        return;
    }
    bool stands_alone = !has_own && upstream == 0 && advisory->alias_count == 0;
    if (stands_alone && is_distribution(advisory->ecosystem) &&
        count_cves(advisory->related, advisory->related_count)) {
        add_erratum(join, hit, advisory->related, advisory->related_count);
        return;
    }
    struct group *group = group_claim(join, group_new(join, hit), advisory->id);
    for (size_t i = 0; i < advisory->alias_count; i++)
        group = group_claim(join, group, advisory->aliases[i]);
    for (size_t i = 0; i < advisory->upstream_count; i++)
        group = group_claim(join, group, advisory->upstream[i]);
    /* An advisory of a language's ecosystem without aliases is of what it says it is related to. */
    for (size_t i = 0; stands_alone && i < advisory->related_count; i++)
        group = group_claim(join, group, advisory->related[i]);
}

/* Where no feed for this ecosystem names the CVE, another's aliases may. */
static struct error *find_cve(struct join *join, struct group *group)
{
    if (count_cves(group->ids.items, group->ids.count))
        return NULL;
    size_t known = group->ids.count;
    for (size_t i = 0; i < known; i++) {
        const slice *cves;
        size_t count;
        TRY(store_cves_of(join->matcher->store, join->matcher->arena,
                          ((slice *)group->ids.items)[i], &cves, &count));
        for (size_t j = 0; j < count; j++)
            group_add_id(join, group, cves[j]);
    }
    return NULL;
}

/* A group that got its CVE from elsewhere may be one that another group is known by. */
static struct error *find_cves(struct join *join)
{
    for (size_t i = 0; i < join->groups.count; i++) {
        struct group *group = group_at(join, i);
        if (!group)
            continue;
        size_t known = group->ids.count;
        TRY(find_cve(join, group));
        for (size_t j = known; j < group->ids.count && group_at(join, i); j++)
            group = group_claim(join, group, ((slice *)group->ids.items)[j]);
    }
    return NULL;
}

/* CVE-2021-9999 before CVE-2021-10000: by length first, within a year. */
static int compare_ids(slice a, slice b)
{
    bool cves = is_cve(a) && is_cve(b) && slice_equal(slice_first(a, 9), slice_first(b, 9));
    if (cves && a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

static int rank_of_id(slice id)
{
    static const char *const prefixes[] = {"CVE-", "GHSA-", "PYSEC-", "RUSTSEC-", "GO-"};
    for (int i = 0; i < 5; i++)
        if (slice_starts(id, slice_from_text(prefixes[i])))
            return i;
    return 5;
}

static int compare_by_preference(const void *a, const void *b)
{
    slice x = *(const slice *)a, y = *(const slice *)b;
    int order = rank_of_id(x) - rank_of_id(y);
    return order ? order : compare_ids(x, y);
}

/* 2.0 and 2.0.0 are one version where the scheme says so. */
static void add_version(struct list *list, struct arena *arena, slice value,
                        const struct version_scheme *scheme)
{
    const slice *items = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (scheme->compare(items[i], value) == 0)
            return;
    *(slice *)list_add(list, arena, sizeof(slice)) = value;
}

static void sort_versions(struct list *versions, const struct version_scheme *scheme)
{
    slice *items = versions->items;
    for (size_t i = 1; i < versions->count; i++)
        for (size_t j = i; j > 0 && scheme->compare(items[j], items[j - 1]) < 0; j--) {
            slice swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
}

static void add_sources(struct join *join, struct finding *finding, const struct group *group,
                        const struct version_scheme *scheme)
{
    struct arena *arena = join->matcher->arena;
    for (size_t i = 0; i < group->hits.count; i++) {
        const struct hit *hit = ((const struct hit **)group->hits.items)[i];
        struct finding_source *source = list_add(&finding->sources, arena, sizeof(*source));
        *source = (struct finding_source){hit->advisory->ecosystem, hit->advisory->id};
        *(const struct advisory **)list_add(&finding->advisories, arena, sizeof(void *)) =
            hit->advisory;
        for (size_t j = 0; j < hit->fixed.count; j++)
            add_version(&finding->fixed, arena, ((slice *)hit->fixed.items)[j], scheme);
    }
    sort_versions(&finding->fixed, scheme);
}

/* Debian's build of the kernel's headers: what is wrong with the kernel is not in them. */
static bool is_kernel_header(const struct component *component)
{
    return slice_equal(component->type, SLICE("deb")) &&
           (slice_equal(component->source_name, SLICE("linux")) ||
            slice_starts(component->source_name, SLICE("linux-"))) &&
           (slice_equal(component->name, SLICE("linux-libc-dev")) ||
            slice_starts(component->name, SLICE("linux-headers-")) ||
            slice_starts(component->name, SLICE("linux-kbuild-")) ||
            slice_starts(component->name, SLICE("linux-doc")));
}

static struct error *finish_group(struct join *join, struct group *group,
                                  const struct component *component,
                                  const struct version_scheme *scheme)
{
    struct arena *arena = join->matcher->arena;
    struct finding *finding = ARENA_NEW(arena, struct finding);
    slice *ids = group->ids.items;
    qsort(ids, group->ids.count, sizeof(slice), compare_by_preference);
    finding->component = component;
    finding->id = ids[0];
    for (size_t i = 1; i < group->ids.count; i++)
        *(slice *)list_add(&finding->aliases, arena, sizeof(slice)) = ids[i];
    add_sources(join, finding, group, scheme);
    finding->status = finding->fixed.count ? "fixed" : "affected";
    if (is_kernel_header(component)) {
        finding->suppressed_reason = SLICE("a package of kernel headers holds no kernel code");
        finding->suppressed_by = SLICE("plimsoll");
    }
    *(struct finding **)list_add(&join->matcher->result->findings, arena, sizeof(finding)) =
        finding;
    return rate_finding(join->matcher, finding, group->urgency);
}

static int compare_findings(const void *a, const void *b)
{
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    return compare_ids(x->id, y->id);
}

struct error *join_hits(struct matcher *matcher, const struct component *component,
                        const struct hit *hits, size_t count, const struct version_scheme *scheme)
{
    struct join join = {.matcher = matcher, .by_id = {.arena = matcher->arena}};
    size_t first = matcher->result->findings.count;
    for (size_t i = 0; i < count; i++)
        add_hit(&join, &hits[i]);
    TRY(find_cves(&join));
    for (size_t i = 0; i < join.groups.count; i++)
        if (group_at(&join, i))
            TRY(finish_group(&join, group_at(&join, i), component, scheme));
    size_t added = matcher->result->findings.count - first;
    if (added)
        qsort((struct finding **)matcher->result->findings.items + first, added,
              sizeof(struct finding *), compare_findings);
    return NULL;
}
