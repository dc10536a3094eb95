/* Archives within an image's files that are read as they come: tar, ar (and so .deb), cpio; and
 * what is compressed: gzip, zstd, bzip2, xz, lzma. */
#include "secret/kinds.h"
#include "archive/content_stream.h"
#include "archive/decoder.h"
#include "archive/tar.h"
#include "base/limits.h"

void secret_look_many_members(struct secret_look *look)
{
    secret_look_unopened(look, "it has more members than LIMIT_SECRET_ARCHIVE_MEMBERS");
}

/* What follows damage is looked at as it is. */
static struct error *look_at_rest(struct secret_look *look, struct stream *stream)
{
    return secret_look_plain(look, stream, SECRET_BYTES, UINT64_MAX);
}

/* Says what is wrong with an archive, unless the stream that it comes in is broken; then what is
 * left of it is looked at. */
static struct error *go_on_behind(struct secret_look *look, struct error *error,
                                  struct stream *stream)
{
    TRY(secret_look_settle_damage(look, error, stream));
    return look_at_rest(look, stream);
}

static struct error *too_many(struct secret_look *look, struct stream *stream)
{
    secret_look_many_members(look);
    return look_at_rest(look, stream);
}

/* -- tar ------------------------------------------------------------------------------------------
 */

static bool is_tar(const struct secret_look *look, slice head)
{
    enum { MAGIC_AT = 257 };
    (void)look;
    return slice_starts(slice_from(head, MAGIC_AT), SLICE("ustar"));
}

/* A file whose end is missing ends where the archive does: the next header says what is wrong. */
static struct error *next_of_tar(void *context, slice *piece)
{
    struct tar *tar = context;
    struct error *error = tar_read(tar, piece);
    if (!error || tar->stream->broken || error->kind != ERROR_INPUT)
        return error;
    error_free(error);
    *piece = SLICE_EMPTY;
    return NULL;
}

/* A limit that a header passes is as good as damage. */
static struct error *own_error(const struct tar *tar, struct error *error)
{
    if (error && error->kind == ERROR_LIMIT && !tar->stream->broken)
        error->kind = ERROR_INPUT;
    return error;
}

static struct error *look_at_entries(struct secret_look *look, struct tar *tar)
{
    for (size_t count = 0;; count++) {
        const struct entry *entry;
        TRY(own_error(tar, tar_next(tar, &entry)));
        if (!entry)
            return NULL;
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return too_many(look, tar->stream);
        if (entry->kind == ENTRY_FILE && entry->size)
            TRY(secret_look_inside(look, entry->path, next_of_tar, tar));
    }
}

static struct error *look_at_tar(struct secret_look *look, struct stream *stream)
{
    struct tar tar;
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    tar_start(&tar, stream);
    tar.short_holes = true;
    struct error *error = look_at_entries(look, &tar);
    tar_free(&tar);
    return error ? go_on_behind(look, error, stream) : secret_look_behind(look, stream);
}

/* -- members with a size in front (ar, cpio) ------------------------------------------------------
 */

struct sized {
    struct stream *stream;
    uint64_t left;
};

static struct error *next_of_sized(void *context, slice *piece)
{
    struct sized *sized = context;
    *piece = SLICE_EMPTY;
    if (sized->left == 0)
        return NULL;
    TRY(stream_some(sized->stream, piece));
    if (piece->len > sized->left)
        piece->len = (size_t)sized->left;
    stream_take(sized->stream, piece->len);
    sized->left -= piece->len;
    return NULL;
}

static struct error *ends_early(void)
{
    return error_make(ERROR_INPUT, "it ends in the middle of a member");
}

/* Bytes behind a member, too, of which the last may be missing. */
static struct error *look_at_sized(struct secret_look *look, struct stream *stream, slice name,
                                   uint64_t size, unsigned padding)
{
    struct sized sized = {stream, size};
    if (size)
        TRY(secret_look_inside(look, name, next_of_sized, &sized));
    for (slice piece; sized.left;) {
        TRY(next_of_sized(&sized, &piece));
        if (piece.len == 0)
            return ends_early();
    }
    sized.left = padding;
    for (slice piece; sized.left;) {
        TRY(next_of_sized(&sized, &piece));
        if (piece.len == 0)
            return NULL;
    }
    return NULL;
}

