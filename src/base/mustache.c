#include "base/mustache.h"
#include "base/json_read.h"
#include "base/limits.h"

enum token_kind { TOKEN_TEXT, TOKEN_VARIABLE, TOKEN_RAW, TOKEN_SECTION, TOKEN_INVERTED, TOKEN_END };

struct mustache_token {
    enum token_kind kind;
    slice text;  /* as it stands, or the tag's name */
    size_t end;  /* of a section: the token at its end */
    size_t line; /* where it begins */
};

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    struct mustache *mustache;
    struct arena *arena;
    const char *path;
    slice text;
    size_t at;   /* in the text */
    size_t line; /* of `at` */
    size_t open[LIMIT_TEMPLATE_DEPTH];
    size_t depth;
};

static struct error *wrong(const struct reading *reading, size_t line, const char *what, slice name)
{
    return error_make(ERROR_INPUT, "%s, line %zu: %s \"%.*s\"", reading->path, line, what,
                      SLICE_ARG(slice_first(name, 60)));
}

static struct mustache_token *add_token(struct reading *reading, enum token_kind kind, slice text)
{
    struct mustache_token *token =
        list_add(&reading->mustache->tokens, reading->arena, sizeof(*token));
    *token = (struct mustache_token){.kind = kind, .text = text, .line = reading->line};
    return token;
}

static size_t find_part(slice text, slice part)
{
    for (size_t at = 0; at + part.len <= text.len; at++) {
        const char *found = memchr(text.ptr + at, part.ptr[0], text.len - at);
        if (!found)
            return SIZE_MAX;
        at = (size_t)(found - text.ptr);
        if (slice_starts(slice_from(text, at), part))
            return at;
    }
    return SIZE_MAX;
}

