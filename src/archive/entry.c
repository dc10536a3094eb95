#include "archive/entry.h"

static bool is_normal(slice path)
{
    if (path.len == 0)
        return true;
    if (path.ptr[0] == '/' || path.ptr[path.len - 1] == '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        bool part_starts = i == 0 || path.ptr[i - 1] == '/';
        if (part_starts && (path.ptr[i] == '/' || path.ptr[i] == '.'))
            return false; /* perhaps not: the slow way knows */
    }
    return true;
}

bool path_normalize(struct arena *arena, slice path, slice *normal)
{
    bool inside = true;
    slice part;
    *normal = path;
    if (is_normal(path))
        return true;
    char *out = arena_alloc(arena, path.len + 1);
    size_t length = 0;
    while (slice_pull(&path, '/', &part)) {
        if (part.len == 0 || slice_equal(part, SLICE(".")))
            continue;
        if (slice_equal(part, SLICE(".."))) {
            inside = inside && length > 0;
            length = slice_dirname(slice_make(out, length)).len;
            continue;
        }
        if (length)
            out[length++] = '/';
        memcpy(out + length, part.ptr, part.len);
        length += part.len;
    }
    *normal = slice_make(out, length);
    return inside;
}

slice path_of_target(struct arena *arena, slice link, slice target)
{
    slice normal;
    if (target.len && target.ptr[0] == '/') {
        path_normalize(arena, target, &normal);
        return normal;
    }
    slice folder = slice_dirname(link);
    path_normalize(arena, arena_format(arena, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(target)),
                   &normal);
    return normal;
}
