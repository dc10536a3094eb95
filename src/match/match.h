/*
 * Match: inventory × store → findings. Looks each component up under the names by which an
 * ecosystem's advisories know it, compares versions by that ecosystem's rules, and joins what is
 * one vulnerability under several ids.
 *
 * What the store cannot judge is never clean: it is counted, with the reason.
 */
#ifndef PLIMSOLL_MATCH_MATCH_H
#define PLIMSOLL_MATCH_MATCH_H

#include "match/finding.h"
#include "store/store.h"

/* What could not be judged, so that a policy that leaves a kind out does not wait for it. */
enum unjudged_of {
    UNJUDGED_ANYTHING,
    UNJUDGED_SYSTEM,
    UNJUDGED_LIBRARIES,
    UNJUDGED_ARCHIVES /* not looked into for secrets: said, but no gate waits for them */
};

/* Components that could not be judged, by cause. */
struct unjudged {
    slice what;   /* "Ubuntu:20.04", "conda", … */
    size_t count; /* of components; 0: not even they are known */
    slice reason; /* for a person, with what to do */
    enum unjudged_of of;
};

/* "2 components of Ubuntu 22.04: why" */
slice unjudged_sentence(const struct unjudged *unjudged, struct arena *arena);

struct match_result {
    struct list findings; /* of struct finding *, by component, then id */
    struct list unjudged; /* of struct unjudged */
    slice end_of_life;    /* date from which the distribution gets no updates, or empty */
    slice end_of_extended_life;
    bool is_end_of_life;      /* that date has passed */
    bool end_of_life_unknown; /* there is a distribution, but the store does not know its dates */
    /* Python distributions that are not reported beside the package that owns them. */
    size_t owned_by_distribution;
};

/* Adds the archives that could not be looked into for secrets, as one entry. */
void match_add_unopened(struct match_result *result, struct arena *arena,
                        const struct inventory *inventory);

/* "Debian GNU/Linux 10 reached its end of life on …", or empty when it has not. */
slice end_of_life_sentence(const struct match_result *result, const struct os *os,
                           struct arena *arena);

/*
 * Matches. Components that a package of the distribution owns and speaks for are taken out of the
 * inventory's list. `today` is "2026-11-25".
 */
MUST_CHECK struct error *match_run(struct match_result *result, struct arena *arena,
                                   struct inventory *inventory, struct store *store, slice today);

/* Adds to each finding what its advisories say in words, as far as the store has it. */
MUST_CHECK struct error *match_add_prose(struct match_result *result, struct arena *arena,
                                         struct store *store);

#endif
