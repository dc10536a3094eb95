#include "base/go_expression.h"
#include "base/go_text.h"
#include "base/limits.h"

enum { REPEAT_MOST = 1000 };

struct parser {
    struct go_expressions *all;
    slice rest;
    size_t branch;          /* the fork that the branch begins with */
    size_t atom;            /* where the last thing begins that a repetition can be of */
    bool has_atom;          /* there is one in this branch */
    bool repeated;          /* the thing parsed last was a repetition */
    bool was_repeated;      /* the one before it was */
    uint32_t times;         /* so often the atom repeats what is in it */
    enum go_compiled state; /* GO_COMPILED as long as all is well */
};

static struct go_state *states_of(const struct parser *parser)
{
    return parser->all->states.items;
}

static void fail(struct parser *parser, enum go_compiled why)
{
    if (parser->state == GO_COMPILED)
        parser->state = why;
    parser->rest = SLICE_EMPTY;
}

static bool is_octal(slice text)
{
    return text.len && text.ptr[0] >= '0' && text.ptr[0] <= '7';
}

static bool pull_hex(slice *text, uint32_t *digit)
{
    char c = byte_lower(text->len ? text->ptr[0] : ' ');
    if (!byte_is_digit(c) && (c < 'a' || c > 'f'))
        return false;
    *digit = (uint32_t)(byte_is_digit(c) ? c - '0' : c - 'a' + 10);
    *text = slice_from(*text, 1);
    return true;
}

/* What "\x" is followed by: two digits, or any number in braces. */
static bool pull_hex_escape(slice *text, uint32_t *rune)
{
    uint32_t digit, low;
    if (!slice_starts(*text, SLICE("{"))) {
        if (!pull_hex(text, &digit) || !pull_hex(text, &low))
            return false;
        *rune = digit * 16 + low;
        return true;
    }
    *text = slice_from(*text, 1);
    size_t before = text->len;
    for (*rune = 0; pull_hex(text, &digit);) {
        *rune = *rune * 16 + digit;
        if (*rune > GO_LAST_RUNE)
            return false;
    }
    if (text->len == before || !slice_starts(*text, SLICE("}")))
        return false;
    *text = slice_from(*text, 1);
    return true;
}

/* The character that an escape stands for, whose backslash is pulled already. */
static bool pull_escape(slice *text, uint32_t *rune)
{
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    if (text->len == 0)
        return false;
    uint32_t c = go_pull_rune(text);
    if (c >= 0x80)
        return false;
    if (c == 'x')
        return pull_hex_escape(text, rune);
    if (c == '0' || (c > '0' && c <= '7' && is_octal(*text))) {
        *rune = c - '0';
        for (size_t i = 1; i < 3 && is_octal(*text); i++)
            *rune = *rune * 8 + (go_pull_rune(text) - '0');
        return true;
    }
    const char *name = c ? strchr(names, (int)c) : NULL;
    *rune = name ? (uint32_t)values[name - names] : c;
    return name || (!byte_is_alpha((char)c) && !byte_is_digit((char)c));
}

static void add_range(struct parser *parser, uint32_t low, uint32_t high)
{
    struct go_expressions *all = parser->all;
    struct go_range *range = list_add(&all->ranges, all->arena, sizeof(*range));
    *range = (struct go_range){low, high};
}

/* Perl's and POSIX' names for characters, and from which to which. */
static const struct group {
    const char *name;
    size_t count;
    const char *ends;
} groups[] = {
    {"d", 1, "09"},           {"s", 3, "\t\n\f\r  "},
    {"w", 4, "09AZ__az"},     {"alnum", 3, "09AZaz"},
    {"alpha", 2, "AZaz"},     {"ascii", 1, "\0\x7f"},
    {"blank", 2, "\t\t  "},   {"cntrl", 2, "\0\x1f\x7f\x7f"},
    {"digit", 1, "09"},       {"graph", 1, "!~"},
    {"lower", 1, "az"},       {"print", 1, " ~"},
    {"punct", 4, "!/:@[`{~"}, {"space", 2, "\t\r  "},
    {"upper", 1, "AZ"},       {"word", 4, "09AZ__az"},
    {"xdigit", 3, "09AFaf"},
};

