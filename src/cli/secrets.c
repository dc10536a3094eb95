#include "cli/secrets.h"
#include "cli/command.h"
#include "base/file.h"
#include "base/limits.h"

#include <fcntl.h>

static slice built_database(struct arena *arena)
{
    slice bytes = SLICE_EMPTY;
    const char *path = data_place("secrets.hs", arena);
    CLEANUP_ERROR struct error *error =
        path ? file_read_whole(arena, AT_FDCWD, path, LIMIT_SECRET_DATABASE_BYTES, &bytes) : NULL;
    return error ? SLICE_EMPTY : bytes;
}

static struct error *read_file(struct secrets *secrets, const char *path)
{
    slice text;
    TRY(error_wrap(
        file_read_whole(secrets->arena, AT_FDCWD, path, LIMIT_SECRET_CONFIG_BYTES, &text),
        "the rules for secrets"));
    return slice_ends(slice_from_text(path), SLICE(".toml"))
               ? secret_rule_file_read_toml(&secrets->file, text, path, secrets->arena)
               : secret_rule_file_read(&secrets->file, text, path, secrets->arena);
}

void secrets_start(struct secrets *secrets, const struct options *options,
                   struct layer_cache *cache, struct arena *arena)
{
    const char *path = options->secret_config;
    *secrets = (struct secrets){.cache = cache, .arena = arena};
    if (path)
        secrets->failure = read_file(secrets, path);
    secret_rules_list(&secrets->rules, path ? &secrets->file : NULL, arena);
}

struct secret_scanner *secrets_scanner(struct secrets *secrets)
{
    if (!secrets || secrets->failure)
        return NULL;
    if (secrets->rules.scanner)
        return secrets->rules.scanner;
    struct secret_memory memory = {.built = built_database(secrets->arena)};
    if (secrets->cache) {
        memory.recall = layer_cache_recall;
        memory.keep = layer_cache_keep;
        memory.context = secrets->cache;
    }
    secrets->failure = secret_rules_open(&secrets->rules, secrets->arena, &memory);
    return secrets->rules.scanner;
}

void secrets_close(struct secrets *secrets)
{
    secret_rules_close(&secrets->rules);
    error_free(secrets->failure);
}
