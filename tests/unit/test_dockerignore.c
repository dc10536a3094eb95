/*
 * .dockerignore: what moby's patternmatcher 0.6.1 says of each (tests/tools/patternmatcher).
 * tests/e2e/test_context.py compares with the program itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "policy/dockerignore.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text, *path;
    bool out, stepwise;
} rows[] = {
    /* lines, as ignorefile reads them */
    {"a\n#b\nc", "b", false, false},
    {"#a", "#a", false, false},
    {" #a ", "#a", true, true},
    {"\357\273\277a", "a", true, true},
    {"\357\273\277\357\273\277a*", "a", true, true},
    {"\357\273\277\357\273\277a", "a", false, false},
    {" \t\302\240a\343\200\200\r\n", "a", true, true},
    {"a\342\200\213", "a", false, false},
    {"/a", "a", true, true},
    {"//a/./b/../", "a", true, true},
    {"../a", "a", false, false},
    {"/../a", "a", true, true},
    {"a/..", "a", false, false},
    {"!a\na", "a", true, true},
    {"a\n! /a", "a", false, false},
    {"a\n/!a", "a", false, false},
    {"a\n!!a", "a", true, true},
    {"/ a", "a", true, true},
    {"./!a", "!a", false, false},
    {"\\!a", "!a", true, true},
    {"\\#a", "#a", true, true},
    {"a ", "a ", false, false},
    {"a[ ]", "a ", true, true},
    /* folders, and exceptions */
    {"d", "d/a", true, true},
    {"d", "e/d", false, false},
    {"d/", "d/a/b", true, true},
    {"d\n!d/a", "d/a", false, false},
    {"d\n!d/a", "d/b", true, true},
    {"*\n!d", "d/a/b", false, false},
    {"a/b\n!a", "a/b", false, true},
    {"a\n!a/b\na", "a/b", true, false},
    {"*/a", "d/a/b", true, true},
    {"d/*", "d/a/b", true, true},
    {"*a", "d/a", false, false},
    /* stars */
    {"*", "d/a", true, true},
    {"?", "\303\274", true, true},
    {"?", "a/b", true, true},
    {"??", "\303\274", false, false},
    {"a?b", "a\nb", true, true},
    {"**", "d/a", true, true},
    {"**.pem", "d/a.pem", true, true},
    {"**.pem", "a.pem/b", true, true},
    {"**/a", "a", true, true},
    {"**/a", "ba", false, false},
    {"**a", "ba", true, true},
    {"a**", "ab/c", true, true},
    {"a/**", "a", false, false},
    {"a/**", "a/b", true, true},
    {"a/**/b", "a/b", true, true},
    {"a/**/b", "a/c/d/b", true, true},
    {"a/**/b", "a/cb", false, false},
    {"a/**/b", "a/\n/b", false, false},
    {"**/a/**", "b/a/c", true, true},
    {"***a", "b/ca", true, true},
    {"*a*", "bac", true, true},
    {"\351*", "\377", true, true},
    {"\351*", "\357\277\275", true, true},
    {"\351", "\377", false, false},
    {"a\351?", "a\351\351", true, true},
    /* classes */
    {"[a-c]", "b", true, true},
    {"[^a-c]", "b", false, false},
    {"[^a-c]", "\n", true, true},
    {"[!a]", "!", true, true},
    {"[!a]", "b", false, false},
    {"[a*]", "a]", true, true},
    {"[a*]", "[[/]", true, true},
    {"[a*]", "*", false, false},
    {"[?]", "[]", true, true},
    {"[a\\-c]", "-", true, true},
    {"[a\\-c]", "b", false, false},
    {"[\\]]", "]", true, true},
    {"[[:alpha:]]", "q", true, true},
    {"[[:^alpha:]]", "\303\251", true, true},
    {"[\\d\\W]", "%", true, true},
    {"[\\D]", "5", false, false},
    {"[\303\251-\303\274]", "\303\266", true, true},
    {"[\\x61]", "a", true, true},
    {"x*[]a]", "x]", true, true},
    {"a]*", "a]b", true, true},
    /* escapes */
    {"\\*", "*", true, true},
    {"\\*", "a", false, false},
    {"\\a", "\007", true, true},
    {"\\d*", "7", true, true},
    {"\\d*", "d", false, false},
    {"\\S?", "ab", true, true},
    {"\\101", "A", true, true},
    {"\\x41", "A", true, true},
    {"\\x{1F600}", "\360\237\230\200", true, true},
    {"a\\b?", "a-", true, true},
    {"a\\b?", "ab", false, false},
    {"a\\B?", "ab", true, true},
    {"\\Aa*", "a", true, true},
    {"a\\z*", "a", true, true},
    {"\\Qa*", "a[^/]*$", true, true},
    {"\\Qa*\\Eb", "a[^/]*b", true, true},
    {"a*\\", "ab$c", true, true},
    {"\\n", "\n", true, true},
    {"\\_?", "_a", true, true},
    /* what patternmatcher does not escape, and what it does */
    {"a|b*", "axyz", true, true},
    {"a|b*", "cb", true, true},
    {"a|b", "a", false, false},
    {"a|b", "a|b", true, true},
    {"|*", "x", true, true},
    {"x|^a?", "ab", true, true},
    {"?|^a", "ba", true, true},
    {"^a*", "ab", true, true},
    {"a^*", "a^", false, false},
    {"a{2}*", "aab", true, true},
    {"a{2}*", "ab", false, false},
    {"a{,2}*", "a{,2}", true, true},
    {"a{02}?", "a{02}b", true, true},
    {"a{1,}b?", "aaabc", true, true},
    {"a{0}b?", "bc", true, true},
    {"a{1,3}?", "aaab", true, true},
    {"a{2}\\Q\\E{2}?", "aaaab", true, true},
    {"a$b?", "a$bc", true, true},
    {"a.b?", "axbc", false, false},
    {"a+?", "a+b", true, true},
    {"(a)?", "(a)b", true, true},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct dockerignore ignore;
        slice path = slice_from_text(rows[i].path);
        bool out, stepwise;
        assert_null(dockerignore_read(&ignore, "x", slice_from_text(rows[i].text), &arena));
        assert_null(dockerignore_leaves_out(&ignore, path, &out));
        assert_null(dockerignore_leaves_out_stepwise(&ignore, path, &stepwise));
        if (out != rows[i].out || stepwise != rows[i].stepwise)
            fail_msg("\"%s\" at \"%s\": %d %d", rows[i].text, rows[i].path, out, stepwise);
    }
}

