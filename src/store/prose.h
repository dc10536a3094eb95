/*
 * An advisory's summary and details, compressed: kept for a person to read, never for matching.
 * Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_PROSE_H
#define PLIMSOLL_STORE_PROSE_H

#include "store/blob.h"

#include <zstd.h>

/* Packs into `packed`, which is emptied first. */
void prose_pack(ZSTD_CCtx *compressor, struct blob *packed, slice summary, slice details);
/* False when what was packed is damaged or larger than an advisory may be. */
bool prose_unpack(ZSTD_DCtx *unpacker, struct arena *arena, slice packed, slice *summary,
                  slice *details);

#endif
