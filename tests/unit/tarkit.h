/*
 * Tars for tests, made block by block, so that any field can be wrong. What is appended goes into a
 * buffer; tarkit_list gives back what a reader makes of it, as text.
 */
#ifndef PLIMSOLL_TESTS_TARKIT_H
#define PLIMSOLL_TESTS_TARKIT_H

#include "archive/tar.h"
#include "base/buffer.h"

enum { TARKIT_BLOCK = 512 };

/* What is not set is as in a plain ustar file. */
struct tarkit_header {
    const char *name;
    char type;     /* 0: '0' */
    bool type_nul; /* the type is a NUL byte */
    const char *link;
    const char *prefix;
    const char *magic; /* eight bytes; NULL: ustar's */
    uint64_t size;
    slice raw_size; /* twelve bytes in place of `size` */
    bool signed_checksum;
};

#define TARKIT_GNU "ustar  "
#define TARKIT_V7 "\0\0\0\0\0\0\0"

static inline void tarkit_number(char *field, size_t length, uint64_t number)
{
    field[length - 1] = '\0';
    for (size_t i = length - 1; i-- > 0; number >>= 3)
        field[i] = (char)('0' + (number & 7));
}

static inline void tarkit_seal(char *block, bool as_signed)
{
    int sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < TARKIT_BLOCK; i++)
        sum += as_signed ? (signed char)block[i] : (unsigned char)block[i];
    tarkit_number(block + 148, 7, (uint64_t)sum);
}

/* The block is at the buffer's end afterwards, to be changed and sealed again. */
static inline char *tarkit_add_header(struct buffer *tar, struct tarkit_header header)
{
    char *block = memset(buffer_reserve(tar, TARKIT_BLOCK), 0, TARKIT_BLOCK);
    tar->len += TARKIT_BLOCK;
    slice name = slice_first(slice_from_text(header.name ? header.name : ""), 100);
    slice link = slice_first(slice_from_text(header.link), 100);
    slice prefix = slice_first(slice_from_text(header.prefix), 155);
    memcpy(block, name.ptr, name.len);
    memcpy(block + 100, "0000644", 8);
    tarkit_number(block + 124, 12, header.size);
    if (header.raw_size.len)
        memcpy(block + 124, header.raw_size.ptr, header.raw_size.len);
    block[156] = header.type_nul ? '\0' : header.type ? header.type : '0';
    if (link.len)
        memcpy(block + 157, link.ptr, link.len);
    memcpy(block + 257, header.magic ? header.magic : "ustar\00000", 8);
    if (prefix.len)
        memcpy(block + 345, prefix.ptr, prefix.len);
    tarkit_seal(block, header.signed_checksum);
    return block;
}

static inline void tarkit_add_content(struct buffer *tar, slice content)
{
    static const char zeros[TARKIT_BLOCK];
    buffer_add(tar, content);
    buffer_add(tar, slice_make(zeros, (TARKIT_BLOCK - content.len % TARKIT_BLOCK) % TARKIT_BLOCK));
}

static inline void tarkit_add(struct buffer *tar, struct tarkit_header header, slice content)
{
    header.size = content.len;
    tarkit_add_header(tar, header);
    tarkit_add_content(tar, content);
}

static inline void tarkit_add_file(struct buffer *tar, const char *name, slice content)
{
    tarkit_add(tar, (struct tarkit_header){.name = name}, content);
}

static inline void tarkit_add_link(struct buffer *tar, const char *name, char type,
                                   const char *target)
{
    tarkit_add_header(tar, (struct tarkit_header){.name = name, .type = type, .link = target});
}

static inline void tarkit_add_folder(struct buffer *tar, const char *name)
{
    tarkit_add_header(tar, (struct tarkit_header){.name = name, .type = '5'});
}

