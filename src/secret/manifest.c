#include "secret/manifest.h"
#include "base/limits.h"

enum {
    LEVELS = 32, /* mappings in mappings that are followed */
    BLOCKS = 4,  /* `data` and `stringData` of one mapping; more of them no cluster takes */
    TIMES = 8,   /* that the text's bytes are gone over for entries in flow style */
};

/* What stands behind `data:` or `stringData:`. */
struct block {
    size_t start; /* in the text, behind the colon */
    bool encoded;
};

/* A mapping in which one of the three keys stood. */
struct level {
    size_t indent;
    bool secret;
    size_t count;
    struct block blocks[BLOCKS];
};

struct walk {
    slice text;
    manifest_entry_found *found;
    void *context;
    size_t *budget; /* bytes that may still be gone over for entries in flow style */
    struct level levels[LEVELS];
    size_t depth;
};

/* -- one key and its value, in either style -------------------------------------------------------
 */

static char byte_at(slice text, size_t at)
{
    return at < text.len ? text.ptr[at] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static size_t pass_blanks(slice text, size_t at)
{
    while (is_blank(byte_at(text, at)))
        at++;
    return at;
}

/* A string in quotes, from the first one on; *after is behind the last one. False when it has no
 * end. */
static bool pull_quoted(slice text, size_t at, slice *value, size_t *after)
{
    char quote = text.ptr[at];
    for (size_t i = at + 1; i < text.len; i++) {
        if (quote == '"' && text.ptr[i] == '\\') {
            i++;
        } else if (quote == '\'' && text.ptr[i] == '\'' && byte_at(text, i + 1) == '\'') {
            i++;
        } else if (text.ptr[i] == quote) {
            *value = slice_make(text.ptr + at + 1, i - at - 1);
            *after = i + 1;
            return true;
        }
    }
    return false;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static void set_key(const struct walk *walk, struct level *level, slice key, slice value)
{
    bool encoded = slice_equal(key, SLICE("data"));
    if (slice_equal(key, SLICE("kind")))
        level->secret = slice_equal(value, SLICE("Secret"));
    else if (level->count < BLOCKS && (encoded || slice_equal(key, SLICE("stringData"))))
        level->blocks[level->count++] =
            (struct block){(size_t)(value.ptr - walk->text.ptr), encoded};
}

static bool is_one_of_three(slice key)
{
    return slice_is_among(key, "kind data stringData");
}

static void tell(const struct walk *walk, slice name, slice value, char quote, bool encoded)
{
    const struct manifest_entry entry = {name, value, quote, encoded};
    if (name.len && value.len)
        walk->found(walk->context, &entry);
}

/* -- flow style, and so JSON ----------------------------------------------------------------------
 */

static size_t pass_flow_space(slice text, size_t at)
{
    while (at < text.len) {
        char c = text.ptr[at];
        if (c == '#') {
            size_t end = slice_find(slice_from(text, at), '\n');
            at = end == SIZE_MAX ? text.len : at + end;
        } else if (is_blank(c) || c == '\n' || c == ',') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

/* A string, or a plain scalar up to what ends one; *after is behind it, and moves on always. */
static slice pull_flow_scalar(slice text, size_t at, bool key, size_t *after, char *quote)
{
    slice value;
    *quote = is_quote(byte_at(text, at)) ? text.ptr[at] : '\0';
    if (*quote && pull_quoted(text, at, &value, after))
        return value;
    *quote = '\0';
    size_t end = at;
    while (end < text.len && !strchr("{}[],\n", text.ptr[end] ? text.ptr[end] : '\n') &&
           !(key && text.ptr[end] == ':'))
        end++;
    *after = end > at ? end : at + 1;
    return slice_trim(slice_make(text.ptr + at, end - at));
}

/* Passes over a list or mapping. */
static size_t pass_brackets(slice text, size_t at)
{
    size_t depth = 0;
    slice quoted;
    while (at < text.len) {
        char c = text.ptr[at];
        size_t after = at + 1;
        if (is_quote(c) && !pull_quoted(text, at, &quoted, &after))
            return text.len;
        depth += c == '{' || c == '[';
        depth -= depth && (c == '}' || c == ']');
        at = after;
        if (depth == 0)
            break;
    }
    return at;
}

/* One member of a mapping, told if it is no mapping itself; returns where the next one may begin.
 */
static size_t tell_member(const struct walk *walk, slice text, size_t at, bool encoded)
{
    char quote;
    slice name = pull_flow_scalar(text, at, true, &at, &quote);
    at = pass_flow_space(text, at);
    if (byte_at(text, at) != ':')
        return at;
    at = pass_flow_space(text, at + 1);
    if (byte_at(text, at) == '{' || byte_at(text, at) == '[')
        return pass_brackets(text, at);
    if (at >= text.len || text.ptr[at] == '}')
        return at;
    slice value = pull_flow_scalar(text, at, false, &at, &quote);
    tell(walk, name, value, quote, encoded);
    return at;
}

/* A mapping without an end would be gone over to the end of the text, each of many. */
static void tell_flow_entries(const struct walk *walk, const struct block *block)
{
    slice text = slice_first(walk->text, block->start + *walk->budget);
    size_t at = pass_flow_space(text, block->start + 1);
    while (at < text.len && text.ptr[at] != '}' && text.ptr[at] != ']')
        at = pass_flow_space(text, tell_member(walk, text, at, block->encoded));
    *walk->budget -= at - block->start < *walk->budget ? at - block->start : *walk->budget;
}

static size_t walk_flow(const struct walk *walk, size_t at, unsigned depth);

/* One member of a mapping, or item of a list; returns where the next one may begin. */
static size_t walk_member(const struct walk *walk, size_t at, struct level *level, unsigned depth)
{
    slice text = walk->text;
    char quote;
    if (text.ptr[at] == '{' || text.ptr[at] == '[')
        return walk_flow(walk, at, depth + 1);
    slice key = pull_flow_scalar(text, at, true, &at, &quote);
    at = pass_flow_space(text, at);
    if (byte_at(text, at) != ':')
        return at;
    at = pass_flow_space(text, at + 1);
    char first = byte_at(text, at);
    if (first == '{' && is_one_of_three(key))
        set_key(walk, level, key, slice_make(text.ptr + at, 1));
    if (first == '{' || first == '[')
        return walk_flow(walk, at, depth + 1);
    if (at >= text.len || first == '}' || first == ']')
        return at;
    slice value = pull_flow_scalar(text, at, false, &at, &quote);
    if (slice_equal(key, SLICE("kind")))
        set_key(walk, level, key, value);
    return at;
}

/* A mapping or list; returns where it ends. */
static size_t walk_flow(const struct walk *walk, size_t at, unsigned depth)
{
    slice text = walk->text;
    struct level level = {0};
    if (depth >= LIMIT_JSON_DEPTH)
        return pass_brackets(text, at);
    for (at = pass_flow_space(text, at + 1); at < text.len; at = pass_flow_space(text, at)) {
        if (text.ptr[at] == '}' || text.ptr[at] == ']') {
            at++;
            break;
        }
        at = walk_member(walk, at, &level, depth);
    }
    for (size_t i = 0; level.secret && i < level.count; i++)
        tell_flow_entries(walk, &level.blocks[i]);
    return at;
}

/* -- block style, line by line --------------------------------------------------------------------
 */

struct line {
    slice text;   /* without its end */
    size_t start; /* in the walk's text */
    size_t next;  /* the line behind it */
    size_t indent;
};

static bool pull_line(slice text, size_t at, struct line *line)
{
    if (at >= text.len)
        return false;
    slice rest = slice_from(text, at);
    slice found = slice_first(rest, slice_find(rest, '\n'));
    *line = (struct line){.text = found, .start = at, .next = at + found.len + 1};
    if (found.len && found.ptr[found.len - 1] == '\r')
        line->text.len--;
    while (byte_at(line->text, line->indent) == ' ')
        line->indent++;
    return true;
}

static size_t end_of_word(slice text)
{
    size_t at = 0;
    while (at < text.len && !is_blank(text.ptr[at]))
        at++;
    return at;
}

/* Empty lines, comments, and those of a template that are nothing else. */
static bool is_passed_over(const struct line *line)
{
    slice content = slice_trim(line->text);
    return content.len == 0 || content.ptr[0] == '#' || slice_starts(content, SLICE("{{"));
}

/* "key: value" from column `at` of a line on. */
static bool split_line(const struct line *line, size_t at, slice *key, slice *value)
{
    slice text = line->text;
    size_t colon;
    if (is_quote(byte_at(text, at))) {
        if (!pull_quoted(text, at, key, &colon))
            return false;
        colon = pass_blanks(text, colon);
    } else {
        colon = at;
        while (colon < text.len &&
               (text.ptr[colon] != ':' || (colon + 1 < text.len && !is_blank(text.ptr[colon + 1]))))
            colon++;
        *key = slice_trim(slice_make(text.ptr + at, colon < text.len ? colon - at : 0));
    }
    if (byte_at(text, colon) != ':')
        return false;
    *value = slice_from(text, pass_blanks(text, colon + 1));
    while (value->len && (value->ptr[0] == '!' || value->ptr[0] == '&')) /* a tag, an anchor */
        *value = slice_from(*value, pass_blanks(*value, end_of_word(*value)));
    return true;
}

/* A scalar on its line: without its quotes, or without the remark behind it. */
static slice scalar_of(slice rest, char *quote)
{
    slice value;
    size_t after;
    *quote = is_quote(byte_at(rest, 0)) ? rest.ptr[0] : '\0';
    if (*quote)
        return pull_quoted(rest, 0, &value, &after) ? value : SLICE_EMPTY;
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] == '#' && (i == 0 || is_blank(rest.ptr[i - 1])))
            rest = slice_first(rest, i);
    return slice_trim(rest);
}

/* The lines that lie deeper than `indent`, from `at` on; *end is where they end. */
static slice deeper_lines(slice text, size_t at, size_t indent, size_t *end)
{
    struct line line;
    size_t start = at, last = at;
    while (pull_line(text, at, &line) && (is_passed_over(&line) || line.indent > indent)) {
        at = line.next;
        if (slice_trim(line.text).len)
            last = line.start + line.text.len;
    }
    *end = at;
    return slice_trim(slice_make(text.ptr + start, last - start));
}

/* One entry; returns where the next one begins. */
static size_t tell_entry(const struct walk *walk, const struct line *line, bool encoded)
{
    slice name, rest;
    size_t end = line->next;
    char quote = '\0';
    if (!split_line(line, line->indent, &name, &rest))
        return end;
    char first = byte_at(rest, 0);
    bool lines = first == '|' || first == '>' || rest.len == 0;
    slice value =
        lines ? deeper_lines(walk->text, line->next, line->indent, &end) : scalar_of(rest, &quote);
    tell(walk, name, value, lines ? '\0' : quote, encoded);
    return end;
}

static void tell_entries(const struct walk *walk, const struct block *block, size_t indent)
{
    struct line line;
    slice text = walk->text;
    size_t end = slice_find(slice_from(text, block->start), '\n');
    if (byte_at(text, block->start) == '{') {
        tell_flow_entries(walk, block);
        return;
    }
    size_t at = end == SIZE_MAX ? text.len : block->start + end + 1, entries = 0;
    while (pull_line(text, at, &line)) {
        at = line.next;
        if (is_passed_over(&line))
            continue;
        if (line.indent <= indent)
            return;
        entries = entries ? entries : line.indent;
        if (line.indent == entries)
            at = tell_entry(walk, &line, block->encoded);
    }
}

/* Mappings whose keys stand at column `least` or behind it end. */
static void close_levels(struct walk *walk, size_t least)
{
    for (; walk->depth && walk->levels[walk->depth - 1].indent >= least; walk->depth--) {
        const struct level *level = &walk->levels[walk->depth - 1];
        for (size_t i = 0; level->secret && i < level->count; i++)
            tell_entries(walk, &level->blocks[i], level->indent);
    }
}

static struct level *level_at(struct walk *walk, size_t indent)
{
    if (walk->depth && walk->levels[walk->depth - 1].indent == indent)
        return &walk->levels[walk->depth - 1];
    if (walk->depth == LEVELS)
        return NULL;
    struct level *level = &walk->levels[walk->depth++];
    *level = (struct level){.indent = indent};
    return level;
}

static bool is_dash(slice text, size_t at)
{
    return byte_at(text, at) == '-' && (at + 1 == text.len || is_blank(text.ptr[at + 1]));
}

/* A manifest in flow style that is an item of a list: only as far as its line goes. */
static void walk_flow_item(const struct walk *walk, const struct line *line, size_t at)
{
    struct walk inner = {.found = walk->found, .context = walk->context, .budget = walk->budget};
    inner.text = slice_first(walk->text, line->start + line->text.len);
    walk_flow(&inner, line->start + at, 0);
}

/* A line of a mapping, at its column: behind the dash of a list where there is one. */
static void walk_line(struct walk *walk, const struct line *line)
{
    slice key, rest;
    char quote;
    size_t at = line->indent;
    if (!is_dash(line->text, at))
        close_levels(walk, at + 1);
    while (is_dash(line->text, at)) {
        close_levels(walk, at + 1);
        at = pass_blanks(line->text, at + 1);
    }
    if (at > line->indent && byte_at(line->text, at) == '{')
        walk_flow_item(walk, line, at);
    if (!split_line(line, at, &key, &rest) || !is_one_of_three(key))
        return;
    struct level *level = level_at(walk, at);
    if (level)
        set_key(walk, level, key, slice_equal(key, SLICE("kind")) ? scalar_of(rest, &quote) : rest);
}

void manifest_walk(slice text, manifest_entry_found *found, void *context)
{
    size_t budget = TIMES * text.len;
    struct walk walk = {.text = text, .found = found, .context = context, .budget = &budget};
    struct line line;
    for (size_t at = 0; pull_line(text, at, &line); at = line.next) {
        if (is_passed_over(&line))
            continue;
        char first = line.indent ? '\0' : line.text.ptr[0];
        if (slice_starts(line.text, SLICE("---")) || slice_equal(line.text, SLICE("..."))) {
            close_levels(&walk, 0);
        } else if (first == '{' || first == '[') {
            close_levels(&walk, 0);
            line.next = walk_flow(&walk, line.start, 0);
        } else {
            walk_line(&walk, &line);
        }
    }
    close_levels(&walk, 0);
}
