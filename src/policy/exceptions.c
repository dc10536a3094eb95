#include "policy/exceptions.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/map.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

const char *const exception_state_names[] = {"unused", "applied", "expired", "skipped"};

static void *arena_malloc(size_t size, void *arena)
{
    return arena_alloc(arena, size);
}

static void arena_forget(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

/* Of the whole name, without regard to case: ecosystems write their names in different ways. */
static struct error *compile(struct exception_key *key, struct arena *arena)
{
    int number;
    size_t offset;
    PCRE2_UCHAR why[200];
    pcre2_general_context *general =
        pcre2_general_context_create(arena_malloc, arena_forget, arena);
    pcre2_compile_context *context = general ? pcre2_compile_context_create(general) : NULL;
    if (!context)
        memory_exhausted();
    slice pattern = arena_format(arena, "\\A(?:%.*s)\\z", SLICE_ARG(key->wanted));
    key->compiled = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                                  PCRE2_CASELESS | PCRE2_NEVER_UTF, &number, &offset, context);
    if (key->compiled)
        return NULL;
    pcre2_get_error_message(number, why, sizeof(why));
    return error_make(ERROR_INPUT, "\"%.*s\" is no regular expression: %s", SLICE_ARG(key->wanted),
                      (char *)why);
}

struct error *exception_add_key(struct exception *exception, enum exception_field field,
                                enum exception_way way, slice wanted, struct arena *arena)
{
    struct exception_key key = {.field = field, .way = way, .wanted = wanted};
    if (wanted.len == 0)
        return error_make(ERROR_INPUT, "the %s is empty", exception_field_names[field]);
    if (wanted.len > LIMIT_FIELD_BYTES)
        return error_make(ERROR_LIMIT, "the %s is longer than the limit of %llu bytes",
                          exception_field_names[field], LIMIT_FIELD_BYTES);
    if (way == WAY_GLOB && !glob_valid(wanted))
        return error_make(ERROR_INPUT, "\"%.*s\" is no pattern: a bracket or brace is not closed",
                          SLICE_ARG(wanted));
    if (way == WAY_REGEX)
        TRY(compile(&key, arena));
    if (way == WAY_PURL) {
        key.compiled = ARENA_NEW(arena, struct purl);
        if (!purl_parse(key.compiled, wanted, arena))
            return error_make(ERROR_INPUT, "\"%.*s\" is no package URL; one begins with pkg:TYPE/",
                              SLICE_ARG(wanted));
    }
    exception->fields |= 1U << field;
    *(struct exception_key *)list_add(&exception->keys, arena, sizeof(key)) = key;
    return NULL;
}

