#include "cli/dockerignore.h"
#include "archive/entry.h"

#include <fnmatch.h>

enum { PARTS_MOST = 256 };

struct dockerignore_pattern {
    const char *parts[PARTS_MOST]; /* between slashes */
    size_t count;
    bool back; /* "!": takes back what lines before leave out */
};

/* The parts of a path, each ended by NUL; false when there are too many. */
static bool split(slice path, struct arena *arena, const char **parts, size_t *count)
{
    slice part;
    *count = 0;
    while (slice_pull(&path, '/', &part)) {
        if (*count == PARTS_MOST)
            return false;
        if (part.len)
            parts[(*count)++] = arena_text(arena, part);
    }
    return true;
}

void dockerignore_read(struct dockerignore *ignore, slice text, struct arena *arena)
{
    slice line, normal;
    *ignore = (struct dockerignore){.arena = arena};
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    while (slice_pull_line(&text, &line)) {
        if (slice_starts(line, SLICE("#")))
            continue;
        line = slice_trim(line);
        bool back = slice_starts(line, SLICE("!"));
        line = slice_trim(slice_from(line, back));
        path_normalize(arena, line, &normal);
        struct dockerignore_pattern *pattern = ARENA_NEW(arena, struct dockerignore_pattern);
        pattern->back = back;
        if (normal.len == 0 || !split(normal, arena, pattern->parts, &pattern->count))
            continue;
        *(struct dockerignore_pattern **)list_add(&ignore->patterns, arena, sizeof(pattern)) =
            pattern;
    }
}

/* Whether the pattern's parts from `at` on match the path's from `from` to its end, or to the end
 * of a folder that it is in. "**" stands for any number of folders. */
static bool match_parts(const struct dockerignore_pattern *pattern, size_t at,
                        const char *const *parts, size_t from, size_t count)
{
    for (; at < pattern->count; at++, from++) {
        if (strcmp(pattern->parts[at], "**") == 0) {
            if (at + 1 == pattern->count)
                return from < count;
            for (size_t skip = from; skip < count; skip++)
                if (match_parts(pattern, at + 1, parts, skip, count))
                    return true;
            return false;
        }
        if (from == count || fnmatch(pattern->parts[at], parts[from], 0) != 0)
            return false;
    }
    return true;
}

bool dockerignore_leaves_out(const struct dockerignore *ignore, slice path)
{
    CLEANUP_ARENA struct arena scratch = {0};
    const char *parts[PARTS_MOST];
    size_t count;
    bool out = false;
    if (slice_equal(path, SLICE(".dockerignore")) || slice_equal(path, SLICE("Dockerfile")) ||
        !split(path, &scratch, parts, &count))
        return false;
    struct dockerignore_pattern *const *patterns = ignore->patterns.items;
    for (size_t i = 0; i < ignore->patterns.count; i++)
        if (out == patterns[i]->back && match_parts(patterns[i], 0, parts, 0, count))
            out = !out;
    return out;
}
