/*
 * Puts together what was found in many places: the same value is one secret, whatever rules found
 * it and wherever it stands. It is told by the surest of those rules (of two, the one that is
 * listed first), and by its first place: in a file before the config before history, what is still
 * there before what a later layer deletes, lower layers before higher ones.
 *
 * Given the places in the order in which they turn up, it hands on secrets in the order of the
 * first place of each.
 */
#ifndef PLIMSOLL_INVENTORY_SECRET_GROUPS_H
#define PLIMSOLL_INVENTORY_SECRET_GROUPS_H

#include "base/map.h"
#include "inventory/inventory.h"
#include "secret/rule_set.h"

struct secret_groups {
    struct arena *arena;
    const struct secret_rules *rules;
    struct map ranks;  /* a rule's id → where it stands in the list of rules */
    struct map groups; /* a value's identity → its group */
    struct list found; /* of struct found_place (secret_groups.c) */
    size_t count;      /* of groups */
};

/* The rules stay the caller's; all else lives in the arena. */
void secret_groups_start(struct secret_groups *groups, struct arena *arena,
                         const struct secret_rules *rules);

/* The rule that found it; NULL when there is none of that name. */
const struct secret_rule *secret_groups_rule(const struct secret_groups *groups,
                                             const struct secret *secret);

/* Adds a place; it is copied, its secret is not. */
void secret_groups_add(struct secret_groups *groups, const struct secret_place *place);

/* Adds the secrets to the list, of struct image_secret. */
void secret_groups_end(struct secret_groups *groups, struct list *secrets);

#endif