static bool add_group(struct parser *parser, slice name, bool negated)
{
    uint32_t from = 0;
    size_t number = 0;
    const size_t count = sizeof(groups) / sizeof(groups[0]);
    while (number < count && !slice_equal(slice_from_text(groups[number].name), name))
        number++;
    if (number == count)
        return false;
    for (size_t i = 0; i < groups[number].count; i++) {
        uint32_t low = (uint32_t)groups[number].ends[2 * i];
        uint32_t high = (uint32_t)groups[number].ends[2 * i + 1];
        if (!negated)
            add_range(parser, low, high);
        else if (from < low)
            add_range(parser, from, low - 1);
        from = high + 1;
    }
    if (negated)
        add_range(parser, from, GO_LAST_RUNE);
    return true;
}

/* "\d" and the like; a capital is all but what the small letter is. */
static bool pull_letter_group(struct parser *parser)
{
    slice rest = parser->rest;
    if (rest.len < 2 || rest.ptr[0] != '\\' || !strchr("dDsSwW", rest.ptr[1]) || !rest.ptr[1])
        return false;
    char small = byte_lower(rest.ptr[1]);
    parser->rest = slice_from(rest, 2);
    return add_group(parser, slice_make(&small, 1), small != rest.ptr[1]);
}

/* "[:digit:]", "[:^digit:]"; false where no such thing begins. */
static bool pull_named_group(struct parser *parser)
{
    slice rest = slice_from(parser->rest, 2);
    size_t end = 0;
    if (parser->rest.len < 3 || !slice_starts(parser->rest, SLICE("[:")))
        return false;
    while (end < rest.len && !slice_starts(slice_from(rest, end), SLICE(":]")))
        end++;
    if (end == rest.len)
        return false;
    slice name = slice_first(rest, end);
    bool negated = slice_starts(name, SLICE("^"));
    if (add_group(parser, slice_from(name, negated), negated) && name.len > negated + (size_t)1)
        parser->rest = slice_from(rest, end + 2);
    else
        fail(parser, GO_MALFORMED);
    return true;
}

static bool is_unicode_group(slice text)
{
    return slice_starts(text, SLICE("\\p")) || slice_starts(text, SLICE("\\P"));
}

static bool pull_class_end(struct parser *parser, uint32_t *rune)
{
    if (parser->rest.len == 0)
        return false;
    if (parser->rest.ptr[0] != '\\') {
        *rune = go_pull_rune(&parser->rest);
        return true;
    }
    parser->rest = slice_from(parser->rest, 1);
    return pull_escape(&parser->rest, rune);
}

static void pull_class_range(struct parser *parser)
{
    uint32_t low, high;
    bool good = pull_class_end(parser, &low);
    high = low;
    if (good && parser->rest.len >= 2 && parser->rest.ptr[0] == '-' && parser->rest.ptr[1] != ']') {
        parser->rest = slice_from(parser->rest, 1);
        good = pull_class_end(parser, &high);
    }
    if (good && low <= high)
        add_range(parser, low, high);
    else
        fail(parser, GO_MALFORMED);
}

static void add_state(struct parser *parser, enum go_state_kind kind, int32_t skip, uint32_t what)
{
    struct go_expressions *all = parser->all;
    if (all->states.count >= LIMIT_DOCKERIGNORE_STATES) {
        fail(parser, GO_TOO_LARGE);
        return;
    }
    struct go_state *state = list_add(&all->states, all->arena, sizeof(*state));
    *state = (struct go_state){kind, skip, what};
}

static void begin_atom(struct parser *parser)
{
    parser->atom = parser->all->states.count;
    parser->has_atom = true;
    parser->times = 1;
}

static void add_atom(struct parser *parser, enum go_state_kind kind, uint32_t what)
{
    begin_atom(parser);
    add_state(parser, kind, 0, what);
}

static void add_class(struct parser *parser, size_t first, bool negated)
{
    struct go_expressions *all = parser->all;
    struct go_class *class = list_add(&all->classes, all->arena, sizeof(*class));
    *class = (struct go_class){(uint32_t)first, (uint32_t)(all->ranges.count - first), negated};
    add_atom(parser, GO_CLASS, (uint32_t)all->classes.count - 1);
}

