/*
 * The walk by a table of contents: what it finds must be what whoever reads the layer whole finds;
 * and of a layer that is not what its table says, an error must come, never another record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "layer/walk_lazy.h"
#include "lazykit.h"
#include "base/file.h"
#include "base/limits.h"

#include <pthread.h>
#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the process that fetches, as a thread ------------------------------------------------------
 */

struct fetcher {
    pthread_t thread;
    slice layer;
    uint64_t stops_after; /* answers so many bytes and ends */
    int requests, answers;
    size_t asked;
};

static void *fetch(void *context)
{
    struct fetcher *fetcher = context;
    struct layer_range range;
    bool more;
    for (;;) {
        CLEANUP_ERROR struct error *error =
            layer_range_next(fetcher->requests, fetcher->layer.len, &range, &more);
        if (error || !more)
            break;
        fetcher->asked++;
        slice answer =
            slice_first(slice_from(fetcher->layer, (size_t)range.offset), (size_t)range.count);
        answer = slice_first(answer, (size_t)fetcher->stops_after);
        fetcher->stops_after -= answer.len;
        CLEANUP_ERROR struct error *unread = file_write_all(fetcher->answers, answer);
        if (unread || answer.len < range.count)
            break;
    }
    close(fetcher->answers);
    return NULL;
}

static struct error *walk_fetched(struct fetcher *fetcher, const struct layer_toc *where,
                                  const struct walk_options *options, struct arena *arena,
                                  struct record *record)
{
    int requests[2], answers[2];
    assert_int_equal(pipe(requests), 0);
    assert_int_equal(pipe(answers), 0);
    fetcher->requests = requests[0];
    fetcher->answers = answers[1];
    assert_int_equal(pthread_create(&fetcher->thread, NULL, fetch, fetcher), 0);
    struct layer_bytes bytes = {
        .fd = answers[0], .requests = requests[1], .length = fetcher->layer.len};
    struct error *error = walk_lazy(&bytes, where, options, arena, record);
    close(requests[1]);
    close(answers[0]);
    pthread_join(fetcher->thread, NULL);
    close(requests[0]);
    return error;
}

/* --- walks ---------------------------------------------------------------------------------------
 */

enum { BEFORE = 7 }; /* bytes of the file before the layer */

static struct error *walk_in_file(slice layer, const struct layer_toc *where,
                                  const struct walk_options *options, struct arena *arena,
                                  struct record *record)
{
    CLEANUP_CLOSE int fd = memfd_create("layer", 0);
    assert_int_equal(ftruncate(fd, BEFORE), 0);
    assert_int_equal(lseek(fd, BEFORE, SEEK_SET), BEFORE);
    assert_null(file_write_all(fd, layer));
    assert_null(file_write_all(fd, SLICE("what lies behind the layer")));
    struct layer_bytes bytes = {.fd = fd, .requests = -1, .offset = BEFORE, .length = layer.len};
    return walk_lazy(&bytes, where, options, arena, record);
}

static struct error *walk_whole(slice layer, const struct walk_options *options,
                                struct arena *arena, struct record *record)
{
    CLEANUP_STREAM struct stream *stream = NULL;
    const char *name;
    bool end_marked;
    TRY(stream_unpack(&stream, stream_from_memory(layer), &name));
    return walk_tar(stream, options, arena, record, &end_marked);
}

/* All that is found, in its serialised form; how it was read is left out. */
static slice found_in(const struct record *record, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct record found = *record;
    found.statistics = (struct record_statistics){.entries = record->statistics.entries,
                                                  .entries_read = record->statistics.entries_read};
    record_write(&found, &bytes);
    return arena_copy(arena, buffer_slice(&bytes));
}

static void expect_well(struct error *error)
{
    CLEANUP_ERROR struct error *own = error;
    if (own)
        fail_msg("%s", own->message);
}

