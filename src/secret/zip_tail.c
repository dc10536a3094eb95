#include "secret/zip_tail.h"

void zip_tail_add(struct zip_tail *tail, slice window)
{
    slice last = slice_from(window, window.len > ZIP_END ? window.len - ZIP_END : 0);
    if (tail->count == 0)
        tail->of_zip = zip_is_part(window);
    memmove(tail->bytes, tail->bytes + last.len, ZIP_END - last.len);
    if (last.len)
        memcpy(tail->bytes + ZIP_END - last.len, last.ptr, last.len);
    tail->count += window.len;
}

void zip_tail_tell(const struct zip_tail *tail, struct secret_look *look)
{
    if (!tail->of_zip && tail->count > ZIP_END &&
        zip_ends(slice_make(tail->bytes, ZIP_END), tail->count))
        secret_look_unopened(look, "a zip at its end was not opened");
}
