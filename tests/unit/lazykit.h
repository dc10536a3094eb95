/*
 * Layers with a table of contents for tests, made after the formats' own descriptions: eStargz
 * (containerd/stargz-snapshotter, docs/estargz.md) and zstd:chunked (containers/storage,
 * pkg/chunked).
 */
#ifndef PLIMSOLL_TESTS_LAZYKIT_H
#define PLIMSOLL_TESTS_LAZYKIT_H

#include "tarkit.h"
#include "archive/layer_toc.h"
#include "base/digest.h"

#include <zlib.h>
#include <zstd.h>

struct lazykit_piece {
    char type; /* 'f' file, 'd' folder, 'l' symlink, 'h' hard link, 'o' device */
    const char *name, *link;
    slice content;
};

struct lazykit_form {
    const char *name;
    enum layer_toc_kind kind;
    size_t chunk;  /* bytes of a chunk at most */
    size_t member; /* a gzip member takes in chunks until it has so many bytes; 0: one chunk each */
    bool ends;     /* endOffset is said, and which chunks are nothing but zeros */
};

/* Replaces the first `from` in the table's text, before it is packed. */
struct lazykit_change {
    const char *from, *to;
};

struct lazykit_layer {
    struct buffer blob;
    struct layer_toc where;
    size_t table_at, table_length; /* as stored */
    struct arena arena;
};

struct lazykit_chunk {
    size_t offset, inside, at;
    slice bytes;
};

struct lazykit_maker {
    const struct lazykit_form *form;
    struct buffer *blob;
    struct buffer member; /* not packed yet … */
    size_t member_at;     /* … and where it will lie */
    struct buffer table;
    struct arena arena;
};

static inline void lazykit_noise(char *bytes, size_t count)
{
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        bytes[i] = (char)(state >> 56);
    }
}

static inline void lazykit_gzip(slice bytes, struct buffer *out)
{
    z_stream packer = {0};
    if (deflateInit2(&packer, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t room = deflateBound(&packer, bytes.len);
    packer.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    packer.avail_in = (uInt)bytes.len;
    packer.next_out = (Bytef *)buffer_reserve(out, room);
    packer.avail_out = (uInt)room;
    if (deflate(&packer, Z_FINISH) != Z_STREAM_END)
        abort();
    out->len += packer.total_out;
    deflateEnd(&packer);
}

static inline void lazykit_zstd(slice bytes, struct buffer *out)
{
    size_t room = ZSTD_compressBound(bytes.len);
    size_t count = ZSTD_compress(buffer_reserve(out, room), room, bytes.ptr, bytes.len, 3);
    if (ZSTD_isError(count))
        abort();
    out->len += count;
}

static inline void lazykit_pack(enum layer_toc_kind kind, slice bytes, struct buffer *out)
{
    if (kind == TOC_ESTARGZ)
        lazykit_gzip(bytes, out);
    else
        lazykit_zstd(bytes, out);
}

static inline void lazykit_end_member(struct lazykit_maker *maker)
{
    if (maker->member.len)
        lazykit_pack(maker->form->kind, buffer_slice(&maker->member), maker->blob);
    maker->member.len = 0;
    maker->member_at = maker->blob->len;
}

static inline void lazykit_add_header(struct lazykit_maker *maker,
                                      const struct lazykit_piece *piece)
{
    static const char types[] = {['f'] = '0', ['d'] = '5', ['l'] = '2', ['h'] = '1', ['o'] = '3'};
    tarkit_add_header(&maker->member,
                      (struct tarkit_header){.name = piece->name,
                                             .type = types[(unsigned char)piece->type],
                                             .link = piece->link,
                                             .size = piece->content.len});
}

static inline struct list lazykit_add_chunks(struct lazykit_maker *maker, slice content)
{
    struct list chunks = {0};
    for (size_t at = 0; at < content.len;) {
        struct lazykit_chunk *chunk = list_add(&chunks, &maker->arena, sizeof(*chunk));
        if (maker->member.len >= maker->form->member)
            lazykit_end_member(maker);
        *chunk = (struct lazykit_chunk){
            .offset = maker->member_at,
            .inside = maker->member.len,
            .at = at,
            .bytes = slice_first(slice_from(content, at), maker->form->chunk),
        };
        buffer_add(&maker->member, chunk->bytes);
        at += chunk->bytes.len;
    }
    if (maker->form->member == 0)
        lazykit_end_member(maker);
    return chunks;
}

static inline bool lazykit_all_zeros(slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i])
            return false;
    return true;
}

