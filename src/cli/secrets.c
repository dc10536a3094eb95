#include "cli/secrets.h"
#include "base/progress.h"

static bool recall(void *context, slice key, struct arena *arena, slice *bytes)
{
    return layer_cache_get(context, key, arena, bytes);
}

static void keep(void *context, slice key, slice bytes)
{
    layer_cache_put(context, key, bytes);
}

struct error *secrets_open(struct secret_rules *set, const struct options *options,
                           struct layer_cache *cache, struct arena *arena)
{
    struct secret_memory memory = {recall, keep, cache};
    (void)options;
    return secret_rules_open(set, arena, cache ? &memory : NULL);
}