/* What is refused when it is read, and what when a path comes to it. */
static const char *const refused[] = {"!", "!/", "/!", "x[", "[]a]", "[a-]", "[a", "\\", "a\n[^]"};
static const char *const refused_later[] = {
    "*\\y",     "*\\8",    "*\\x4",  "*\\x{}",     "*\\x{110000}",    "*\\C",  "*\\é",
    "*\\E",     "x*[]",    "*[b-a]", "*[[:foo:]]", "*[[:d:]]",        "*\\pL", "a**{2}",
    "a{1001}*", "a{2,1}*", "a*|{2}", "*[a*{2}]",   "a{501}\\Q\\E{2}*"};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused) + COUNT(refused_later); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct dockerignore ignore;
        bool later = i >= COUNT(refused), out;
        const char *text = later ? refused_later[i - COUNT(refused)] : refused[i];
        struct error *error = dockerignore_read(&ignore, "x", slice_from_text(text), &arena);
        if (later) {
            assert_null(error);
            error = dockerignore_leaves_out(&ignore, SLICE("a"), &out);
        }
        if (!error || error->kind != ERROR_INPUT || strncmp(error->message, "x:", 2) != 0)
            fail_msg("\"%s\" is not refused", text);
        error_free(error);
    }
}

static void repeat(struct buffer *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_text(out, text);
}

static void check_limit(const struct buffer *text, slice path)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct dockerignore ignore;
    bool out;
    struct error *error = dockerignore_read(&ignore, "x", buffer_slice(text), &arena);
    if (!error)
        error = dockerignore_leaves_out(&ignore, path, &out);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_LIMIT);
    error_free(error);
}

/* Many states, many steps, a long line, a long file: each ends with the limit's name. */
static void test_limits(void **state)
{
    CLEANUP_BUFFER struct buffer states = {0}, steps = {0}, line = {0}, file = {0}, path = {0};
    (void)state;
    repeat(&states, "*a{1000}\n", LIMIT_DOCKERIGNORE_STATES / 1000);
    check_limit(&states, SLICE("a"));
    repeat(&steps, "x|", LIMIT_DOCKERIGNORE_LINE / 2 - 1);
    buffer_text(&steps, "x*");
    repeat(&path, "a", LIMIT_DOCKERIGNORE_STEPS / (LIMIT_DOCKERIGNORE_LINE / 2));
    check_limit(&steps, buffer_slice(&path));
    repeat(&line, "a", LIMIT_DOCKERIGNORE_LINE + 1);
    check_limit(&line, SLICE("a"));
    repeat(&file, "a\n", LIMIT_DOCKERIGNORE_BYTES / 2 + 1);
    check_limit(&file, SLICE("a"));
}

/* An expression of which every start and every length has to be tried takes steps in proportion. */
static void test_steps(void **state)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer text = {0}, path = {0};
    struct dockerignore ignore;
    bool out;
    (void)state;
    repeat(&text, "*a", 100);
    buffer_text(&text, "b");
    repeat(&path, "a", 1000);
    assert_null(dockerignore_read(&ignore, "x", buffer_slice(&text), &arena));
    assert_null(dockerignore_leaves_out(&ignore, buffer_slice(&path), &out));
    assert_false(out);
    assert_true(ignore.expressions.steps < (uint64_t)path.len * 6 * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
