/*
 * The tar reader. Where readers of tar differ, what Go's archive/tar makes of an archive is right
 * (the rows of test_readers_agree were tried with go1.26), and so is refusing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tarkit.h"
#include "archive/tar_header.h"
#include "base/limits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEW_TAR CLEANUP_BUFFER struct buffer tar = {0}

static void expect_list(const struct buffer *tar, const char *expected)
{
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(tar), true, &text);
    if (error)
        fail_msg("%.*s%s", SLICE_ARG(buffer_slice(&text)), error->message);
    if (!slice_equal(buffer_slice(&text), slice_from_text(expected)))
        fail_msg("\n%.*s-- where this was expected:\n%s", SLICE_ARG(buffer_slice(&text)), expected);
    /* What is not read but passed over leads to the same entries. */
    CLEANUP_BUFFER struct buffer names = {0};
    CLEANUP_ERROR struct error *skipping = tarkit_list(buffer_slice(tar), false, &names);
    assert_null(skipping);
}

/* Refused with a message that has `part` in it. */
static void expect_refused(const struct buffer *tar, enum error_kind kind, const char *part)
{
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(tar), true, &text);
    if (!error)
        fail_msg("taken, where \"%s\" was expected:\n%.*s", part, SLICE_ARG(buffer_slice(&text)));
    if (error->kind != kind || !strstr(error->message, part))
        fail_msg("refused with \"%s\", where \"%s\" was expected", error->message, part);
}

/* --- headers -----------------------------------------------------------------------------------
 */

static void test_kinds(void **state)
{
    (void)state;
    NEW_TAR;
    tarkit_add_file(&tar, "./a//b/../c", SLICE("x"));
    tarkit_add(&tar, (struct tarkit_header){.name = "nul", .type_nul = true}, SLICE("y"));
    tarkit_add(&tar, (struct tarkit_header){.name = "contiguous", .type = '7'}, SLICE("z"));
    tarkit_add_folder(&tar, "d/");
    tarkit_add_header(&tar, (struct tarkit_header){.name = "v7 folder/", .type_nul = true});
    tarkit_add_link(&tar, "/soft", '2', "../a/./c");
    tarkit_add_link(&tar, "hard", '1', "./a//c");
    tarkit_add_link(&tar, "device", '3', "");
    tarkit_add_link(&tar, "pipe", '6', "");
    tarkit_add(&tar, (struct tarkit_header){.name = "unheard of", .type = 'Q'}, SLICE("data"));
    tarkit_add(&tar, (struct tarkit_header){.name = "label", .type = 'V'}, SLICE(""));
    tarkit_add_folder(&tar, "./");
    tarkit_add_file(&tar, "last", SLICE(""));
    tarkit_end(&tar);
    expect_list(&tar, "f a/c 1 x\n"
                      "f nul 1 y\n"
                      "f contiguous 1 z\n"
                      "d d\n"
                      "d v7 folder\n"
                      "l soft -> ../a/./c\n"
                      "h hard -> a/c\n"
                      "o device\n"
                      "o pipe\n"
                      "o unheard of\n"
                      "d \n"
                      "f last 0 \n"
                      "end\n");
}

