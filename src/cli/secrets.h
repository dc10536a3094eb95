/* The rules for secrets as the command line asks for them. */
#ifndef PLIMSOLL_CLI_SECRETS_H
#define PLIMSOLL_CLI_SECRETS_H

#include "cli/options.h"
#include "layer/cache.h"
#include "secret/rule_set.h"

/* Ready to look with; their database comes from the cache (which may be NULL) or goes into it. */
MUST_CHECK struct error *secrets_open(struct secret_rules *set, const struct options *options,
                                      struct layer_cache *cache, struct arena *arena);

#endif
