/* The layer walk: what becomes of a layer's entries, and what analyzers get to see of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/*
 * The hand-over once more with a table of analyzers that only look at what they are given: its own
 * source, under other names. The walks below use the real ones.
 */
#define analyzers fake_analyzers
#define analyzer_count fake_analyzer_count
#define walk_analyze fake_walk_analyze
#define walk_bytes_wanted fake_walk_bytes_wanted
#include "layer/walk_analyze.c"
#undef analyzers
#undef analyzer_count
#undef walk_analyze
#undef walk_bytes_wanted

#include "tarkit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- wants ----------------------------------------------------------------------------------- */

enum { FAKES = 6 };

static struct {
    struct want want;
    size_t reads;
    bool fails; /* in its first piece, or in read() */
    struct buffer whole, pieces;
} fakes[FAKES];

static struct want fake_wants(slice path, const struct entry *entry)
{
    static size_t asked;
    (void)path, (void)entry;
    return fakes[asked++ % FAKES].want;
}

static struct error *fake_piece(struct analysis *analysis, slice bytes)
{
    size_t i = analysis->analyzer->version;
    assert_true(bytes.len > 0);
    assert_int_equal(fakes[i].reads, 0);
    if (fakes[i].fails)
        return error_make(ERROR_INPUT, "piece");
    buffer_add(&fakes[i].pieces, bytes);
    return NULL;
}

static struct error *fake_read(struct analysis *analysis, slice bytes)
{
    size_t i = analysis->analyzer->version;
    fakes[i].reads++;
    buffer_add(&fakes[i].whole, bytes);
    return fakes[i].fails ? error_make(ERROR_INPUT, "read") : NULL;
}

#define FAKE(number)                                                                               \
    &(const struct analyzer)                                                                       \
    {                                                                                              \
        .name = "fake" #number, .version = number, .wants = fake_wants, .piece = fake_piece,       \
        .read = fake_read                                                                          \
    }
const struct analyzer *const fake_analyzers[] = {FAKE(0), FAKE(1), FAKE(2),
                                                 FAKE(3), FAKE(4), FAKE(5)};
const size_t fake_analyzer_count = FAKES;

struct pieces {
    slice left;
    size_t step;
    size_t asked;
};

static struct error *next_piece(void *context, slice *piece)
{
    struct pieces *pieces = context;
    pieces->asked++;
    *piece = slice_first(pieces->left, pieces->step);
    pieces->left = slice_from(pieces->left, pieces->step);
    return NULL;
}

static void hand_over(const struct want *wants, slice content, size_t step, int spill,
                      struct record *record, struct arena *arena, struct pieces *pieces)
{
    struct walk walk;
    struct walk_options options = {.spill = spill};
    struct entry entry = {.kind = ENTRY_FILE, .path = SLICE("f"), .size = content.len};
    struct content reader = {next_piece, pieces, NULL};
    *pieces = (struct pieces){.left = content, .step = step};
    walk_begin(&walk, &options, arena, record);
    for (size_t i = 0; i < FAKES; i++) {
        fakes[i].want = wants[i];
        fakes[i].reads = 0;
        fakes[i].whole.len = fakes[i].pieces.len = 0;
    }
    CLEANUP_ERROR struct error *error = fake_walk_analyze(&walk, &entry, &reader);
    assert_null(error);
    walk_end(&walk);
}

static void expect_given(slice content)
{
    for (size_t i = 0; i < FAKES; i++) {
        slice whole = buffer_slice(&fakes[i].whole), pieces = buffer_slice(&fakes[i].pieces);
        enum want_kind kind = fakes[i].want.kind;
        assert_int_equal(fakes[i].reads, kind != WANT_NOTHING);
        assert_true(slice_equal(pieces, kind == WANT_STREAM ? content : SLICE_EMPTY));
        if (kind == WANT_WHOLE)
            assert_true(slice_equal(whole, content));
        else if (kind == WANT_FIRST)
            assert_true(slice_equal(whole, slice_first(content, fakes[i].want.count)));
        else
            assert_int_equal(whole.len, 0);
    }
}

