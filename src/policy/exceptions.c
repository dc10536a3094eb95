#include "policy/exceptions.h"
#include "base/glob.h"
#include "base/limits.h"

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

static void hide_secret(struct image_secret *secret, const struct exception *exception,
                        struct arena *arena)
{
    if (secret->suppressed_reason.len)
        return;
    secret->excepted = true;
    secret->suppressed_reason = reason_of(exception, arena);
    secret->suppressed_by = place_of(exception, arena);
    secret->suppressed_until = exception->until;
}

static void apply_one(struct exception *exception, const struct exception_scan *scan,
                      struct arena *arena)
{
    struct finding **findings = scan->result->findings.items;
    struct image_secret *secrets = scan->secrets->items;
    bool over = has_run_out(exception, scan->today);
    for (size_t i = 0; (exception->kinds & EXCEPT_FINDINGS) && i < scan->result->findings.count;
         i++) {
        struct exception_subject subject = {.target = scan->target, .finding = findings[i]};
        if (!exception_holds(exception, &subject))
            continue;
        exception->findings++;
        if (!over)
            hide_finding(findings[i], exception, arena);
    }
    for (size_t i = 0; (exception->kinds & EXCEPT_SECRETS) && i < scan->secrets->count; i++) {
        struct exception_subject subject = {.target = scan->target, .secret = &secrets[i]};
        if (!exception_holds(exception, &subject))
            continue;
        exception->findings++;
        if (!over)
            hide_secret(&secrets[i], exception, arena);
    }
    unsigned looked_for = (scan->vulnerabilities_wanted ? EXCEPT_FINDINGS : 0) |
                          (scan->secrets_wanted ? EXCEPT_SECRETS : 0);
    exception->state = over                              ? EXCEPTION_EXPIRED
                       : exception->findings             ? EXCEPTION_APPLIED
                       : (exception->kinds & looked_for) ? EXCEPTION_UNUSED
                                                         : EXCEPTION_SKIPPED;
}

void exceptions_apply(struct exceptions *exceptions, const struct exception_scan *scan,
                      struct arena *arena)
{
    struct exception **entries = exceptions->entries.items;
    for (size_t i = 0; i < exceptions->entries.count; i++)
        apply_one(entries[i], scan, arena);
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