/* What has no content has none, whatever its size says. */
static void test_sizes_of_kinds_without_content(void **state)
{
    (void)state;
    static const char types[] = {'1', '2', '3', '4', '5', '6'};
    for (size_t i = 0; i < sizeof(types); i++) {
        NEW_TAR;
        tarkit_add_header(
            &tar, (struct tarkit_header){.name = "n", .type = types[i], .link = "t", .size = 5000});
        tarkit_add_file(&tar, "after", SLICE("1"));
        tarkit_end(&tar);
        CLEANUP_BUFFER struct buffer text = {0};
        assert_null(tarkit_list(buffer_slice(&tar), true, &text));
        assert_true(slice_ends(buffer_slice(&text), SLICE("\nf after 1 1\nend\n")));
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        slice field;
        const char *line; /* NULL: refused */
    } rows[] = {
        {SLICE("00000000003\0"), "f n 3 abc\n"},
        {SLICE("00000000003 "), "f n 3 abc\n"},
        {SLICE("000000000003"), "f n 3 abc\n"},
        {SLICE("         3\0 "), "f n 3 abc\n"},
        {SLICE("\0\0\0\0\0\0\0003\0\0\0\0"), "f n 3 abc\n"},
        {SLICE("3\0garbage 19"), "f n 3 abc\n"},
        {SLICE("\0\0\0\0\0\0\0\0\0\0\0\0"), "f n 0 \n"},
        {SLICE("            "), "f n 0 \n"},
        {SLICE("\x80\0\0\0\0\0\0\0\0\0\0\3"), "f n 3 abc\n"},
        {SLICE("00000000008\0"), NULL},
        {SLICE("0000000000x\0"), NULL},
        {SLICE("-0000000003\0"), NULL},
        {SLICE("+0000000003\0"), NULL},
        {SLICE("0x000000003\0"), NULL},
        {SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), NULL}, /* -1 */
        {SLICE("\xc0\0\0\0\0\0\0\0\0\0\0\3"), NULL},
        {SLICE("\x80\0\0\1\0\0\0\0\0\0\0\3"), NULL},   /* above 2^64 */
        {SLICE("\x80\0\0\0\x80\0\0\0\0\0\0\0"), NULL}, /* 2^63 */
        {SLICE("\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
        {SLICE("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), NULL}, /* 2^63 - 1 */
        {SLICE("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xfe\0"), NULL},
        {SLICE("777777777777"), NULL}, /* 64 GiB: a byte more than a layer may have, less 1 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_TAR;
        assert_int_equal(rows[i].field.len, 12);
        tarkit_add_header(&tar, (struct tarkit_header){.name = "n", .raw_size = rows[i].field});
        if (rows[i].line && strstr(rows[i].line, "abc"))
            tarkit_add_content(&tar, SLICE("abc"));
        tarkit_add_file(&tar, "after", SLICE(""));
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        slice line = slice_first(buffer_slice(&text), slice_find(buffer_slice(&text), '\n') + 1);
        if (rows[i].line ? error || !slice_equal(line, slice_from_text(rows[i].line)) : !error)
            fail_msg("row %zu: %.*s%s", i, SLICE_ARG(buffer_slice(&text)),
                     error ? error->message : "");
    }
}

static void test_checksums(void **state)
{
    (void)state;
    /* Bytes above 127 make the two sums differ; either is right. */
    for (int as_signed = 0; as_signed < 2; as_signed++) {
        NEW_TAR;
        tarkit_add_header(
            &tar, (struct tarkit_header){.name = "n\xc3\xa9", .signed_checksum = as_signed});
        expect_list(&tar, "f n\xc3\xa9 0 \ncut\n");
    }
    /* One bit anywhere in a header breaks its sum, but for those bits that write the same number.
     */
    NEW_TAR;
    tarkit_add_file(&tar, "name", SLICE(""));
    struct tar_header header;
    size_t taken = 0;
    for (size_t bit = 0; bit < TARKIT_BLOCK * 8; bit++) {
        tar.bytes[bit / 8] ^= (char)(1 << bit % 8);
        CLEANUP_ERROR struct error *error = tar_header_parse(buffer_slice(&tar), &header);
        bool own = bit / 8 >= 148 && bit / 8 < 156;
        if (!error && !own)
            fail_msg("bit %zu", bit);
        taken += error == NULL;
        tar.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(taken < 16); /* those behind the number's end */
    /* Nor is a sum of nothing one. */
    memset(tar.bytes + 148, 0, 8);
    expect_refused(&tar, ERROR_INPUT, "checksum");
    memset(tar.bytes, 'x', TARKIT_BLOCK);
    expect_refused(&tar, ERROR_INPUT, "checksum");
}

static void test_names(void **state)
{
    (void)state;
    char name[101], prefix[156], expected[600];
    NEW_TAR;
    memset(name, 'n', 100);
    memset(prefix, 'p', 155);
    name[100] = prefix[155] = '\0';
    /* Full fields have no NUL at their end. */
    tarkit_add_file(&tar, name, SLICE(""));
    tarkit_add_header(&tar, (struct tarkit_header){.name = name, .prefix = prefix});
    tarkit_add_header(&tar, (struct tarkit_header){.name = "l", .type = '2', .link = name});
    /* Only POSIX has a prefix there. */
    tarkit_add_header(&tar,
                      (struct tarkit_header){.name = "g", .prefix = "p", .magic = TARKIT_GNU});
    tarkit_add_header(&tar, (struct tarkit_header){.name = "v", .prefix = "p", .magic = TARKIT_V7});
    tarkit_add_header(&tar, (struct tarkit_header){.name = "", .prefix = "p"});
    snprintf(expected, sizeof(expected),
             "f %s 0 \nf %s/%s 0 \nl l -> %s\nf g 0 \nf v 0 \nf p 0 \ncut\n", name, prefix, name,
             name);
    expect_list(&tar, expected);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path, *normal;
        bool odd;
    } rows[] = {
        {"a", "a", false},
        {"./a", "a", false},
        {"/a", "a", false},
        {"//a//b", "a/b", false},
        {"a/./b/.", "a/b", false},
        {"a/b/../c", "a/c", false},
        {"a/..", "", false},
        {".", "", false},
        {"..", "", true},
        {"../a", "a", true},
        {"a/../../b", "b", true},
        {"/../a", "a", true},
        {"...", "...", false},
        {"..a/.b", "..a/.b", false},
        {".hidden", ".hidden", false},
        {"a/.hidden", "a/.hidden", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_TAR;
        char expected[100];
        tarkit_add_file(&tar, rows[i].path, SLICE(""));
        tarkit_add_link(&tar, "h", '1', rows[i].path);
        snprintf(expected, sizeof(expected), "f %s 0%s \nh h -> %s%s\ncut\n", rows[i].normal,
                 rows[i].odd ? " odd" : "", rows[i].normal, rows[i].odd ? " odd" : "");
        expect_list(&tar, expected);
    }
}

/* --- extensions ---------------------------------------------------------------------------- */

static void test_gnu_long_names(void **state)
{
    (void)state;
    NEW_TAR;
    CLEANUP_BUFFER struct buffer expected = {0};
    char name[LIMIT_PATH_BYTES + 2];
    memset(name, 'n', sizeof(name));
    tarkit_add_gnu(&tar, 'L', SLICE("long/name\0"));
    tarkit_add_gnu(&tar, 'K', SLICE("long/target\0"));
    tarkit_add_header(&tar, (struct tarkit_header){
                                .name = "short", .type = '2', .link = "s", .magic = TARKIT_GNU});
    tarkit_add_gnu(&tar, 'L', SLICE("without NUL"));
    tarkit_add_file(&tar, "short", SLICE("1"));
    tarkit_add_gnu(&tar, 'L', SLICE("first\0second\0"));
    tarkit_add_file(&tar, "short", SLICE("2"));
    tarkit_add_file(&tar, "the next has its own name", SLICE("3"));
    tarkit_add_gnu(&tar, 'L', slice_make(name, LIMIT_PATH_BYTES));
    tarkit_add_file(&tar, "short", SLICE("4"));
    buffer_text(&expected, "l long/name -> long/target\nf without NUL 1 1\nf first 1 2\n"
                           "f the next has its own name 1 3\nf ");
    buffer_add(&expected, slice_make(name, LIMIT_PATH_BYTES));
    buffer_add(&expected, SLICE(" 1 4\ncut\n\0"));
    expect_list(&tar, expected.bytes);

    tarkit_add_gnu(&tar, 'L', slice_make(name, LIMIT_PATH_BYTES + 1));
    tarkit_add_file(&tar, "short", SLICE(""));
    expect_refused(&tar, ERROR_LIMIT, "path");
}

static void test_pax(void **state)
{
    (void)state;
    NEW_TAR;
    TARKIT_PAX(&tar, 'x', "path", "p\xc3\xa4th", "mtime", "1.5", "SCHILY.xattr.user.a", "b=c\nd");
    tarkit_add_file(&tar, "other", SLICE("1"));
    TARKIT_PAX(&tar, 'x', "linkpath", "/far");
    tarkit_add_link(&tar, "l", '2', "near");
    /* The pax size counts, whatever the header's says. */
    TARKIT_PAX(&tar, 'x', "size", "3");
    tarkit_add_header(&tar, (struct tarkit_header){.name = "sized", .size = 07777});
    tarkit_add_content(&tar, SLICE("abc"));
    TARKIT_PAX(&tar, 'x', "path", "a", "path", "b");
    tarkit_add_file(&tar, "twice", SLICE(""));
    /* An empty value takes the header's own again. */
    TARKIT_PAX(&tar, 'x', "path", "a", "path", "", "size", "", "linkpath", "");
    tarkit_add_link(&tar, "own", '2', "target");
    tarkit_add_file(&tar, "after", SLICE(""));
    tarkit_end(&tar);
    expect_list(&tar, "f p\xc3\xa4th 1 1\nl l -> /far\nf sized 3 abc\nf b 0 \nl own -> target\n"
                      "f after 0 \nend\n");
}

static void test_pax_that_is_none(void **state)
{
    (void)state;
    static const struct {
        slice content;
        enum error_kind kind;
    } rows[] = {
        {SLICE("x"), ERROR_INPUT},
        {SLICE("8 a=b\n"), ERROR_INPUT}, /* longer than what there is */
        {SLICE("5 a=b\n"), ERROR_INPUT}, /* ends before the line does */
        {SLICE("0 a=b\n"), ERROR_INPUT},
        {SLICE("-6 a=b\n"), ERROR_INPUT},
        {SLICE(" 6 a=b\n"), ERROR_INPUT},
        {SLICE("6 a=b "), ERROR_INPUT},
        {SLICE("4 a\n"), ERROR_INPUT},  /* no '=' */
        {SLICE("5 =b\n"), ERROR_INPUT}, /* no key */
        {SLICE("6 a=b\n\0"), ERROR_INPUT},
        {SLICE("18446744073709551615 a=b\n"), ERROR_INPUT},
        {SLICE("18446744073709551622 a=b\n"), ERROR_INPUT},
        {SLICE("000000000000000000000000006 a=b\n"), ERROR_INPUT},
        {SLICE("11 path=a\0b\n"), ERROR_INPUT},
        {SLICE("15 linkpath=a\0b\n"), ERROR_INPUT},
        {SLICE("11 size=-1\n"), ERROR_INPUT},
        {SLICE("12 size=0x1\n"), ERROR_INPUT},
        {SLICE("28 size=9223372036854775808\n"), ERROR_LIMIT},
        {SLICE("28 size=9223372036854775807\n"), ERROR_LIMIT},
        {SLICE("29 size=18446744073709551615\n"), ERROR_LIMIT},
        {SLICE("29 size=18446744073709551616\n"), ERROR_INPUT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_TAR;
        tarkit_add(&tar, (struct tarkit_header){.name = "x", .type = 'x'}, rows[i].content);
        tarkit_add_file(&tar, "f", SLICE("1"));
        tarkit_end(&tar);
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        if (!error || text.len)
            fail_msg("row %zu: %.*s", i, SLICE_ARG(buffer_slice(&text)));
        if (error->kind == ERROR_SYSTEM || error->kind == ERROR_USAGE)
            fail_msg("row %zu: %s", i, error->message);
    }
}

static void test_global_headers(void **state)
{
    (void)state;
    NEW_TAR;
    TARKIT_PAX(&tar, 'g', "comment", "of a commit", "mtime", "1");
    tarkit_add_file(&tar, "f", SLICE("1"));
    tarkit_add_file(&tar, "g", SLICE("2"));
    expect_list(&tar, "f f 1 1\nf g 1 2\ncut\n");
    static const char *const keys[] = {"path", "linkpath", "size", "GNU.sparse.name",
                                       "GNU.sparse.map"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        tar.len = 0;
        TARKIT_PAX(&tar, 'g', keys[i], "1");
        tarkit_add_file(&tar, "f", SLICE("1"));
        expect_refused(&tar, ERROR_INPUT, keys[i]);
    }
}

static void test_extensions_without_end(void **state)
{
    (void)state;
    NEW_TAR;
    TARKIT_PAX(&tar, 'x', "path", "p");
    expect_refused(&tar, ERROR_INPUT, "extension");
    tarkit_end(&tar);
    expect_refused(&tar, ERROR_INPUT, "extension");
    tar.len = 0;
    for (int i = 0; i < 1000; i++)
        TARKIT_PAX(&tar, 'g', "comment", "c");
    tarkit_add_file(&tar, "f", SLICE(""));
    expect_refused(&tar, ERROR_LIMIT, "extensions");
}

static void test_large_extensions(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer large = {0};
    static const char types[] = {'x', 'g', 'L', 'K'};
    for (size_t i = 0; i < sizeof(types); i++) {
        /* A claim alone is refused; nothing of it has to be there. */
        static const uint64_t sizes[] = {LIMIT_TAR_HEADER_BYTES + 1, 1ULL << 32};
        for (size_t j = 0; j < COUNT(sizes); j++) {
            NEW_TAR;
            tarkit_add_header(
                &tar, (struct tarkit_header){.name = "x", .type = types[i], .size = sizes[j]});
            expect_refused(&tar, ERROR_LIMIT, "extension");
        }
    }
    NEW_TAR;
    buffer_text(&large, "1048576 comment=");
    while (large.len < LIMIT_TAR_HEADER_BYTES - 1)
        buffer_add_byte(&large, 'c');
    buffer_add_byte(&large, '\n');
    tarkit_add(&tar, (struct tarkit_header){.name = "x", .type = 'x'}, buffer_slice(&large));
    tarkit_add_file(&tar, "f", SLICE("1"));
    expect_list(&tar, "f f 1 1\ncut\n");
}

/* --- where readers differ --------------------------------------------------------------------- */

static void add_slash_file(struct buffer *tar)
{
    tarkit_add_file(tar, "name/", SLICE("1"));
}

static void add_empty_slash_file(struct buffer *tar)
{
    tarkit_add_file(tar, "name/", SLICE(""));
}

static void add_solaris(struct buffer *tar)
{
    TARKIT_PAX(tar, 'X', "path", "other");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_two_pax(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "path", "other");
    TARKIT_PAX(tar, 'x', "mtime", "1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_long_then_pax(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'L', SLICE("name\0"));
    TARKIT_PAX(tar, 'x', "path", "other");
    tarkit_add_file(tar, "third", SLICE("1"));
}

static void add_pax_then_long(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "path", "other");
    tarkit_add_gnu(tar, 'L', SLICE("name\0"));
    tarkit_add_file(tar, "third", SLICE("1"));
}

static void add_long_link_then_pax(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'K', SLICE("target\0"));
    TARKIT_PAX(tar, 'x', "linkpath", "other");
    tarkit_add_link(tar, "name", '2', "third");
}

static void add_pax_then_global(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "path", "other");
    TARKIT_PAX(tar, 'g', "comment", "c");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_long_then_global(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'L', SLICE("other\0"));
    TARKIT_PAX(tar, 'g', "comment", "c");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_two_long(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'L', SLICE("other\0"));
    tarkit_add_gnu(tar, 'L', SLICE("name\0"));
    tarkit_add_file(tar, "third", SLICE("1"));
}

static void add_empty_long_link(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'K', SLICE("\0"));
    tarkit_add_link(tar, "name", '2', "target");
}

static void add_empty_long_name(struct buffer *tar)
{
    tarkit_add_gnu(tar, 'L', SLICE(""));
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_name_alone(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.name", "other");
    tarkit_add_file(tar, "name", SLICE(""));
}

static void add_sparse_odd_map(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "1", "GNU.sparse.map",
               "0,1,5");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_map_comma(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "1", "GNU.sparse.map",
               "0,1,");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_turned_round(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "1",
               "GNU.sparse.numbytes", "1", "GNU.sparse.offset", "1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_counts_differ(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "5", "GNU.sparse.map",
               "0,1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_without_count(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.map", "0,1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_minor(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "1", "GNU.sparse.realsize",
               "1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_of_a_later_kind(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.major", "2", "GNU.sparse.minor", "0", "GNU.sparse.realsize",
               "1");
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void add_sparse_folder(struct buffer *tar)
{
    TARKIT_PAX(tar, 'x', "GNU.sparse.size", "20", "GNU.sparse.numblocks", "1", "GNU.sparse.map",
               "0,0");
    tarkit_add_folder(tar, "name");
}

static void add_lone_zero_block(struct buffer *tar)
{
    tarkit_add_zeros(tar, TARKIT_BLOCK);
    tarkit_add_file(tar, "name", SLICE("1"));
}

static void test_readers_agree(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*add)(struct buffer *tar);
        const char *right; /* NULL: every reader that counts refuses it */
    } rows[] = {
        {"type 0 with a slash at its end is a file", add_slash_file, "f name 1 1\n"},
        {"the same without content", add_empty_slash_file, "f name 0 \n"},
        {"X is no pax header", add_solaris, "f name 1 1\n"},
        {"the second x replaces the first", add_two_pax, "f name 1 1\n"},
        {"L counts before x", add_long_then_pax, "f name 1 1\n"},
        {"x before L", add_pax_then_long, "f name 1 1\n"},
        {"K counts before x", add_long_link_then_pax, "l name -> target\n"},
        {"x before g is left out", add_pax_then_global, "f name 1 1\n"},
        {"L before g is left out", add_long_then_global, "f name 1 1\n"},
        {"the second L counts", add_two_long, "f name 1 1\n"},
        {"an empty K is none", add_empty_long_link, "l name -> target\n"},
        {"an empty L is none", add_empty_long_name, "f name 1 1\n"},
        {"GNU.sparse.name alone makes no sparse file", add_sparse_name_alone, "f name 0 \n"},
        {"an odd count in GNU.sparse.map", add_sparse_odd_map, NULL},
        {"a comma at the end of GNU.sparse.map", add_sparse_map_comma, NULL},
        {"GNU.sparse.numbytes before its offset", add_sparse_turned_round, NULL},
        {"GNU.sparse.numblocks and map differ", add_sparse_counts_differ, NULL},
        {"GNU.sparse.map without numblocks", add_sparse_without_count, NULL},
        {"GNU.sparse 1.1 is not known", add_sparse_minor, "f name 1 1\n"},
        {"GNU.sparse.major 2 is not known", add_sparse_of_a_later_kind, "f name 1 1\n"},
        {"a sparse folder", add_sparse_folder, NULL},
        {"a block of zeros between headers", add_lone_zero_block, NULL},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_TAR;
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_BUFFER struct buffer right = {0};
        rows[i].add(&tar);
        tarkit_end(&tar);
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        if (error)
            continue;
        buffer_format(&right, "%send\n", rows[i].right ? rows[i].right : "");
        /* What is no file may be left out or told of; here only the file counts. */
        slice last = buffer_slice(&text);
        while (slice_starts(last, SLICE("o ")))
            last = slice_from(last, slice_find(last, '\n') + 1);
        if (rows[i].right && slice_equal(last, buffer_slice(&right)))
            continue;
        print_error("%s: read as\n%.*s", rows[i].what, SLICE_ARG(buffer_slice(&text)));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* --- sparse files ------------------------------------------------------------------------------
 */

struct region {
    uint64_t offset, length;
};

static void put_regions(char *at, const struct region *regions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tarkit_number(at + 24 * i, 12, regions[i].offset);
        tarkit_number(at + 24 * i + 12, 12, regions[i].length);
    }
}

static void add_gnu_sparse(struct buffer *tar, const struct region *regions, size_t count,
                           uint64_t real_size, slice stored)
{
    char *block = tarkit_add_header(
        tar,
        (struct tarkit_header){.name = "s", .type = 'S', .magic = TARKIT_GNU, .size = stored.len});
    put_regions(block + 386, regions, count < 4 ? count : 4);
    tarkit_number(block + 483, 12, real_size);
    block[482] = count > 4;
    tarkit_seal(block, false);
    for (size_t at = 4; at < count; at += 21) {
        size_t here = count - at < 21 ? count - at : 21;
        tarkit_add_zeros(tar, TARKIT_BLOCK);
        put_regions(tar->bytes + tar->len - TARKIT_BLOCK, regions + at, here);
        tar->bytes[tar->len - TARKIT_BLOCK + 504] = at + here < count;
    }
    tarkit_add_content(tar, stored);
}

static void test_sparse_gnu(void **state)
{
    (void)state;
    NEW_TAR;
    add_gnu_sparse(&tar, (struct region[]){{2, 3}, {8, 1}}, 2, 12, SLICE("abcd"));
    add_gnu_sparse(&tar, NULL, 0, 5, SLICE_EMPTY);
    add_gnu_sparse(&tar, (struct region[]){{0, 2}, {2, 2}, {4, 0}}, 3, 4, SLICE("abcd"));
    struct region many[30];
    char expected[200] = "f s 12 ..abc...d...\nf s 5 .....\nf s 4 abcd\nf s 60 ";
    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] = (struct region){2 * i, 1};
        strcat(expected, "x.");
    }
    add_gnu_sparse(&tar, many, COUNT(many), 60, SLICE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    tarkit_add_file(&tar, "after", SLICE("1"));
    tarkit_end(&tar);
    strcat(expected, "\nf after 1 1\nend\n");
    expect_list(&tar, expected);
}

static void test_sparse_pax(void **state)
{
    (void)state;
    NEW_TAR;
    TARKIT_PAX(&tar, 'x', "GNU.sparse.size", "12", "GNU.sparse.numblocks", "2", "GNU.sparse.offset",
               "2", "GNU.sparse.numbytes", "3", "GNU.sparse.offset", "8", "GNU.sparse.numbytes",
               "1");
    tarkit_add_file(&tar, "s00", SLICE("abcd"));
    TARKIT_PAX(&tar, 'x', "GNU.sparse.size", "12", "GNU.sparse.numblocks", "2", "GNU.sparse.name",
               "s01", "GNU.sparse.map", "2,3,8,1");
    tarkit_add_file(&tar, "GNUSparseFile.1/s01", SLICE("abcd"));
    CLEANUP_BUFFER struct buffer content = {0};
    tarkit_add_content(&content, SLICE("2\n2\n3\n8\n1\n"));
    buffer_add(&content, SLICE("abcd"));
    TARKIT_PAX(&tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name",
               "s10", "GNU.sparse.realsize", "12");
    tarkit_add_file(&tar, "GNUSparseFile.1/s10", buffer_slice(&content));
    tarkit_add_file(&tar, "after", SLICE("1"));
    tarkit_end(&tar);
    expect_list(&tar, "f s00 12 ..abc...d...\nf s01 12 ..abc...d...\nf s10 12 ..abc...d...\n"
                      "f after 1 1\nend\n");
}

/* A map of 1.0 goes over several blocks, a number cut by their border. */
static void test_sparse_long_map(void **state)
{
    (void)state;
    enum { REGIONS = 300 };
    NEW_TAR;
    CLEANUP_BUFFER struct buffer map = {0};
    CLEANUP_BUFFER struct buffer content = {0};
    CLEANUP_BUFFER struct buffer expected = {0};
    buffer_format(&map, "%d\n", REGIONS);
    for (int i = 0; i < REGIONS; i++)
        buffer_format(&map, "%d\n1\n", 3 * i);
    assert_true(map.len > 3 * (size_t)TARKIT_BLOCK);
    tarkit_add_content(&content, buffer_slice(&map));
    buffer_format(&expected, "f s %d ", 3 * REGIONS);
    for (int i = 0; i < REGIONS; i++) {
        buffer_add_byte(&content, 'x');
        buffer_text(&expected, "x..");
    }
    buffer_add(&expected, SLICE("\nf after 1 1\ncut\n\0"));
    TARKIT_PAX(&tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize",
               "900");
    tarkit_add_file(&tar, "s", buffer_slice(&content));
    tarkit_add_file(&tar, "after", SLICE("1"));
    expect_list(&tar, expected.bytes);
}

static void test_sparse_lies(void **state)
{
    (void)state;
    static const struct {
        const char *size, *map;
    } rows[] = {
        {"20", "0,3,2,1"}, /* overlap */
        {"20", "5,1,0,3"}, /* out of order */
        {"20", "0,3"},     /* less than is stored */
        {"20", "0,5"},     /* more than is stored */
        {"20", "18,4"},    /* behind the end */
        {"3", "0,4"},
        {"20", "0,4,21,0"},
        {"20", "18446744073709551615,4"}, /* offset + length wraps */
        {"20", "4,18446744073709551612"},
        {"18446744073709551615", "18446744073709551614,4"},
        {"20", "0,18446744073709551615,0,5"}, /* the sum wraps to 4 */
        {"20", "-1,4"},
        {"20", "0,4,"},
        {"20", "a,4"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_TAR;
        char blocks[24];
        size_t commas = 0;
        for (const char *at = rows[i].map; *at; at++)
            commas += *at == ',';
        snprintf(blocks, sizeof(blocks), "%zu", (commas + 1) / 2);
        TARKIT_PAX(&tar, 'x', "GNU.sparse.size", rows[i].size, "GNU.sparse.numblocks", blocks,
                   "GNU.sparse.map", rows[i].map);
        tarkit_add_file(&tar, "s", SLICE("abcd"));
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        if (!error)
            fail_msg("size %s, map %s: %.*s", rows[i].size, rows[i].map,
                     SLICE_ARG(buffer_slice(&text)));
    }
    static const struct {
        const char *map;
        bool taken;
    } maps[] = {
        {"1\n0\n4\n", true},
        {"01\n00\n4\n", true},
        {"1\n0\n4", false},
        {"2\n0\n4\n", false},
        {"\n1\n0\n4\n", false},
        {"1\n\n4\n", false},
        {"1 0 4\n", false},
        {"-1\n0\n4\n", false},
        {"99999999999999999999\n", false},
        {"65537\n", false},
        {"1\n0\n5\n", false},
        {"9223372036854775808\n0\n4\n", false},
        {"1\n0\n0000000000000000004\n", false},
    };
    for (size_t i = 0; i < COUNT(maps); i++) {
        NEW_TAR;
        CLEANUP_BUFFER struct buffer content = {0};
        CLEANUP_BUFFER struct buffer text = {0};
        tarkit_add_content(&content, slice_from_text(maps[i].map));
        buffer_add(&content, SLICE("abcd"));
        TARKIT_PAX(&tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0",
                   "GNU.sparse.realsize", "4");
        tarkit_add_file(&tar, "s", buffer_slice(&content));
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        if ((error == NULL) != maps[i].taken)
            fail_msg("map %s: %.*s%s", maps[i].map, SLICE_ARG(buffer_slice(&text)),
                     error ? error->message : "");
    }
}

/* A map without end is refused at its limit, and one that claims much has to hold it. */
static void test_sparse_without_end(void **state)
{
    (void)state;
    NEW_TAR;
    char *block = tarkit_add_header(
        &tar, (struct tarkit_header){.name = "s", .type = 'S', .magic = TARKIT_GNU, .size = 4});
    block[482] = 1;
    tarkit_seal(block, false);
    for (int i = 0; i < LIMIT_SPARSE_REGIONS / 21 + 2; i++) {
        tarkit_add_zeros(&tar, TARKIT_BLOCK);
        block = tar.bytes + tar.len - TARKIT_BLOCK;
        for (int j = 0; j < 21; j++)
            put_regions(block + 24 * j, &(struct region){0, 0}, 1);
        block[504] = 1;
    }
    expect_refused(&tar, ERROR_LIMIT, "regions");

    tar.len = 0;
    block = tarkit_add_header(
        &tar, (struct tarkit_header){.name = "s", .type = 'S', .magic = TARKIT_GNU, .size = 4});
    block[482] = 1;
    tarkit_seal(block, false);
    expect_refused(&tar, ERROR_INPUT, "sparse map");
}

/* A hole of any size costs nothing to pass over. */
static void test_sparse_huge_hole(void **state)
{
    (void)state;
    NEW_TAR;
    add_gnu_sparse(&tar, (struct region[]){{(1ULL << 32) - 1, 1}}, 1, 1ULL << 32, SLICE("a"));
    tarkit_add_file(&tar, "after", SLICE("1"));
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), false, &text);
    assert_null(error);
    buffer_add_byte(&text, '\0');
    assert_string_equal(text.bytes, "f s 4294967296\nf after 1\ncut\n");
}

/* --- ends ---------------------------------------------------------------------------------- */

static void test_ends(void **state)
{
    (void)state;
    NEW_TAR;
    expect_list(&tar, "cut\n");
    tarkit_end(&tar);
    expect_list(&tar, "end\n");
    tar.len = 0;
    tarkit_add_file(&tar, "f", SLICE("1"));
    size_t entry = tar.len;
    expect_list(&tar, "f f 1 1\ncut\n");
    tarkit_end(&tar);
    tarkit_add_file(&tar, "behind the end", SLICE("2"));
    expect_list(&tar, "f f 1 1\nend\n");
    /* GNU tar fills up to 10,240 bytes. */
    tar.len = entry;
    tarkit_add_zeros(&tar, 10240 - entry);
    expect_list(&tar, "f f 1 1\nend\n");
    /* One block of zeros, and nothing behind: every reader takes it, but it is no whole end. */
    tar.len = entry + TARKIT_BLOCK;
    expect_list(&tar, "f f 1 1\ncut\n");
    /* … and one with a part of the second. */
    for (size_t part = 1; part < TARKIT_BLOCK; part += 100) {
        CLEANUP_BUFFER struct buffer text = {0};
        tar.len = entry + TARKIT_BLOCK + part;
        CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), true, &text);
        if (!error && slice_ends(buffer_slice(&text), SLICE("end\n")))
            fail_msg("%zu bytes of the second block are taken for an end", part);
    }
    /* A header behind a single block of zeros. */
    tar.len = entry + TARKIT_BLOCK;
    tarkit_add_file(&tar, "hidden", SLICE("2"));
    expect_refused(&tar, ERROR_INPUT, "zeros");
    /* Padding is not looked at. */
    tar.len = entry;
    memset(tar.bytes + TARKIT_BLOCK + 1, 'x', TARKIT_BLOCK - 1);
    tarkit_end(&tar);
    expect_list(&tar, "f f 1 1\nend\n");
}

