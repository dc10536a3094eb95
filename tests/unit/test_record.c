/* The layer record: there and back unchanged, and nothing that is damaged is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "layer/record.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAGIC "plimsoll-record"

#define LIST_OF(array)                                                                             \
    ((struct list){.items = (array), .count = COUNT(array), .room = COUNT(array)})

static struct record whole_record(struct arena *arena)
{
    static struct package packages[] = {
        {SLICE("deb"), SLICE("zlib1g"), SLICE("1:1.2-3"), SLICE("amd64"), SLICE("zlib"),
         SLICE("1:1.2-3"), SLICE("A <a@debian.org>"), SLICE("Zlib"), SLICE("b1")},
        {.type = SLICE("pypi"), .name = SLICE("a\0b"), .version = SLICE("\xff\n")},
    };
    static struct fact facts[] = {{SLICE("installer"), SLICE("pip")}, {SLICE(""), SLICE("")}};
    static slice owned[] = {SLICE("usr/lib/x"), SLICE("")};
    static struct evidence evidence[2];
    static struct whiteout whiteouts[] = {{SLICE("opt/x"), false}, {SLICE(""), true}};
    static struct link links[] = {{SLICE("lib"), SLICE("usr/lib"), false},
                                  {SLICE("a"), SLICE("b"), true}};
    static struct problem problems[] = {{SLICE(""), SLICE("all")}, {SLICE("p"), SLICE("cannot")}};
    static struct secret secrets[] = {{.rule = SLICE(""), .line = UINT64_MAX},
                                      {SLICE("jwt"), SLICE("a"), SLICE("a!b"), SLICE("x"),
                                       SLICE("f"), 3, 4, 5, 6, 7, 8, 9, SLICE("why"), SLICE("\0id"),
                                       SLICE("TOKEN"), 0}};
    static struct masked_text masked[] = {{1, SLICE("RUN x")}, {0, SLICE("")}};
    static struct unopened unopened[] = {{SLICE("a.zip"), SLICE("encrypted"), 0},
                                         {SLICE("b!c.7z"), SLICE("7z"), UINT64_MAX}};
    static const uint64_t hashes[] = {UINT64_MAX, 3, 1ULL << 63, 0, 3, 256};
    evidence[0] = (struct evidence){.path = SLICE("var/lib/dpkg/status"),
                                    .place = SLICE("x"),
                                    .dormant = true,
                                    .analyzer = SLICE("dpkg"),
                                    .packages = LIST_OF(packages),
                                    .facts = LIST_OF(facts),
                                    .owned = LIST_OF(owned)};
    evidence[1] = (struct evidence){.path = SLICE("e"), .analyzer = SLICE("python")};
    return (struct record){
        .evidence = LIST_OF(evidence),
        .whiteouts = LIST_OF(whiteouts),
        .links = LIST_OF(links),
        .problems = LIST_OF(problems),
        .secrets = LIST_OF(secrets),
        .unopened = LIST_OF(unopened),
        .masked = LIST_OF(masked),
        .files = path_set_make(arena, slice_make(hashes, sizeof(hashes))),
        .folders = path_set_make(arena, slice_make(hashes, sizeof(hashes[0]))),
        .statistics = {.bytes_read = 1,
                       .bytes_unpacked = UINT64_MAX,
                       .entries = 1ULL << 40,
                       .entries_read = 0,
                       .peak_memory = 127,
                       .cpu_microseconds = 128,
                       .digest_skipped = true,
                       .compression = SLICE("gzip")},
    };
}

static void expect_slices(const slice *found, const slice *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(slice_equal(found[i], expected[i]));
}

/* Packages, facts and links are made of slices that follow one another. */
static void expect_same_evidence(const struct evidence *found, const struct evidence *expected)
{
    assert_true(slice_equal(found->path, expected->path));
    assert_true(slice_equal(found->place, expected->place));
    assert_int_equal(found->dormant, expected->dormant);
    assert_true(slice_equal(found->analyzer, expected->analyzer));
    assert_int_equal(found->packages.count, expected->packages.count);
    expect_slices(found->packages.items, expected->packages.items,
                  found->packages.count * sizeof(struct package) / sizeof(slice));
    assert_int_equal(found->facts.count, expected->facts.count);
    expect_slices(found->facts.items, expected->facts.items, found->facts.count * 2);
    assert_int_equal(found->owned.count, expected->owned.count);
    expect_slices(found->owned.items, expected->owned.items, found->owned.count);
}

