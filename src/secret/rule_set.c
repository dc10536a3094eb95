#include "secret/rule_set.h"
#include "secret/shape.h"
#include "secret/matcher.h"
#include "base/digest.h"

#include <hs/hs.h>

/* Raised when checks or the way of looking change what is found. */
#define SECRET_VERSION 2

static slice digest_of_rules(const struct secret_rules *set, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_format(&text, "secrets %d ", SECRET_VERSION);
    for (size_t i = 0; i < set->count; i++) {
        const struct secret_rule *rule = set->rules[i];
        const char *const fields[] = {rule->id,     rule->pattern, rule->find,
                                      rule->checks, rule->near,    rule->path ? rule->path : ""};
        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++)
            buffer_add_string(&text, slice_from_text(fields[j]));
        buffer_format(&text, "%d%d%d%d%d %u ", rule->bytes, rule->edge_before, rule->edge_after,
                      (int)rule->start, rule->own, rule->reach);
    }
    const struct secret_allow *allows = set->file ? set->file->allows.items : NULL;
    for (size_t i = 0; set->file && i < set->file->allows.count; i++) {
        const char *const fields[] = {allows[i].id, allows[i].rule, allows[i].path,
                                      allows[i].regex};
        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++)
            buffer_add_string(&text, slice_from_text(fields[j] ? fields[j] : ""));
    }
    return digest_of(buffer_slice(&text), arena);
}

/* What the compiled form depends on beside the rules: the library, and the processor. */
static slice key_of_database(const struct secret_rules *set, struct arena *arena)
{
    hs_platform_info_t platform = {0};
    hs_populate_platform(&platform);
    return arena_format(arena, "hyperscan %s %u %llu %.*s", hs_version(), platform.tune,
                        platform.cpu_features, SLICE_ARG(set->digest));
}

static bool recall_database(const struct secret_memory *memory, slice key, struct arena *arena,
                            struct secret_database **database)
{
    slice bytes;
    if (!memory || !memory->recall || !memory->recall(memory->context, key, arena, &bytes))
        return false;
    CLEANUP_ERROR struct error *error = secret_database_read(database, bytes);
    return error == NULL;
}

/* Made at build time, when it is of these very rules; the library refuses what it cannot run. */
static bool take_built(const struct secret_rules *set, const struct secret_memory *memory,
                       struct secret_database **database)
{
    slice digest, rest = memory ? memory->built : SLICE_EMPTY;
    if (!slice_pull_string(&rest, &digest) || !slice_equal(digest, set->digest))
        return false;
    CLEANUP_ERROR struct error *error = secret_database_read(database, rest);
    return error == NULL;
}

struct error *secret_rules_build(struct buffer *out)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct secret_rules set;
    struct secret_database *database;
    secret_rules_list(&set, NULL, &arena);
    TRY(secret_database_make(&database, set.rules, set.count, true));
    buffer_add_string(out, set.digest);
    struct error *error = secret_database_write(database, out);
    secret_database_free(database);
    return error;
}

static struct error *open_database(const struct secret_rules *set, struct arena *arena,
                                   const struct secret_memory *memory,
                                   struct secret_database **database)
{
    CLEANUP_BUFFER struct buffer bytes = {0};
    slice key = key_of_database(set, arena);
    if (take_built(set, memory, database) || recall_database(memory, key, arena, database))
        return NULL;
    TRY(secret_database_make(database, set->rules, set->count, false));
    CLEANUP_ERROR struct error *error = secret_database_write(*database, &bytes);
    if (!error && memory && memory->keep)
        memory->keep(memory->context, key, buffer_slice(&bytes));
    return NULL;
}

void secret_rules_list(struct secret_rules *set, const struct secret_rule_file *file,
                       struct arena *arena)
{
    size_t more = file ? file->rules.count : 0;
    const struct secret_rule **rules =
        arena_array(arena, secret_rule_count + more + 1, sizeof(*rules));
    *set = (struct secret_rules){.rules = rules, .file = file};
    /* The user's own come first: of two that find the same, they count. */
    for (size_t i = 0; i < more; i++)
        rules[set->count++] = ((struct secret_rule **)file->rules.items)[i];
    for (size_t i = 0; i < secret_rule_count; i++)
        if (!file || secret_rule_file_uses(file, secret_rules[i].id))
            rules[set->count++] = &secret_rules[i];
    set->digest = digest_of_rules(set, arena);
}

struct error *secret_rules_open(struct secret_rules *set, struct arena *arena,
                                const struct secret_memory *memory)
{
    struct secret_database *database;
    TRY(open_database(set, arena, memory, &database));
    set->scanner = secret_scanner_new(set->rules, set->count, database);
    struct secret_matcher *matcher = secret_scanner_matcher(set->scanner);
    struct error *error = secret_matcher_check(matcher);
    if (!error && set->file)
        error = secret_matcher_allow(matcher, set->file->allows.items, set->file->allows.count);
    if (error)
        secret_rules_close(set);
    return error;
}

void secret_rules_close(struct secret_rules *set)
{
    secret_scanner_free(set->scanner);
    set->scanner = NULL;
}

const struct secret_rule *secret_rule_named(const struct secret_rules *set, slice id)
{
    for (size_t i = 0; i < set->count; i++)
        if (slice_equal(id, slice_from_text(set->rules[i]->id)))
            return set->rules[i];
    return NULL;
}

/* -- examples -------------------------------------------------------------------------------------
 */

struct trial {
    const struct secret_rule *rule;
    bool found;
};

static void on_hit(void *context, const struct secret_hit *hit)
{
    struct trial *trial = context;
    trial->found |= hit->rule == trial->rule;
}

static struct error *try_example(const struct secret_rules *set, const struct secret_rule *rule,
                                 const char *shape, bool wanted, struct buffer *out, bool *failed)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct trial trial = {.rule = rule};
    TRY(error_wrap(shape_expand(slice_from_text(shape), slice_hash(slice_from_text(shape)), &text),
                   "an example of %s", rule->id));
    slice path = rule->file ? slice_from_text(rule->file) : SLICE_EMPTY;
    bool whole = secret_scan(set->scanner, SECRET_TEXT, path, buffer_slice(&text), on_hit, &trial);
    *failed = trial.found != wanted || !whole;
    if (*failed)
        buffer_format(out, "%s: %s: %s\n", rule->id,
                      wanted ? "this is not found" : "this is found, but should not be", shape);
    return NULL;
}

static struct error *try_examples(const struct secret_rules *set, const struct secret_rule *rule,
                                  const char *const *shapes, bool wanted, struct buffer *out,
                                  size_t *tried, size_t *failed)
{
    for (; *shapes; shapes++) {
        bool bad;
        TRY(try_example(set, rule, *shapes, wanted, out, &bad));
        *tried += 1;
        *failed += bad;
    }
    return NULL;
}

struct error *secret_rules_test(const struct secret_rules *set, struct buffer *out, size_t *tried,
                                size_t *failed)
{
    *tried = *failed = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct secret_rule *rule = set->rules[i];
        bool unshown = !rule->good[0] || (!rule->bad[0] && !rule->other[0]);
        if (unshown)
            buffer_format(out, "%s: it has no good or no bad example\n", rule->id);
        *failed += unshown;
        TRY(try_examples(set, rule, rule->good, true, out, tried, failed));
        TRY(try_examples(set, rule, rule->bad, false, out, tried, failed));
        TRY(try_examples(set, rule, rule->other, false, out, tried, failed));
    }
    return NULL;
}
