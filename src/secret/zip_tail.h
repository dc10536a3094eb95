/*
 * The last bytes of what was looked through as it is: they say when a zip stands at its end, as one
 * may behind anything. Where that is not what often is (zip.c), it is told, not opened.
 */
#ifndef PLIMSOLL_SECRET_ZIP_TAIL_H
#define PLIMSOLL_SECRET_ZIP_TAIL_H

#include "archive/zip_header.h"
#include "secret/finder.h"

struct zip_tail {
    uint64_t count; /* of all bytes */
    bool of_zip;    /* they begin as a part of a zip does: that is looked into */
    char bytes[ZIP_END];
};

void zip_tail_add(struct zip_tail *tail, slice window);
void zip_tail_tell(const struct zip_tail *tail, struct secret_look *look);

#endif
