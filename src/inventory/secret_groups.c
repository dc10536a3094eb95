#include "inventory/secret_groups.h"

struct found_place {
    struct secret_place place;
    size_t group; /* in the order in which values turn up */
    size_t rank;  /* of the rule; SIZE_MAX: it is not known */
};

void secret_groups_start(struct secret_groups *groups, struct arena *arena,
                         const struct secret_rules *rules)
{
    *groups = (struct secret_groups){
        .arena = arena, .rules = rules, .ranks = {.arena = arena}, .groups = {.arena = arena}};
    size_t *ranks = arena_array(arena, rules->count + 1, sizeof(*ranks));
    for (size_t i = rules->count; i-- > 0;) { /* of two with one name the first is meant */
        ranks[i] = i;
        map_put(&groups->ranks, slice_from_text(rules->rules[i]->id), &ranks[i]);
    }
}

static size_t rank_of(const struct secret_groups *groups, const struct secret *secret)
{
    const size_t *rank = map_get(&groups->ranks, secret->rule);
    return rank ? *rank : SIZE_MAX;
}

static const struct secret_rule *rule_at(const struct secret_groups *groups, size_t rank)
{
    return rank < groups->rules->count ? groups->rules->rules[rank] : NULL;
}

const struct secret_rule *secret_groups_rule(const struct secret_groups *groups,
                                             const struct secret *secret)
{
    return rule_at(groups, rank_of(groups, secret));
}

/* A value without an identity is one by itself: taking two for one would hide one. */
static size_t group_of(struct secret_groups *groups, slice identity)
{
    const size_t *known = identity.len ? map_get(&groups->groups, identity) : NULL;
    if (known)
        return *known;
    size_t *group = ARENA_NEW(groups->arena, size_t);
    *group = groups->count++;
    if (identity.len)
        map_put(&groups->groups, identity, group);
    return *group;
}

void secret_groups_add(struct secret_groups *groups, const struct secret_place *place)
{
    struct found_place *found = list_add(&groups->found, groups->arena, sizeof(*found));
    *found = (struct found_place){.place = *place,
                                  .group = group_of(groups, place->secret->identity),
                                  .rank = rank_of(groups, place->secret)};
    found->place.order = groups->found.count;
}

/* -- the order of places --------------------------------------------------------------------------
 */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* "history:2" before "history:10". */
static int compare_paths(const struct secret_place *a, const struct secret_place *b)
{
    slice one = a->secret->path, other = b->secret->path;
    if (a->stand == IN_HISTORY && b->stand == IN_HISTORY && one.len != other.len)
        return compare_numbers(one.len, other.len);
    return slice_compare(one, other);
}

/* 0: they are one and the same place. */
static int compare_places(const struct secret_place *a, const struct secret_place *b)
{
    const struct secret *one = a->secret, *other = b->secret;
    int order = compare_numbers(a->stand, b->stand);
    order = order ? order : compare_numbers(a->deleted_in != SIZE_MAX, b->deleted_in != SIZE_MAX);
    if (!order && a->stand == IN_FILE) /* of history the path says it, and better */
        order = compare_numbers(a->layer, b->layer);
    order = order ? order : compare_paths(a, b);
    order = order ? order : compare_numbers(one->line, other->line);
    order = order ? order : compare_numbers(one->column, other->column);
    order = order ? order : compare_numbers(one->cell, other->cell);
    return order ? order : slice_compare(one->variable, other->variable);
}

static int compare_found(const void *left, const void *right)
{
    const struct found_place *a = left, *b = right;
    int order = compare_numbers(a->group, b->group);
    order = order ? order : compare_places(&a->place, &b->place);
    /* Of the same place twice the one that counts is kept, by the surer rule. */
    order = order ? order
                  : compare_numbers(a->place.suppressed_reason.len > 0,
                                    b->place.suppressed_reason.len > 0);
    order = order ? order : compare_numbers(a->rank, b->rank);
    return order ? order : compare_numbers(a->place.order, b->place.order);
}

/* -- a group as one secret ------------------------------------------------------------------------
 */

static slice advice_of(const struct secret_rule *rule, struct arena *arena)
{
    if (!rule || (!rule->revoke[0] && !rule->advice[0]))
        return SLICE_EMPTY;
    return rule->revoke[0] ? arena_format(arena, "Revoke it at %s", rule->revoke)
                           : slice_from_text(rule->advice);
}

/* The places of one value, and who found it in which. */
struct run {
    const struct found_place *found;
    size_t count;
};

static const struct found_place *surest_of(const struct run *run)
{
    const struct found_place *surest = run->found;
    for (size_t i = 1; i < run->count; i++)
        if (run->found[i].rank < surest->rank)
            surest = &run->found[i];
    return surest;
}

