/*
 * The packed rows of the store: what an advisory says of one package, and what it says of itself.
 * Stands under writer.c, which packs, and store.c, which unpacks.
 *
 * Counts and lengths are base-128 numbers, low bits first; a text is its length and its bytes; an
 * id of the CVE's form is two numbers. Each row ends in a checksum over its key and its body, so
 * that a row that was damaged or put in another's place is known as such: it is an error, never a
 * finding less. docs/store.md has the layout.
 */
#ifndef PLIMSOLL_STORE_BLOB_H
#define PLIMSOLL_STORE_BLOB_H

#include "store/store.h"

/*
 * What one advisory says of one package. The body of a row of `affected` holds that and the
 * advisory's id and names, so that a lookup reads neighbouring rows and nothing else.
 */
struct affected_body {
    const struct affected_range *ranges;
    size_t range_count;
    const slice *versions;
    size_t version_count;
    slice urgency;
};

/* What an advisory says of itself: the body of a row of `advisory`. */
struct advisory_body {
    const slice *aliases;
    size_t alias_count;
    const slice *upstream;
    size_t upstream_count;
    const slice *related;
    size_t related_count;
    const struct severity_word *words;
    size_t word_count;
};

/* A buffer that grows and is used again for the next row; blob_free at the end. */
struct blob {
    uint8_t *bytes;
    size_t count;
    size_t room;
};
void blob_free(struct blob *blob);
static inline slice blob_slice(const struct blob *blob)
{
    return slice_make(blob->bytes, blob->count);
}

/* Pack into `blob`, which is emptied first. `key` is what affected_key or the name gives. */
void affected_pack(struct blob *blob, slice key, slice id, const struct advisory_body *about,
                   const struct affected_body *body);
void advisory_pack(struct blob *blob, slice key, const struct advisory_body *body);
void words_pack(struct blob *blob, slice key, const struct severity_word *words, size_t count);

/*
 * Unpack; texts point into `packed`, arrays live in the arena. False when the row is damaged:
 * the checksum is wrong, or a count or a length goes beyond the row's end.
 */
bool affected_unpack(struct arena *arena, slice packed, slice key, slice *id,
                     struct advisory_body *about, struct affected_body *body);
bool advisory_unpack(struct arena *arena, slice packed, slice key, struct advisory_body *body);
bool words_unpack(struct arena *arena, slice packed, slice key, const struct severity_word **words,
                  size_t *count);

/* The same without looking at the checksum, for the fuzzers: they get behind it that way. */
bool affected_unpack_body(struct arena *arena, slice body, slice *id, struct advisory_body *about,
                          struct affected_body *unpacked);
bool advisory_unpack_body(struct arena *arena, slice body, struct advisory_body *unpacked);

enum { CHECKSUM_BYTES = 4 };

/* The key of an affected row: package and advisory's row number, in at most 4096 + 10 bytes. */
struct affected_key {
    uint8_t bytes[4096 + 10];
    size_t count;
};
/* False when the package's name is longer than LIMIT_PACKAGE_NAME_BYTES. */
bool affected_key(struct affected_key *key, slice package, int64_t advisory);

/*
 * A CVE id as a number (year × 10⁸ + its number), and back. False for what is no id of that form:
 * "CVE-", four digits, "-", four to eight digits, no zero in front beyond the fourth.
 */
bool cve_number(slice id, int64_t *number);
slice cve_text(struct arena *arena, int64_t number);

#endif
