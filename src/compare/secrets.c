/*
 * What became of the secrets. One is known by its fingerprints, of which it has one by each rule
 * that found it: which of them is the surest may be another tomorrow. The first reports had each
 * rule's, and each place, as a secret of its own.
 */
#include "base/map.h"
#include "compare/compare.h"

struct secret_value {
    struct secret_value *same; /* another of which it turned out to be the same; or NULL */
    size_t last_side;          /* the last that has it, from 1 */
    bool before, after;
};

static struct secret_value *value_of(struct secret_value *value)
{
    while (value->same) {
        if (value->same->same)
            value->same = value->same->same;
        value = value->same;
    }
    return value;
}

/* The value with that fingerprint, which is from now on the same as `value` (NULL: none yet). */
static struct secret_value *join(struct map *values, slice fingerprint, struct secret_value *value)
{
    struct secret_value *known = map_get(values, fingerprint);
    if (!known)
        map_put(values, fingerprint,
                known = value ? value : ARENA_NEW(values->arena, struct secret_value));
    known = value_of(known);
    if (value && value_of(value) != known)
        value_of(value)->same = known;
    return known;
}

static struct list copy_secrets(const struct list *secrets, struct map *values)
{
    struct list copies = {0};
    const struct side_secret *from = secrets->items;
    for (size_t i = 0; i < secrets->count; i++) {
        struct side_secret *copy = list_add(&copies, values->arena, sizeof(*copy));
        const slice *fingerprints = from[i].fingerprints.items;
        *copy = from[i];
        copy->value = join(values, from[i].fingerprint, NULL);
        for (size_t j = 0; j < from[i].fingerprints.count; j++)
            copy->value = join(values, fingerprints[j], copy->value);
    }
    return copies;
}

/* Of several that are one the first stays: the most severe. */
static void drop_twins(struct list *secrets, size_t side)
{
    struct side_secret *items = secrets->items;
    size_t kept = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        items[i].value = value_of(items[i].value);
        if (items[i].value->last_side == side)
            continue;
        items[i].value->last_side = side;
        items[kept++] = items[i];
    }
    secrets->count = kept;
}

void compare_join_secrets(struct comparison *comparison)
{
    struct arena *arena = comparison->arena;
    struct map values = {.arena = arena}; /* fingerprint → struct secret_value */
    struct side *sides = arena_array(arena, comparison->side_count + 1, sizeof(*sides));
    for (size_t i = 0; i < comparison->side_count; i++) {
        sides[i] = comparison->sides[i];
        sides[i].secrets = copy_secrets(&comparison->sides[i].secrets, &values);
    }
    for (size_t i = 0; i < comparison->side_count; i++)
        drop_twins(&sides[i].secrets, i + 1);
    comparison->sides = sides;
}

static void add(struct list *changes, struct arena *arena, enum fate fate,
                const struct side_secret *secret)
{
    *(struct secret_change *)list_add(changes, arena, sizeof(struct secret_change)) =
        (struct secret_change){fate, secret};
}

void compare_secrets(struct list *changes, struct arena *arena, const struct side *before,
                     const struct side *after)
{
    const struct side_secret *old = before->secrets.items, *now = after->secrets.items;
    for (size_t i = 0; i < before->secrets.count; i++)
        old[i].value->before = true;
    for (size_t i = 0; i < after->secrets.count; i++) {
        now[i].value->after = true;
        if (!now[i].value->before)
            add(changes, arena, FATE_NEW, &now[i]);
    }
    for (size_t i = 0; i < before->secrets.count; i++)
        if (!old[i].value->after)
            add(changes, arena, FATE_FIXED, &old[i]);
    for (size_t i = 0; i < after->secrets.count; i++)
        if (now[i].value->before)
            add(changes, arena, FATE_UNCHANGED, &now[i]);
}
