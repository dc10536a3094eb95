#include "policy/dockerignore.h"
#include "base/go_text.h"
#include "base/limits.h"
#include "base/text.h"

#define BYTE_ORDER_MARK SLICE("\xef\xbb\xbf")
#define REPLACEMENT SLICE("\xef\xbf\xbd")

/* Expressions are the rarest: what has a shorter way is compared byte by byte. */
enum way { WAY_EXACT, WAY_PREFIX, WAY_SUFFIX, WAY_EXPRESSION };

struct dockerignore_pattern {
    slice text;
    size_t line;
    bool back; /* "!": takes back what lines before leave out */
    enum way way;
    enum go_compiled compiled; /* told when it is asked: builders do with one that never is */
    struct go_expression expression;
};

static void add_character(struct buffer *out, slice *text)
{
    slice before = *text;
    if (utf8_length(before)) {
        go_pull_rune(text);
        buffer_add(out, slice_first(before, before.len - text->len));
    } else {
        go_pull_rune(text);
        buffer_add(out, REPLACEMENT);
    }
}

/* Writes what "**" stands for, whose second star and slash are pulled already. */
static enum way translate_folders(struct buffer *out, bool at_front, bool at_end, enum way way)
{
    enum way now = WAY_EXPRESSION;
    if (at_end && way == WAY_EXACT)
        now = WAY_PREFIX;
    else
        buffer_text(out, at_end ? ".*" : "(.*/)?");
    return at_front ? WAY_SUFFIX : now;
}

/* Writes a pattern as the expression that patternmatcher makes of it; returns how it compares. */
static enum way translate(struct buffer *out, slice pattern)
{
    enum way way = WAY_EXACT;
    slice rest = pattern;
    buffer_add_byte(out, '^');
    if (slice_starts(rest, BYTE_ORDER_MARK))
        rest = slice_from(rest, 3); /* text/scanner passes over it */
    for (bool at_front = true; rest.len; at_front = false) {
        char c = rest.ptr[0];
        if (slice_starts(rest, SLICE("**"))) {
            rest = slice_from(rest, 2);
            rest = slice_from(rest, slice_starts(rest, SLICE("/")));
            way = translate_folders(out, at_front, rest.len == 0, way);
            continue;
        }
        if (c == '*' || c == '?') {
            buffer_text(out, c == '*' ? "[^/]*" : "[^/]");
            rest = slice_from(rest, 1);
            way = WAY_EXPRESSION;
            continue;
        }
        if (c == '.' || c == '+' || c == '(' || c == ')' || c == '$')
            buffer_add_byte(out, '\\');
        else if (c == '[' || c == ']' || (c == '\\' && rest.len > 1))
            way = WAY_EXPRESSION;
        add_character(out, &rest);
        if (c == '\\' && rest.len)
            add_character(out, &rest);
    }
    buffer_add_byte(out, '$');
    return way;
}

static struct error *compile(struct dockerignore *ignore, struct dockerignore_pattern *pattern)
{
    CLEANUP_BUFFER struct buffer text = {0};
    pattern->way = translate(&text, pattern->text);
    if (pattern->way != WAY_EXPRESSION)
        return NULL;
    pattern->compiled =
        go_expression_compile(&ignore->expressions, buffer_slice(&text), &pattern->expression);
    if (pattern->compiled != GO_TOO_LARGE)
        return NULL;
    return error_make(ERROR_LIMIT, "%s:%zu: its patterns take more than the limit of %u states",
                      ignore->name, pattern->line, (unsigned)LIMIT_DOCKERIGNORE_STATES);
}

static struct error *refuse(const struct dockerignore *ignore, size_t line, slice pattern)
{
    return error_make(ERROR_INPUT,
                      "%s:%zu: \"%.*s\" is no pattern, and no builder takes it: mend the line",
                      ignore->name, line, SLICE_ARG(pattern));
}

