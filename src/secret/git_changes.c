#include "secret/git_changes.h"
#include "secret/git_delta.h"
#include "secret/kinds.h"

struct git_stretch {
    size_t start, end;
};

/* Whole lines, from the one with `from` to the one with `to`; those that meet are one. */
static void add_stretch(struct git_changes *changes, size_t from, size_t to, struct arena *arena)
{
    slice text = changes->text;
    struct git_stretch *last = changes->stretches.items;
    last = changes->stretches.count ? last + changes->stretches.count - 1 : NULL;
    size_t before = last ? last->end : 0, end = to < text.len ? to : text.len;
    if (end > before || !last) {
        size_t more = slice_find(slice_from(text, end), '\n');
        end = more == SIZE_MAX ? text.len : end + more + 1;
    }
    if (last && end <= before)
        return;
    size_t start = before;
    if (from > before) {
        size_t line = slice_find_last(slice_make(text.ptr + before, from - before), '\n');
        start = line == SIZE_MAX ? before : before + line + 1;
    }
    if (!last || start > before)
        last = list_add(&changes->stretches, arena, sizeof(*last)), last->start = start;
    last->end = end;
}

static void add_change(struct git_changes *changes, size_t from, size_t to, struct arena *arena)
{
    add_stretch(changes, from > SECRET_REACH ? from - SECRET_REACH : 0, to + SECRET_REACH, arena);
}

void git_changes_find(struct git_changes *changes, slice text, slice base, slice instructions,
                      struct arena *arena)
{
    struct git_delta_step step;
    size_t at = 0;
    uint64_t follows = 0; /* where the base goes on that was copied last; UINT64_MAX: nothing was */
    *changes = (struct git_changes){.text = text};
    /* By its first bytes a file's kind is known. */
    add_stretch(changes, 0, SECRET_HEAD, arena);
    while (git_delta_next(&instructions, &step)) {
        size_t count = step.copies ? (size_t)step.count : step.added.len;
        if (!step.copies)
            add_change(changes, at, at + count, arena);
        else if (follows != UINT64_MAX && step.from != follows)
            add_change(changes, at, at, arena);
        follows = step.copies ? step.from + step.count : UINT64_MAX;
        at += count;
    }
    if (follows != base.len)
        add_change(changes, at, at, arena);
}

static size_t count_line_breaks(slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

struct error *git_changes_next(void *context, slice *piece)
{
    static const char breaks[256] = {[0 ... 255] = '\n'};
    struct git_changes *changes = context;
    const struct git_stretch *stretches = changes->stretches.items;
    if (changes->line_breaks) {
        *piece = slice_first(slice_make(breaks, sizeof(breaks)), changes->line_breaks);
        changes->line_breaks -= piece->len;
        return NULL;
    }
    *piece = SLICE_EMPTY;
    if (changes->at == changes->stretches.count)
        return NULL;
    const struct git_stretch *shown = &stretches[changes->at++];
    *piece = slice_make(changes->text.ptr + shown->start, shown->end - shown->start);
    if (changes->at < changes->stretches.count)
        changes->line_breaks = count_line_breaks(
            slice_make(changes->text.ptr + shown->end, shown[1].start - shown->end));
    return NULL;
}
