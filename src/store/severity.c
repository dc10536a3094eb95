/* Which ids are one vulnerability, and what is known of its severity under any of them. */
#include "store/store.h"
#include "base/limits.h"
#include "store/lookup.h"

/* --- the CVEs of an id ------------------------------------------------------------------------ */

/*
 * Ids reached from one, each once, in the order of the steps taken. A CVE is an end: two advisories
 * that share one are the same vulnerability by it, but what else one of them names is not. Aliases
 * may go in circles and a hostile feed may name one id a million times: LIMIT_ALIASES_FOLLOWED and
 * ROWS_LOOKED_AT end the search, with what was found so far.
 */
enum { ROWS_LOOKED_AT = 10000 };

struct reached {
    struct arena *arena;
    size_t rows_left; /* of ROWS_LOOKED_AT */
    slice ids[LIMIT_ALIASES_FOLLOWED];
    size_t count;
    uint16_t slots[4096]; /* 1 + index into ids, by hash: a power of two, more than twice the ids */
};

static void reach(struct reached *reached, slice id)
{
    _Static_assert(LIMIT_ALIASES_FOLLOWED * 2 < 4096, "room for the hash table");
    size_t mask = sizeof(reached->slots) / sizeof(reached->slots[0]) - 1;
    size_t at = slice_hash(id) & mask;
    for (; reached->slots[at]; at = (at + 1) & mask)
        if (slice_equal(reached->ids[reached->slots[at] - 1], id))
            return;
    if (reached->count == LIMIT_ALIASES_FOLLOWED)
        return;
    reached->ids[reached->count++] = arena_copy(reached->arena, id);
    reached->slots[at] = (uint16_t)reached->count;
}

static bool is_cve(slice id)
{
    return slice_starts(id, SLICE("CVE-"));
}

static void reach_names(struct reached *reached, const struct advisory_body *body)
{
    for (size_t i = 0; i < body->alias_count; i++)
        reach(reached, body->aliases[i]);
    /* Derived from exactly one vulnerability, it is that vulnerability under another name. */
    if (body->upstream_count == 1)
        reach(reached, body->upstream[0]);
}

static struct error *unpack_advisory(struct store *store, struct arena *arena, slice name,
                                     slice packed, struct advisory_body *body)
{
    if (name.len && advisory_unpack(arena, packed, name, body))
        return NULL;
    return database_damaged(&store->database, "an advisory's names cannot be read");
}

/* What the advisories of that id name. */
static struct error *reach_from(struct store *store, struct arena *scratch, struct reached *reached,
                                slice id)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(store_statement(store, QUERY_ADVISORY_NAMED, &statement));
    bind_text(statement, 1, id);
    TRY(database_row(&store->database, statement, &row));
    while (row) {
        struct advisory_body body;
        TRY(unpack_advisory(store, scratch, column_bytes(statement, 1), column_bytes(statement, 2),
                            &body));
        reach_names(reached, &body);
        TRY(database_row(&store->database, statement, &row));
    }
    return NULL;
}

/* The advisories that name that id as an alias of theirs, and what else they name. */
static struct error *reach_back_from(struct store *store, struct arena *scratch,
                                     struct reached *reached, slice id)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(store_statement(store, QUERY_ADVISORIES_NAMING, &statement));
    bind_text(statement, 1, id);
    TRY(database_row(&store->database, statement, &row));
    for (; row && reached->rows_left; reached->rows_left--) {
        if (sqlite3_column_int(statement, 0) == ALIAS_SAME) {
            struct advisory_body body;
            slice name = column_bytes(statement, 1);
            TRY(unpack_advisory(store, scratch, name, column_bytes(statement, 2), &body));
            reach(reached, name);
            reach_names(reached, &body);
        }
        TRY(database_row(&store->database, statement, &row));
    }
    sqlite3_reset(statement);
    return NULL;
}

static struct error *follow_aliases(struct store *store, struct arena *scratch, slice id,
                                    struct reached **found)
{
    struct reached *reached = ARENA_NEW(scratch, struct reached);
    *found = reached;
    reached->arena = scratch;
    reached->rows_left = ROWS_LOOKED_AT;
    reach(reached, id);
    for (size_t next = 0; next < reached->count; next++) {
        slice at = reached->ids[next];
        if (is_cve(at))
            continue;
        TRY(reach_from(store, scratch, reached, at));
        TRY(reach_back_from(store, scratch, reached, at));
    }
    return NULL;
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

struct error *store_cves_of(struct store *store, struct arena *arena, slice id, const slice **cves,
                            size_t *count)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct reached *reached;
    struct list found = {0};
    *cves = NULL;
    *count = 0;
    TRY(follow_aliases(store, &scratch, id, &reached));
    for (size_t i = 0; i < reached->count; i++)
        if (is_cve(reached->ids[i]))
            *(slice *)list_add(&found, arena, sizeof(slice)) = arena_copy(arena, reached->ids[i]);
    if (found.count)
        qsort(found.items, found.count, sizeof(slice), compare_slices);
    *cves = found.items;
    *count = found.count;
    return NULL;
}

/* --- severities ------------------------------------------------------------------------------- */