static void expect_same(const struct record *found, const struct record *expected)
{
    assert_int_equal(found->evidence.count, expected->evidence.count);
    for (size_t i = 0; i < found->evidence.count; i++)
        expect_same_evidence((struct evidence *)found->evidence.items + i,
                             (struct evidence *)expected->evidence.items + i);
    assert_int_equal(found->whiteouts.count, expected->whiteouts.count);
    for (size_t i = 0; i < found->whiteouts.count; i++) {
        const struct whiteout *a = (struct whiteout *)found->whiteouts.items + i;
        const struct whiteout *b = (struct whiteout *)expected->whiteouts.items + i;
        assert_true(slice_equal(a->path, b->path) && a->opaque == b->opaque);
    }
    assert_int_equal(found->links.count, expected->links.count);
    for (size_t i = 0; i < found->links.count; i++) {
        const struct link *a = (struct link *)found->links.items + i;
        const struct link *b = (struct link *)expected->links.items + i;
        assert_true(slice_equal(a->path, b->path) && slice_equal(a->target, b->target));
        assert_int_equal(a->hard, b->hard);
    }
    assert_int_equal(found->problems.count, expected->problems.count);
    expect_slices(found->problems.items, expected->problems.items, found->problems.count * 2);
    assert_int_equal(found->secrets.count, expected->secrets.count);
    for (size_t i = 0; i < found->secrets.count; i++) {
        const struct secret *a = (struct secret *)found->secrets.items + i;
        const struct secret *b = (struct secret *)expected->secrets.items + i;
        expect_slices(&a->rule, &b->rule, 5);
        assert_true(slice_equal(a->allowed, b->allowed) && a->line == b->line);
        assert_true(a->column == b->column && a->cell == b->cell && a->more == b->more);
        assert_true(a->layer == b->layer && slice_equal(a->variable, b->variable));
        assert_true(slice_equal(a->identity, b->identity));
    }
    assert_int_equal(found->unopened.count, expected->unopened.count);
    for (size_t i = 0; i < found->unopened.count; i++) {
        const struct unopened *a = (struct unopened *)found->unopened.items + i;
        const struct unopened *b = (struct unopened *)expected->unopened.items + i;
        assert_true(slice_equal(a->path, b->path) && slice_equal(a->why, b->why));
        assert_int_equal(a->more, b->more);
    }
    assert_int_equal(found->masked.count, expected->masked.count);
    for (size_t i = 0; i < found->masked.count; i++) {
        const struct masked_text *a = (struct masked_text *)found->masked.items + i;
        const struct masked_text *b = (struct masked_text *)expected->masked.items + i;
        assert_true(a->layer == b->layer && slice_equal(a->text, b->text));
    }
    const struct path_set *sets[][2] = {{&found->files, &expected->files},
                                        {&found->folders, &expected->folders}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        assert_int_equal(sets[i][0]->count, sets[i][1]->count);
        for (size_t j = 0; j < sets[i][0]->count; j++)
            assert_true(sets[i][0]->hashes[j] == sets[i][1]->hashes[j]);
    }
    const struct record_statistics *a = &found->statistics, *b = &expected->statistics;
    assert_true(a->bytes_read == b->bytes_read && a->bytes_unpacked == b->bytes_unpacked &&
                a->entries == b->entries && a->entries_read == b->entries_read &&
                a->peak_memory == b->peak_memory && a->cpu_microseconds == b->cpu_microseconds &&
                a->digest_skipped == b->digest_skipped);
    assert_true(slice_equal(a->compression, b->compression));
}

/* Secrets stand in the order of entries, whoever found them; a problem stands once. */
static void test_helpers(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    const struct secret own[] = {{.entry = 2, .line = 9}, {.entry = 2, .line = 1}, {.entry = 7}};
    const struct secret others[] = {{.entry = 1}, {.entry = 5}};
    const struct problem cut = {SLICE(""), SLICE("cut")}, large = {SLICE("d"), SLICE("large")};
    struct record record = {.statistics = {.bytes_read = 3, .entries_read = 4}};
    struct record helper = {.statistics = {.bytes_read = 5, .entries_read = 6, .peak_memory = 7}};
    for (size_t i = 0; i < 3; i++)
        *(struct secret *)list_add(&record.secrets, &arena, sizeof(*own)) = own[i];
    for (size_t i = 0; i < 2; i++)
        *(struct secret *)list_add(&helper.secrets, &arena, sizeof(*own)) = others[i];
    *(struct problem *)list_add(&helper.problems, &arena, sizeof(cut)) = large;
    *(struct problem *)list_add(&helper.problems, &arena, sizeof(cut)) = cut;
    *(struct problem *)list_add(&record.problems, &arena, sizeof(cut)) = cut;
    record_add_helper(&record, &helper, &arena);
    const struct secret *secrets = record.secrets.items;
    const struct problem *problems = record.problems.items;
    static const uint64_t entries[] = {1, 2, 2, 5, 7};
    assert_int_equal(record.secrets.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(secrets[i].entry, entries[i]);
    assert_int_equal(secrets[1].line, 9);
    assert_int_equal(record.problems.count, 2);
    assert_true(slice_equal(problems[0].path, SLICE("")));
    assert_true(slice_equal(problems[1].path, SLICE("d")));
    assert_int_equal(record.statistics.bytes_read, 8);
    assert_int_equal(record.statistics.entries_read, 10);
    assert_int_equal(record.statistics.peak_memory, 7);
}

static void test_there_and_back(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    const struct record whole = whole_record(&arena);
    const struct record none = {0};
    const struct record *records[] = {&whole, &none};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_BUFFER struct buffer first = {0};
        CLEANUP_BUFFER struct buffer second = {0};
        struct record read;
        record_write(records[i], &first);
        CLEANUP_ERROR struct error *error = record_read(buffer_slice(&first), &arena, &read);
        assert_null(error);
        expect_same(&read, records[i]);
        /* Behind other bytes, too. */
        buffer_text(&second, "before");
        record_write(&read, &second);
        assert_true(slice_equal(slice_from(buffer_slice(&second), 6), buffer_slice(&first)));
    }
}