static void parse_class(struct parser *parser)
{
    size_t first = parser->all->ranges.count;
    parser->rest = slice_from(parser->rest, 1);
    bool negated = slice_starts(parser->rest, SLICE("^")), begun = false;
    parser->rest = slice_from(parser->rest, negated);
    for (; parser->state == GO_COMPILED; begun = true) {
        if (begun && slice_starts(parser->rest, SLICE("]")))
            break;
        if (is_unicode_group(parser->rest))
            fail(parser, GO_UNICODE);
        else if (!pull_named_group(parser) && !pull_letter_group(parser))
            pull_class_range(parser);
    }
    parser->rest = slice_from(parser->rest, 1);
    add_class(parser, first, negated);
}

/* Takes what stands between "\Q" and "\E", or the end, as it is. */
static void parse_quoted(struct parser *parser)
{
    while (parser->rest.len && !slice_starts(parser->rest, SLICE("\\E")))
        add_atom(parser, GO_RUNE, go_pull_rune(&parser->rest));
    parser->rest = slice_from(parser->rest, 2);
}

static void parse_escape(struct parser *parser)
{
    static const char names[] = "AzbB";
    static const enum go_state_kind kinds[] = {GO_TEXT_BEGIN, GO_TEXT_END, GO_WORD_EDGE,
                                               GO_NO_WORD_EDGE};
    size_t first = parser->all->ranges.count;
    uint32_t rune;
    if (is_unicode_group(parser->rest)) {
        fail(parser, GO_UNICODE);
        return;
    }
    if (pull_letter_group(parser)) {
        add_class(parser, first, false);
        return;
    }
    parser->rest = slice_from(parser->rest, 1);
    char c = parser->rest.len ? parser->rest.ptr[0] : '\0';
    const char *name = c ? strchr(names, c) : NULL;
    if (name || c == 'Q')
        parser->rest = slice_from(parser->rest, 1);
    if (name)
        add_atom(parser, kinds[name - names], 0);
    else if (c == 'Q')
        parse_quoted(parser);
    else if (pull_escape(&parser->rest, &rune))
        add_atom(parser, GO_RUNE, rune);
    else
        fail(parser, GO_MALFORMED);
}

/* Adds the states of an atom once more. */
static void add_copy(struct parser *parser, const struct go_state *atom, size_t count)
{
    for (size_t i = 0; i < count && parser->state == GO_COMPILED; i++)
        add_state(parser, atom[i].kind, atom[i].skip, atom[i].what);
}

/* Repeats the last atom `least` to `most` times, without end where most is -1. */
static void repeat(struct parser *parser, int least, int most)
{
    CLEANUP_ARENA struct arena scratch = {0};
    if (!parser->has_atom || parser->was_repeated) {
        fail(parser, GO_MALFORMED);
        return;
    }
    size_t count = parser->all->states.count - parser->atom;
    struct go_state *atom = arena_array(&scratch, count + 1, sizeof(*atom));
    memcpy(atom, states_of(parser) + parser->atom, count * sizeof(*atom));
    parser->all->states.count = parser->atom;
    for (int i = 0; i < least && parser->state == GO_COMPILED; i++)
        add_copy(parser, atom, count);
    if (most < 0) {
        add_state(parser, GO_FORK, (int32_t)count + 2, 0);
        add_copy(parser, atom, count);
        add_state(parser, GO_JUMP, -(int32_t)count - 1, 0);
    }
    for (int i = least; i < most && parser->state == GO_COMPILED; i++) {
        int64_t end = (int64_t)(most - i) * ((int64_t)count + 1);
        if (end > INT32_MAX)
            fail(parser, GO_TOO_LARGE);
        add_state(parser, GO_FORK, (int32_t)end, 0);
        add_copy(parser, atom, count);
    }
    parser->repeated = true;
}

/* A number without leading zeros; -1 for one of 100 million and more. */
static bool pull_number(slice *text, int *number)
{
    slice rest = *text;
    *number = 0;
    while (rest.len && byte_is_digit(rest.ptr[0])) {
        *number = *number < 0 || *number >= 100000000 ? -1 : *number * 10 + (rest.ptr[0] - '0');
        rest = slice_from(rest, 1);
    }
    size_t digits = text->len - rest.len;
    bool good = digits && (digits == 1 || text->ptr[0] != '0');
    *text = rest;
    return good;
}