static void add_fingerprint(const struct secret_groups *groups, struct map *known,
                            struct list *fingerprints, const struct found_place *found)
{
    const struct found_place *by = map_get(known, found->place.secret->fingerprint);
    if (by && by->group == found->group)
        return;
    map_put(known, found->place.secret->fingerprint, (void *)(uintptr_t)found);
    *(slice *)list_add(fingerprints, groups->arena, sizeof(slice)) =
        found->place.secret->fingerprint;
}

static struct list places_of(const struct secret_groups *groups, const struct run *run)
{
    struct list places = {0};
    for (size_t i = 0; i < run->count; i++) {
        if (i && compare_places(&run->found[i - 1].place, &run->found[i].place) == 0)
            continue;
        struct secret_place *place = list_add(&places, groups->arena, sizeof(*place));
        *place = run->found[i].place;
        place->order = places.count;
    }
    return places;
}

static void add_secret(const struct secret_groups *groups, struct map *known, const struct run *run,
                       struct list *secrets)
{
    const struct found_place *surest = surest_of(run);
    const struct secret_rule *rule = rule_at(groups, surest->rank);
    struct secret *secret = ARENA_NEW(groups->arena, struct secret);
    struct image_secret *added = list_add(secrets, groups->arena, sizeof(*added));
    *secret = *surest->place.secret;
    secret->more = 0;
    *added = (struct image_secret){.secret = secret,
                                   .title = rule ? slice_from_text(rule->title) : secret->rule,
                                   .severity = SEVERITY_UNKNOWN,
                                   .advice = advice_of(rule, groups->arena),
                                   .places = places_of(groups, run)};
    add_fingerprint(groups, known, &added->fingerprints, surest);
    for (size_t i = 0; i < run->count; i++) {
        const struct secret_rule *by = rule_at(groups, run->found[i].rank);
        if (by && by->severity > added->severity)
            added->severity = by->severity;
        secret->more += run->found[i].place.secret->more;
        add_fingerprint(groups, known, &added->fingerprints, &run->found[i]);
    }
    image_secret_settle(added);
}

void secret_groups_end(struct secret_groups *groups, struct list *secrets)
{
    const struct found_place *found = groups->found.items;
    size_t count = groups->found.count;
    struct map known = {.arena = groups->arena};
    if (count)
        qsort(groups->found.items, count, sizeof(*found), compare_found);
    for (size_t from = 0, end; from < count; from = end) {
        for (end = from + 1; end < count && found[end].group == found[from].group;)
            end++;
        add_secret(groups, &known, &(struct run){&found[from], end - from}, secrets);
    }
}

void inventory_part_secrets(struct inventory *inventory, struct arena *arena)
{
    struct list parted = {0};
    const struct image_secret *whole = inventory->secrets.items;
    for (size_t i = 0; i < inventory->secrets.count; i++) {
        struct secret_place *places = whole[i].places.items;
        for (size_t j = 0; j < whole[i].places.count; j++) {
            struct image_secret *part = list_add(&parted, arena, sizeof(*part));
            struct secret *secret = ARENA_NEW(arena, struct secret);
            *part = whole[i];
            *secret = *whole[i].secret;
            secret->more = places[j].secret->more;
            part->secret = secret;
            part->places = (struct list){&places[j], 1, 1};
            part->suppressed_reason = part->suppressed_by = part->suppressed_until = SLICE_EMPTY;
            part->excepted = false;
            image_secret_settle(part);
        }
    }
    inventory->secrets = parted;
}

/* -- what policy does -----------------------------------------------------------------------------
 */

static int compare_counting(const void *left, const void *right)
{
    const struct secret_place *a = left, *b = right;
    int order = compare_numbers(a->suppressed_reason.len > 0, b->suppressed_reason.len > 0);
    return order ? order : compare_numbers(a->order, b->order);
}

void image_secret_settle(struct image_secret *found)
{
    struct secret_place *first = found->places.items;
    struct secret *secret = found->secret;
    qsort(first, found->places.count, sizeof(*first), compare_counting);
    const struct secret *at = first->secret;
    secret->file = at->file;
    secret->path = at->path;
    secret->variable = at->variable;
    secret->line = at->line;
    secret->column = at->column;
    secret->cell = at->cell;
    secret->layer = at->layer;
    secret->entry = at->entry;
    found->layer = first->layer;
    found->deleted_in = first->deleted_in;
    if (found->suppressed_reason.len || first->suppressed_reason.len == 0)
        return;
    found->suppressed_reason = first->suppressed_reason;
    found->suppressed_by = first->suppressed_by;
    found->suppressed_until = first->suppressed_until;
    found->excepted = first->excepted;
}