static void expect_statistics(const struct record *record, const struct lazykit_layer *layer)
{
    bool gzip = layer->where.kind == TOC_ESTARGZ;
    assert_true(record->statistics.digest_skipped);
    assert_true(record->statistics.bytes_read > 0);
    assert_true(slice_equal(record->statistics.compression,
                            gzip ? SLICE("estargz") : SLICE("zstd:chunked")));
}

static void expect_as_whole(const struct lazykit_layer *layer, const struct walk_options *options)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct record whole, in_file, fetched;
    slice bytes = buffer_slice(&layer->blob);
    struct fetcher fetcher = {.layer = bytes, .stops_after = UINT64_MAX};
    expect_well(walk_whole(bytes, options, &arena, &whole));
    expect_well(walk_in_file(bytes, &layer->where, options, &arena, &in_file));
    expect_well(walk_fetched(&fetcher, &layer->where, options, &arena, &fetched));
    slice expected = found_in(&whole, &arena);
    assert_true(slice_equal(found_in(&in_file, &arena), expected));
    assert_true(slice_equal(found_in(&fetched, &arena), expected));
    expect_statistics(&in_file, layer);
    expect_statistics(&fetched, layer);
    assert_true(in_file.statistics.bytes_read <= fetched.statistics.bytes_read);
}

/* --- the same record -----------------------------------------------------------------------------
 */

#define METADATA SLICE("Name: x\nVersion: 1\n")
#define STATUS SLICE("Package: a\nStatus: install ok installed\nVersion: 1\n")
/* What no reader asks for, and cannot be packed to less. */
static char noise[200 * 1024];
#define NOISE(count) slice_make(noise, (count))

static const struct lazykit_form forms[] = {
    {"estargz", TOC_ESTARGZ, SIZE_MAX, 0, false},
    {"estargz, chunks of 7", TOC_ESTARGZ, 7, 0, false},
    {"estargz, chunks of 1", TOC_ESTARGZ, 1, 0, false},
    {"estargz, small files together", TOC_ESTARGZ, 4096, 3000, false},
    {"estargz, chunks of 7 together", TOC_ESTARGZ, 7, 50, false},
    {"estargz, all in one", TOC_ESTARGZ, 4096, SIZE_MAX, false},
    {"zstd:chunked", TOC_ZSTD_CHUNKED, SIZE_MAX, 0, true},
    {"zstd:chunked, chunks of 7", TOC_ZSTD_CHUNKED, 7, 0, true},
    /* as stargz-snapshotter's zstdchunked package makes it */
    {"zstd:chunked, without ends", TOC_ZSTD_CHUNKED, 100, 0, false},
};

static const struct lazykit_piece pieces[] = {
    {'d', "opt/", NULL, {0}},
    {'f', "./opt//x-1.dist-info/METADATA", NULL, METADATA},
    {'f', "srv/empty", NULL, {0}},
    {'f', "srv/.wh.gone", NULL, {0}},
    {'f', "etc/.wh..wh..opq", NULL, {0}},
    {'f', "srv/noise", NULL, {noise, 700}},
    {'l', "lib", "usr/lib", {0}},
    {'h', "opt/z-1.egg-info", "./opt/x-1.dist-info/METADATA", {0}},
    {'o', "dev/null", NULL, {0}},
    {'f', "var/lib/dpkg/status", NULL, STATUS},
    {'f', "opt/empty-1.dist-info/METADATA", NULL, {0}},
    {'f', "e/conda-meta/x.json", NULL, SLICE("{")},
    {'f', "../../up", NULL, SLICE("x")},
    {'h', "srv/out", "../../up", {0}},
    {'f', "srv/more", NULL, {noise, 40}},
    {'f', "opt/x-1.dist-info/METADATA", NULL, SLICE("Name: x\nVersion: 2\n")},
    {'f', "srv/.wh.", NULL, {0}},
    /* By sevens, two of its chunks are nothing but zeros. */
    {'f', "opt/z-1.dist-info/METADATA", NULL,
     SLICE("Name: z\nVersion: 1\n\n\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0end")},
};