/* Read from a copy of its very size, so that a sanitizer sees what lies behind. */
static bool takes(slice bytes)
{
    static const struct record none;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_FREE char *copy = memory_alloc(bytes.len);
    struct record record;
    memset(&record, 0xff, sizeof(record));
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    CLEANUP_ERROR struct error *error = record_read(slice_make(copy, bytes.len), &arena, &record);
    if (!error)
        return true;
    assert_true(error->message[0] != '\0');
    assert_memory_equal(&record, &none, sizeof(record)); /* nothing half-read is left in it */
    return false;
}

static void test_cut_and_flipped(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record record = whole_record(&arena);
    record_write(&record, &bytes);
    for (size_t length = 0; length < bytes.len; length++)
        assert_false(takes(slice_first(buffer_slice(&bytes), length)));
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(takes(buffer_slice(&bytes)));
        bytes.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(takes(buffer_slice(&bytes)));
    buffer_add_byte(&bytes, '\0');
    assert_false(takes(buffer_slice(&bytes)));
    /* Two records, one behind the other, are none. */
    bytes.len--;
    buffer_add(&bytes, arena_copy(&arena, buffer_slice(&bytes)));
    assert_false(takes(buffer_slice(&bytes)));
}

static void seal(struct buffer *bytes)
{
    uint64_t checksum = slice_hash(buffer_slice(bytes));
    buffer_add(bytes, slice_make(&checksum, sizeof(checksum)));
}

/* With the checksum put right, as one would who has taken a worker over: refused or harmless. */
static void test_damage_with_a_right_checksum(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record record = whole_record(&arena);
    record_write(&record, &bytes);
    bytes.len -= 8;
    size_t body = bytes.len, refused = 0;
    for (size_t at = 0; at < body; at++) {
        for (size_t i = 0; i < sizeof(changes); i++) {
            char kept = bytes.bytes[at];
            bytes.bytes[at] = (char)changes[i];
            seal(&bytes);
            bool taken = takes(buffer_slice(&bytes));
            assert_false(taken && at < strlen(MAGIC) && (char)changes[i] != kept);
            refused += !taken;
            bytes.len = body;
            bytes.bytes[at] = kept;
        }
    }
    assert_true(refused > body);
    for (size_t length = 0; length < body; length++) {
        CLEANUP_BUFFER struct buffer cut = {0};
        buffer_add(&cut, slice_first(buffer_slice(&bytes), length));
        seal(&cut);
        assert_false(takes(buffer_slice(&cut)));
    }
}

static void begin(struct buffer *bytes, uint64_t format)
{
    bytes->len = 0;
    buffer_text(bytes, MAGIC);
    buffer_add_number(bytes, format);
}

/* Each list and set claims more than there is. */
static void test_hostile_counts(void **state)
{
    (void)state;
    static const uint64_t counts[] = {1,          2,          1 << 20,   UINT32_MAX,
                                      1ULL << 61, 1ULL << 63, UINT64_MAX};
    CLEANUP_BUFFER struct buffer bytes = {0};
    enum { LISTS = 10, EMPTY_REST = 10 };
    for (size_t list = 0; list < LISTS; list++) {
        for (size_t i = 0; i < COUNT(counts); i++) {
            begin(&bytes, RECORD_FORMAT);
            for (size_t j = 0; j < list; j++)
                buffer_add_number(&bytes, 0);
            buffer_add_number(&bytes, counts[i]);
            seal(&bytes);
            assert_false(takes(buffer_slice(&bytes)));
        }
    }
    begin(&bytes, RECORD_FORMAT);
    for (size_t i = 0; i < LISTS + EMPTY_REST; i++)
        buffer_add_number(&bytes, 0);
    seal(&bytes);
    assert_true(takes(buffer_slice(&bytes))); /* the frame of the rows above is right */
    begin(&bytes, RECORD_FORMAT + 1);
    for (size_t i = 0; i < LISTS + EMPTY_REST; i++)
        buffer_add_number(&bytes, 0);
    seal(&bytes);
    assert_false(takes(buffer_slice(&bytes)));
}