static inline void lazykit_list_chunk(struct lazykit_maker *maker,
                                      const struct lazykit_chunk *chunk, bool only)
{
    struct buffer *table = &maker->table;
    buffer_format(table, ",\"offset\":%zu", chunk->offset);
    if (chunk->inside)
        buffer_format(table, ",\"innerOffset\":%zu", chunk->inside);
    if (chunk->at)
        buffer_format(table, ",\"chunkOffset\":%zu", chunk->at);
    if (!only)
        buffer_format(table, ",\"chunkSize\":%zu", chunk->bytes.len);
    if (!only || maker->form->kind == TOC_ESTARGZ)
        buffer_format(table, ",\"chunkDigest\":\"%.*s\"",
                      SLICE_ARG(digest_of(chunk->bytes, &maker->arena)));
    if (maker->form->ends && lazykit_all_zeros(chunk->bytes))
        buffer_text(table, ",\"chunkType\":\"zeros\"");
}

static inline void lazykit_list_piece(struct lazykit_maker *maker,
                                      const struct lazykit_piece *piece, struct list chunks)
{
    static const char *const types[] = {
        ['f'] = "reg", ['d'] = "dir", ['l'] = "symlink", ['h'] = "hardlink", ['o'] = "char"};
    const struct lazykit_chunk *chunk = chunks.items;
    struct buffer *table = &maker->table;
    buffer_format(table, "%s\n{\"type\":\"%s\",\"name\":\"%s\",\"mode\":420",
                  table->bytes[table->len - 1] == '[' ? "" : ",", types[(unsigned char)piece->type],
                  piece->name);
    if (piece->link)
        buffer_format(table, ",\"linkName\":\"%s\"", piece->link);
    if (chunks.count)
        buffer_format(table, ",\"size\":%zu,\"digest\":\"%.*s\"", piece->content.len,
                      SLICE_ARG(digest_of(piece->content, &maker->arena)));
    if (chunks.count && maker->form->ends)
        buffer_format(table, ",\"endOffset\":%zu", maker->member_at);
    for (size_t i = 0; i < chunks.count; i++) {
        if (i)
            buffer_format(table, "},\n{\"type\":\"chunk\",\"name\":\"%s\"", piece->name);
        lazykit_list_chunk(maker, &chunk[i], chunks.count == 1);
    }
    buffer_text(table, ",\"xattrs\":{\"user.x\":\"eA==\"},\"modtime\":\"2023-11-14T22:13:20Z\"}");
}

static inline void lazykit_add(struct lazykit_maker *maker, const struct lazykit_piece *piece)
{
    struct list chunks = {0};
    lazykit_add_header(maker, piece);
    if (piece->content.len)
        chunks = lazykit_add_chunks(maker, piece->content);
    lazykit_list_piece(maker, piece, chunks);
    tarkit_add_content(&maker->member, SLICE_EMPTY);
    tarkit_add_zeros(&maker->member, (512 - piece->content.len % 512) % 512);
    arena_free(&maker->arena);
}

static inline void lazykit_change_text(struct buffer *text, const struct lazykit_change *change)
{
    CLEANUP_BUFFER struct buffer changed = {0};
    if (!change)
        return;
    buffer_add_byte(text, '\0');
    const char *at = strstr(text->bytes, change->from);
    if (!at)
        abort();
    slice behind = slice_from_text(at + strlen(change->from));
    buffer_add(&changed, slice_make(text->bytes, (size_t)(at - text->bytes)));
    buffer_text(&changed, change->to);
    buffer_add(&changed, behind);
    text->len = 0;
    buffer_add(text, buffer_slice(&changed));
}