/* patternmatcher's New, of one pattern. */
static struct error *add_pattern(struct dockerignore *ignore, size_t line, slice text)
{
    text = go_trim_space(text);
    if (text.len == 0)
        return NULL;
    text = go_clean_path(text, ignore->arena);
    struct dockerignore_pattern pattern = {.text = text, .line = line, .back = text.ptr[0] == '!'};
    pattern.text = slice_from(text, pattern.back);
    if (pattern.text.len == 0 || go_pattern_is_bad(pattern.text))
        return refuse(ignore, line, text);
    TRY(compile(ignore, &pattern));
    *(struct dockerignore_pattern *)list_add(&ignore->patterns, ignore->arena, sizeof(pattern)) =
        pattern;
    return NULL;
}

/* ignorefile's ReadAll, of one line. */
static struct error *read_line(struct dockerignore *ignore, size_t number, slice line)
{
    if (line.len > LIMIT_DOCKERIGNORE_LINE)
        return error_make(ERROR_LIMIT,
                          "%s:%zu: a line of more than %u bytes, which no builder takes",
                          ignore->name, number, (unsigned)LIMIT_DOCKERIGNORE_LINE);
    if (slice_starts(line, SLICE("#")))
        return NULL;
    line = go_trim_space(line);
    if (line.len == 0)
        return NULL;
    bool back = slice_starts(line, SLICE("!"));
    line = go_trim_space(slice_from(line, back));
    if (line.len)
        line = go_clean_path(line, ignore->arena);
    if (line.len > 1)
        line = slice_from(line, slice_starts(line, SLICE("/")));
    char *text = arena_alloc(ignore->arena, line.len + 1);
    text[0] = '!';
    memcpy(text + back, line.ptr, line.len);
    return add_pattern(ignore, number, slice_make(text, line.len + back));
}

struct error *dockerignore_read(struct dockerignore *ignore, const char *name, slice text,
                                struct arena *arena)
{
    slice line;
    *ignore = (struct dockerignore){.name = name, .arena = arena, .expressions.arena = arena};
    if (text.len > LIMIT_DOCKERIGNORE_BYTES)
        return error_make(ERROR_LIMIT, "%s has %zu bytes, more than the limit of %llu", name,
                          text.len, LIMIT_DOCKERIGNORE_BYTES);
    if (slice_starts(text, BYTE_ORDER_MARK))
        text = slice_from(text, 3);
    for (size_t number = 1; slice_pull(&text, '\n', &line); number++)
        TRY(read_line(ignore, number, line));
    go_expressions_finish(&ignore->expressions);
    ignore->of_folder = arena_array(arena, ignore->patterns.count + 1, sizeof(bool));
    return NULL;
}

/* The path, or with `parents` one of the folders that it is in. */
static bool is_equal(slice path, slice pattern, bool parents)
{
    return slice_equal(path, pattern) ||
           (parents && path.len > pattern.len && slice_starts(path, pattern) &&
            path.ptr[pattern.len] == '/');
}

static bool ends_in(slice path, slice suffix)
{
    return slice_ends(path, suffix) ||
           (slice_starts(suffix, SLICE("/")) && slice_equal(path, slice_from(suffix, 1)));
}

static bool has_suffix(slice path, slice suffix, bool parents)
{
    if (ends_in(path, suffix))
        return true;
    for (size_t at = 0; parents && at < path.len; at++)
        if (path.ptr[at] == '/' && ends_in(slice_first(path, at), suffix))
            return true;
    return false;
}