static const struct want want_rows[][FAKES] = {
    {{WANT_NOTHING, 0},
     {WANT_HEADER, 0},
     {WANT_FIRST, 5},
     {WANT_FIRST, 300},
     {WANT_STREAM, 0},
     {WANT_WHOLE, 0}},
    {{WANT_WHOLE, 0}, {WANT_STREAM, 0}, {WANT_FIRST, 300}, {WANT_FIRST, 5}, {WANT_HEADER, 0}},
    {{WANT_FIRST, 5}, {WANT_FIRST, 7}},
    {{WANT_STREAM, 0}, {WANT_FIRST, 7}},
    {{WANT_STREAM, 0}},
    {{WANT_WHOLE, 0}, {WANT_WHOLE, 0}},
    {{WANT_HEADER, 0}},
    {{WANT_FIRST, 0}},
    {{WANT_NOTHING, 0}},
};

static void test_wants(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 5, 6, 299, 300, 301, 1000};
    static const size_t steps[] = {1, 3, 5, 300, 1000, 5000};
    CLEANUP_BUFFER struct buffer bytes = {0};
    for (size_t i = 0; i < 1000; i++)
        buffer_add_byte(&bytes, (char)(i * 7));
    for (size_t row = 0; row < COUNT(want_rows); row++)
        for (size_t length = 0; length < COUNT(lengths); length++)
            for (size_t step = 0; step < COUNT(steps); step++) {
                CLEANUP_ARENA struct arena arena = {0};
                struct record record;
                struct pieces pieces;
                slice content = slice_first(buffer_slice(&bytes), lengths[length]);
                hand_over(want_rows[row], content, steps[step], -1, &record, &arena, &pieces);
                expect_given(content);
                assert_int_equal(record.problems.count, 0);
                assert_int_equal(record.statistics.entries_read,
                                 want_rows[row][0].kind != WANT_NOTHING ||
                                     want_rows[row][1].kind != WANT_NOTHING);
            }
}

/* Nobody reads more than what is asked for. */
static void test_no_more_is_read_than_wanted(void **state)
{
    (void)state;
    static const struct {
        struct want want;
        size_t asked;
    } rows[] = {
        {{WANT_NOTHING, 0}, 0}, {{WANT_HEADER, 0}, 0}, {{WANT_FIRST, 0}, 0},
        {{WANT_FIRST, 10}, 1},  {{WANT_FIRST, 11}, 2}, {{WANT_STREAM, 0}, 11},
    };
    static const char content[100];
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct record record;
        struct pieces pieces;
        const struct want wants[FAKES] = {rows[i].want};
        hand_over(wants, slice_make(content, sizeof(content)), 10, -1, &record, &arena, &pieces);
        assert_int_equal(pieces.asked, rows[i].asked);
    }
}

/* One that fails is told of and asked no more; the others get theirs. */
static void test_failures_are_of_one_analyzer(void **state)
{
    (void)state;
    for (size_t step = 4; step <= 16; step += 4) {
        CLEANUP_ARENA struct arena arena = {0};
        struct record record;
        struct pieces pieces;
        slice content = SLICE("sixteen bytes ..");
        fakes[1].fails = fakes[4].fails = true;
        hand_over((const struct want[FAKES]){{WANT_WHOLE, 0},
                                             {WANT_WHOLE, 0},
                                             {WANT_FIRST, 3},
                                             {WANT_STREAM, 0},
                                             {WANT_STREAM, 0},
                                             {WANT_HEADER, 0}},
                  content, step, -1, &record, &arena, &pieces);
        fakes[1].fails = fakes[4].fails = false;
        assert_int_equal(fakes[4].reads, 0);
        assert_int_equal(fakes[4].pieces.len, 0);
        fakes[4].want.kind = WANT_NOTHING;
        expect_given(content);
        assert_int_equal(record.problems.count, 2);
        const struct problem *problems = record.problems.items;
        assert_true(slice_equal(problems[0].path, SLICE("f")));
        assert_true(slice_equal(problems[0].message, SLICE("fake4: piece")));
        assert_true(slice_equal(problems[1].message, SLICE("fake1: read")));
    }
}

