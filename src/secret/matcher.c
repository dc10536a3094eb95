#include "secret/matcher.h"
#include "secret/checks.h"
#include "secret/edges.h"
#include "secret/words.h"
#include "base/limits.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    NEAR_BEFORE = 160,
    NEAR_AFTER = 80,
    NEAR_WORD = 64, /* no word that is looked for near a match is longer */
    SLACK = 16,
    FOLLOWS_WITHIN = 160,
    FEW = 16,  /* starts that are tried one by one */
    BLOB = 256 /* letters of base64 around a token that make it a piece of them */
};

/* How far a region was searched for the words that stand near a rule's matches. */
struct nearness {
    uint64_t region; /* its number */
    size_t from, to;
    bool found;
    size_t at; /* the last that was found in it */
};

struct compiled {
    pcre2_code *pattern[SECRET_BYTES + 1]; /* for each mode */
    pcre2_code *near, *path;
    const uint8_t *firsts; /* a bit for each byte that a match may begin with; or NULL */
    uint8_t one_first[32]; /* the same where it is only one */
    struct nearness nearness;
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
    uint64_t region; /* number of the one that is looked at */
    uint64_t tries;  /* of expressions, so far */
    /* A run of letters of names in it: where it was first asked for, and its end. */
    size_t run_start, run_end;
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

void secret_matcher_begin(struct secret_matcher *matcher)
{
    matcher->region++;
    matcher->run_start = matcher->run_end = 0;
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
    return compile(rule, pattern.ptr, PCRE2_DOTALL | PCRE2_USE_OFFSET_LIMIT, code);
}

static void find_firsts(struct compiled *compiled)
{
    const pcre2_code *code = compiled->pattern[SECRET_TEXT];
    uint32_t kind = 0, unit = 0;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTBITMAP, &compiled->firsts) == 0 &&
        compiled->firsts)
        return;
    compiled->firsts = NULL;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &kind) || kind != 1 ||
        pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &unit) || unit > 255)
        return;
    compiled->one_first[unit / 8] |= (uint8_t)(1 << unit % 8);
    if (byte_is_alpha((char)unit)) /* it may be in any case */
        compiled->one_first[(unit ^ 0x20) / 8] |= (uint8_t)(1 << (unit ^ 0x20) % 8);
    compiled->firsts = compiled->one_first;
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
    find_firsts(compiled);
    compiled->broken = false;
    return NULL;
}

struct error *secret_matcher_check(struct secret_matcher *matcher)
{
    for (size_t i = 0; i < matcher->count; i++)
        TRY(matcher->rules[i]->own ? prepare(matcher, i) : NULL);
    return NULL;
}

/* -- what stands near a match ---------------------------------------------------------------------
 */

/* Whether the words are in that part of the region; *at is where. */
static bool search_near(struct secret_matcher *matcher, const struct compiled *compiled,
                        slice region, size_t from, size_t to, size_t *at)
{
    int code = pcre2_match(compiled->near, (PCRE2_SPTR)region.ptr + from, to - from, 0, 0,
                           matcher->data, matcher->limits);
    if (code >= 0)
        *at = from + pcre2_get_ovector_pointer(matcher->data)[0];
    return code >= 0;
}

/*
 * Whether the words stand around the match. Matches of a rule come in rising order, so what was
 * searched for one of them need not be searched again for the next.
 */
static bool is_near(struct secret_matcher *matcher, struct compiled *compiled, slice region,
                    const struct secret_match *match)
{
    struct nearness *known = &compiled->nearness;
    size_t from = match->start > NEAR_BEFORE ? match->start - NEAR_BEFORE : 0;
    size_t to = match->end + NEAR_AFTER < region.len ? match->end + NEAR_AFTER : region.len;
    if (known->region != matcher->region || from < known->from)
        *known = (struct nearness){.region = matcher->region, .from = from, .to = from};
    if (known->found && known->at >= from && known->at + NEAR_WORD <= to)
        return true;
    /* A word may stand across the end of what was searched. */
    size_t start = known->to > from + NEAR_WORD ? known->to - NEAR_WORD : from;
    bool direct = known->to > to || (known->found && known->at >= from);
    size_t at;
    if (direct)
        return search_near(matcher, compiled, region, from, to, &at);
    bool found = start < to && search_near(matcher, compiled, region, start, to, &at);
    known->from = from;
    known->to = found ? at + 1 : to;
    if (found)
        known->found = true, known->at = at;
    return found;
}