/* -- ar (ar(5)) -----------------------------------------------------------------------------------
 */

enum { AR_HEADER = 60, AR_SIZE_AT = 48, AR_END_AT = 58 };
#define AR_MAGIC SLICE("!<arch>\n")

static bool is_ar(const struct secret_look *look, slice head)
{
    (void)look;
    return slice_starts(head, AR_MAGIC);
}

static slice field(slice header, size_t at, size_t count)
{
    return slice_trim(slice_first(slice_from(header, at), count));
}

/* GNU's names end in "/", and are in a table when long; BSD's stand in front of the content then,
 * "#1/" and their length. */
static struct error *ar_name(struct stream *stream, struct arena *arena, slice header,
                             const slice *table, uint64_t *size, slice *name)
{
    uint64_t number;
    slice bytes;
    *name = arena_copy(arena, field(header, 0, 16));
    if (slice_starts(*name, SLICE("#1/")) && slice_to_u64(slice_from(*name, 3), &number) &&
        number <= *size && number <= LIMIT_PATH_BYTES) {
        TRY(stream_need(stream, (size_t)number, &bytes));
        stream_take(stream, bytes.len);
        *size -= number;
        *name = arena_copy(arena, slice_first(bytes, strnlen(bytes.ptr, bytes.len)));
    } else if (slice_starts(*name, SLICE("/")) && slice_to_u64(slice_from(*name, 1), &number)) {
        slice rest = number < table->len ? slice_from(*table, (size_t)number) : SLICE_EMPTY;
        *name = slice_first(rest, slice_find(rest, '\n'));
    }
    if (name->len > 1 && slice_ends(*name, SLICE("/")))
        name->len--;
    return NULL;
}

static struct error *read_table(struct stream *stream, uint64_t size, struct arena *arena,
                                slice *table)
{
    slice bytes;
    size_t most = size < STREAM_WINDOW ? (size_t)size : STREAM_WINDOW;
    TRY(stream_need(stream, most, &bytes));
    *table = arena_copy(arena, bytes);
    return NULL;
}

static struct error *look_at_ar_members(struct secret_look *look, struct stream *stream)
{
    CLEANUP_ARENA struct arena of_table = {0};
    slice table = SLICE_EMPTY;
    for (size_t count = 0;; count++) {
        CLEANUP_ARENA struct arena own = {0};
        slice header, name;
        uint64_t size;
        TRY(stream_need(stream, AR_HEADER, &header));
        if (header.len == 0)
            return NULL;
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return too_many(look, stream);
        if (header.len < AR_HEADER || !slice_starts(slice_from(header, AR_END_AT), SLICE("`\n")) ||
            !slice_to_u64(field(header, AR_SIZE_AT, 10), &size))
            return error_make(ERROR_INPUT, "what follows is no header of ar's");
        header = arena_copy(&own, header);
        stream_take(stream, AR_HEADER);
        unsigned padding = size % 2;
        if (slice_starts(header, SLICE("// ")) && table.len == 0)
            TRY(read_table(stream, size, &of_table, &table));
        TRY(ar_name(stream, &own, header, &table, &size, &name));
        TRY(look_at_sized(look, stream, name, size, padding));
    }
}

static struct error *look_at_ar(struct secret_look *look, struct stream *stream)
{
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    stream_take(stream, AR_MAGIC.len);
    struct error *error = look_at_ar_members(look, stream);
    return error ? go_on_behind(look, error, stream) : NULL;
}

/* -- cpio (cpio(5): "new" without and with checksum, and "odc") -----------------------------------
 */

struct cpio_header {
    size_t bytes; /* of the header itself */
    uint64_t name, size;
    unsigned alignment; /* of name and content */
};

static bool pull_digits(slice header, size_t at, size_t count, unsigned base, uint64_t *number)
{
    *number = 0;
    for (size_t i = at; i < at + count; i++) {
        char c = byte_lower(header.ptr[i]);
        unsigned digit = byte_is_digit(c)       ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : base;
        if (digit >= base)
            return false;
        *number = *number * base + digit;
    }
    return true;
}

