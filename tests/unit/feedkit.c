#include "feedkit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

int kit_setup(void **state)
{
    struct kit *kit = memory_alloc(sizeof(*kit));
    *kit = (struct kit){.folder = "/tmp/plimsoll-store-XXXXXX"};
    assert_non_null(mkdtemp(kit->folder));
    *state = kit;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int kit_teardown(void **state)
{
    struct kit *kit = *state;
    nftw(kit->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&kit->arena);
    free(kit);
    return 0;
}

const char *kit_path(struct kit *kit, const char *name)
{
    return arena_format(&kit->arena, "%s/%s", kit->folder, name).ptr;
}

const char *kit_write(struct kit *kit, const char *name, slice bytes)
{
    const char *path = kit_path(kit, name);
    for (const char *at = path + strlen(kit->folder) + 1; (at = strchr(at, '/')); at++)
        mkdir(arena_text(&kit->arena, slice_make(path, (size_t)(at - path))), 0777);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *kit_write_text(struct kit *kit, const char *name, const char *text)
{
    return kit_write(kit, name, slice_from_text(text));
}

slice kit_read(struct kit *kit, const char *name)
{
    FILE *file = fopen(kit_path(kit, name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = arena_alloc(&kit->arena, size + 1);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    return slice_make(bytes, size);
}

size_t kit_count(struct kit *kit)
{
    DIR *folder = opendir(kit->folder);
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

/* --- zip ---------------------------------------------------------------------------------------
 */

static void put(FILE *file, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        putc((int)(i < 8 ? value >> (8 * i) & 0xff : 0), file);
}

static slice deflated(struct kit *kit, slice bytes)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, bytes.len);
    uint8_t *packed = arena_alloc(&kit->arena, room);
    stream.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    stream.avail_in = (uInt)bytes.len;
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t count = stream.total_out;
    deflateEnd(&stream);
    return slice_make(packed, count);
}

/* What local header and directory have in common, from "version needed" on. */
static void put_member(FILE *file, const struct zip_member *member, slice packed)
{
    uLong crc = crc32_z(0, (const Bytef *)member->bytes.ptr, member->bytes.len);
    put(file, 20, 2);
    put(file, member->encrypted, 2);
    put(file, member->deflated ? 8 : 0, 2);
    put(file, 0, 4);
    put(file, crc ^ member->wrong_crc, 4);
    put(file, member->zip64 ? 0xffffffff : packed.len, 4);
    put(file,
        member->zip64          ? 0xffffffff
        : member->claimed_size ? member->claimed_size
                               : member->bytes.len,
        4);
    put(file, strlen(member->name), 2);
    put(file, member->zip64 ? 20 : 0, 2);
}

static void put_extra(FILE *file, const struct zip_member *member, slice packed)
{
    if (!member->zip64)
        return;
    put(file, 1, 2);
    put(file, 16, 2);
    put(file, member->bytes.len, 8);
    put(file, packed.len, 8);
}

const char *kit_zip(struct kit *kit, const char *name, const struct zip_member *members,
                    size_t count)
{
    const char *path = kit_write(kit, name, SLICE_EMPTY);
    FILE *file = fopen(path, "wb");
    long *offsets = arena_array(&kit->arena, count + 1, sizeof(*offsets));
    slice *packed = arena_array(&kit->arena, count + 1, sizeof(*packed));
    for (size_t i = 0; i < count; i++) {
        offsets[i] = ftell(file);
        packed[i] = members[i].deflated ? deflated(kit, members[i].bytes) : members[i].bytes;
        put(file, 0x04034b50, 4);
        put_member(file, &members[i], packed[i]);
        fputs(members[i].name, file);
        put_extra(file, &members[i], packed[i]);
        fwrite(packed[i].ptr, 1, packed[i].len, file);
    }
    long directory = ftell(file);
    for (size_t i = 0; i < count; i++) {
        put(file, 0x02014b50, 4);
        put(file, 20, 2);
        put_member(file, &members[i], packed[i]);
        put(file, 0, 2 + 2 + 2 + 4);
        put(file, (uint64_t)offsets[i] + members[i].moved, 4);
        fputs(members[i].name, file);
        put_extra(file, &members[i], packed[i]);
    }
    long end = ftell(file);
    put(file, 0x06054b50, 4);
    put(file, 0, 4);
    put(file, count, 2);
    put(file, count, 2);
    put(file, (uint64_t)(end - directory), 4);
    put(file, (uint64_t)directory, 4);
    put(file, 0, 2);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* --- advisories ----------------------------------------------------------------------------------
 */

slice kit_pypi(struct kit *kit, const char *id, const char *package, const char *more)
{
    return arena_format(
        &kit->arena,
        "{\"id\":\"%s\",\"modified\":\"2024-05-06T07:08:09Z\",\"affected\":[{\"package\":"
        "{\"ecosystem\":\"PyPI\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":"
        "[{\"introduced\":\"0\"},{\"fixed\":\"2.0\"}]}]}]%s}",
        id, package, more);
}

slice kit_debian(struct kit *kit, const char *id, const char *release, const char *package,
                 const char *more)
{
    return arena_format(
        &kit->arena,
        "{\"id\":\"%s\",\"modified\":\"2024-05-06T07:08:09Z\",\"affected\":[{\"package\":"
        "{\"ecosystem\":\"Debian:%s\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
        "\"events\":[{\"introduced\":\"0\"}]}]%s}]}",
        id, release, package, more);
}

void kit_write_severities(struct kit *kit)
{
    kit_write(
        kit, "f/a.json",
        kit_pypi(kit, "PYSEC-1", "p",
                 ",\"aliases\":[\"CVE-2024-0001\"],\"severity\":[{\"type\":\"CVSS_V3\",\"score\":"
                 "\"" VECTOR_A "\"},{\"type\":\"Ubuntu\",\"score\":\"medium\"}]"));
    kit_write_text(
        kit, "f/b.json",
        "{\"id\":\"RUSTSEC-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":"
        "[\"CVE-2024-0001\"],\"affected\":[{\"package\":{\"ecosystem\":\"crates.io\","
        "\"name\":\"c\"},\"database_specific\":{\"cvss\":\"" VECTOR_B "\","
        "\"informational\":\"unsound\"}}],\"database_specific\":{\"severity\":\"HIGH\"}}");
    kit_write_text(kit, "f/c.json",
                   "{\"id\":\"ALSA-2024:1\",\"modified\":\"2024-01-01T00:00:00Z\",\"summary\":"
                   "\"Important: p security update\",\"related\":[\"CVE-2024-0001\","
                   "\"CVE-2024-0002\"],\"affected\":[{\"package\":{\"ecosystem\":\"AlmaLinux:9\","
                   "\"name\":\"p\"}}]}");
    kit_write_text(
        kit, "f/d.json",
        "{\"dataType\":\"CVE_RECORD\",\"cveMetadata\":{\"cveId\":\"CVE-2024-0001\",\"state\":"
        "\"PUBLISHED\",\"dateUpdated\":\"2024-02-02T00:00:00Z\"},\"containers\":{\"cna\":{"
        "\"providerMetadata\":{\"shortName\":\"acme\"},\"metrics\":[{\"cvssV4_0\":{"
        "\"vectorString\":\"" VECTOR_C "\"}},{\"other\":{\"type\":\"Textual description of "
        "severity\",\"content\":{\"text\":\"moderate\"}}}]},\"adp\":[{\"providerMetadata\":{"
        "\"shortName\":\"CISA-ADP\"},\"metrics\":[{\"cvssV3_1\":{\"vectorString\":\"" VECTOR_A
        "\"}}]}]}}");
    kit_write_text(kit, "f/e.json",
                   "{\"dataType\":\"CVE_RECORD\",\"cveMetadata\":{\"cveId\":\"CVE-2024-0003\","
                   "\"state\":\"REJECTED\"},\"containers\":{\"cna\":{\"metrics\":[{\"cvssV3_1\":{"
                   "\"vectorString\":\"" VECTOR_A "\"}}]}}}");
    /* Joined by an alias that is no CVE. */
    kit_write(kit, "f/j.json", kit_pypi(kit, "NOVECTOR-1", "q", ",\"aliases\":[\"VECTOR-1\"]"));
    kit_write(kit, "f/k.json",
              kit_pypi(kit, "VECTOR-1", "q",
                       ",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"" VECTOR_B "\"}]"));
    kit_write(kit, "f/g.json",
              kit_debian(kit, "DEBIAN-CVE-2024-0002", "12", "p",
                         ",\"ecosystem_specific\":{\"urgency\":\"unimportant\"}"));
}

/* --- imports and look-ups ----------------------------------------------------------------------
 */

static const struct import_options options = {.built = "2026-01-02T03:04:05Z"};

struct import_result kit_import_all(struct kit *kit, const char *const *paths, size_t count)
{
    struct import_result result;
    struct error *error =
        store_import(kit_path(kit, "store.db"), paths, count, &options, &kit->arena, &result);
    if (error)
        fail_msg("%s", error->message);
    return result;
}

struct import_result kit_import(struct kit *kit, const char *path)
{
    return kit_import_all(kit, &path, 1);
}

const char *kit_import_fails(struct kit *kit, const char *path)
{
    struct import_result result;
    struct error *error =
        store_import(kit_path(kit, "store.db"), &path, 1, &options, &kit->arena, &result);
    assert_non_null(error);
    const char *message = arena_text(&kit->arena, slice_from_text(error->message));
    error_free(error);
    return message;
}

struct store *kit_open(struct kit *kit)
{
    struct store *store;
    struct error *error = store_open(&store, kit_path(kit, "store.db"));
    if (error)
        fail_msg("%s", error->message);
    return store;
}

static const struct advisory *lookup(struct kit *kit, const char *ecosystem, const char *package,
                                     size_t *count)
{
    const struct advisory *advisories;
    struct store *store = kit_open(kit);
    struct error *error = store_lookup(store, &kit->arena, slice_from_text(ecosystem),
                                       slice_from_text(package), &advisories, count);
    if (error)
        fail_msg("%s", error->message);
    store_close(store);
    return advisories;
}

const char *kit_lookup(struct kit *kit, const char *ecosystem, const char *package)
{
    size_t count;
    const struct advisory *advisories = lookup(kit, ecosystem, package, &count);
    slice ids = SLICE_EMPTY;
    for (size_t i = 0; i < count; i++)
        ids = arena_format(&kit->arena, "%.*s%s%.*s", SLICE_ARG(ids), i ? " " : "",
                           SLICE_ARG(advisories[i].id));
    return ids.ptr;
}

const struct advisory *kit_only(struct kit *kit, const char *ecosystem, const char *package)
{
    size_t count;
    const struct advisory *advisories = lookup(kit, ecosystem, package, &count);
    assert_int_equal(count, 1);
    return advisories;
}

const char *kit_facts(struct kit *kit)
{
    struct store *store = kit_open(kit);
    struct error *error = store_export_facts(store, kit_path(kit, "facts.zst"));
    if (error)
        fail_msg("%s", error->message);
    store_close(store);
    slice packed = kit_read(kit, "facts.zst");
    size_t room = (size_t)ZSTD_getFrameContentSize(packed.ptr, packed.len);
    char *text = arena_alloc(&kit->arena, room + 1);
    assert_int_equal(ZSTD_decompress(text, room, packed.ptr, packed.len), room);
    return text;
}

const char *kit_cves_of(struct kit *kit, const char *id)
{
    struct store *store = kit_open(kit);
    const slice *cves;
    size_t count;
    slice text = SLICE_EMPTY;
    assert_null(store_cves_of(store, &kit->arena, slice_from_text(id), &cves, &count));
    for (size_t i = 0; i < count; i++)
        text = arena_format(&kit->arena, "%.*s%s%.*s", SLICE_ARG(text), i ? " " : "",
                            SLICE_ARG(cves[i]));
    store_close(store);
    return text.ptr;
}

void assert_slice(slice actual, const char *expected)
{
    CLEANUP_FREE char *text = memory_text(actual);
    assert_string_equal(text, expected);
}

void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}
