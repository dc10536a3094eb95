/*
 * Small feeds and stores for tests: a folder that goes away with its test, files in it, zips made
 * byte by byte, and an import that must succeed or must fail.
 */
#ifndef PLIMSOLL_TESTS_FEEDKIT_H
#define PLIMSOLL_TESTS_FEEDKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "store/import.h"

/* One entry of a zip; what is not set is as it should be. */
struct zip_member {
    const char *name;
    slice bytes;
    bool deflated;
    bool wrong_crc;
    bool encrypted;
    bool zip64;
    uint32_t claimed_size; /* in place of the unpacked size */
    uint32_t moved;        /* added to the offset that the directory gives */
};

struct kit {
    char folder[64];
    struct arena arena;
};

int kit_setup(void **state);
int kit_teardown(void **state);

/* A path in the test's folder; it lives as long as the test. */
const char *kit_path(struct kit *kit, const char *name);
/* Writes a file, and the folders that it lies in. */
const char *kit_write(struct kit *kit, const char *name, slice bytes);
const char *kit_write_text(struct kit *kit, const char *name, const char *text);
const char *kit_zip(struct kit *kit, const char *name, const struct zip_member *members,
                    size_t count);
slice kit_read(struct kit *kit, const char *name);
/* Number of entries in the test's folder, hidden ones too. */
size_t kit_count(struct kit *kit);

/* An advisory on one PyPI package, fixed in 2.0; `more` is what follows in the object. */
slice kit_pypi(struct kit *kit, const char *id, const char *package, const char *more);
/* One on a package of a Debian release, without an end; `more` goes into affected[0]. */
slice kit_debian(struct kit *kit, const char *id, const char *release, const char *package,
                 const char *more);
/* Advisories and CVE records in the folder "f", joined by CVE-2024-0001, each with a severity. */
#define VECTOR_A "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
#define VECTOR_B "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
#define VECTOR_C "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"
void kit_write_severities(struct kit *kit);

/* Imports feeds into store.db, with `built` 2026-01-02T03:04:05Z. */
struct import_result kit_import_all(struct kit *kit, const char *const *paths, size_t count);
struct import_result kit_import(struct kit *kit, const char *path);
/* The same, but it must fail; gives the message. */
const char *kit_import_fails(struct kit *kit, const char *path);
struct store *kit_open(struct kit *kit);

/* Ids of the advisories on a package with blanks between them. */
const char *kit_lookup(struct kit *kit, const char *ecosystem, const char *package);
/* The CVEs of an id with blanks between them. */
const char *kit_cves_of(struct kit *kit, const char *id);
/* The one advisory on a package. */
const struct advisory *kit_only(struct kit *kit, const char *ecosystem, const char *package);
/* The store's facts, unpacked. */
const char *kit_facts(struct kit *kit);

void assert_slice(slice actual, const char *expected);
void assert_has(const char *text, const char *part);

#endif