static void test_as_read_whole(void **state)
{
    (void)state;
    const struct redirect redirects[] = {
        {SLICE("srv/more"), SLICE("var/lib/dpkg/status"), false, false}};
    const struct walk_options options[] = {
        {.spill = -1}, {.redirects = redirects, .redirect_count = COUNT(redirects), .spill = -1}};
    for (size_t form = 0; form < COUNT(forms); form++)
        for (size_t count = 0; count <= COUNT(pieces); count++)
            for (size_t i = 0; i < COUNT(options); i++) {
                struct lazykit_layer layer;
                lazykit_make(&layer, &forms[form], pieces, count, NULL);
                expect_as_whole(&layer, &options[i]);
                lazykit_free(&layer);
            }
}

/* What is found, by itself: both ways could be wrong alike. */
static void test_what_is_found(void **state)
{
    (void)state;
    for (size_t form = 0; form < COUNT(forms); form++) {
        CLEANUP_ARENA struct arena arena = {0};
        const struct walk_options options = {.spill = -1};
        struct lazykit_layer layer;
        struct record record;
        lazykit_make(&layer, &forms[form], pieces, COUNT(pieces), NULL);
        expect_well(
            walk_in_file(buffer_slice(&layer.blob), &layer.where, &options, &arena, &record));
        lazykit_free(&layer);
        assert_int_equal(record.whiteouts.count, 2);
        assert_int_equal(record.links.count, 2);
        assert_int_equal(record.folders.count, 1);
        const struct evidence *evidence = record.evidence.items;
        assert_true(slice_equal(evidence[0].path, SLICE("opt/x-1.dist-info/METADATA")));
        const struct package *package = evidence[0].packages.items;
        assert_true(slice_equal(package->name, SLICE("x")));
        assert_true(slice_equal(package->version, SLICE("1")));
        bool itself = path_set_has(&record.files, slice_hash(SLICE("stargz.index.json")));
        assert_int_equal(itself, forms[form].kind == TOC_ESTARGZ);
    }
}

/* A database larger than memory takes, in many chunks and through the spill file. */
static void test_large_database(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer status = {0};
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    const struct walk_options options = {.spill = spill};
    for (unsigned i = 0; status.len <= LIMIT_ENTRY_MEMORY; i++)
        buffer_format(&status,
                      "Package: p%u\nStatus: install ok installed\nVersion: %u\nDescription: %0500u"
                      "\n\n",
                      i, i, i);
    const struct lazykit_piece database[] = {
        {'f', "srv/before", NULL, NOISE(1000)},
        {'f', "var/lib/dpkg/status", NULL, buffer_slice(&status)},
        {'f', "srv/behind", NULL, NOISE(1000)}};
    const struct lazykit_form large[] = {{"estargz", TOC_ESTARGZ, 10000, 0, false},
                                         {"zstd:chunked", TOC_ZSTD_CHUNKED, 10000, 0, true}};
    for (size_t form = 0; form < COUNT(large); form++) {
        struct lazykit_layer layer;
        lazykit_make(&layer, &large[form], database, COUNT(database), NULL);
        expect_as_whole(&layer, &options);
        lazykit_free(&layer);
    }
}

/* More stretches, and further apart, than are known and asked for ahead. */
static void test_more_than_is_asked_ahead(void **state)
{
    (void)state;
    enum { FILES = 6000, APART = 600 };
    const struct walk_options options = {.spill = -1};
    CLEANUP_ARENA struct arena arena = {0};
    struct lazykit_piece *many = arena_array(&arena, 2 * FILES + 1, sizeof(*many));
    for (size_t i = 0; i < FILES; i++) {
        slice name = arena_format(&arena, "opt/x%zu-1.dist-info/METADATA", i);
        many[2 * i] = (struct lazykit_piece){'f', arena_text(&arena, name), NULL,
                                             arena_format(&arena, "Name: x%zu\nVersion: 1\n", i)};
        /* The first gaps are too wide to be fetched along. */
        many[2 * i + 1] =
            (struct lazykit_piece){'f', "srv/noise", NULL, NOISE(i < APART ? 20000 : 10)};
    }
    for (size_t form = 0; form < COUNT(forms); form += COUNT(forms) - 3) {
        struct lazykit_layer layer;
        lazykit_make(&layer, &forms[form], many, (size_t)2 * FILES, NULL);
        expect_as_whole(&layer, &options);
        lazykit_free(&layer);
    }
}