static void test_spill(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer bytes = {0};
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    static const size_t lengths[] = {LIMIT_ENTRY_MEMORY, LIMIT_ENTRY_MEMORY + 1,
                                     LIMIT_ENTRY_MEMORY + 4097, LIMIT_ENTRY_MEMORY + 1};
    for (size_t i = 0; i < LIMIT_ENTRY_MEMORY + 4097; i++)
        buffer_add_byte(&bytes, (char)(i * 7 + i / 256));
    for (size_t row = 0; row < COUNT(want_rows); row++) {
        for (size_t i = 0; i < COUNT(lengths); i++) {
            CLEANUP_ARENA struct arena arena = {0};
            struct record record;
            struct pieces pieces;
            struct stat info;
            slice content = slice_first(buffer_slice(&bytes), lengths[i]);
            hand_over(want_rows[row], content, 100000, spill, &record, &arena, &pieces);
            expect_given(content);
            assert_int_equal(record.problems.count, 0);
            assert_int_equal(fstat(spill, &info), 0);
            assert_int_equal(info.st_size, 0); /* nothing is left in it */

            /* Without a spill file those that want it whole are told so, and only they. */
            hand_over(want_rows[row], content, 100000, -1, &record, &arena, &pieces);
            size_t refused = 0;
            for (size_t j = 0; j < FAKES && lengths[i] > LIMIT_ENTRY_MEMORY; j++)
                if (fakes[j].want.kind == WANT_WHOLE) {
                    assert_int_equal(fakes[j].reads, 0);
                    fakes[j].want.kind = WANT_NOTHING;
                    refused++;
                }
            expect_given(content);
            assert_int_equal(record.problems.count, refused);
        }
    }
}

static struct error *failing_piece(void *context, slice *piece)
{
    (void)context, (void)piece;
    return error_make(ERROR_INPUT, "it is cut");
}

/* A content that cannot be read to its end ends the walk: what was read so far is not taken. */
static void test_content_that_fails(void **state)
{
    (void)state;
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    for (size_t row = 0; row < COUNT(want_rows); row++) {
        for (size_t large = 0; large < 2; large++) {
            CLEANUP_ARENA struct arena arena = {0};
            struct walk walk;
            struct record record;
            struct walk_options options = {.spill = spill};
            struct entry entry = {.kind = ENTRY_FILE,
                                  .path = SLICE("f"),
                                  .size = large ? LIMIT_ENTRY_MEMORY + 1 : 10};
            struct content content = {failing_piece, NULL, NULL};
            bool asks = false;
            for (size_t i = 0; i < FAKES; i++) {
                fakes[i].want = want_rows[row][i];
                fakes[i].reads = 0;
                asks |= want_rows[row][i].kind == WANT_STREAM ||
                        want_rows[row][i].kind == WANT_WHOLE || want_rows[row][i].count;
            }
            walk_begin(&walk, &options, &arena, &record);
            CLEANUP_ERROR struct error *error = fake_walk_analyze(&walk, &entry, &content);
            walk_end(&walk);
            assert_int_equal(error != NULL, asks);
            for (size_t i = 0; asks && i < FAKES; i++)
                assert_int_equal(fakes[i].reads, 0);
        }
    }
}

static int free_fakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKES; i++) {
        buffer_free(&fakes[i].whole);
        buffer_free(&fakes[i].pieces);
    }
    return 0;
}

/* --- walks of tars ------------------------------------------------------------------------------
 */

#define NEW_TAR CLEANUP_BUFFER struct buffer tar = {0}

static struct error *walk_bytes(slice bytes, const struct walk_options *options,
                                struct arena *arena, struct record *record)
{
    bool end_marked;
    struct stream *stream = stream_from_memory(bytes);
    struct error *error = walk_tar(stream, options, arena, record, &end_marked);
    stream_close(stream);
    return error;
}

static struct record walk_well(const struct buffer *tar, struct arena *arena)
{
    struct record record;
    struct walk_options options = {.spill = -1};
    CLEANUP_ERROR struct error *error = walk_bytes(buffer_slice(tar), &options, arena, &record);
    if (error)
        fail_msg("%s", error->message);
    return record;
}

