/* Looking for secrets, as the command line asks for it. */
#ifndef PLIMSOLL_CLI_SECRETS_H
#define PLIMSOLL_CLI_SECRETS_H

#include "cli/options.h"
#include "layer/cache.h"
#include "secret/rule_set.h"

struct secrets {
    struct secret_rules rules;
    struct secret_rule_file file; /* the user's own */
    struct layer_cache *cache;    /* or NULL */
    struct arena *arena;
    struct error *failure; /* why they cannot be looked for */
};

/* Reads the rules, with those of --secret-config; an error is kept as `failure`. Freed by
 * secrets_close. */
void secrets_start(struct secrets *secrets, const struct options *options,
                   struct layer_cache *cache, struct arena *arena);

/* What workers look with, made when it is first asked for: a scan that finds all it needs in the
 * cache never asks. NULL when `secrets` is, or it cannot be made (secrets->failure). */
struct secret_scanner *secrets_scanner(struct secrets *secrets);

void secrets_close(struct secrets *secrets);

#endif