/* --- few bytes -----------------------------------------------------------------------------------
 */

static void test_little_is_read(void **state)
{
    (void)state;
    const struct lazykit_piece scattered[] = {
        {'f', "srv/1", NULL, NOISE(sizeof(noise))},
        {'f', "opt/x-1.dist-info/METADATA", NULL, METADATA},
        {'f', "srv/2", NULL, NOISE(2000)}, /* read along */
        {'f', "var/lib/dpkg/status", NULL, STATUS},
        {'f', "srv/3", NULL, NOISE(sizeof(noise))},
        {'f', "opt/y-1.egg-info", NULL, SLICE("Name: y\nVersion: 1\n")},
        {'f', "srv/4", NULL, NOISE(sizeof(noise))},
    };
    const struct walk_options options = {.spill = -1};
    for (size_t form = 0; form < COUNT(forms); form++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct lazykit_layer layer;
        struct record record;
        if (forms[form].chunk < 1000 || forms[form].member)
            continue;
        lazykit_make(&layer, &forms[form], scattered, COUNT(scattered), NULL);
        struct fetcher fetcher = {.layer = buffer_slice(&layer.blob), .stops_after = UINT64_MAX};
        expect_well(walk_fetched(&fetcher, &layer.where, &options, &arena, &record));
        assert_int_equal(record.evidence.count, 3);
        uint64_t table = layer.blob.len - layer.table_at;
        assert_true(record.statistics.bytes_read < table + 4000 + 2000);
        /* The table (eStargz: its footer before it), two together, one. */
        assert_int_equal(fetcher.asked, forms[form].kind == TOC_ESTARGZ ? 4 : 3);
        lazykit_free(&layer);
    }
}

/* --- what is not as it should be -----------------------------------------------------------------
 */

static const struct lazykit_piece two[] = {
    {'f', "opt/x-1.dist-info/METADATA", NULL, METADATA},
    {'f', "srv/noise", NULL, {noise, 100}},
    {'f', "var/lib/dpkg/status", NULL, STATUS},
};

static const struct lazykit_form spoilt_forms[] = {
    {"estargz", TOC_ESTARGZ, SIZE_MAX, 0, false},
    {"estargz, chunks of 30 together", TOC_ESTARGZ, 30, 50, false},
    {"zstd:chunked", TOC_ZSTD_CHUNKED, SIZE_MAX, 0, true},
    {"zstd:chunked, chunks of 30", TOC_ZSTD_CHUNKED, 30, 0, true},
};

/* One byte changed, or the layer cut: an error, or the very same record; never another one. */
static void expect_same_or_error(slice blob, const struct layer_toc *where, slice expected,
                                 size_t *errors)
{
    CLEANUP_ARENA struct arena arena = {0};
    const struct walk_options options = {.spill = -1};
    struct record record;
    CLEANUP_ERROR struct error *error = walk_in_file(blob, where, &options, &arena, &record);
    if (error) {
        assert_int_equal(error->kind, ERROR_INPUT);
        ++*errors;
        return;
    }
    assert_true(slice_equal(found_in(&record, &arena), expected));
}

static slice found_well(const struct lazykit_layer *layer, struct arena *arena)
{
    const struct walk_options options = {.spill = -1};
    struct record record;
    expect_well(walk_in_file(buffer_slice(&layer->blob), &layer->where, &options, arena, &record));
    return found_in(&record, arena);
}