/* All of a record that can be put into a line each, for comparing. */
static const char *describe(const struct record *record, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct evidence *evidence = record->evidence.items;
    for (size_t i = 0; i < record->evidence.count; i++) {
        buffer_format(&text, "%.*s %.*s", SLICE_ARG(evidence[i].analyzer),
                      SLICE_ARG(evidence[i].path));
        if (evidence[i].place.len)
            buffer_format(&text, " as %.*s", SLICE_ARG(evidence[i].place));
        const struct package *packages = evidence[i].packages.items;
        for (size_t j = 0; j < evidence[i].packages.count; j++)
            buffer_format(&text, " %.*s=%.*s", SLICE_ARG(packages[j].name),
                          SLICE_ARG(packages[j].version));
        buffer_add_byte(&text, '\n');
    }
    const struct whiteout *whiteouts = record->whiteouts.items;
    for (size_t i = 0; i < record->whiteouts.count; i++)
        buffer_format(&text, "%s %.*s\n", whiteouts[i].opaque ? "opaque" : "gone",
                      SLICE_ARG(whiteouts[i].path));
    const struct link *links = record->links.items;
    for (size_t i = 0; i < record->links.count; i++)
        buffer_format(&text, "%s %.*s -> %.*s\n", links[i].hard ? "hard" : "soft",
                      SLICE_ARG(links[i].path), SLICE_ARG(links[i].target));
    const struct problem *problems = record->problems.items;
    for (size_t i = 0; i < record->problems.count; i++)
        buffer_format(&text, "problem %.*s\n", SLICE_ARG(problems[i].path));
    return arena_copy(arena, buffer_slice(&text)).ptr;
}

static bool has_file(const struct record *record, const char *path)
{
    return path_set_has(&record->files, slice_hash(slice_from_text(path)));
}

static bool has_folder(const struct record *record, const char *path)
{
    return path_set_has(&record->folders, slice_hash(slice_from_text(path)));
}

static void test_whiteouts(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    NEW_TAR;
    tarkit_add_file(&tar, "opt/.wh.x", SLICE(""));
    tarkit_add_file(&tar, ".wh.top", SLICE("content counts for nothing"));
    tarkit_add_file(&tar, "./opt//.wh..hidden", SLICE(""));
    tarkit_add_file(&tar, "opt/y/.wh..wh..opq", SLICE(""));
    tarkit_add_file(&tar, ".wh..wh..opq", SLICE(""));
    tarkit_add_link(&tar, "opt/.wh.link", '2', "t");
    tarkit_add_link(&tar, "opt/.wh.hard", '1', "t");
    tarkit_add_link(&tar, "opt/.wh.device", '3', "");
    tarkit_add_folder(&tar, "opt/.wh.folder/");
    /* AUFS' own notes */
    tarkit_add_folder(&tar, ".wh..wh.plnk");
    tarkit_add_file(&tar, ".wh..wh.aufs", SLICE(""));
    tarkit_add_folder(&tar, ".wh..wh.orph");
    /* No whiteouts */
    tarkit_add_file(&tar, "opt/wh.x", SLICE(""));
    tarkit_add_file(&tar, "opt/x.wh.y", SLICE(""));
    tarkit_add_file(&tar, "opt/.whx", SLICE(""));
    tarkit_end(&tar);
    struct record record = walk_well(&tar, &arena);
    assert_string_equal(describe(&record, &arena), "gone opt/x\n"
                                                   "gone top\n"
                                                   "gone opt/.hidden\n"
                                                   "opaque opt/y\n"
                                                   "opaque \n"
                                                   "gone opt/link\n"
                                                   "gone opt/hard\n"
                                                   "gone opt/device\n"
                                                   "gone opt/folder\n");
    assert_int_equal(record.files.count, 3);
    assert_int_equal(record.folders.count, 0);
    assert_true(has_file(&record, "opt/wh.x") && has_file(&record, "opt/x.wh.y") &&
                has_file(&record, "opt/.whx"));
    assert_int_equal(record.statistics.entries, 15);
}

/* A whiteout that names nothing, or what lies outside, must not take a folder away. */
static void test_whiteouts_of_nothing(void **state)
{
    (void)state;
    static const char *const paths[] = {".wh.", "opt/.wh.", "opt/.wh..", "opt/.wh..."};
    for (size_t i = 0; i < COUNT(paths); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        NEW_TAR;
        tarkit_add_file(&tar, paths[i], SLICE(""));
        struct record record = walk_well(&tar, &arena);
        assert_int_equal(record.whiteouts.count, 0);
        assert_int_equal(record.problems.count, 1);
        assert_int_equal(record.files.count, 0);
    }
}

