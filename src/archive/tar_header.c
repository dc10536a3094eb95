#include "archive/tar_header.h"
#include "base/limits.h"

/* Offsets and lengths of a header block's fields (POSIX.1-1988 ustar, GNU tar manual "Standard").
 */
#define FIELD(block, offset, length) slice_make((block).ptr + (offset), (length))
#define FIELD_NAME(block) FIELD(block, 0, 100)
#define FIELD_MODE(block) FIELD(block, 100, 8)
#define FIELD_SIZE(block) FIELD(block, 124, 12)
#define FIELD_MODIFIED(block) FIELD(block, 136, 12)
#define FIELD_CHECKSUM(block) FIELD(block, 148, 8)
#define FIELD_TYPE(block) ((block).ptr[156])
#define FIELD_LINK(block) FIELD(block, 157, 100)
#define FIELD_MAGIC(block) FIELD(block, 257, 8)
#define FIELD_PREFIX(block) FIELD(block, 345, 155)

static slice until_nul(slice field)
{
    size_t end = slice_find(field, '\0');
    return end == SIZE_MAX ? field : slice_first(field, end);
}

/* Octal text with spaces or NULs around it, or base-256 (GNU) when the first bit is set. */
static bool parse_number(slice field, uint64_t *number)
{
    *number = 0;
    unsigned char first = (unsigned char)field.ptr[0];
    if (first & 0x80) {
        if (first & 0x40)
            return false; /* negative */
        for (size_t i = 0; i < field.len; i++) {
            if (*number >> 56)
                return false;
            unsigned char byte = (unsigned char)field.ptr[i];
            *number = *number << 8 | (i == 0 ? byte & 0x3f : byte);
        }
        return *number <= INT64_MAX;
    }
    while (field.len && (field.ptr[0] == ' ' || field.ptr[0] == '\0'))
        field = slice_from(field, 1);
    while (field.len && (field.ptr[field.len - 1] == ' ' || field.ptr[field.len - 1] == '\0'))
        field.len--;
    field = until_nul(field);
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] < '0' || field.ptr[i] > '7' || *number >> 60)
            return false;
        *number = *number << 3 | (uint64_t)(field.ptr[i] - '0');
    }
    return true;
}

/* Sums of unsigned bytes, as POSIX has it, or of signed ones, as old implementations made them. */
static bool checksum_matches(slice block)
{
    uint64_t expected;
    int64_t as_unsigned = 0, as_signed = 0;
    if (!parse_number(FIELD_CHECKSUM(block), &expected))
        return false;
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        bool own = i >= 148 && i < 156;
        as_unsigned += own ? ' ' : (unsigned char)block.ptr[i];
        as_signed += own ? ' ' : (signed char)block.ptr[i];
    }
    return (int64_t)expected == as_unsigned || (int64_t)expected == as_signed;
}

static const struct type_meaning {
    char type;
    enum entry_kind kind;
    bool header_only;
    enum tar_extension_kind extension;
} types[] = {
    {'0', ENTRY_FILE, false, TAR_NOT_AN_EXTENSION},
    {'\0', ENTRY_FILE, false, TAR_NOT_AN_EXTENSION},
    {'7', ENTRY_FILE, false, TAR_NOT_AN_EXTENSION}, /* contiguous */
    {'S', ENTRY_FILE, false, TAR_NOT_AN_EXTENSION}, /* old GNU sparse */
    {'1', ENTRY_HARDLINK, true, TAR_NOT_AN_EXTENSION},
    {'2', ENTRY_SYMLINK, true, TAR_NOT_AN_EXTENSION},
    {'3', ENTRY_OTHER, true, TAR_NOT_AN_EXTENSION},
    {'4', ENTRY_OTHER, true, TAR_NOT_AN_EXTENSION},
    {'5', ENTRY_FOLDER, true, TAR_NOT_AN_EXTENSION},
    {'6', ENTRY_OTHER, true, TAR_NOT_AN_EXTENSION},
    {'x', ENTRY_OTHER, false, TAR_PAX},
    {'g', ENTRY_OTHER, false, TAR_PAX_GLOBAL},
    {'L', ENTRY_OTHER, false, TAR_LONG_NAME},
    {'K', ENTRY_OTHER, false, TAR_LONG_LINK},
    {'V', ENTRY_OTHER, false, TAR_IGNORED}, /* volume label */
};

