#include "base/go_expression.h"
#include "base/go_text.h"
#include "base/limits.h"

enum { NO_RUNE = UINT32_MAX }; /* before the first character, behind the last */

/* One match. */
struct walk {
    struct go_expressions *all;
    const struct go_state *states;
    uint32_t before, behind; /* the characters around the place */
    bool begins;
};

void go_expressions_finish(struct go_expressions *all)
{
    uint32_t **rooms[] = {&all->seen, &all->stack, &all->now, &all->next};
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        *rooms[i] = arena_array(all->arena, all->longest + 1, sizeof(uint32_t));
}

static bool is_word(uint32_t rune)
{
    return rune < 0x80 && (byte_is_alpha((char)rune) || byte_is_digit((char)rune) || rune == '_');
}

static bool is_passed(const struct walk *walk, enum go_state_kind kind)
{
    bool edge = is_word(walk->before) != is_word(walk->behind);
    return (kind == GO_TEXT_BEGIN && walk->begins) ||
           (kind == GO_TEXT_END && walk->behind == NO_RUNE) || (kind == GO_WORD_EDGE && edge) ||
           (kind == GO_NO_WORD_EDGE && !edge);
}

/* Begins to collect states anew: none is entered yet. */
static void next_moment(struct go_expressions *all)
{
    all->now_count = 0;
    if (++all->moment == 0) {
        memset(all->seen, 0, (all->longest + 1) * sizeof(all->seen[0]));
        all->moment = 1;
    }
}

static void push(struct walk *walk, uint32_t *depth, uint32_t state)
{
    struct go_expressions *all = walk->all;
    if (all->seen[state] == all->moment)
        return;
    all->seen[state] = all->moment;
    all->stack[(*depth)++] = state;
}

/* Enters a state, and those that it leads to without a character; true: one of them is the end. */
static bool enter(struct walk *walk, uint32_t state)
{
    struct go_expressions *all = walk->all;
    uint32_t depth = 0;
    for (push(walk, &depth, state); depth > 0;) {
        uint32_t at = all->stack[--depth];
        enum go_state_kind kind = walk->states[at].kind;
        int32_t skip = walk->states[at].skip;
        all->steps++;
        if (kind == GO_MATCH)
            return true;
        if (kind == GO_RUNE || kind == GO_CLASS || kind == GO_NO_LINE_END) {
            all->now[all->now_count++] = at;
            continue;
        }
        if ((kind == GO_FORK || kind == GO_JUMP) && skip)
            push(walk, &depth, (uint32_t)((int64_t)at + skip));
        if (kind == GO_FORK || is_passed(walk, kind))
            push(walk, &depth, at + 1);
    }
    return false;
}

static bool is_in_class(struct go_expressions *all, uint32_t number, uint32_t rune)
{
    const struct go_class *class = (const struct go_class *)all->classes.items + number;
    const struct go_range *ranges = (const struct go_range *)all->ranges.items + class->first;
    size_t i = 0;
    while (i < class->count && (rune < ranges[i].low || rune > ranges[i].high))
        i++;
    all->steps += i;
    return (i < class->count) != class->negated;
}

static bool takes(struct walk *walk, const struct go_state *state, uint32_t rune)
{
    if (state->kind == GO_RUNE)
        return state->what == rune;
    return state->kind == GO_NO_LINE_END ? rune != '\n' : is_in_class(walk->all, state->what, rune);
}

/* Enters the states that the characters so far lead to; true: the text matches. */
static bool arrive(struct walk *walk, bool starts)
{
    struct go_expressions *all = walk->all;
    next_moment(all);
    for (uint32_t i = 0; i < all->next_count; i++)
        if (enter(walk, all->next[i]))
            return true;
    return starts && enter(walk, 0);
}

static void take(struct walk *walk, uint32_t rune)
{
    struct go_expressions *all = walk->all;
    all->next_count = 0;
    for (uint32_t i = 0; i < all->now_count; i++)
        if (takes(walk, &walk->states[all->now[i]], rune))
            all->next[all->next_count++] = all->now[i] + 1;
}

bool go_expression_matches(struct go_expressions *all, const struct go_expression *expression,
                           slice path, bool parents)
{
    const struct go_state *states = all->states.items;
    struct walk walk = {all, states + expression->first, NO_RUNE, NO_RUNE, true};
    all->next_count = 0;
    while (all->steps <= LIMIT_DOCKERIGNORE_STEPS) {
        bool starts = walk.begins || !expression->anchored;
        if (path.len == 0 || (parents && path.ptr[0] == '/')) {
            walk.behind = NO_RUNE; /* the text could end here */
            if (arrive(&walk, starts))
                return true;
        }
        if (path.len == 0)
            return false;
        walk.behind = go_first_rune(path);
        if (arrive(&walk, starts))
            return true;
        if (all->now_count == 0 && expression->anchored)
            return false;
        take(&walk, go_pull_rune(&path));
        walk.before = walk.behind;
        walk.begins = false;
    }
    return false;
}