/* -- a look ---------------------------------------------------------------------------------------
 */

static bool checks_hold(struct secret_matcher *matcher, size_t at, slice region,
                        const struct secret_match *match)
{
    const struct secret_rule *rule = matcher->rules[at];
    struct compiled *compiled = &matcher->compiled[at];
    slice secret =
        slice_make(region.ptr + match->secret_start, match->secret_end - match->secret_start);
    return secret.len && (rule->own || !secret_is_placeholder(secret)) &&
           secret_checks_hold(rule->checks, secret) &&
           (!compiled->near || is_near(matcher, compiled, region, match));
}

uint64_t secret_matcher_tries(const struct secret_matcher *matcher)
{
    return matcher->tries;
}

void secret_matcher_window(const struct secret_rule *rule, size_t end, size_t *first, size_t *last)
{
    size_t reach = (size_t)rule->reach + SLACK;
    switch (rule->start) {
    case SECRET_STARTS_AT:
        *first = end;
        *last = end + 1;
        return;
    case SECRET_STARTS_BEHIND:
        *first = end;
        *last = end + FOLLOWS_WITHIN;
        return;
    case SECRET_STARTS_BEFORE:
        *first = end > rule->find_most ? end - rule->find_most : 0;
        *last = end >= rule->find_least ? end - rule->find_least + 1 : 0;
        return;
    case SECRET_STARTS_WITHIN:
        *first = end > reach ? end - reach : 0;
        *last = end;
        return;
    }
}

/* One match of the pattern that begins at or after `first`, at `first` itself if `anchored`. */
static enum secret_look_result match_once(struct secret_matcher *matcher, size_t at,
                                          enum secret_mode mode, slice subject, size_t first,
                                          bool anchored, struct secret_match *match)
{
    const struct compiled *compiled = &matcher->compiled[at];
    matcher->tries++;
    int code = pcre2_match(compiled->pattern[mode], (PCRE2_SPTR)subject.ptr, subject.len, first,
                           anchored ? PCRE2_ANCHORED : 0, matcher->data, matcher->limits);
    if (code == PCRE2_ERROR_NOMATCH)
        return SECRET_NOTHING;
    if (code < 0)
        return SECRET_TOO_MUCH;
    const size_t *places = pcre2_get_ovector_pointer(matcher->data);
    size_t group = 2 * (size_t)compiled->group;
    *match = (struct secret_match){places[0], places[1], places[group], places[group + 1]};
    return match->secret_start == PCRE2_UNSET ? SECRET_NOTHING : SECRET_HOLDS;
}

/* A string with its length in front is all that a pattern may look at. */
static bool match_counted(struct secret_matcher *matcher, size_t at, enum secret_mode mode,
                          slice region, size_t start, struct secret_match *match)
{
    size_t end = secret_counted_end(region, start, mode == SECRET_BYTES);
    return end != SIZE_MAX && match_once(matcher, at, SECRET_TEXT, slice_first(region, end), start,
                                         true, match) == SECRET_HOLDS;
}

/* In a program texts stand side by side with nothing between them: there a token that is no words
 * may begin and end anywhere. */
static bool is_among_strings(slice region, const struct secret_match *match)
{
    return !secret_looks_like_words(
        slice_make(region.ptr + match->secret_start, match->secret_end - match->secret_start));
}

static size_t encoded_before(slice region, size_t at)
{
    size_t count = 0;
    while (count < at && count < BLOB && secret_is_base64(region.ptr[at - count - 1]))
        count++;
    return count;
}

static size_t encoded_behind(slice region, size_t at)
{
    size_t count = 0;
    while (at + count < region.len && count < BLOB && secret_is_base64(region.ptr[at + count]))
        count++;
    return count;
}

/* In base64 of an image, a font or a program any token may stand by chance. */
static bool is_in_blob(slice region, const struct secret_match *match)
{
    return encoded_before(region, match->start) + encoded_behind(region, match->end) >= BLOB;
}