static bool is_date(slice date)
{
    static const uint64_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year, month, day;
    if (date.len != strlen("2026-12-31") || date.ptr[4] != '-' || date.ptr[7] != '-' ||
        !slice_to_u64(slice_first(date, 4), &year) ||
        !slice_to_u64(slice_first(slice_from(date, 5), 2), &month) ||
        !slice_to_u64(slice_from(date, 8), &day) || month < 1 || month > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= days[month - 1] && (leap || month != 2 || day <= 28);
}

struct error *exception_set_until(struct exception *exception, slice date, struct arena *arena)
{
    slice day = slice_first(date, strlen("2026-12-31"));
    bool rest = date.len > day.len && date.ptr[day.len] != 'T' && date.ptr[day.len] != ' ';
    if (!is_date(day) || rest)
        return error_make(ERROR_INPUT, "\"%.*s\" is no date; write it as 2026-12-31",
                          SLICE_ARG(date));
    exception->until = arena_copy(arena, day);
    return NULL;
}

static slice in_words(const struct exception *exception, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct exception_key *keys = exception->keys.items;
    for (size_t i = 0; i < exception->keys.count; i++)
        if (keys[i].field == FIELD_ID)
            return keys[i].wanted;
    for (size_t i = 0; i < exception->keys.count; i++)
        buffer_format(&text, "%s%s %.*s", i ? ", " : "", exception_field_names[keys[i].field],
                      SLICE_ARG(keys[i].wanted));
    return arena_copy(arena, buffer_slice(&text));
}

struct error *exceptions_add(struct exceptions *exceptions, struct exception *exception,
                             struct arena *arena)
{
    if (exception->keys.count == 0)
        return error_make(ERROR_INPUT, "the entry does not say what it is for: everything would "
                                       "be hidden");
    if (exceptions->entries.count == LIMIT_IGNORE_ENTRIES)
        return error_make(ERROR_LIMIT, "there are more entries than the limit of %d",
                          LIMIT_IGNORE_ENTRIES);
    exception->what = in_words(exception, arena);
    *(struct exception **)list_add(&exceptions->entries, arena, sizeof(exception)) = exception;
    return NULL;
}

static bool has_run_out(const struct exception *exception, slice today)
{
    return exception->until.len && slice_compare(today, exception->until) >= 0;
}

static slice reason_of(const struct exception *exception, struct arena *arena)
{
    return exception->reason.len
               ? exception->reason
               : arena_format(arena, "named in %s, without a reason", exception->file);
}

static slice place_of(const struct exception *exception, struct arena *arena)
{
    return arena_format(arena, "%s:%zu", exception->file, exception->line);
}

/* What a later stage takes for a filter's doing gives way to what somebody wrote down. */
static void hide_finding(struct finding *finding, const struct exception *exception,
                         struct arena *arena)
{
    if (finding->excepted || (finding->suppressed_reason.len && finding->vex_status.len))
        return;
    finding->excepted = true;
    finding->suppressed_reason = reason_of(exception, arena);
    finding->suppressed_by = place_of(exception, arena);
    finding->suppressed_until = exception->until;
}

static void hide_place(struct secret_place *place, const struct exception *exception,
                       struct arena *arena)
{
    if (place->suppressed_reason.len)
        return;
    place->excepted = true;
    place->suppressed_reason = reason_of(exception, arena);
    place->suppressed_by = place_of(exception, arena);
    place->suppressed_until = exception->until;
}

/* Findings by every id that they have: most entries name one, and most findings have others. */
struct index {
    struct map by_id; /* of struct list: of size_t, which finding */
    size_t *seen;     /* for each finding: the entry that has looked at it last, from 1 */
};

static void index_id(struct index *index, slice id, size_t finding, struct arena *arena)
{
    struct list *list = map_get(&index->by_id, id);
    if (!list) {
        list = ARENA_NEW(arena, struct list);
        map_put(&index->by_id, id, list);
    }
    *(size_t *)list_add(list, arena, sizeof(size_t)) = finding;
}

static void index_make(struct index *index, const struct match_result *result, struct arena *arena)
{
    struct finding *const *findings = result->findings.items;
    *index = (struct index){.by_id = {.arena = arena}};
    index->seen = arena_array(arena, result->findings.count + 1, sizeof(size_t));
    for (size_t i = 0; i < result->findings.count; i++) {
        const slice *aliases = findings[i]->aliases.items;
        index_id(index, findings[i]->id, i, arena);
        for (size_t j = 0; j < findings[i]->aliases.count; j++)
            index_id(index, aliases[j], i, arena);
    }
}

/* An entry that is being applied. */
struct applying {
    struct exception *exception;
    const struct exception_scan *scan;
    struct index *index;
    size_t number; /* of the entry, from 1 */
    bool over;     /* its date has come */
    struct arena *arena;
};

static void look_at_finding(struct applying *at, size_t i)
{
    struct finding *finding = ((struct finding **)at->scan->result->findings.items)[i];
    struct exception_subject subject = {.target = at->scan->target, .finding = finding};
    if (at->index->seen[i] == at->number || !exception_holds(at->exception, &subject))
        return;
    at->index->seen[i] = at->number;
    at->exception->findings++;
    if (!at->over)
        hide_finding(finding, at->exception, at->arena);
}

static void look_at_findings(struct applying *at)
{
    const struct exception_key *keys = at->exception->keys.items;
    bool by_id = at->exception->fields & 1U << FIELD_ID;
    for (size_t i = 0; !by_id && i < at->scan->result->findings.count; i++)
        look_at_finding(at, i);
    for (size_t i = 0; by_id && i < at->exception->keys.count; i++) {
        const struct list *list =
            keys[i].field == FIELD_ID ? map_get(&at->index->by_id, keys[i].wanted) : NULL;
        for (size_t j = 0; list && j < list->count; j++)
            look_at_finding(at, ((const size_t *)list->items)[j]);
    }
}

/* Place by place: a secret that also stands elsewhere is there all the same. */
static void look_at_secret(struct applying *at, struct image_secret *secret)
{
    struct secret_place *places = secret->places.items;
    bool any = false;
    for (size_t i = 0; i < secret->places.count; i++) {
        struct exception_subject subject = {
            .target = at->scan->target, .secret = secret, .place = &places[i]};
        if (!exception_holds(at->exception, &subject))
            continue;
        any = true;
        if (!at->over)
            hide_place(&places[i], at->exception, at->arena);
    }
    if (!any)
        return;
    at->exception->findings++;
    image_secret_settle(secret);
}

static void look_at_secrets(struct applying *at)
{
    struct image_secret *secrets = at->scan->secrets->items;
    for (size_t i = 0; i < at->scan->secrets->count; i++)
        look_at_secret(at, &secrets[i]);
}

static enum exception_state state_of(const struct applying *at)
{
    const struct exception_scan *scan = at->scan;
    unsigned looked_for = (scan->vulnerabilities_wanted ? EXCEPT_FINDINGS : 0) |
                          (scan->secrets_wanted ? EXCEPT_SECRETS : 0);
    if (at->over)
        return EXCEPTION_EXPIRED;
    if (at->exception->findings)
        return EXCEPTION_APPLIED;
    return at->exception->kinds & looked_for ? EXCEPTION_UNUSED : EXCEPTION_SKIPPED;
}

void exceptions_apply(struct exceptions *exceptions, const struct exception_scan *scan,
                      struct arena *arena)
{
    struct exception **entries = exceptions->entries.items;
    struct index index;
    if (exceptions->entries.count == 0)
        return;
    index_make(&index, scan->result, arena);
    for (size_t i = 0; i < exceptions->entries.count; i++) {
        struct applying at = {entries[i], scan, &index, i + 1, has_run_out(entries[i], scan->today),
                              arena};
        if (entries[i]->kinds & EXCEPT_FINDINGS)
            look_at_findings(&at);
        if (entries[i]->kinds & EXCEPT_SECRETS)
            look_at_secrets(&at);
        entries[i]->state = state_of(&at);
    }
}

size_t exceptions_count(const struct exceptions *exceptions, const char *file,
                        enum exception_state state, size_t *found)
{
    struct exception *const *entries = exceptions->entries.items;
    size_t count = 0;
    for (size_t i = 0; i < exceptions->entries.count; i++)
        if (entries[i]->state == state && strcmp(entries[i]->file, file) == 0) {
            count++;
            *found += entries[i]->findings;
        }
    return count;
}
