#include "analyze/python_name.h"

slice python_name_normalize(struct arena *arena, slice name)
{
    char *out = arena_alloc(arena, name.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool separator = c == '-' || c == '_' || c == '.';
        if (!separator)
            out[length++] = byte_lower(c);
        else if (length == 0 || out[length - 1] != '-')
            out[length++] = '-';
    }
    return slice_make(out, length);
}