/* In the order in which they are given out; within one by source, the newest CVSS first. */
enum severity_rank {
    RANK_OWN_VECTOR,
    RANK_CVE_VECTOR,
    RANK_OTHER_VECTOR,
    RANK_OWN_WORD,
    RANK_CVE_WORD,
    RANK_OTHER_WORD
};
enum { RANKS_OF_WORDS = RANK_OWN_WORD - RANK_OWN_VECTOR };

struct ranked {
    struct severity_word word;
    enum severity_rank rank;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    int order = slice_compare(left->word.source, right->word.source);
    if (!order)
        order = slice_compare(right->word.vector, left->word.vector);
    return order ? order : slice_compare(left->word.word, right->word.word);
}

static void add_words(struct list *all, struct arena *arena, const struct severity_word *words,
                      size_t count, enum severity_rank rank)
{
    for (size_t i = 0; i < count; i++) {
        struct ranked *ranked = list_add(all, arena, sizeof(*ranked));
        ranked->word.source = arena_copy(arena, words[i].source);
        ranked->word.vector = arena_copy(arena, words[i].vector);
        ranked->word.word = arena_copy(arena, words[i].word);
        ranked->rank = words[i].vector.len ? rank : rank + RANKS_OF_WORDS;
    }
}

/* What the advisories of that id say. */
static struct error *add_named(struct store *store, struct arena *arena, slice id,
                               enum severity_rank rank, struct list *all)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(store_statement(store, QUERY_ADVISORY_NAMED, &statement));
    bind_text(statement, 1, id);
    TRY(database_row(&store->database, statement, &row));
    while (row) {
        struct advisory_body body;
        TRY(unpack_advisory(store, arena, column_bytes(statement, 1), column_bytes(statement, 2),
                            &body));
        add_words(all, arena, body.words, body.word_count, rank);
        TRY(database_row(&store->database, statement, &row));
    }
    return NULL;
}

static struct error *add_cve_record(struct store *store, struct arena *arena, slice cve,
                                    struct list *all)
{
    sqlite3_stmt *statement;
    int64_t number;
    bool row = false;
    if (!cve_number(cve, &number))
        return NULL;
    TRY(store_statement(store, QUERY_CVE, &statement));
    sqlite3_bind_int64(statement, 1, number);
    TRY(database_row(&store->database, statement, &row));
    if (!row)
        return NULL;
    const struct severity_word *words;
    size_t count;
    if (!words_unpack(arena, column_bytes(statement, 0), cve, &words, &count))
        return database_damaged(&store->database, "a CVE record's severities cannot be read");
    add_words(all, arena, words, count, RANK_CVE_VECTOR);
    sqlite3_reset(statement);
    return NULL;
}

/*
 * What other advisories say that name the id. An erratum repairs several vulnerabilities: its word
 * counts for each, a vector of it would be that of the worst and does not.
 */
static struct error *add_others(struct store *store, struct arena *arena, slice id,
                                struct reached *reached, struct list *all)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(store_statement(store, QUERY_ADVISORIES_NAMING, &statement));
    bind_text(statement, 1, id);
    TRY(database_row(&store->database, statement, &row));
    for (; row && reached->rows_left; reached->rows_left--) {
        struct advisory_body body;
        int kind = sqlite3_column_int(statement, 0);
        slice name = column_bytes(statement, 1);
        TRY(unpack_advisory(store, arena, name, column_bytes(statement, 2), &body));
        bool of_several = kind == ALIAS_PART || kind == ALIAS_REPAIRED;
        for (size_t i = 0; i < body.word_count && !slice_equal(name, reached->ids[0]); i++)
            if (!of_several || body.words[i].vector.len == 0)
                add_words(all, arena, &body.words[i], 1, RANK_OTHER_VECTOR);
        TRY(database_row(&store->database, statement, &row));
    }
    sqlite3_reset(statement);
    return NULL;
}

static const struct severity_word *order_words(struct arena *arena, struct list *all, size_t *count)
{
    struct ranked *ranked = all->items;
    struct severity_word *words = arena_array(arena, all->count, sizeof(*words));
    if (all->count)
        qsort(ranked, all->count, sizeof(*ranked), compare_ranked);
    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct severity_word *word = &ranked[i].word,
                                   *last = *count ? &words[*count - 1] : NULL;
        if (last && slice_equal(last->source, word->source) &&
            slice_equal(last->vector, word->vector) && slice_equal(last->word, word->word))
            continue;
        words[(*count)++] = *word;
    }
    return words;
}

struct error *store_severities(struct store *store, struct arena *arena, slice id,
                               const struct severity_word **words, size_t *count)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct list all = {0};
    struct reached *reached;
    *words = NULL;
    *count = 0;
    TRY(follow_aliases(store, &scratch, id, &reached));
    for (size_t i = 0; i < reached->count; i++) {
        slice at = reached->ids[i];
        TRY(add_named(store, arena, at, i == 0 ? RANK_OWN_VECTOR : RANK_OTHER_VECTOR, &all));
        if (is_cve(at))
            TRY(add_cve_record(store, arena, at, &all));
        TRY(add_others(store, arena, at, reached, &all));
    }
    *words = order_words(arena, &all, count);
    return NULL;
}