static void test_paths_and_links(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    NEW_TAR;
    tarkit_add_folder(&tar, "./");
    tarkit_add_folder(&tar, "./usr/");
    tarkit_add_file(&tar, "/usr/../etc//passwd", SLICE("x"));
    tarkit_add_link(&tar, "lib", '2', "usr/lib");
    tarkit_add_link(&tar, "dev/null", '3', "");
    tarkit_add_link(&tar, "a", '1', "etc/passwd");
    tarkit_add_link(&tar, "opt/x-1.dist-info/METADATA", '1', "./usr/x");
    tarkit_add_file(&tar, "../../escape", SLICE(""));
    tarkit_add_link(&tar, "h", '1', "../out");
    tarkit_end(&tar);
    struct record record = walk_well(&tar, &arena);
    const char *text = describe(&record, &arena);
    assert_non_null(strstr(text, "soft lib -> usr/lib\n"));
    assert_non_null(strstr(text, "hard opt/x-1.dist-info/METADATA -> usr/x\n"));
    assert_non_null(strstr(text, "problem escape\n"));
    assert_non_null(strstr(text, "problem h\n"));
    assert_int_equal(record.problems.count, 2);
    assert_true(has_folder(&record, "usr") && !has_folder(&record, "") && !has_file(&record, ""));
    assert_true(has_file(&record, "etc/passwd") && has_file(&record, "lib") &&
                has_file(&record, "dev/null") && has_file(&record, "a"));
    assert_false(has_file(&record, "usr"));
}

static const slice status = SLICE("Package: a\nStatus: install ok installed\nVersion: 1\n");
static const slice metadata = SLICE("Name: x\nVersion: 1\n");

/* Damage of one file is a problem of that file; what is behind it is read. */
static void test_problems_of_files(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    NEW_TAR;
    tarkit_add_file(&tar, "var/lib/dpkg/status", SLICE("nonsense\n"));
    tarkit_add_file(&tar, "e/conda-meta/x.json", SLICE("{"));
    tarkit_add_file(&tar, "e/conda-meta/empty.json", SLICE(""));
    tarkit_add_file(&tar, "opt/x-1.dist-info/METADATA", metadata);
    tarkit_end(&tar);
    struct record record = walk_well(&tar, &arena);
    assert_string_equal(describe(&record, &arena), "dpkg var/lib/dpkg/status\n"
                                                   "python opt/x-1.dist-info/METADATA x=1\n"
                                                   "problem var/lib/dpkg/status\n"
                                                   "problem e/conda-meta/x.json\n"
                                                   "problem e/conda-meta/empty.json\n");
}

/* Damage of the tar ends the walk; what was found before is kept. */
static void test_cut_layer(void **state)
{
    (void)state;
    NEW_TAR;
    tarkit_add_file(&tar, "opt/x-1.dist-info/METADATA", metadata);
    size_t first = tar.len;
    tarkit_add_file(&tar, "var/lib/dpkg/status", status);
    for (size_t length = 1; length < tar.len; length++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct record record;
        struct walk_options options = {.spill = -1};
        CLEANUP_ERROR struct error *error =
            walk_bytes(slice_first(buffer_slice(&tar), length), &options, &arena, &record);
        if (!error)
            assert_int_equal(length, first);
        if (length > first + TARKIT_BLOCK && length < first + TARKIT_BLOCK + status.len)
            assert_non_null(strstr(error->message, "var/lib/dpkg/status"));
        bool whole = length >= TARKIT_BLOCK + metadata.len;
        assert_int_equal(record.evidence.count >= 1, whole);
        /* The second file's content is cut, or whole but for its padding. */
        assert_int_equal(record.evidence.count == 2, length >= first + TARKIT_BLOCK + status.len);
        assert_true(record.files.count <= 2);
    }
}

static void test_large_files(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer large = {0};
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    NEW_TAR;
    size_t packages = 0;
    while (large.len <= LIMIT_ENTRY_MEMORY + 1000)
        buffer_format(&large, "Package: p%zu\nStatus: install ok installed\nVersion: 1\n\n",
                      packages++);
    tarkit_add_file(&tar, "var/lib/dpkg/status", buffer_slice(&large));
    tarkit_add_file(&tar, "opt/x-1.dist-info/METADATA", metadata);
    struct record record;
    struct walk_options options = {.spill = spill};
    assert_null(walk_bytes(buffer_slice(&tar), &options, &arena, &record));
    assert_int_equal(record.problems.count, 0);
    const struct evidence *evidence = record.evidence.items;
    assert_int_equal(evidence[0].packages.count, packages);
    /* Slices of the record do not point into the map, which is gone. */
    const struct package *last = (struct package *)evidence[0].packages.items + packages - 1;
    assert_true(slice_equal(last->name, arena_format(&arena, "p%zu", packages - 1)));
    assert_int_equal(record.evidence.count, 2);

    options.spill = -1;
    assert_null(walk_bytes(buffer_slice(&tar), &options, &arena, &record));
    assert_string_equal(describe(&record, &arena), "python opt/x-1.dist-info/METADATA x=1\n"
                                                   "problem var/lib/dpkg/status\n");
}

