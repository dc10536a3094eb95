#include "store/blob.h"
#include "base/limits.h"

enum { CVE_NUMBERS_A_YEAR = 100000000, LARGEST_VARINT = 10 };

/* --- packing ---------------------------------------------------------------------------------- */

void blob_free(struct blob *blob)
{
    free(blob->bytes);
    *blob = (struct blob){0};
}

static void blob_bytes(struct blob *blob, const void *bytes, size_t count)
{
    if (blob->room - blob->count < count) {
        size_t room = (blob->count + count) * 2 + 64;
        blob->bytes = memory_resize(blob->bytes, room);
        blob->room = room;
    }
    if (count)
        memcpy(blob->bytes + blob->count, bytes, count);
    blob->count += count;
}

static size_t varint_write(uint8_t at[LARGEST_VARINT], uint64_t value)
{
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        at[count++] = (uint8_t)(value | 0x80);
    at[count++] = (uint8_t)value;
    return count;
}

static void blob_number(struct blob *blob, uint64_t value)
{
    uint8_t bytes[LARGEST_VARINT];
    blob_bytes(blob, bytes, varint_write(bytes, value));
}

static void blob_text(struct blob *blob, slice text)
{
    blob_number(blob, text.len);
    blob_bytes(blob, text.ptr, text.len);
}

/* Most names are CVE ids: the low bit says whether a packed one follows. */
static void blob_name(struct blob *blob, slice name)
{
    int64_t cve;
    if (cve_number(name, &cve)) {
        blob_number(blob, (uint64_t)cve << 1 | 1);
        return;
    }
    blob_number(blob, (uint64_t)name.len << 1);
    blob_bytes(blob, name.ptr, name.len);
}

static void blob_names(struct blob *blob, const slice *names, size_t count)
{
    blob_number(blob, count);
    for (size_t i = 0; i < count; i++)
        blob_name(blob, names[i]);
}

static void blob_words(struct blob *blob, const struct severity_word *words, size_t count)
{
    blob_number(blob, count);
    for (size_t i = 0; i < count; i++) {
        blob_text(blob, words[i].source);
        blob_text(blob, words[i].vector);
        blob_text(blob, words[i].word);
    }
}

static uint32_t row_checksum(slice key, slice body)
{
    return (uint32_t)(slice_hash(key) * 31 + slice_hash(body));
}

static void blob_seal(struct blob *blob, slice key)
{
    uint32_t sum = row_checksum(key, blob_slice(blob));
    uint8_t bytes[CHECKSUM_BYTES] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16),
                                     (uint8_t)(sum >> 24)};
    blob_bytes(blob, bytes, sizeof(bytes));
}

static void blob_all_names(struct blob *blob, const struct advisory_body *body)
{
    blob_names(blob, body->aliases, body->alias_count);
    blob_names(blob, body->upstream, body->upstream_count);
    blob_names(blob, body->related, body->related_count);
}

void affected_pack(struct blob *blob, slice key, slice id, const struct advisory_body *about,
                   const struct affected_body *body)
{
    blob->count = 0;
    blob_name(blob, id);
    blob_all_names(blob, about);
    blob_number(blob, body->range_count);
    for (size_t i = 0; i < body->range_count; i++) {
        blob_number(blob, body->ranges[i].event_count);
        for (size_t j = 0; j < body->ranges[i].event_count; j++) {
            blob_number(blob, body->ranges[i].events[j].kind);
            blob_text(blob, body->ranges[i].events[j].version);
        }
    }
    blob_number(blob, body->version_count);
    for (size_t i = 0; i < body->version_count; i++)
        blob_text(blob, body->versions[i]);
    blob_text(blob, body->urgency);
    blob_seal(blob, key);
}

void advisory_pack(struct blob *blob, slice key, const struct advisory_body *body)
{
    blob->count = 0;
    blob_all_names(blob, body);
    blob_words(blob, body->words, body->word_count);
    blob_seal(blob, key);
}

void words_pack(struct blob *blob, slice key, const struct severity_word *words, size_t count)
{
    blob->count = 0;
    blob_words(blob, words, count);
    blob_seal(blob, key);
}

