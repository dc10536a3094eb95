#include "cli/secrets.h"

static bool recall(void *context, slice key, struct arena *arena, slice *bytes)
{
    return layer_cache_get(context, key, arena, bytes);
}

static void keep(void *context, slice key, slice bytes)
{
    layer_cache_put(context, key, bytes);
}

void secrets_start(struct secrets *secrets, struct layer_cache *cache, struct arena *arena)
{
    *secrets = (struct secrets){.cache = cache, .arena = arena};
    secret_rules_list(&secrets->rules, arena);
}

struct secret_scanner *secrets_scanner(struct secrets *secrets)
{
    if (!secrets || secrets->failure)
        return NULL;
    struct secret_memory memory = {recall, keep, secrets->cache};
    if (!secrets->rules.scanner)
        secrets->failure =
            secret_rules_open(&secrets->rules, secrets->arena, secrets->cache ? &memory : NULL);
    return secrets->rules.scanner;
}

void secrets_close(struct secrets *secrets)
{
    secret_rules_close(&secrets->rules);
    error_free(secrets->failure);
}