static bool cpio_read(struct cpio_header *header, slice bytes)
{
    enum { NEW_BYTES = 110, ODC_BYTES = 76 };
    bool is_new = slice_starts(bytes, SLICE("070701")) || slice_starts(bytes, SLICE("070702"));
    if (is_new && bytes.len >= NEW_BYTES) {
        *header = (struct cpio_header){.bytes = NEW_BYTES, .alignment = 4};
        return pull_digits(bytes, 54, 8, 16, &header->size) &&
               pull_digits(bytes, 94, 8, 16, &header->name);
    }
    if (slice_starts(bytes, SLICE("070707")) && bytes.len >= ODC_BYTES) {
        *header = (struct cpio_header){.bytes = ODC_BYTES, .alignment = 1};
        return pull_digits(bytes, 59, 6, 8, &header->name) &&
               pull_digits(bytes, 65, 11, 8, &header->size);
    }
    return false;
}

static bool is_cpio(const struct secret_look *look, slice head)
{
    struct cpio_header header;
    (void)look;
    return cpio_read(&header, head) && header.name > 1 && header.name <= LIMIT_PATH_BYTES;
}

static struct error *look_at_cpio_members(struct secret_look *look, struct stream *stream)
{
    for (size_t count = 0;; count++) {
        CLEANUP_ARENA struct arena own = {0};
        struct cpio_header header;
        slice bytes;
        TRY(stream_need(stream, 110, &bytes));
        if (!cpio_read(&header, bytes) || header.name > LIMIT_PATH_BYTES)
            return error_make(ERROR_INPUT, "what follows is no header of cpio's");
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return too_many(look, stream);
        stream_take(stream, header.bytes);
        size_t padded = header.bytes + (size_t)header.name;
        padded += -padded % header.alignment;
        TRY(stream_need(stream, padded - header.bytes, &bytes));
        if (bytes.len < padded - header.bytes)
            return ends_early();
        slice name = arena_copy(&own, slice_first(bytes, strnlen(bytes.ptr, header.name)));
        stream_take(stream, bytes.len);
        if (slice_equal(name, SLICE("TRAILER!!!")))
            return NULL;
        TRY(look_at_sized(look, stream, name, header.size,
                          (unsigned)(-header.size % header.alignment)));
    }
}

/* Another one may follow, packed or not: a kernel's first files come so. */
static struct error *look_at_cpio(struct secret_look *look, struct stream *stream)
{
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    struct error *error = look_at_cpio_members(look, stream);
    return error ? go_on_behind(look, error, stream) : secret_look_behind(look, stream);
}

/* -- compressed -----------------------------------------------------------------------------------
 */

static bool is_compressed(const struct secret_look *look, slice head)
{
    enum decoder_method method;
    (void)look;
    return decoder_recognise(head, &method);
}

static struct error *look_at_unpacked(struct secret_look *look, struct decoder *decoder,
                                      struct stream *stream)
{
    TRY(secret_look_inside(look, SLICE_EMPTY, decoder_next, decoder));
    const char *problem = decoder_problem(decoder);
    if (problem)
        secret_look_unopened(look, problem);
    return decoder_ended(decoder) ? secret_look_behind(look, stream) : NULL;
}

static struct error *look_at_compressed(struct secret_look *look, struct stream *stream)
{
    enum decoder_method method;
    slice head;
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    TRY(stream_need(stream, DECODER_MAGIC, &head));
    if (!decoder_recognise(head, &method))
        return NULL;
    struct decoder *decoder = decoder_new(look->memory);
    decoder_begin(decoder, method, stream, UINT64_MAX, false, SLICE_EMPTY);
    struct error *error = look_at_unpacked(look, decoder, stream);
    decoder_free(decoder);
    return error;
}

const struct secret_kind secret_kind_tar = {"tar", is_tar, look_at_tar};
const struct secret_kind secret_kind_ar = {"ar", is_ar, look_at_ar};
const struct secret_kind secret_kind_cpio = {"cpio", is_cpio, look_at_cpio};
const struct secret_kind secret_kind_compressed = {"compressed", is_compressed, look_at_compressed};