static void make_all_forms(struct buffer *tar)
{
    tarkit_add(tar, (struct tarkit_header){.name = "v7", .magic = TARKIT_V7}, SLICE("1"));
    tarkit_add_gnu(tar, 'L', SLICE("long\0"));
    tarkit_add_link(tar, "s", '2', "t");
    TARKIT_PAX(tar, 'x', "path", "pax", "size", "513");
    tarkit_add_header(tar, (struct tarkit_header){.name = "s", .size = 1});
    tarkit_add_zeros(tar, 2 * (size_t)TARKIT_BLOCK);
    add_gnu_sparse(tar, (struct region[]){{0, 1}, {2, 1}, {4, 1}, {6, 1}, {8, 1}}, 5, 10,
                   SLICE("abcde"));
    CLEANUP_BUFFER struct buffer content = {0};
    tarkit_add_content(&content, SLICE("1\n3\n2\n"));
    buffer_add(&content, SLICE("xy"));
    TARKIT_PAX(tar, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "s10",
               "GNU.sparse.realsize", "6");
    tarkit_add_file(tar, "f", buffer_slice(&content));
    TARKIT_PAX(tar, 'g', "comment", "c");
    tarkit_add_link(tar, "h", '1', "v7");
    tarkit_end(tar);
}

/* Cut anywhere: never another entry than the whole has, and whole only where the whole ends. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    NEW_TAR;
    CLEANUP_BUFFER struct buffer whole = {0};
    make_all_forms(&tar);
    assert_null(tarkit_list(buffer_slice(&tar), true, &whole));
    size_t without_error = 0;
    for (size_t length = 0; length < tar.len; length++) {
        for (int contents = 0; contents < 2; contents++) {
            CLEANUP_BUFFER struct buffer text = {0};
            CLEANUP_ERROR struct error *error =
                tarkit_list(slice_first(buffer_slice(&tar), length), contents, &text);
            if (!contents)
                continue;
            slice lines = buffer_slice(&text);
            if (!error) {
                assert_true(slice_ends(lines, SLICE("cut\n")));
                lines.len -= 4;
                without_error++;
                /* At the border of an entry; or in the end marks. */
                assert_true(length % TARKIT_BLOCK == 0 || length > tar.len - TARKIT_BLOCK);
            } else {
                assert_int_equal(error->kind, ERROR_INPUT);
                assert_non_null(strstr(error->message, "byte") ? error->message
                                                               : strstr(error->message, "tar"));
            }
            if (!slice_starts(buffer_slice(&whole), lines))
                fail_msg("cut to %zu bytes:\n%.*s", length, SLICE_ARG(lines));
        }
    }
    assert_true(without_error > 0 && without_error < 600);
}