static void test_changed_bytes(void **state)
{
    (void)state;
    static const char changes[] = {1, 64, -1};
    for (size_t form = 0; form < COUNT(spoilt_forms); form++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct lazykit_layer layer;
        size_t errors = 0;
        lazykit_make(&layer, &spoilt_forms[form], two, COUNT(two), NULL);
        slice expected = found_well(&layer, &arena);
        for (size_t i = 0; i < layer.blob.len; i++) {
            char right = layer.blob.bytes[i];
            layer.blob.bytes[i] = (char)(right ^ changes[i % COUNT(changes)]);
            expect_same_or_error(buffer_slice(&layer.blob), &layer.where, expected, &errors);
            layer.blob.bytes[i] = right;
        }
        assert_true(errors > layer.blob.len / 10);
        lazykit_free(&layer);
    }
}

static void test_cut_layers(void **state)
{
    (void)state;
    for (size_t form = 0; form < COUNT(spoilt_forms); form++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct lazykit_layer layer;
        lazykit_make(&layer, &spoilt_forms[form], two, COUNT(two), NULL);
        slice expected = found_well(&layer, &arena);
        size_t errors = 0, end = layer.table_at + layer.table_length;
        for (size_t length = 0; length < end; length++)
            expect_same_or_error(slice_first(buffer_slice(&layer.blob), length), &layer.where,
                                 expected, &errors);
        assert_int_equal(errors, end);
        lazykit_free(&layer);
    }
}

/*
 * What fetches may end at any byte: an error, unless all that was wanted had come. (Of a stretch
 * more is asked for than its chunks take up.)
 */
static void test_fetcher_ends(void **state)
{
    (void)state;
    const struct walk_options options = {.spill = -1};
    for (size_t form = 0; form < COUNT(spoilt_forms); form++) {
        CLEANUP_ARENA struct arena all = {0};
        struct lazykit_layer layer;
        lazykit_make(&layer, &spoilt_forms[form], two, COUNT(two), NULL);
        slice expected = found_well(&layer, &all);
        size_t errors = 0;
        for (uint64_t stop = 0; stop < layer.blob.len; stop += 5) {
            CLEANUP_ARENA struct arena arena = {0};
            struct record record;
            struct fetcher fetcher = {.layer = buffer_slice(&layer.blob), .stops_after = stop};
            CLEANUP_ERROR struct error *error =
                walk_fetched(&fetcher, &layer.where, &options, &arena, &record);
            assert_true(record.statistics.bytes_read <= stop);
            assert_true(error || slice_equal(found_in(&record, &arena), expected));
            assert_true(error || stop > layer.table_length);
            errors += error != NULL;
        }
        assert_true(errors > 0);
        lazykit_free(&layer);
    }
}