static struct error *match(struct dockerignore *ignore, const struct dockerignore_pattern *pattern,
                           slice path, bool parents, bool *matches)
{
    struct go_expressions *expressions = &ignore->expressions;
    if (pattern->compiled == GO_MALFORMED)
        return refuse(ignore, pattern->line, pattern->text);
    if (pattern->compiled == GO_UNICODE)
        return error_make(ERROR_INPUT,
                          "%s:%zu: \"\\p\" is a class of Unicode to a builder, which plimsoll does "
                          "not know: write \"p\"",
                          ignore->name, pattern->line);
    switch (pattern->way) {
    case WAY_EXACT:
        *matches = is_equal(path, pattern->text, parents);
        return NULL;
    case WAY_PREFIX:
        *matches = slice_starts(path, slice_first(pattern->text, pattern->text.len - 2));
        return NULL;
    case WAY_SUFFIX:
        *matches = has_suffix(path, slice_from(pattern->text, 2), parents);
        return NULL;
    default:
        *matches = go_expression_matches(expressions, &pattern->expression, path, parents);
    }
    if (expressions->steps <= LIMIT_DOCKERIGNORE_STEPS)
        return NULL;
    return error_make(ERROR_LIMIT,
                      "%s:%zu: the patterns so far take more than the limit of %llu steps for one "
                      "path",
                      ignore->name, pattern->line, (unsigned long long)LIMIT_DOCKERIGNORE_STEPS);
}

struct error *dockerignore_leaves_out(struct dockerignore *ignore, slice path, bool *out)
{
    const struct dockerignore_pattern *patterns = ignore->patterns.items;
    *out = false;
    ignore->expressions.steps = 0;
    for (size_t i = 0; i < ignore->patterns.count; i++) {
        bool matches = false;
        if (patterns[i].back != *out)
            continue;
        TRY(match(ignore, &patterns[i], path, true, &matches));
        *out = *out != matches;
    }
    return NULL;
}

/* One step of the way: a folder, or the file itself. */
static struct error *step(struct dockerignore *ignore, slice path, bool *out)
{
    const struct dockerignore_pattern *patterns = ignore->patterns.items;
    bool *of_folder = ignore->of_folder;
    *out = false;
    ignore->expressions.steps = 0;
    for (size_t i = 0; i < ignore->patterns.count; i++) {
        if (!of_folder[i] && patterns[i].back != *out)
            continue;
        if (!of_folder[i])
            TRY(match(ignore, &patterns[i], path, false, &of_folder[i]));
        if (of_folder[i])
            *out = !patterns[i].back;
    }
    return NULL;
}

struct error *dockerignore_leaves_out_stepwise(struct dockerignore *ignore, slice path, bool *out)
{
    memset(ignore->of_folder, 0, ignore->patterns.count * sizeof(bool));
    for (size_t at = 0; at < path.len; at++)
        if (path.ptr[at] == '/')
            TRY(step(ignore, slice_first(path, at), out));
    return step(ignore, path, out);
}

/* Whether a reader of the file would take the character away there. */
static bool is_trimmed(slice character)
{
    return go_trim_space(character).len == 0 || slice_equal(character, BYTE_ORDER_MARK);
}

bool dockerignore_add_line(struct buffer *out, slice path)
{
    slice rest = path;
    if (slice_find(path, '\n') != SIZE_MAX)
        return false;
    bool at_front = true;
    for (; rest.len; at_front = false) {
        slice character = slice_first(rest, utf8_length(rest));
        if (character.len == 0) {
            /* BuildKit hands patterns on as JSON, in which the byte is lost: in a class, the
             * character that it becomes stands for all that are none. */
            buffer_format(out, "[%.*s]", SLICE_ARG(REPLACEMENT));
            rest = slice_from(rest, 1);
            continue;
        }
        rest = slice_from(rest, character.len);
        if ((at_front || rest.len == 0) && is_trimmed(character)) {
            buffer_format(out, "[%.*s]", SLICE_ARG(character));
            continue;
        }
        if (strchr("*?[]\\^|{}", character.ptr[0]) ||
            (at_front && (character.ptr[0] == '!' || character.ptr[0] == '#')))
            buffer_add_byte(out, '\\');
        buffer_add(out, character);
    }
    return true;
}
