#include "store/prose.h"
#include "base/limits.h"

/* The fastest level that packs sentences well; an import has tens of thousands of them. */
enum { PROSE_LEVEL = 3 };

/* Unpacked: the summary, a NUL, the details. A NUL in the summary itself is left out. */
void prose_pack(ZSTD_CCtx *compressor, struct blob *packed, slice summary, slice details)
{
    size_t count = 0;
    CLEANUP_FREE char *plain = memory_alloc(summary.len + details.len + 1);
    for (size_t i = 0; i < summary.len; i++)
        if (summary.ptr[i])
            plain[count++] = summary.ptr[i];
    plain[count++] = '\0';
    if (details.len)
        memcpy(plain + count, details.ptr, details.len);
    count += details.len;

    size_t bound = ZSTD_compressBound(count);
    if (packed->room < bound) {
        packed->bytes = memory_resize(packed->bytes, bound);
        packed->room = bound;
    }
    size_t written =
        ZSTD_compressCCtx(compressor, packed->bytes, packed->room, plain, count, PROSE_LEVEL);
    if (ZSTD_isError(written)) /* with room for the bound, only memory can be missing */
        memory_exhausted();
    packed->count = written;
}

bool prose_unpack(ZSTD_DCtx *unpacker, struct arena *arena, slice packed, slice *summary,
                  slice *details)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
        size > LIMIT_ADVISORY_BYTES)
        return false;
    char *plain = arena_alloc(arena, size);
    size_t read = ZSTD_decompressDCtx(unpacker, plain, size, packed.ptr, packed.len);
    return !ZSTD_isError(read) && slice_split(slice_make(plain, read), '\0', summary, details);
}