static size_t lines_in(slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

/* "a", "a.b.c", "-last", "." */
static bool is_name(slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (byte_is_space(name.ptr[i]) || strchr("{}=<>#^/!&", name.ptr[i]))
            return false;
    return slice_equal(name, SLICE(".")) ||
           (name.len > 0 && name.ptr[0] != '.' && name.ptr[name.len - 1] != '.' &&
            !slice_contains(name, SLICE("..")));
}

static bool is_blank(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t')
            return false;
    return true;
}

/*
 * A section's or comment's tag that is alone in its line takes the line with it ("standalone" in
 * the specification): `before` loses its indentation, and the position goes to the next line.
 */
static void stand_alone(struct reading *reading, slice *before, size_t begin, size_t *end)
{
    size_t start = slice_find_last(slice_first(reading->text, begin), '\n');
    start = start == SIZE_MAX ? 0 : start + 1;
    slice rest = slice_from(reading->text, *end), line = rest, after = SLICE_EMPTY;
    bool is_last = !slice_split(rest, '\n', &line, &after);
    if (slice_ends(line, SLICE("\r")) && !is_last)
        line.len--;
    if (!is_blank(line) || !is_blank(slice_make(reading->text.ptr + start, begin - start)))
        return;
    before->len = start > reading->at ? start - reading->at : 0;
    *end = is_last ? reading->text.len : (size_t)(after.ptr - reading->text.ptr);
}

static struct error *open_section(struct reading *reading, enum token_kind kind, slice name)
{
    if (reading->depth == LIMIT_TEMPLATE_DEPTH)
        return error_make(ERROR_LIMIT,
                          "%s, line %zu: sections in sections are deeper than %d "
                          "(LIMIT_TEMPLATE_DEPTH)",
                          reading->path, reading->line, LIMIT_TEMPLATE_DEPTH);
    reading->open[reading->depth++] = reading->mustache->tokens.count;
    add_token(reading, kind, name);
    return NULL;
}

static struct error *close_section(struct reading *reading, slice name)
{
    if (reading->depth == 0)
        return wrong(reading, reading->line, "there is no section to end", name);
    size_t at = reading->open[--reading->depth];
    struct mustache_token *tokens = reading->mustache->tokens.items;
    if (!slice_equal(tokens[at].text, name))
        return wrong(reading, reading->line, "the section that ends here has another name than",
                     tokens[at].text);
    tokens[at].end = reading->mustache->tokens.count;
    add_token(reading, TOKEN_END, name);
    return NULL;
}

/* Takes a tag apart; `kind` is the mark behind its braces, 0 for none. */
static struct error *add_tag(struct reading *reading, char kind, slice name)
{
    if (kind == '!')
        return NULL;
    if (kind == '>' || kind == '=' || kind == '<' || kind == '$')
        return wrong(reading, reading->line,
                     "partials and other delimiters are not known here; what is meant by", name);
    if (!is_name(name))
        return wrong(reading, reading->line,
                     "no name (templates are Mustache's, not Go's; docs/formats.md):", name);
    switch (kind) {
    case '#':
        return open_section(reading, TOKEN_SECTION, name);
    case '^':
        return open_section(reading, TOKEN_INVERTED, name);
    case '/':
        return close_section(reading, name);
    default:
        add_token(reading, kind ? TOKEN_RAW : TOKEN_VARIABLE, name);
        return NULL;
    }
}

static struct error *read_tag(struct reading *reading, size_t begin)
{
    slice inside = slice_from(reading->text, begin + 2);
    char kind = inside.len && strchr("!#^/&{>=<$", inside.ptr[0]) ? inside.ptr[0] : 0;
    slice closing = kind == '{' ? SLICE("}}}") : SLICE("}}");
    slice before = slice_make(reading->text.ptr + reading->at, begin - reading->at);
    inside = slice_from(inside, kind ? 1 : 0);
    size_t length = find_part(inside, closing), line = reading->line + lines_in(before);
    if (length == SIZE_MAX)
        return wrong(reading, line, "a tag does not end:", slice_from(reading->text, begin));
    slice name = slice_first(inside, length);
    size_t end = (size_t)(name.ptr + length + closing.len - reading->text.ptr);
    size_t after = line + lines_in(name);
    if (kind && strchr("!#^/", kind)) {
        size_t tag_end = end;
        stand_alone(reading, &before, begin, &end);
        after += end > tag_end && reading->text.ptr[end - 1] == '\n';
    }
    if (before.len)
        add_token(reading, TOKEN_TEXT, before);
    reading->line = line;
    TRY(add_tag(reading, kind, slice_trim(name)));
    reading->line = after;
    reading->at = end;
    return NULL;
}

static void note_names(struct mustache *mustache)
{
    struct mustache_token *tokens = mustache->tokens.items;
    for (size_t i = 0; i < mustache->tokens.count; i++) {
        slice rest = tokens[i].text, part;
        while (tokens[i].kind != TOKEN_TEXT && rest.len && slice_pull(&rest, '.', &part))
            map_put(&mustache->names, part, &tokens[i]);
    }
}

struct error *mustache_parse(struct mustache *mustache, struct arena *arena, slice text,
                             const char *path)
{
    struct reading reading = {
        .mustache = mustache, .arena = arena, .path = path, .text = text, .line = 1};
    *mustache = (struct mustache){.names = {.arena = arena}};
    while (reading.at < text.len) {
        size_t begin = find_part(slice_from(text, reading.at), SLICE("{{"));
        if (begin == SIZE_MAX)
            break;
        TRY(read_tag(&reading, reading.at + begin));
    }
    if (reading.depth) {
        struct mustache_token *tokens = mustache->tokens.items;
        struct mustache_token *open = &tokens[reading.open[reading.depth - 1]];
        return wrong(&reading, open->line, "a section does not end:", open->text);
    }
    if (reading.at < text.len)
        add_token(&reading, TOKEN_TEXT, slice_from(text, reading.at));
    note_names(mustache);
    return NULL;
}

bool mustache_mentions(const struct mustache *mustache, slice name)
{
    return map_get(&mustache->names, name) != NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct frame {
    const json_t *value;
    bool in_list;
    size_t index, count;
};

struct rendering {
    const struct mustache_token *tokens;
    mustache_escape *escape;
    struct buffer *out;
    struct frame frames[LIMIT_TEMPLATE_DEPTH + 1];
    size_t depth; /* frames in use */
    uint64_t steps;
};

static const json_t *member(const json_t *object, slice key)
{
    char text[256];
    if (!json_is_object(object) || key.len >= sizeof(text))
        return NULL;
    memcpy(text, key.ptr, key.len);
    text[key.len] = '\0';
    return json_object_get(object, text);
}

/* The first part is looked for from the innermost frame outwards, the others in what that gave. */
static const json_t *look_up(const struct rendering *rendering, slice name)
{
    const json_t *found = NULL;
    slice first = name, rest = SLICE_EMPTY, part;
    if (slice_equal(name, SLICE(".")))
        return rendering->frames[rendering->depth - 1].value;
    slice_split(name, '.', &first, &rest);
    for (size_t i = rendering->depth; i > 0 && !found; i--)
        found = member(rendering->frames[i - 1].value, first);
    while (found && rest.len && slice_pull(&rest, '.', &part))
        found = member(found, part);
    return found;
}

/* Where in a list one is: -1 when the name is not one of these, or no list is gone through. */
static int64_t place_of(const struct rendering *rendering, slice name)
{
    const struct frame *frame = &rendering->frames[rendering->depth - 1];
    while (!frame->in_list && frame > rendering->frames)
        frame--;
    if (!frame->in_list)
        return -1;
    if (slice_equal(name, SLICE("-index")))
        return (int64_t)frame->index;
    if (slice_equal(name, SLICE("-first")))
        return frame->index == 0;
    return slice_equal(name, SLICE("-last")) ? frame->index + 1 == frame->count : -1;
}

static bool is_there(const struct rendering *rendering, const struct mustache_token *token,
                     const json_t *value)
{
    if (token->text.ptr[0] == '-') {
        int64_t place = place_of(rendering, token->text);
        if (place >= 0)
            return place > 0 || slice_equal(token->text, SLICE("-index"));
    }
    return value && !json_is_null(value) && !json_is_false(value) &&
           !(json_is_string(value) && json_string_length(value) == 0) &&
           !(json_is_array(value) && json_array_size(value) == 0);
}

/* With as few digits as tell it from its neighbours, as it stood in the JSON. */
static void add_real(struct buffer *out, double number)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number) /* the same bits, not nearly the same */
            break;
    }
    buffer_text(out, text);
}

