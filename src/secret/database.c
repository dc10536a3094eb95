#include "secret/database.h"

#include <hs/hs.h>

enum { MODES = SECRET_BYTES + 1 };

struct secret_database {
    hs_database_t *modes[MODES]; /* NULL: no rule is for it */
    hs_scratch_t *scratch;
};

static bool is_for(const struct secret_rule *rule, int mode)
{
    return mode == SECRET_TEXT || rule->bytes;
}

/* What Hyperscan cannot do of a user's expression is left to the second look (PREFILTER). */
static unsigned flags_of(const char *find)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *failure = NULL;
    bool plain = hs_expression_info(find, HS_FLAG_DOTALL, &info, &failure) == HS_SUCCESS;
    free(info);
    hs_free_compile_error(failure);
    return plain ? HS_FLAG_DOTALL : HS_FLAG_DOTALL | HS_FLAG_PREFILTER;
}

/* What nearly every machine of the last ten years has. */
static const hs_platform_info_t common_platform = {.cpu_features = HS_CPU_FEATURES_AVX2};

static struct error *compile_mode(struct secret_database *database, int mode,
                                  const struct secret_rule *const *rules, size_t count,
                                  bool portable)
{
    CLEANUP_ARENA struct arena arena = {0};
    const char **expressions = arena_array(&arena, count + 1, sizeof(*expressions));
    unsigned *flags = arena_array(&arena, count + 1, sizeof(*flags));
    unsigned *ids = arena_array(&arena, count + 1, sizeof(*ids));
    unsigned used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_for(rules[i], mode))
            continue;
        expressions[used] = rules[i]->find;
        flags[used] = flags_of(rules[i]->find);
        ids[used++] = (unsigned)i;
    }
    hs_compile_error_t *failure = NULL;
    if (used == 0 || hs_compile_multi(expressions, flags, ids, used, HS_MODE_BLOCK,
                                      portable ? &common_platform : NULL, &database->modes[mode],
                                      &failure) == HS_SUCCESS)
        return NULL;
    struct error *error =
        failure->expression < 0
            ? error_make(ERROR_INPUT, "the rules for secrets cannot be compiled: %s",
                         failure->message)
            : error_make(ERROR_INPUT, "the rule %s for secrets cannot be compiled: %s",
                         rules[ids[failure->expression]]->id, failure->message);
    hs_free_compile_error(failure);
    return error;
}

static struct error *make_scratch(struct secret_database *database)
{
    for (int mode = 0; mode < MODES; mode++)
        if (database->modes[mode] &&
            hs_alloc_scratch(database->modes[mode], &database->scratch) != HS_SUCCESS)
            return error_make(ERROR_SYSTEM, "no memory to look for secrets");
    return NULL;
}

static struct error *settle(struct secret_database **database, struct secret_database *made,
                            struct error *error)
{
    if (!error)
        error = make_scratch(made);
    if (error)
        secret_database_free(made);
    else
        *database = made;
    return error;
}

static struct secret_database *empty(void)
{
    struct secret_database *database = memory_alloc(sizeof(*database));
    *database = (struct secret_database){0};
    return database;
}

struct error *secret_database_make(struct secret_database **database,
                                   const struct secret_rule *const *rules, size_t count,
                                   bool portable)
{
    struct secret_database *made = empty();
    struct error *error = NULL;
    if (hs_valid_platform() != HS_SUCCESS)
        error = error_make(ERROR_SYSTEM, "this processor is too old to look for secrets on: it has "
                                         "no SSSE3; leave them out with --scanners vuln");
    for (int mode = 0; mode < MODES && !error; mode++)
        error = compile_mode(made, mode, rules, count, portable);
    return settle(database, made, error);
}

struct error *secret_database_write(const struct secret_database *database, struct buffer *out)
{
    for (int mode = 0; mode < MODES; mode++) {
        char *bytes = NULL;
        size_t size = 0;
        if (database->modes[mode] &&
            hs_serialize_database(database->modes[mode], &bytes, &size) != HS_SUCCESS)
            return error_make(ERROR_SYSTEM, "no memory to keep the rules for secrets");
        buffer_add_string(out, slice_make(bytes, size));
        free(bytes);
    }
    return NULL;
}

struct error *secret_database_read(struct secret_database **database, slice bytes)
{
    struct secret_database *made = empty();
    struct error *error = NULL;
    slice part;
    for (int mode = 0; mode < MODES && !error; mode++)
        if (!slice_pull_string(&bytes, &part) ||
            (part.len &&
             hs_deserialize_database(part.ptr, part.len, &made->modes[mode]) != HS_SUCCESS))
            error = error_make(ERROR_INPUT, "these rules are of another version or processor");
    return settle(database, made, error);
}

struct scan {
    secret_candidate *candidate;
    void *context;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    const struct scan *scan = context;
    (void)from, (void)flags;
    scan->candidate(scan->context, id, (size_t)to);
    return 0;
}

bool secret_database_scan(const struct secret_database *database, enum secret_mode mode,
                          slice bytes, secret_candidate *candidate, void *context)
{
    struct scan scan = {candidate, context};
    return !database->modes[mode] || bytes.len == 0 ||
           hs_scan(database->modes[mode], bytes.ptr, (unsigned)bytes.len, 0, database->scratch,
                   on_match, &scan) == HS_SUCCESS;
}

void secret_database_free(struct secret_database *database)
{
    if (!database)
        return;
    for (int mode = 0; mode < MODES; mode++)
        hs_free_database(database->modes[mode]);
    hs_free_scratch(database->scratch);
    free(database);
}
