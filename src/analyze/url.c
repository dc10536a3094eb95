#include "analyze/url.h"

/* User information is what stands in the authority before its last '@'. */
static slice without_user(slice url, struct arena *arena)
{
    const char *mark = url.len ? memmem(url.ptr, url.len, "//", 2) : NULL;
    if (!mark)
        return url;
    slice before = slice_first(url, (size_t)(mark - url.ptr) + 2);
    slice rest = slice_from(url, before.len);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    size_t at = slice_find_last(slice_first(rest, end), '@');
    if (at == SIZE_MAX)
        return url;
    return arena_format(arena, "%.*s%.*s", SLICE_ARG(before), SLICE_ARG(slice_from(rest, at + 1)));
}

slice url_without_credentials(slice url, struct arena *arena)
{
    url = without_user(url, arena);
    const char *token = url.len ? memmem(url.ptr, url.len, "/t/", 3) : NULL;
    if (!token)
        return url;
    slice before = slice_first(url, (size_t)(token - url.ptr));
    slice rest = slice_from(url, before.len + 3);
    size_t end = slice_find(rest, '/');
    rest = end == SIZE_MAX ? SLICE_EMPTY : slice_from(rest, end);
    return arena_format(arena, "%.*s%.*s", SLICE_ARG(before), SLICE_ARG(rest));
}
