#include "secret/matcher.h"
#include "secret/checks.h"
#include "base/limits.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { NEAR_BEFORE = 160, NEAR_AFTER = 80, SLACK = 16, FOLLOWS_WITHIN = 160 };

struct compiled {
    pcre2_code *pattern[SECRET_BYTES + 1]; /* for each mode */
    pcre2_code *near, *path;
    uint32_t group;
    bool broken;
};

struct compiled_allow {
    pcre2_code *path, *regex;
};

struct secret_matcher {
    const struct secret_allow *allows;
    struct compiled_allow *compiled_allows;
    size_t allow_count;
    const struct secret_rule *const *rules;
    size_t count;
    struct compiled *compiled;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

struct secret_matcher *secret_matcher_new(const struct secret_rule *const *rules, size_t count)
{
    struct secret_matcher *matcher = memory_alloc(sizeof(*matcher));
    *matcher = (struct secret_matcher){.rules = rules, .count = count};
    matcher->compiled = memory_alloc((count + 1) * sizeof(*matcher->compiled));
    memset(matcher->compiled, 0, (count + 1) * sizeof(*matcher->compiled));
    matcher->data = pcre2_match_data_create(64, NULL);
    matcher->limits = pcre2_match_context_create(NULL);
    if (!matcher->data || !matcher->limits)
        memory_exhausted();
    /* Whatever a pattern is like, a look ends. */
    pcre2_set_match_limit(matcher->limits, LIMIT_SECRET_MATCH_STEPS);
    pcre2_set_heap_limit(matcher->limits, LIMIT_SECRET_MATCH_KIB);
    return matcher;
}

static struct error *compile(const struct secret_rule *rule, const char *pattern, uint32_t flags,
                             pcre2_code **code)
{
    int number;
    size_t offset;
    PCRE2_UCHAR why[200];
    *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, flags | PCRE2_NEVER_UTF,
                          &number, &offset, NULL);
    if (*code)
        return NULL;
    pcre2_get_error_message(number, why, sizeof(why));
    return error_make(ERROR_INPUT, "the rule %s for secrets: %s, at byte %zu of \"%s\"", rule->id,
                      (char *)why, offset, pattern);
}

/* In bytes anything may stand beside a token; in text a letter or digit behind it belongs to it. */
static struct error *compile_pattern(const struct secret_rule *rule, enum secret_mode mode,
                                     pcre2_code **code)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice pattern = arena_format(&arena, "(?:%s)%s", rule->pattern,
                                 rule->edge_after && mode == SECRET_TEXT ? "(?![A-Za-z0-9])" : "");
    return compile(rule, pattern.ptr, PCRE2_DOTALL, code);
}

static struct error *prepare(struct secret_matcher *matcher, size_t at)
{
    const struct secret_rule *rule = matcher->rules[at];
    struct compiled *compiled = &matcher->compiled[at];
    if (compiled->pattern[SECRET_TEXT] || compiled->broken)
        return NULL;
    compiled->broken = true;
    for (int mode = 0; mode <= SECRET_BYTES; mode++)
        TRY(compile_pattern(rule, mode, &compiled->pattern[mode]));
    if (rule->near[0])
        TRY(compile(rule, rule->near, PCRE2_CASELESS, &compiled->near));
    if (rule->path)
        TRY(compile(rule, rule->path, 0, &compiled->path));
    int group =
        pcre2_substring_number_from_name(compiled->pattern[SECRET_TEXT], (PCRE2_SPTR) "secret");
    compiled->group = group > 0 ? (uint32_t)group : 0;
    compiled->broken = false;
    return NULL;
}

struct error *secret_matcher_check(struct secret_matcher *matcher)
{
    for (size_t i = 0; i < matcher->count; i++)
        TRY(matcher->rules[i]->own ? prepare(matcher, i) : NULL);
    return NULL;
}

static bool is_word(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c);
}