/* What matched there may be a piece of something longer. */
static bool stands_alone(struct secret_matcher *matcher, size_t at, enum secret_mode mode,
                         slice region, struct secret_match *match)
{
    const struct secret_rule *rule = matcher->rules[at];
    bool before = !rule->edge_before || secret_edge_before(region, match->start);
    bool after = !rule->edge_after || secret_edge_after(region, match->end);
    if (mode == SECRET_TEXT && rule->edge_before && is_in_blob(region, match))
        return false;
    if (before && after)
        return true;
    if (match_counted(matcher, at, mode, region, match->secret_start, match))
        return true;
    return mode == SECRET_BYTES && is_among_strings(region, match);
}

/* A window of few starts, each tried by itself: most have another first byte. */
static enum secret_look_result look_at_each(struct secret_matcher *matcher, size_t at,
                                            enum secret_mode mode, slice region, size_t first,
                                            size_t last, struct secret_match *match)
{
    const struct compiled *compiled = &matcher->compiled[at];
    const struct secret_rule *rule = matcher->rules[at];
    for (size_t start = first; start < last && start < region.len; start++) {
        unsigned char c = (unsigned char)region.ptr[start];
        if (compiled->firsts && !(compiled->firsts[c / 8] >> (c % 8) & 1))
            continue;
        bool edge = !rule->edge_before || secret_edge_before(region, start);
        if (edge || mode == SECRET_BYTES) {
            slice subject = slice_first(region, start + rule->reach + SLACK);
            enum secret_look_result result =
                match_once(matcher, at, mode, subject, start, true, match);
            if (result == SECRET_TOO_MUCH ||
                (result == SECRET_HOLDS && stands_alone(matcher, at, mode, region, match)))
                return result;
        }
        if (!edge && match_counted(matcher, at, mode, region, start, match) &&
            !(mode == SECRET_TEXT && is_in_blob(region, match)))
            return SECRET_HOLDS;
    }
    return SECRET_NOTHING;
}

static enum secret_look_result look_through(struct secret_matcher *matcher, size_t at,
                                            enum secret_mode mode, slice region, size_t first,
                                            size_t last, struct secret_match *match)
{
    slice subject = slice_first(region, last + matcher->rules[at]->reach + SLACK);
    while (first < last && first < subject.len) {
        pcre2_set_offset_limit(matcher->limits, last - 1);
        enum secret_look_result result =
            match_once(matcher, at, mode, subject, first, false, match);
        pcre2_set_offset_limit(matcher->limits, PCRE2_UNSET);
        if (result != SECRET_HOLDS || stands_alone(matcher, at, mode, region, match))
            return result;
        first = match->start + 1;
    }
    return SECRET_NOTHING;
}

static bool is_of_name(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c) || c == '_' || c == '.' || c == '-';
}

/*
 * Whether BETWEEN of rules/compile.py may match there: behind a few letters more of the name comes
 * one of few bytes. Names are found at each of their ends, in a long run at every byte of it, and
 * an expression is dear; the run's end is looked for once.
 */
static bool may_be_assigned(struct secret_matcher *matcher, slice region, size_t at)
{
    enum { MORE = 20, AHEAD = 256 };
    if (at < matcher->run_start || at + MORE >= matcher->run_end) {
        size_t end = at;
        while (end < region.len && end < at + AHEAD && is_of_name(region.ptr[end]))
            end++;
        matcher->run_start = at;
        matcher->run_end = end;
    }
    return matcher->run_end <= at + MORE && matcher->run_end < region.len &&
           region.ptr[matcher->run_end] &&
           strchr("\x1b\"'`])}\\ \t=:,(>", region.ptr[matcher->run_end]);
}

enum secret_look_result secret_matcher_look(struct secret_matcher *matcher, size_t at,
                                            enum secret_mode mode, slice region, size_t first,
                                            size_t last, struct secret_match *match)
{
    if (matcher->rules[at]->start == SECRET_STARTS_AT && !may_be_assigned(matcher, region, first))
        return SECRET_NOTHING;
    CLEANUP_ERROR struct error *error = prepare(matcher, at);
    if (error || matcher->compiled[at].broken || last <= first)
        return SECRET_NOTHING;
    enum secret_look_result result =
        last - first <= FEW ? look_at_each(matcher, at, mode, region, first, last, match)
                            : look_through(matcher, at, mode, region, first, last, match);
    if (result == SECRET_HOLDS && !checks_hold(matcher, at, region, match))
        return SECRET_FAILS;
    return result;
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