/* --- unpacking -------------------------------------------------------------------------------- */

/* What is left of a row; `damaged` stays set once something went beyond the end. */
struct reader {
    slice rest;
    bool damaged;
};

static uint64_t read_number(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && reader->rest.len; shift += 7) {
        uint8_t byte = (uint8_t)reader->rest.ptr[0];
        reader->rest = slice_from(reader->rest, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader->damaged = true;
    return 0;
}

/* A number of things that follow, each of which takes `least` bytes: no array is made for more. */
static size_t read_count(struct reader *reader, size_t least)
{
    uint64_t count = read_number(reader);
    if (count > reader->rest.len / least) {
        reader->damaged = true;
        return 0;
    }
    return (size_t)count;
}

static slice read_bytes(struct reader *reader, uint64_t count)
{
    if (count > reader->rest.len) {
        reader->damaged = true;
        return SLICE_EMPTY;
    }
    slice text = slice_first(reader->rest, (size_t)count);
    reader->rest = slice_from(reader->rest, (size_t)count);
    return text;
}

static slice read_text(struct reader *reader)
{
    return read_bytes(reader, read_number(reader));
}

static slice read_name(struct reader *reader, struct arena *arena)
{
    uint64_t tag = read_number(reader);
    if (!(tag & 1))
        return read_bytes(reader, tag >> 1);
    slice name = cve_text(arena, (int64_t)(tag >> 1));
    if (name.len == 0)
        reader->damaged = true;
    return name;
}

static const slice *read_names(struct reader *reader, struct arena *arena, size_t *count)
{
    *count = read_count(reader, 1);
    slice *names = *count ? arena_array(arena, *count, sizeof(slice)) : NULL;
    for (size_t i = 0; i < *count && !reader->damaged; i++)
        names[i] = read_name(reader, arena);
    return names;
}

static const struct severity_word *read_words(struct reader *reader, struct arena *arena,
                                              size_t *count)
{
    *count = read_count(reader, 3);
    struct severity_word *words = *count ? arena_array(arena, *count, sizeof(*words)) : NULL;
    for (size_t i = 0; i < *count && !reader->damaged; i++) {
        words[i].source = read_text(reader);
        words[i].vector = read_text(reader);
        words[i].word = read_text(reader);
    }
    return words;
}

static void read_range(struct reader *reader, struct arena *arena, struct affected_range *range)
{
    range->event_count = read_count(reader, 2);
    struct range_event *events =
        range->event_count ? arena_array(arena, range->event_count, sizeof(*events)) : NULL;
    range->events = events;
    for (size_t i = 0; i < range->event_count && !reader->damaged; i++) {
        uint64_t kind = read_number(reader);
        if (kind > RANGE_LIMIT)
            reader->damaged = true;
        events[i].kind = (enum range_event_kind)kind;
        events[i].version = read_text(reader);
    }
}

static bool read_to_its_end(const struct reader *reader)
{
    return !reader->damaged && reader->rest.len == 0;
}

static void read_all_names(struct reader *reader, struct arena *arena, struct advisory_body *about)
{
    *about = (struct advisory_body){0};
    about->aliases = read_names(reader, arena, &about->alias_count);
    about->upstream = read_names(reader, arena, &about->upstream_count);
    about->related = read_names(reader, arena, &about->related_count);
}

bool affected_unpack_body(struct arena *arena, slice body, slice *id, struct advisory_body *about,
                          struct affected_body *unpacked)
{
    struct reader reader = {body, false};
    *unpacked = (struct affected_body){0};
    *id = read_name(&reader, arena);
    read_all_names(&reader, arena, about);
    unpacked->range_count = read_count(&reader, 1);
    struct affected_range *ranges =
        unpacked->range_count ? arena_array(arena, unpacked->range_count, sizeof(*ranges)) : NULL;
    unpacked->ranges = ranges;
    for (size_t i = 0; i < unpacked->range_count && !reader.damaged; i++)
        read_range(&reader, arena, &ranges[i]);
    unpacked->version_count = read_count(&reader, 1);
    slice *versions =
        unpacked->version_count ? arena_array(arena, unpacked->version_count, sizeof(slice)) : NULL;
    unpacked->versions = versions;
    for (size_t i = 0; i < unpacked->version_count && !reader.damaged; i++)
        versions[i] = read_text(&reader);
    unpacked->urgency = read_text(&reader);
    return read_to_its_end(&reader);
}

bool advisory_unpack_body(struct arena *arena, slice body, struct advisory_body *unpacked)
{
    struct reader reader = {body, false};
    read_all_names(&reader, arena, unpacked);
    unpacked->words = read_words(&reader, arena, &unpacked->word_count);
    return read_to_its_end(&reader);
}

/* Takes the checksum off the end of *packed and says whether it is that of key and body. */
static bool unseal(slice *packed, slice key)
{
    if (packed->len < CHECKSUM_BYTES)
        return false;
    const uint8_t *at = (const uint8_t *)packed->ptr + packed->len - CHECKSUM_BYTES;
    uint32_t sum = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    *packed = slice_first(*packed, packed->len - CHECKSUM_BYTES);
    return sum == row_checksum(key, *packed);
}

bool affected_unpack(struct arena *arena, slice packed, slice key, slice *id,
                     struct advisory_body *about, struct affected_body *body)
{
    return unseal(&packed, key) && affected_unpack_body(arena, packed, id, about, body);
}

bool advisory_unpack(struct arena *arena, slice packed, slice key, struct advisory_body *body)
{
    return unseal(&packed, key) && advisory_unpack_body(arena, packed, body);
}

bool words_unpack(struct arena *arena, slice packed, slice key, const struct severity_word **words,
                  size_t *count)
{
    *words = NULL;
    *count = 0;
    if (!unseal(&packed, key))
        return false;
    struct reader reader = {packed, false};
    *words = read_words(&reader, arena, count);
    return read_to_its_end(&reader);
}

/* --- keys and ids ----------------------------------------------------------------------------- */

bool affected_key(struct affected_key *key, slice package, int64_t advisory)
{
    _Static_assert(sizeof(key->bytes) == LIMIT_PACKAGE_NAME_BYTES + LARGEST_VARINT, "key's room");
    if (package.len > LIMIT_PACKAGE_NAME_BYTES)
        return false;
    if (package.len)
        memcpy(key->bytes, package.ptr, package.len);
    key->count = package.len + varint_write(key->bytes + package.len, (uint64_t)advisory);
    return true;
}

bool cve_number(slice id, int64_t *number)
{
    uint64_t year, count;
    if (id.len < sizeof("CVE-1999-0001") - 1 || id.len > sizeof("CVE-1999-12345678") - 1 ||
        !slice_starts(id, SLICE("CVE-")) || id.ptr[8] != '-')
        return false;
    slice digits = slice_from(id, 9);
    if (!slice_to_u64(slice_make(id.ptr + 4, 4), &year) || !slice_to_u64(digits, &count))
        return false;
    if (digits.len > 4 && digits.ptr[0] == '0')
        return false;
    *number = (int64_t)(year * CVE_NUMBERS_A_YEAR + count);
    return true;
}

slice cve_text(struct arena *arena, int64_t number)
{
    int64_t year = number / CVE_NUMBERS_A_YEAR, count = number % CVE_NUMBERS_A_YEAR;
    if (number < 0 || year > 9999)
        return SLICE_EMPTY;
    /* From its end, by hand: this stands in the hot loop. */
    char text[sizeof("CVE-1999-12345678") - 1];
    char *end = text + sizeof(text), *at = end;
    for (int digits = 0; count || digits < 4; count /= 10, digits++)
        *--at = (char)('0' + count % 10);
    *--at = '-';
    for (int digits = 0; digits < 4; year /= 10, digits++)
        *--at = (char)('0' + year % 10);
    at -= 4;
    memcpy(at, "CVE-", 4);
    return arena_copy(arena, slice_make(at, (size_t)(end - at)));
}