static bool is_hex(char c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

/* A letter before a token makes it part of a word; not so the last one of "\n", "%3D" or "\u003d",
 * with which text is written inside other text. */
static bool edge_before(slice region, size_t start)
{
    const char *at = region.ptr + start;
    if (start == 0 || !is_word(at[-1]))
        return true;
    if (start >= 2 && at[-2] == '\\' && strchr("nrtbf", at[-1]))
        return true;
    if (start >= 3 && at[-3] == '%' && is_hex(at[-2]) && is_hex(at[-1]))
        return true;
    return start >= 6 && at[-6] == '\\' && at[-5] == 'u' && at[-4] == '0' && at[-3] == '0' &&
           is_hex(at[-2]) && is_hex(at[-1]);
}

static bool edge_holds(const struct secret_rule *rule, enum secret_mode mode, slice region,
                       const struct secret_match *match)
{
    return mode == SECRET_BYTES || !rule->edge_before || edge_before(region, match->secret_start);
}

static bool is_near(struct secret_matcher *matcher, const struct compiled *compiled, slice region,
                    const struct secret_match *match)
{
    size_t from = match->start > NEAR_BEFORE ? match->start - NEAR_BEFORE : 0;
    slice around = slice_first(slice_from(region, from), match->end - from + NEAR_AFTER);
    return pcre2_match(compiled->near, (PCRE2_SPTR)around.ptr, around.len, 0, 0, matcher->data,
                       matcher->limits) >= 0;
}

static bool checks_hold(struct secret_matcher *matcher, size_t at, enum secret_mode mode,
                        slice region, const struct secret_match *match)
{
    const struct secret_rule *rule = matcher->rules[at];
    const struct compiled *compiled = &matcher->compiled[at];
    slice secret =
        slice_make(region.ptr + match->secret_start, match->secret_end - match->secret_start);
    return secret.len && edge_holds(rule, mode, region, match) &&
           (rule->own || !secret_is_placeholder(secret)) &&
           secret_checks_hold(rule->checks, secret) &&
           (!compiled->near || is_near(matcher, compiled, region, match));
}

bool secret_matcher_look(struct secret_matcher *matcher, size_t at, enum secret_mode mode,
                         slice region, size_t from, size_t end, struct secret_match *match)
{
    CLEANUP_ERROR struct error *error = prepare(matcher, at);
    const struct compiled *compiled = &matcher->compiled[at];
    const struct secret_rule *rule = matcher->rules[at];
    size_t reach = (size_t)rule->reach + SLACK;
    if (error || compiled->broken)
        return false;
    size_t last = rule->follows ? end + FOLLOWS_WITHIN : end; /* where a match may begin */
    if (rule->follows && from < end)
        from = end;
    if (!rule->follows && end > reach && from < end - reach)
        from = end - reach;
    slice subject = slice_first(region, last + reach);
    while (from < last && from < subject.len) {
        int code = pcre2_match(compiled->pattern[mode], (PCRE2_SPTR)subject.ptr, subject.len, from,
                               0, matcher->data, matcher->limits);
        if (code < 0)
            return false;
        const size_t *places = pcre2_get_ovector_pointer(matcher->data);
        size_t group = 2 * (size_t)compiled->group;
        *match = (struct secret_match){.start = places[0], .end = places[1]};
        match->secret_start = places[group];
        match->secret_end = places[group + 1];
        if (match->start >= last)
            return false;
        if (match->end >= end && match->secret_start != PCRE2_UNSET) {
            match->holds = checks_hold(matcher, at, mode, region, match);
            return true;
        }
        from = match->end > from ? match->end : from + 1;
    }
    return false;
}

struct error *secret_matcher_allow(struct secret_matcher *matcher,
                                   const struct secret_allow *allows, size_t count)
{
    matcher->compiled_allows = memory_alloc((count + 1) * sizeof(*matcher->compiled_allows));
    memset(matcher->compiled_allows, 0, (count + 1) * sizeof(*matcher->compiled_allows));
    matcher->allows = allows;
    matcher->allow_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct secret_rule named = {.id = allows[i].id};
        struct compiled_allow *compiled = &matcher->compiled_allows[i];
        if (allows[i].path)
            TRY(compile(&named, allows[i].path, 0, &compiled->path));
        if (allows[i].regex)
            TRY(compile(&named, allows[i].regex, 0, &compiled->regex));
    }
    return NULL;
}

static bool matches(struct secret_matcher *matcher, const pcre2_code *code, slice text)
{
    return pcre2_match(code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, matcher->data,
                       matcher->limits) >= 0;
}

bool secret_matcher_is_for(struct secret_matcher *matcher, size_t rule, slice path)
{
    CLEANUP_ERROR struct error *error = prepare(matcher, rule);
    const struct compiled *compiled = &matcher->compiled[rule];
    return !compiled->path || matches(matcher, compiled->path, path);
}

static bool allow_holds(struct secret_matcher *matcher, const struct compiled_allow *allow,
                        slice path, slice secret)
{
    return (!allow->path || matches(matcher, allow->path, path)) &&
           (!allow->regex || matches(matcher, allow->regex, secret));
}

const char *secret_matcher_allowed_by(struct secret_matcher *matcher, size_t rule, slice path,
                                      slice secret)
{
    for (size_t i = 0; i < matcher->allow_count; i++) {
        const char *only = matcher->allows[i].rule;
        if ((!only || strcmp(only, matcher->rules[rule]->id) == 0) &&
            allow_holds(matcher, &matcher->compiled_allows[i], path, secret))
            return matcher->allows[i].id;
    }
    return NULL;
}

void secret_matcher_free(struct secret_matcher *matcher)
{
    if (!matcher)
        return;
    for (size_t i = 0; i < matcher->count; i++) {
        for (int mode = 0; mode <= SECRET_BYTES; mode++)
            pcre2_code_free(matcher->compiled[i].pattern[mode]);
        pcre2_code_free(matcher->compiled[i].near);
        pcre2_code_free(matcher->compiled[i].path);
    }
    for (size_t i = 0; i < matcher->allow_count; i++) {
        pcre2_code_free(matcher->compiled_allows[i].path);
        pcre2_code_free(matcher->compiled_allows[i].regex);
    }
    free(matcher->compiled_allows);
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->limits);
    free(matcher->compiled);
    free(matcher);
}
