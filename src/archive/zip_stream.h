/*
 * Reads a zip from front to back, as it comes (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5): by the
 * headers before each member, not by the directory at the end, so that nothing need be kept and
 * nothing sought. Members that are stored or deflated are opened; zip64 sizes are understood.
 *
 * What the directory at the end would say otherwise than the headers is not seen.
 */
#ifndef PLIMSOLL_ARCHIVE_ZIP_STREAM_H
#define PLIMSOLL_ARCHIVE_ZIP_STREAM_H

#include "archive/stream.h"

struct zip_member {
    slice name;      /* as it stands there; until the next member */
    bool encrypted;  /* or packed in a way that is not known: its content is empty */
    uint64_t packed; /* bytes; 0 where only what follows the content tells */
};

struct zip_stream;

/* The stream below stays the caller's. */
struct zip_stream *zip_stream_open(struct stream *below);

/* The next member; NULL at the directory, or where no member follows. */
MUST_CHECK struct error *zip_stream_next(struct zip_stream *zip, const struct zip_member **member);

/* The next piece of the member's content, until the next call; empty at its end. */
MUST_CHECK struct error *zip_stream_read(void *zip, slice *piece);

void zip_stream_close(struct zip_stream *zip);

#endif