/* A package that is refused leaves nothing in the record that points into what was read. */
static void test_field_that_is_too_long(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_ARENA struct arena read_arena = {0};
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_BUFFER struct buffer bytes = {0};
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    struct walk_options options = {.spill = spill};
    for (size_t large = 0; large < 2; large++) {
        NEW_TAR;
        struct record record, read;
        text.len = bytes.len = 0;
        buffer_text(&text, "Version: 1\nPackage: ");
        for (size_t i = 0; i < (large ? LIMIT_ENTRY_MEMORY : LIMIT_FIELD_BYTES) + 1; i++)
            buffer_add_byte(&text, 'x');
        tarkit_add_file(&tar, "var/lib/dpkg/status", buffer_slice(&text));
        assert_null(walk_bytes(buffer_slice(&tar), &options, &arena, &record));
        assert_int_equal(record.problems.count, 1);
        record_write(&record, &bytes);
        assert_true(bytes.len < 1000);
        assert_null(record_read(buffer_slice(&bytes), &read_arena, &read));
    }
}

/* A sparse file that claims more than an analyzer may be given is refused, not gathered. */
static void test_huge_sparse_file(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_CLOSE int spill = memfd_create("spill", 0);
    NEW_TAR;
    TARKIT_PAX(&tar, 'x', "GNU.sparse.size", "3221225472", "GNU.sparse.numblocks", "1",
               "GNU.sparse.map", "0,1");
    tarkit_add_file(&tar, "var/lib/dpkg/status", SLICE("P"));
    TARKIT_PAX(&tar, 'x', "GNU.sparse.size", "3221225472", "GNU.sparse.numblocks", "1",
               "GNU.sparse.map", "0,19");
    tarkit_add_file(&tar, "opt/x-1.dist-info/METADATA", metadata);
    struct record record;
    struct walk_options options = {.spill = spill};
    CLEANUP_ERROR struct error *error = walk_bytes(buffer_slice(&tar), &options, &arena, &record);
    if (error)
        fail_msg("%s", error->message);
    assert_string_equal(describe(&record, &arena), "python opt/x-1.dist-info/METADATA x=1\n"
                                                   "problem var/lib/dpkg/status\n");
}

static void test_redirects(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    NEW_TAR;
    tarkit_add_file(&tar, "data/status", status);
    tarkit_add_file(&tar, "data/status.d/a", status);
    tarkit_add_file(&tar, "data/status.d/sub/b", status);
    tarkit_add_file(&tar, "data/status.dx", status);
    tarkit_add_file(&tar, "opt/x-1.egg-info", metadata);
    tarkit_end(&tar);
    const struct redirect redirects[] = {
        {.from = SLICE("data/status"), .as = SLICE("var/lib/dpkg/status")},
        {.from = SLICE("data/status.d"), .as = SLICE("var/lib/dpkg/status.d"), .folder = true},
        {.from = SLICE("opt/x-1.egg-info"), .as = SLICE("opt/y-1.egg-info")},
    };
    struct walk_options options = {
        .redirects = redirects, .redirect_count = COUNT(redirects), .spill = -1};
    struct record record;
    assert_null(walk_bytes(buffer_slice(&tar), &options, &arena, &record));
    assert_string_equal(describe(&record, &arena),
                        "dpkg data/status as var/lib/dpkg/status a=1\n"
                        "dpkg data/status.d/a as var/lib/dpkg/status.d/a a=1\n"
                        "dpkg data/status.d/sub/b as var/lib/dpkg/status.d/sub/b a=1\n"
                        "python opt/x-1.egg-info x=1\n"
                        "python opt/x-1.egg-info as opt/y-1.egg-info x=1\n");
}