/* The table as it comes, `from` in it replaced by `to`; its digest is right. */
static const struct {
    const char *from, *to;
    const char *message; /* part of it */
} wrong_tables[] = {
    {"\"size\":19", "\"size\":-19", "whole number"},
    {"\"size\":19", "\"size\":19.0", "whole number"},
    {"\"size\":19", "\"size\":1e9", "whole number"},
    {"\"size\":19", "\"size\":\"19\"", "whole number"},
    {"\"size\":19", "\"size\":9223372036854775808", "whole number"},
    {"\"size\":19", "\"size\":18446744073709551617", "whole number"},
    {"\"size\":19", "\"size\":9223372036854775807", "limit of a layer"},
    {"\"size\":19", "\"size\":68719476737", "limit of a layer"},
    {"\"size\":19", "\"size\":19,\"size\":19", "twice"},
    {"\"size\":19", "\"size\":19,\"Size\":20", "upper and lower case"},
    {"\"size\":19", "\"size\":19,\"chunkSize\":20", "follow"},
    {"\"size\":19", "\"size\":19,\"chunkSize\":18", "add up"},
    {"\"size\":19", "\"size\":19,\"chunkOffset\":1", "follow"},
    {"\"size\":19", "\"size\":19,\"chunkSize\":-1", "whole number"},
    {"\"size\":19", "\"size\":19,\"chunkSize\":9223372036854775807", "follow"},
    {"\"size\":19", "\"size\":19,\"chunkOffset\":9223372036854775807,\"chunkSize\":1", "follow"},
    {"\"size\":19", "\"size\":20", "content"},
    {"\"size\":19", "\"size\":18", "digest"},
    {"\"size\":19", "\"size\":0,\"chunkSize\":19", "follow"},
    {"\"size\":19", "\"size\":19,\"innerOffset\":1", "content"},
    {"\"size\":19", "\"size\":19,\"innerOffset\":9223372036854775807", "before it should"},
    {"\"offset\":", "\"offset\":9223372036854775807,\"x\":", "behind the end"},
    {"\"offset\":", "\"offset\":0,\"x\":", "where a file's content lies"},
    {"\"offset\":", "\"offset\":1,\"x\":", "begins"},
    {"\"type\":\"reg\"", "\"type\":\"chunk\"", "behind the file"},
    {"\"type\":\"reg\"", "\"type\":\"\"", "no known type"},
    {"\"type\":\"reg\"", "\"x\":0", "no known type"},
    {"\"type\":\"reg\"", "\"type\":5", "string"},
    {"\"name\":\"opt", "\"name\":5,\"x\":\"opt", "string"},
    {"\"name\":\"opt", "\"name\":\"\\u0000opt", "NUL byte"},
    {"\"name\":\"srv", "\"name\":\"a\\u0000srv", "NUL byte"},
    {"\"name\":\"opt", "\"linkName\":\"a\\u0000\",\"name\":\"opt", "NUL byte"},
    {"\"version\":1", "\"version\":2", "version 2"},
    {"\"version\":1", "\"x\":1", "version 0"},
    {"\"version\":1", "\"version\":-1", "whole number"},
    {"\"version\":1", "\"entries\":[],\"version\":1", "twice"},
    {"\"entries\":", "\"Entries\":", "upper and lower case"},
    {"\"entries\":", "\"x\":", "no entries"},
    {"\"entries\":", "\"entries\":5,\"x\":", "array"},
    {"]}", "]", "closing bracket"},
    {"]}", "]}{}", "follows"},
    {"]}", ",{\"type\":\"dir\"", "closing bracket"},
    {"{\"version\"", "[\"version\"", "object"},
};

static void expect_refused(const struct lazykit_form *form, const struct lazykit_change *change,
                           const char *message)
{
    CLEANUP_ARENA struct arena arena = {0};
    const struct walk_options options = {.spill = -1};
    struct lazykit_layer layer;
    struct record record;
    lazykit_make(&layer, form, two, COUNT(two), change);
    CLEANUP_ERROR struct error *error =
        walk_in_file(buffer_slice(&layer.blob), &layer.where, &options, &arena, &record);
    lazykit_free(&layer);
    if (!error)
        fail_msg("%s: %s -> %s: no error", form->name, change->from, change->to);
    else if (error->kind == ERROR_SYSTEM || !strstr(error->message, message))
        fail_msg("%s: %s -> %s: %s", form->name, change->from, change->to, error->message);
}

static void test_wrong_tables(void **state)
{
    (void)state;
    static const struct lazykit_form plain[] = {
        {"estargz", TOC_ESTARGZ, SIZE_MAX, 0, false},
        {"zstd:chunked", TOC_ZSTD_CHUNKED, SIZE_MAX, 0, false}};
    for (size_t form = 0; form < COUNT(plain); form++)
        for (size_t i = 0; i < COUNT(wrong_tables); i++) {
            struct lazykit_change change = {wrong_tables[i].from, wrong_tables[i].to};
            expect_refused(&plain[form], &change, wrong_tables[i].message);
        }
}

int main(void)
{
    lazykit_noise(noise, sizeof(noise));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_read_whole),  cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_large_database), cmocka_unit_test(test_more_than_is_asked_ahead),
        cmocka_unit_test(test_little_is_read), cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_cut_layers),     cmocka_unit_test(test_fetcher_ends),
        cmocka_unit_test(test_wrong_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