/* One pax record; its length counts itself. */
static inline void tarkit_pax_record(struct buffer *records, const char *key, slice value)
{
    size_t rest = strlen(key) + value.len + 3, length = rest + 1;
    char digits[24];
    while ((size_t)snprintf(digits, sizeof(digits), "%zu", length) + rest != length)
        length++;
    buffer_format(records, "%zu %s=", length, key);
    buffer_add(records, value);
    buffer_add_byte(records, '\n');
}

/* A pax header of "key", "value", …, NULL. */
static inline void tarkit_add_pax(struct buffer *tar, char type, const char *const *pairs)
{
    CLEANUP_BUFFER struct buffer records = {0};
    for (size_t i = 0; pairs[i]; i += 2)
        tarkit_pax_record(&records, pairs[i], slice_from_text(pairs[i + 1]));
    tarkit_add(tar, (struct tarkit_header){.name = "PaxHeaders/x", .type = type},
               buffer_slice(&records));
}

#define TARKIT_PAX(tar, type, ...)                                                                 \
    tarkit_add_pax((tar), (type), (const char *const[]){__VA_ARGS__, NULL})

static inline void tarkit_add_gnu(struct buffer *tar, char type, slice content)
{
    tarkit_add(tar,
               (struct tarkit_header){.name = "././@LongLink", .type = type, .magic = TARKIT_GNU},
               content);
}

static inline void tarkit_add_zeros(struct buffer *tar, size_t count)
{
    memset(buffer_reserve(tar, count), 0, count);
    tar->len += count;
}

static inline void tarkit_end(struct buffer *tar)
{
    tarkit_add_zeros(tar, 2 * (size_t)TARKIT_BLOCK);
}

/* Of one file's content: no test needs more to see what is there. */
enum { TARKIT_SHOWN = 4096 };

static inline struct error *tarkit_list_entry(struct tar *tar, const struct entry *entry,
                                              bool contents, struct buffer *text)
{
    static const char kinds[] = {[ENTRY_FILE] = 'f',
                                 [ENTRY_FOLDER] = 'd',
                                 [ENTRY_SYMLINK] = 'l',
                                 [ENTRY_HARDLINK] = 'h',
                                 [ENTRY_OTHER] = 'o'};
    uint64_t length = 0;
    slice piece;
    buffer_format(text, "%c %.*s", kinds[entry->kind], SLICE_ARG(entry->path));
    if (entry->kind == ENTRY_SYMLINK || entry->kind == ENTRY_HARDLINK)
        buffer_format(text, " -> %.*s", SLICE_ARG(entry->target));
    if (entry->kind == ENTRY_FILE)
        buffer_format(text, " %llu", (unsigned long long)entry->size);
    if (tar->odd_path)
        buffer_text(text, " odd");
    buffer_add_byte(text, entry->kind == ENTRY_FILE && contents ? ' ' : '\n');
    if (entry->kind != ENTRY_FILE || !contents)
        return NULL;
    do {
        TRY(tar_read(tar, &piece));
        length += piece.len;
        for (size_t i = 0; i < piece.len; i++)
            buffer_add_byte(text, piece.ptr[i] ? piece.ptr[i] : '.');
    } while (piece.len && length < TARKIT_SHOWN);
    buffer_add_byte(text, '\n');
    return NULL;
}

/*
 * "f PATH SIZE CONTENT", "d PATH", "l PATH -> TARGET", … a line each, NULs as dots; "end" or "cut"
 * (without end marks) last. With an error the lines up to there.
 */
static inline struct error *tarkit_list(slice bytes, bool contents, struct buffer *text)
{
    struct stream *stream = stream_from_memory(bytes);
    struct tar tar;
    const struct entry *entry;
    struct error *error;
    tar_start(&tar, stream);
    while (!(error = tar_next(&tar, &entry)) && entry)
        if ((error = tarkit_list_entry(&tar, entry, contents, text)))
            break;
    if (!error)
        buffer_text(text, tar.end_marked ? "end\n" : "cut\n");
    tar_free(&tar);
    stream_close(stream);
    return error;
}

#endif