/* However many links lead to a file: all are followed, or it is said that they are not. */
static void test_many_redirects(void **state)
{
    (void)state;
    enum { LINKS = 200 };
    NEW_TAR;
    tarkit_add_file(&tar, "data", SLICE("Version: 1\n"));
    for (size_t count = 1; count <= LINKS; count += 3) {
        CLEANUP_ARENA struct arena arena = {0};
        struct redirect redirects[LINKS];
        for (size_t i = 0; i < count; i++)
            redirects[i] = (struct redirect){.from = SLICE("data"),
                                             .as = arena_format(&arena, "opt/p%zu-1.egg-info", i)};
        struct walk_options options = {
            .redirects = redirects, .redirect_count = count, .spill = -1};
        struct record record;
        assert_null(walk_bytes(buffer_slice(&tar), &options, &arena, &record));
        if (record.evidence.count != count && record.problems.count == 0)
            fail_msg("%zu links, %zu read, not a word", count, record.evidence.count);
    }
}

/* --- walks of folders ------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void put_file(int folder, const char *path, slice bytes)
{
    CLEANUP_CLOSE int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
}

static void test_folder(void **state)
{
    (void)state;
    char path[] = "/tmp/plimsoll-walk-XXXXXX";
    static const char *const folders[] = {
        "opt",     "opt/x-1.dist-info",     "proc",  "proc/y-1.dist-info",
        "opt/dev", "opt/dev/z-1.dist-info", "\x1b\n"};
    CLEANUP_ARENA struct arena arena = {0};
    assert_non_null(mkdtemp(path));
    CLEANUP_CLOSE int root = open(path, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < COUNT(folders); i++)
        assert_int_equal(mkdirat(root, folders[i], 0755), 0);
    put_file(root, "opt/x-1.dist-info/METADATA", metadata);
    put_file(root, "proc/y-1.dist-info/METADATA", metadata);
    put_file(root, "opt/dev/z-1.dist-info/METADATA", metadata);
    put_file(root, "opt/.wh.x-1.dist-info", SLICE(""));
    put_file(root, "opt/.wh..wh..opq", SLICE(""));
    put_file(root, "\x1b\n/l-1.egg-info", metadata);
    assert_int_equal(symlinkat("/etc", root, "etc"), 0);
    assert_int_equal(symlinkat("../..", root, "opt/up"), 0);
    assert_int_equal(symlinkat("/tmp/none", root, "opt/s-1.egg-info"), 0);
    assert_int_equal(mkfifoat(root, "opt/f-1.egg-info", 0644), 0);

    struct record record;
    struct walk_options options = {.spill = -1};
    CLEANUP_ERROR struct error *error = walk_folder(root, &options, &arena, &record);
    assert_null(error);
    const char *text = describe(&record, &arena);
    assert_non_null(strstr(text, "python opt/x-1.dist-info/METADATA x=1\n"));
    assert_non_null(strstr(text, "python opt/dev/z-1.dist-info/METADATA x=1\n"));
    assert_non_null(strstr(text, "python \x1b\n/l-1.egg-info x=1\n"));
    assert_null(strstr(text, "proc/"));
    assert_non_null(strstr(text, "soft etc -> /etc\n"));
    assert_non_null(strstr(text, "soft opt/up -> ../..\n"));
    assert_int_equal(record.evidence.count, 3);
    assert_int_equal(record.problems.count, 0);
    /* In a root file system these are files like others. */
    assert_int_equal(record.whiteouts.count, 0);
    assert_true(has_file(&record, "opt/.wh.x-1.dist-info"));
    assert_true(has_folder(&record, "proc") && !has_folder(&record, "proc/y-1.dist-info"));
    assert_false(has_file(&record, "etc/passwd"));
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_no_more_is_read_than_wanted),
        cmocka_unit_test(test_failures_are_of_one_analyzer),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_content_that_fails),
        cmocka_unit_test(test_whiteouts),
        cmocka_unit_test(test_whiteouts_of_nothing),
        cmocka_unit_test(test_paths_and_links),
        cmocka_unit_test(test_problems_of_files),
        cmocka_unit_test(test_cut_layer),
        cmocka_unit_test(test_large_files),
        cmocka_unit_test(test_field_that_is_too_long),
        cmocka_unit_test(test_huge_sparse_file),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_many_redirects),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, NULL, free_fakes);
}