/* One byte changed, in the headers and maps: never a crash, never an entry larger than a layer. */
static void test_flips(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xff, '0', '7', '9'};
    NEW_TAR;
    make_all_forms(&tar);
    for (size_t at = 0; at < tar.len; at++) {
        for (size_t i = 0; i < sizeof(changes); i++) {
            CLEANUP_BUFFER struct buffer text = {0};
            char *block = tar.bytes + at / TARKIT_BLOCK * TARKIT_BLOCK;
            char kept[TARKIT_BLOCK];
            memcpy(kept, block, TARKIT_BLOCK);
            tar.bytes[at] = (char)(i < 3 ? tar.bytes[at] ^ changes[i] : changes[i]);
            if (memcmp(block + 257, "ustar", 5) == 0)
                tarkit_seal(block, false);
            CLEANUP_ERROR struct error *error = tarkit_list(buffer_slice(&tar), false, &text);
            if (error)
                assert_true(error->kind == ERROR_INPUT || error->kind == ERROR_LIMIT);
            memcpy(block, kept, TARKIT_BLOCK);
        }
    }
}

static void test_path_normalize(void **state)
{
    (void)state;
    static const struct {
        const char *link, *target, *path;
    } rows[] = {
        {"a/l", "t", "a/t"}, {"a/l", "../t", "t"},      {"a/l", "/t/./u", "t/u"},
        {"l", "t", "t"},     {"l", "../../t", "t"},     {"a/b/l", "../..", ""},
        {"a/l", "", "a"},    {"a/l", "b//c/", "a/b/c"}, {"a/l", ".", "a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice found =
            path_of_target(&arena, slice_from_text(rows[i].link), slice_from_text(rows[i].target));
        if (!slice_equal(found, slice_from_text(rows[i].path)))
            fail_msg("%s -> %s: %.*s", rows[i].link, rows[i].target, SLICE_ARG(found));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_sizes_of_kinds_without_content),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_path_normalize),
        cmocka_unit_test(test_gnu_long_names),
        cmocka_unit_test(test_pax),
        cmocka_unit_test(test_pax_that_is_none),
        cmocka_unit_test(test_global_headers),
        cmocka_unit_test(test_extensions_without_end),
        cmocka_unit_test(test_large_extensions),
        cmocka_unit_test(test_readers_agree),
        cmocka_unit_test(test_sparse_gnu),
        cmocka_unit_test(test_sparse_pax),
        cmocka_unit_test(test_sparse_long_map),
        cmocka_unit_test(test_sparse_lies),
        cmocka_unit_test(test_sparse_without_end),
        cmocka_unit_test(test_sparse_huge_hole),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_flips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