/* A whiteout whose flag is neither of two, and bytes behind the record's end. */
static void test_more_than_there_should_be(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer bytes = {0};
    for (uint64_t flag = 0; flag < 4; flag++) {
        begin(&bytes, RECORD_FORMAT);
        buffer_add_number(&bytes, 0);
        buffer_add_number(&bytes, 1);
        buffer_add_string(&bytes, SLICE("opt"));
        buffer_add_number(&bytes, flag);
        for (int i = 0; i < 18; i++)
            buffer_add_number(&bytes, 0);
        size_t end = bytes.len;
        seal(&bytes);
        assert_int_equal(takes(buffer_slice(&bytes)), flag < 2);
        bytes.len = end;
        buffer_add_number(&bytes, 0);
        seal(&bytes);
        assert_false(takes(buffer_slice(&bytes)));
    }
}

/* Hashes out of order would make path_set_has() blind. */
static void test_unsorted_sets(void **state)
{
    (void)state;
    static const uint64_t hashes[] = {5, 2};
    CLEANUP_BUFFER struct buffer bytes = {0};
    begin(&bytes, RECORD_FORMAT);
    for (int i = 0; i < 8; i++)
        buffer_add_number(&bytes, 0);
    buffer_add_number(&bytes, 2);
    buffer_add(&bytes, slice_make(hashes, sizeof(hashes)));
    for (int i = 0; i < 9; i++)
        buffer_add_number(&bytes, 0);
    seal(&bytes);
    assert_false(takes(buffer_slice(&bytes)));
}

/* What is small on the pipe must not become gigabytes in the parent. */
static void test_memory_is_bounded(void **state)
{
    (void)state;
    enum { ITEMS = 16 << 20 };
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record record;
    begin(&bytes, RECORD_FORMAT);
    buffer_add_number(&bytes, 0);
    buffer_add_number(&bytes, ITEMS / 2); /* whiteouts of two bytes each */
    memset(buffer_reserve(&bytes, ITEMS), 0, ITEMS);
    bytes.len += ITEMS;
    for (int i = 0; i < 16; i++)
        buffer_add_number(&bytes, 0);
    seal(&bytes);
    CLEANUP_ERROR struct error *error = record_read(buffer_slice(&bytes), &arena, &record);
    if (arena.used > 4 * LIMIT_RECORD_BYTES)
        fail_msg("%zu bytes became %zu", bytes.len, arena.used);
}

static void test_too_large(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record record = {.statistics.compression = SLICE_EMPTY};
    char *large = memory_alloc(LIMIT_RECORD_BYTES);
    memset(large, 'x', LIMIT_RECORD_BYTES);
    record.statistics.compression = slice_make(large, LIMIT_RECORD_BYTES - 100);
    record_write(&record, &bytes);
    assert_true(takes(buffer_slice(&bytes)));
    bytes.len = 0;
    record.statistics.compression.len = LIMIT_RECORD_BYTES;
    record_write(&record, &bytes);
    assert_false(takes(buffer_slice(&bytes)));
    free(large);
}

static void test_path_sets(void **state)
{
    (void)state;
    enum { HASHES = 3000 };
    CLEANUP_ARENA struct arena arena = {0};
    uint64_t hashes[HASHES], random = 1;
    for (size_t i = 0; i < HASHES; i++)
        hashes[i] = (random = random * 6364136223846793005ULL + 1442695040888963407ULL) | 1;
    for (size_t count = 0; count < HASHES; count = count * 3 + 1) {
        struct path_set set = path_set_make(&arena, slice_make(hashes, count * sizeof(uint64_t)));
        assert_int_equal(set.count, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(path_set_has(&set, hashes[i]));
            assert_false(path_set_has(&set, hashes[i] & ~1ULL));
            assert_true(i == 0 || set.hashes[i - 1] <= set.hashes[i]);
        }
    }
    uint64_t edges[] = {UINT64_MAX, 0};
    struct path_set set = path_set_make(&arena, slice_make(edges, sizeof(edges)));
    assert_true(path_set_has(&set, 0) && path_set_has(&set, UINT64_MAX));
    assert_false(path_set_has(&set, 1));
    assert_false(path_set_has(&(struct path_set){0}, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),  cmocka_unit_test(test_helpers),
        cmocka_unit_test(test_cut_and_flipped), cmocka_unit_test(test_damage_with_a_right_checksum),
        cmocka_unit_test(test_hostile_counts),  cmocka_unit_test(test_more_than_there_should_be),
        cmocka_unit_test(test_unsorted_sets),   cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_too_large),       cmocka_unit_test(test_path_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