static inline void lazykit_little_endian(struct buffer *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buffer_add_byte(out, (char)(number >> 8 * i));
}

/* RFC 1952: an empty member with the extra field "SG", where the table lies in hex digits. */
static inline void lazykit_estargz_footer(struct buffer *blob, uint64_t table_at)
{
    buffer_add(blob, SLICE("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0"));
    buffer_format(blob, "%016llxSTARGZ", (unsigned long long)table_at);
    buffer_add(blob, SLICE("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0"));
}

static inline void lazykit_end_estargz(struct lazykit_layer *layer, slice table)
{
    CLEANUP_BUFFER struct buffer tar = {0};
    tarkit_add_file(&tar, "stargz.index.json", table);
    tarkit_end(&tar);
    layer->table_at = layer->blob.len;
    lazykit_gzip(buffer_slice(&tar), &layer->blob);
    lazykit_estargz_footer(&layer->blob, layer->table_at);
    layer->table_length = layer->blob.len - layer->table_at;
    layer->where =
        (struct layer_toc){.kind = TOC_ESTARGZ, .digest = digest_of(table, &layer->arena)};
}

static inline void lazykit_end_zstd_chunked(struct lazykit_layer *layer, slice table)
{
    CLEANUP_BUFFER struct buffer packed = {0};
    CLEANUP_BUFFER struct buffer end = {0};
    tarkit_end(&end);
    lazykit_zstd(buffer_slice(&end), &layer->blob);
    lazykit_zstd(table, &packed);
    buffer_add(&layer->blob, SLICE("\x50\x2a\x4d\x18"));
    lazykit_little_endian(&layer->blob, packed.len, 4);
    layer->table_at = layer->blob.len;
    layer->table_length = packed.len;
    buffer_add(&layer->blob, buffer_slice(&packed));
    layer->where = (struct layer_toc){.kind = TOC_ZSTD_CHUNKED,
                                      .digest = digest_of(buffer_slice(&packed), &layer->arena),
                                      .offset = layer->table_at,
                                      .length = packed.len,
                                      .unpacked = table.len};
    buffer_add(&layer->blob, SLICE("\x50\x2a\x4d\x18"));
    lazykit_little_endian(&layer->blob, 40, 4);
    lazykit_little_endian(&layer->blob, layer->where.offset, 8);
    lazykit_little_endian(&layer->blob, layer->where.length, 8);
    lazykit_little_endian(&layer->blob, layer->where.unpacked, 8);
    lazykit_little_endian(&layer->blob, 1, 8);
    buffer_add(&layer->blob, SLICE("GnUlInUx"));
}

/* Puts a table behind what is in the blob already. */
static inline void lazykit_end(struct lazykit_layer *layer, enum layer_toc_kind kind, slice table)
{
    if (kind == TOC_ESTARGZ)
        lazykit_end_estargz(layer, table);
    else
        lazykit_end_zstd_chunked(layer, table);
}

static inline void lazykit_make(struct lazykit_layer *layer, const struct lazykit_form *form,
                                const struct lazykit_piece *pieces, size_t count,
                                const struct lazykit_change *change)
{
    *layer = (struct lazykit_layer){0};
    struct lazykit_maker maker = {.form = form, .blob = &layer->blob};
    buffer_text(&maker.table, "{\"version\":1,\"entries\":[");
    for (size_t i = 0; i < count; i++)
        lazykit_add(&maker, &pieces[i]);
    lazykit_end_member(&maker);
    buffer_text(&maker.table, "]}");
    lazykit_change_text(&maker.table, change);
    lazykit_end(layer, form->kind, buffer_slice(&maker.table));
    buffer_free(&maker.member);
    buffer_free(&maker.table);
    arena_free(&maker.arena);
}

static inline void lazykit_free(struct lazykit_layer *layer)
{
    buffer_free(&layer->blob);
    arena_free(&layer->arena);
}

#endif