/* "{2}", "{2,}", "{2,5}"; false where no such thing begins. */
static bool pull_bounds(slice *text, int *least, int *most)
{
    slice rest = slice_from(*text, 1);
    if (!pull_number(&rest, least))
        return false;
    *most = *least;
    if (slice_starts(rest, SLICE(","))) {
        rest = slice_from(rest, 1);
        *most = -1;
        if (!slice_starts(rest, SLICE("}"))) {
            if (!pull_number(&rest, most))
                return false;
            if (*most < 0)
                *least = -1;
        }
    }
    if (!slice_starts(rest, SLICE("}")))
        return false;
    *text = slice_from(rest, 1);
    return true;
}

/* A brace that bounds nothing stands for itself. */
static void parse_bounds(struct parser *parser)
{
    int least, most;
    if (!pull_bounds(&parser->rest, &least, &most)) {
        parser->rest = slice_from(parser->rest, 1);
        add_atom(parser, GO_RUNE, '{');
        return;
    }
    uint32_t times = (uint32_t)(most < 0 ? least : most);
    if (least < 0 || least > REPEAT_MOST || most > REPEAT_MOST || (most >= 0 && least > most) ||
        ((least >= 2 || most >= 2) && times * parser->times > REPEAT_MOST)) {
        fail(parser, GO_MALFORMED);
        return;
    }
    repeat(parser, least, most);
    parser->times = times ? times * parser->times : 1;
}

static void begin_branch(struct parser *parser)
{
    parser->branch = parser->all->states.count;
    parser->has_atom = false;
    add_state(parser, GO_FORK, 0, 0);
}

static void end_branch(struct parser *parser)
{
    add_state(parser, GO_MATCH, 0, 0);
    parser->rest = slice_from(parser->rest, 1);
    if (parser->state == GO_COMPILED)
        states_of(parser)[parser->branch].skip =
            (int32_t)(parser->all->states.count - parser->branch);
    begin_branch(parser);
}

/* Any folders, or none: what patternmatcher writes for "**", and all that "(" can stand for. */
static void parse_folders(struct parser *parser)
{
    parser->rest = slice_from(parser->rest, sizeof("(.*/)?") - 1);
    begin_atom(parser);
    add_state(parser, GO_FORK, 5, 0);
    add_state(parser, GO_FORK, 3, 0);
    add_state(parser, GO_NO_LINE_END, 0, 0);
    add_state(parser, GO_JUMP, -2, 0);
    add_state(parser, GO_RUNE, 0, '/');
    parser->repeated = true;
}

static void parse_one(struct parser *parser)
{
    char c = parser->rest.ptr[0];
    parser->was_repeated = parser->repeated;
    parser->repeated = false;
    if (c == '[') {
        parse_class(parser);
    } else if (c == '\\') {
        parse_escape(parser);
    } else if (c == '{') {
        parse_bounds(parser);
    } else if (c == '(') {
        parse_folders(parser);
    } else if (c == '|') {
        end_branch(parser);
    } else {
        uint32_t rune = go_pull_rune(&parser->rest);
        if (c == '*')
            repeat(parser, 0, -1);
        else if (c == '^')
            add_atom(parser, GO_TEXT_BEGIN, 0);
        else if (c == '$')
            add_atom(parser, GO_TEXT_END, 0);
        else if (c == '.')
            add_atom(parser, GO_NO_LINE_END, 0);
        else
            add_atom(parser, GO_RUNE, rune);
    }
}

enum go_compiled go_expression_compile(struct go_expressions *all, slice text,
                                       struct go_expression *expression)
{
    struct parser parser = {.all = all, .rest = text};
    size_t first = all->states.count;
    begin_branch(&parser);
    while (parser.rest.len)
        parse_one(&parser);
    add_state(&parser, GO_MATCH, 0, 0);
    if (parser.state != GO_COMPILED) {
        all->states.count = first;
        return parser.state;
    }
    size_t count = all->states.count - first;
    const struct go_state *states = (const struct go_state *)all->states.items + first;
    *expression = (struct go_expression){(uint32_t)first, (uint32_t)count,
                                         states[0].skip == 0 && states[1].kind == GO_TEXT_BEGIN};
    if (count > all->longest)
        all->longest = count;
    return GO_COMPILED;
}