static void add_value(struct buffer *out, const json_t *value, unsigned depth)
{
    size_t index;
    json_t *item;
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        buffer_add(out, json_slice(value));
        break;
    case JSON_INTEGER:
        buffer_format(out, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buffer_text(out, json_is_true(value) ? "true" : "false");
        break;
    case JSON_ARRAY:
        json_array_foreach((json_t *)(uintptr_t)value, index, item)
        {
            buffer_text(out, index ? ", " : "");
            if (depth == 0)
                add_value(out, item, 1);
        }
        break;
    default:
        break;
    }
}

static void add_variable(struct rendering *rendering, const struct mustache_token *token)
{
    CLEANUP_BUFFER struct buffer text = {0};
    int64_t place = token->text.ptr[0] == '-' ? place_of(rendering, token->text) : -1;
    if (place >= 0 && slice_equal(token->text, SLICE("-index")))
        buffer_format(&text, "%lld", (long long)place);
    else if (place >= 0)
        buffer_text(&text, place ? "true" : "false");
    else
        add_value(&text, look_up(rendering, token->text), 0);
    if (token->kind == TOKEN_RAW || !rendering->escape)
        buffer_add(rendering->out, buffer_slice(&text));
    else
        rendering->escape(rendering->out, buffer_slice(&text));
}

static struct error *render(struct rendering *rendering, size_t from, size_t to);

/* The section once in that frame; sections are no deeper than LIMIT_TEMPLATE_DEPTH. */
static struct error *render_in(struct rendering *rendering, size_t at, struct frame frame)
{
    rendering->frames[rendering->depth++] = frame;
    struct error *error = render(rendering, at + 1, rendering->tokens[at].end);
    rendering->depth--;
    return error;
}

static struct error *render_section(struct rendering *rendering, size_t at)
{
    const struct mustache_token *token = &rendering->tokens[at];
    const json_t *value = look_up(rendering, token->text);
    bool there = is_there(rendering, token, value);
    struct frame frame = {.value = rendering->frames[rendering->depth - 1].value};
    if (there == (token->kind == TOKEN_INVERTED))
        return NULL;
    if (token->kind == TOKEN_INVERTED || !value)
        return render_in(rendering, at, frame);
    if (!json_is_array(value))
        return render_in(rendering, at, (struct frame){.value = value});
    size_t count = json_array_size(value);
    for (size_t i = 0; i < count; i++)
        TRY(render_in(rendering, at, (struct frame){json_array_get(value, i), true, i, count}));
    return NULL;
}

static struct error *render(struct rendering *rendering, size_t from, size_t to)
{
    for (size_t at = from; at < to; at++) {
        const struct mustache_token *token = &rendering->tokens[at];
        if (++rendering->steps > LIMIT_TEMPLATE_STEPS)
            return error_make(ERROR_LIMIT,
                              "the template goes through more than %llu tags "
                              "(LIMIT_TEMPLATE_STEPS); are there lists in lists that need not be?",
                              (unsigned long long)LIMIT_TEMPLATE_STEPS);
        if (token->kind == TOKEN_TEXT)
            buffer_add(rendering->out, token->text);
        else if (token->kind == TOKEN_VARIABLE || token->kind == TOKEN_RAW)
            add_variable(rendering, token);
        else
            TRY(render_section(rendering, at));
        if (rendering->out->len > LIMIT_TEMPLATE_OUTPUT_BYTES)
            return error_make(ERROR_LIMIT,
                              "what the template makes is larger than %llu bytes "
                              "(LIMIT_TEMPLATE_OUTPUT_BYTES)",
                              (unsigned long long)LIMIT_TEMPLATE_OUTPUT_BYTES);
        if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED)
            at = token->end;
    }
    return NULL;
}

struct error *mustache_render(const struct mustache *mustache, const json_t *root,
                              mustache_escape *escape, struct buffer *out)
{
    struct rendering rendering = {
        .tokens = mustache->tokens.items, .escape = escape, .out = out, .depth = 1};
    rendering.frames[0].value = root;
    return render(&rendering, 0, mustache->tokens.count);
}