static const struct type_meaning *meaning_of(char type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

/* ustar puts what does not fit into 100 bytes before a '/' into the prefix; GNU and v7 have none.
 */
static void join_name(slice block, struct tar_header *header)
{
    header->name = until_nul(FIELD_NAME(block));
    slice prefix = until_nul(FIELD_PREFIX(block));
    bool posix = slice_starts(FIELD_MAGIC(block), SLICE("ustar\0"));
    if (!posix || prefix.len == 0)
        return;
    memcpy(header->name_space, prefix.ptr, prefix.len);
    header->name_space[prefix.len] = '/';
    memcpy(header->name_space + prefix.len + 1, header->name.ptr, header->name.len);
    header->name = slice_make(header->name_space, prefix.len + 1 + header->name.len);
}

struct error *tar_header_parse(slice block, struct tar_header *header)
{
    uint64_t mode = 0;
    *header = (struct tar_header){0};
    if (!checksum_matches(block))
        return error_make(ERROR_INPUT, "this is no tar header (its checksum does not match)");
    if (!parse_number(FIELD_SIZE(block), &header->size))
        return error_make(ERROR_INPUT, "the size of an entry is no number");
    if (parse_number(FIELD_MODE(block), &mode))
        header->mode = (unsigned)(mode & 07777);
    if (!parse_number(FIELD_MODIFIED(block), &header->modified))
        header->modified = 0;
    header->link = until_nul(FIELD_LINK(block));
    join_name(block, header);
    char type = FIELD_TYPE(block);
    const struct type_meaning *meaning = meaning_of(type);
    header->kind = meaning ? meaning->kind : ENTRY_OTHER;
    header->header_only = meaning && meaning->header_only;
    header->extension = meaning ? meaning->extension : TAR_NOT_AN_EXTENSION;
    header->folder_by_name = type == '\0';
    header->gnu_sparse = type == 'S';
    return NULL;
}

static struct error *add_region(struct arena *arena, struct tar_extension *extension,
                                uint64_t offset, uint64_t length)
{
    if (extension->regions.count >= LIMIT_SPARSE_REGIONS)
        return error_make(ERROR_LIMIT, "a sparse file has more than %d regions",
                          LIMIT_SPARSE_REGIONS);
    struct tar_region *region = list_add(&extension->regions, arena, sizeof(*region));
    *region = (struct tar_region){offset, length};
    return NULL;
}

static struct error *add_sparse_number(struct arena *arena, struct tar_extension *extension,
                                       uint64_t number)
{
    if (!extension->region_open) {
        extension->region_open = true;
        extension->region_offset = number;
        return NULL;
    }
    extension->region_open = false;
    return add_region(arena, extension, extension->region_offset, number);
}

enum pax_kind { PAX_TEXT, PAX_SIZE, PAX_SPARSE_OFFSET, PAX_SPARSE_LENGTH };

/* The records that matter, and where their text goes. Keys of others are of no interest here. */
static const struct pax_key {
    const char *name;
    enum pax_kind kind;
    size_t field;
    bool is_path;
} pax_keys[] = {
    {"path", PAX_TEXT, offsetof(struct tar_extension, path), true},
    {"linkpath", PAX_TEXT, offsetof(struct tar_extension, linkpath), true},
    {"size", PAX_SIZE, 0, false},
    {"GNU.sparse.name", PAX_TEXT, offsetof(struct tar_extension, sparse_name), true},
    {"GNU.sparse.major", PAX_TEXT, offsetof(struct tar_extension, sparse_major), false},
    {"GNU.sparse.minor", PAX_TEXT, offsetof(struct tar_extension, sparse_minor), false},
    {"GNU.sparse.size", PAX_TEXT, offsetof(struct tar_extension, sparse_size), false},
    {"GNU.sparse.realsize", PAX_TEXT, offsetof(struct tar_extension, sparse_real_size), false},
    {"GNU.sparse.map", PAX_TEXT, offsetof(struct tar_extension, sparse_map), false},
    {"GNU.sparse.numblocks", PAX_TEXT, offsetof(struct tar_extension, sparse_blocks), false},
    {"GNU.sparse.offset", PAX_SPARSE_OFFSET, 0, false},
    {"GNU.sparse.numbytes", PAX_SPARSE_LENGTH, 0, false},
};

static struct error *no_number(void)
{
    return error_make(ERROR_INPUT, "a sparse map or size in a pax header is no number");
}

static struct error *apply_pax(struct arena *arena, struct tar_extension *extension,
                               const struct pax_key *key, slice value)
{
    if (key->is_path && slice_find(value, '\0') != SIZE_MAX)
        return error_make(ERROR_INPUT, "a path in a pax header holds a NUL byte");
    if (key->kind == PAX_TEXT) {
        *(slice *)((char *)extension + key->field) = value;
        return NULL;
    }
    if (key->kind == PAX_SIZE) {
        extension->has_size = value.len > 0;
        return value.len == 0 || slice_to_u64(value, &extension->size) ? NULL : no_number();
    }
    /* 0.0: offset and numbytes in turn, each pair a region. */
    bool expects_offset = extension->sparse_numbers.count % 2 == 0;
    if (expects_offset != (key->kind == PAX_SPARSE_OFFSET))
        return error_make(ERROR_INPUT, "the offsets and lengths of a sparse map are not in turn");
    if (extension->sparse_numbers.count >= 2 * LIMIT_SPARSE_REGIONS)
        return error_make(ERROR_LIMIT, "a sparse file has more than %d regions",
                          LIMIT_SPARSE_REGIONS);
    *(slice *)list_add(&extension->sparse_numbers, arena, sizeof(slice)) = value;
    return NULL;
}

/* "LENGTH KEY=VALUE\n", LENGTH counting all of it (POSIX.1-2001 pax, Extended Header). */
static bool pull_record(slice *rest, slice *key, slice *value)
{
    uint64_t length;
    size_t space = slice_find(slice_first(*rest, 20), ' ');
    if (space == SIZE_MAX || !slice_to_u64(slice_first(*rest, space), &length) ||
        length > rest->len || length < space + 3)
        return false;
    slice record = slice_from(slice_first(*rest, (size_t)length), space + 1);
    if (record.ptr[record.len - 1] != '\n')
        return false;
    record.len--;
    *rest = slice_from(*rest, (size_t)length);
    return slice_split(record, '=', key, value) && key->len > 0;
}

static struct error *add_pax(struct arena *arena, struct tar_extension *extension, slice content,
                             bool global)
{
    slice key, value;
    while (content.len) {
        if (!pull_record(&content, &key, &value))
            return error_make(ERROR_INPUT, "a pax header is malformed");
        for (size_t i = 0; i < sizeof(pax_keys) / sizeof(pax_keys[0]); i++) {
            if (!slice_equal(key, slice_from_text(pax_keys[i].name)))
                continue;
            if (global)
                return error_make(
                    ERROR_INPUT,
                    "a global pax header sets %s for every entry: runtimes leave that "
                    "out, other readers do not, so the layer has no one meaning",
                    pax_keys[i].name);
            TRY(apply_pax(arena, extension, &pax_keys[i], value));
        }
    }
    return NULL;
}

struct error *tar_extension_add(struct arena *arena, struct tar_extension *extension,
                                enum tar_extension_kind kind, slice content)
{
    struct tar_extension kept = {.long_name = extension->long_name,
                                 .long_link = extension->long_link};
    switch (kind) {
    case TAR_PAX:
        *extension = kept;
        return add_pax(arena, extension, content, false);
    case TAR_PAX_GLOBAL:
        *extension = (struct tar_extension){0};
        return add_pax(arena, extension, content, true);
    case TAR_LONG_NAME:
        extension->long_name = until_nul(content);
        return NULL;
    case TAR_LONG_LINK:
        extension->long_link = until_nul(content);
        return NULL;
    case TAR_IGNORED:
    case TAR_NOT_AN_EXTENSION:
        break;
    }
    return NULL;
}

slice tar_extension_name(const struct tar_extension *extension, const struct tar_header *fields)
{
    if (extension->sparse != TAR_NOT_SPARSE && extension->sparse_name.len)
        return extension->sparse_name;
    if (extension->long_name.len)
        return extension->long_name;
    return extension->path.len ? extension->path : fields->name;
}

slice tar_extension_link(const struct tar_extension *extension, const struct tar_header *fields)
{
    if (extension->long_link.len)
        return extension->long_link;
    return extension->linkpath.len ? extension->linkpath : fields->link;
}

/* Which form of sparse file the records speak of, as Go tells them apart. */
static enum tar_sparse sparse_form(const struct tar_extension *extension)
{
    slice major = extension->sparse_major, minor = extension->sparse_minor;
    bool minor_0 = slice_equal(minor, SLICE("0")), minor_1 = slice_equal(minor, SLICE("1"));
    if (slice_equal(major, SLICE("0")) && (minor_0 || minor_1))
        return TAR_SPARSE_MAP_IN_HEADER;
    if (slice_equal(major, SLICE("1")) && minor_0)
        return TAR_SPARSE_MAP_IN_DATA;
    if (major.len || minor.len)
        return TAR_NOT_SPARSE;
    return extension->sparse_map.len || extension->sparse_numbers.count ? TAR_SPARSE_MAP_IN_HEADER
                                                                        : TAR_NOT_SPARSE;
}

static struct error *add_number_text(struct arena *arena, struct tar_extension *extension,
                                     slice text)
{
    uint64_t number;
    return slice_to_u64(text, &number) ? add_sparse_number(arena, extension, number) : no_number();
}

/* 0.1: "offset,length,offset,length…" in one record; 0.0: a record for each number. */
static struct error *read_header_map(struct arena *arena, struct tar_extension *extension)
{
    slice rest = extension->sparse_map, part;
    uint64_t blocks;
    const slice *numbers = extension->sparse_numbers.items;
    if (extension->sparse_numbers.count)
        rest = SLICE_EMPTY;
    for (size_t i = 0; i < extension->sparse_numbers.count; i++)
        TRY(add_number_text(arena, extension, numbers[i]));
    while (rest.len && slice_pull(&rest, ',', &part))
        TRY(add_number_text(arena, extension, part));
    if (rest.ptr && slice_ends(extension->sparse_map, SLICE(",")))
        return no_number();
    if (extension->region_open || !slice_to_u64(extension->sparse_blocks, &blocks) ||
        blocks != extension->regions.count)
        return error_make(ERROR_INPUT, "a sparse map has not as many regions as it says");
    return NULL;
}

struct error *tar_extension_finish(struct arena *arena, struct tar_extension *extension)
{
    slice size = extension->sparse_size.len ? extension->sparse_size : extension->sparse_real_size;
    extension->sparse = sparse_form(extension);
    if (extension->sparse == TAR_NOT_SPARSE)
        return NULL;
    extension->has_real_size = size.len > 0;
    if (size.len && !slice_to_u64(size, &extension->real_size))
        return no_number();
    return extension->sparse == TAR_SPARSE_MAP_IN_HEADER ? read_header_map(arena, extension) : NULL;
}

static struct error *add_gnu_regions(struct arena *arena, slice map,
                                     struct tar_extension *extension)
{
    for (; map.len >= 24; map = slice_from(map, 24)) {
        uint64_t offset, length;
        if (map.ptr[0] == '\0')
            return NULL;
        if (!parse_number(slice_first(map, 12), &offset) ||
            !parse_number(slice_first(slice_from(map, 12), 12), &length))
            return error_make(ERROR_INPUT, "a sparse map holds what is no number");
        TRY(add_region(arena, extension, offset, length));
    }
    return NULL;
}

struct error *tar_gnu_sparse_header(struct arena *arena, slice block,
                                    struct tar_extension *extension, bool *more)
{
    extension->regions = (struct list){0};
    *more = block.ptr[482] != 0;
    if (!parse_number(FIELD(block, 483, 12), &extension->real_size))
        return error_make(ERROR_INPUT, "the real size of a sparse file is no number");
    return add_gnu_regions(arena, FIELD(block, 386, 96), extension);
}

struct error *tar_gnu_sparse_block(struct arena *arena, slice block,
                                   struct tar_extension *extension, bool *more)
{
    *more = block.ptr[504] != 0;
    return add_gnu_regions(arena, slice_first(block, 504), extension);
}

static struct error *end_sparse_number(struct arena *arena, struct tar_sparse_map_reader *reader,
                                       struct tar_extension *extension)
{
    uint64_t number = reader->number;
    if (reader->digits == 0)
        return error_make(ERROR_INPUT, "a sparse map holds an empty line");
    reader->number = reader->digits = 0;
    if (!reader->have_count) {
        if (number > LIMIT_SPARSE_REGIONS)
            return error_make(ERROR_LIMIT, "a sparse file has more than %d regions",
                              LIMIT_SPARSE_REGIONS);
        reader->have_count = true;
        reader->numbers_left = 2 * number;
    } else {
        TRY(add_sparse_number(arena, extension, number));
        reader->numbers_left--;
    }
    reader->complete = reader->numbers_left == 0;
    return NULL;
}

struct error *tar_sparse_map_add(struct arena *arena, struct tar_sparse_map_reader *reader,
                                 slice block, struct tar_extension *extension)
{
    for (size_t i = 0; i < block.len && !reader->complete; i++) {
        char c = block.ptr[i];
        if (c == '\n') {
            TRY(end_sparse_number(arena, reader, extension));
        } else if (byte_is_digit(c) && reader->digits < 18) {
            reader->number = reader->number * 10 + (uint64_t)(c - '0');
            reader->digits++;
        } else {
            return error_make(ERROR_INPUT, "a sparse map holds what is no number");
        }
    }
    return NULL;
}

struct error *tar_check_regions(const struct tar_region *regions, size_t count, uint64_t stored,
                                uint64_t real_size)
{
    uint64_t end = 0, total = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t region_end;
        if (regions[i].offset < end ||
            __builtin_add_overflow(regions[i].offset, regions[i].length, &region_end) ||
            region_end > real_size)
            return error_make(ERROR_INPUT,
                              "a sparse map's regions overlap or lie outside the file");
        end = region_end;
        total += regions[i].length;
    }
    if (total != stored)
        return error_make(ERROR_INPUT, "a sparse map speaks of %llu bytes, %llu are stored",
                          (unsigned long long)total, (unsigned long long)stored);
    return NULL;
}
