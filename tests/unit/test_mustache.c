/*
 * Mustache: a table of template, data and result. The cases are written for this program, along the
 * specification's modules (interpolation, sections, inverted, comments).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/mustache.h"

struct row {
    const char *template, *data, *result;
};

/* The specification's escape. */
static void escape_html(struct buffer *out, slice text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '&':
            buffer_text(out, "&amp;");
            break;
        case '"':
            buffer_text(out, "&quot;");
            break;
        case '<':
            buffer_text(out, "&lt;");
            break;
        case '>':
            buffer_text(out, "&gt;");
            break;
        default:
            buffer_add_byte(out, text.ptr[i]);
        }
}

static const struct row rows[] = {
    /* interpolation */
    {"", "{}", ""},
    {"no tag {here} }} at all\n", "{}", "no tag {here} }} at all\n"},
    {"ship {{name}}!", "{\"name\":\"Ann\"}", "ship Ann!"},
    {"{{t}}", "{\"t\":\"& \\\" < >\"}", "&amp; &quot; &lt; &gt;"},
    {"{{{t}}}|{{&t}}", "{\"t\":\"& \\\" < >\"}", "& \" < >|& \" < >"},
    {"{{n}} {{r}} {{z}} {{e}}", "{\"n\":85,\"r\":1.21,\"z\":0,\"e\":0.00012}", "85 1.21 0 0.00012"},
    {"{{r}} {{s}}", "{\"r\":9.8,\"s\":0.97512}", "9.8 0.97512"},
    {"[{{gone}}][{{nil}}][{{{gone}}}]", "{\"nil\":null}", "[][][]"},
    {"{{yes}} {{no}}", "{\"yes\":true,\"no\":false}", "true false"},
    {"{{a.b.c}}", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep"},
    {"[{{a.b.c}}]", "{\"a\":{\"b\":{}},\"c\":\"no\"}", "[]"},
    {"[{{a.b}}]", "{\"a\":\"text\",\"b\":\"no\"}", "[]"},
    {"{{#a}}{{b.c}}{{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"no\"}}", ""},
    {"  {{ name }} | {{{ name }}} | {{& name }}\n", "{\"name\":\"x\"}", "  x | x | x\n"},
    {"{{list}}|{{none}}", "{\"list\":[\"a\",\"<\",3],\"none\":[]}", "a, &lt;, 3|"},
    {"{{name}}{{name}}", "{\"name\":\"{{name}}\"}", "{{name}}{{name}}"},
    /* comments */
    {"12{{! a note }}34", "{}", "1234"},
    {"12{{!\n of\n lines\n}}34", "{}", "1234"},
    {"a\n  {{! alone }}\nb\n", "{}", "a\nb\n"},
    {"a\r\n{{! alone }}\r\nb", "{}", "a\r\nb"},
    {"  {{! alone }}", "{}", ""},
    {"  12 {{! not alone }}\n", "{}", "  12 \n"},
    /* sections */
    {"{{#on}}shown{{/on}}{{#off}}hidden{{/off}}", "{\"on\":true,\"off\":false}", "shown"},
    {"{{#o}}hi {{name}}{{/o}}", "{\"o\":{\"name\":\"Joe\"},\"name\":\"no\"}", "hi Joe"},
    {"{{#o}}{{out}}{{/o}}", "{\"o\":{\"x\":1},\"out\":\"outer\"}", "outer"},
    {"{{#l}}{{n}}{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2},{\"n\":3}]}", "123"},
    {"{{#l}}({{.}}){{/l}}", "{\"l\":[\"a\",1,2.5,\"<\"]}", "(a)(1)(2.5)(&lt;)"},
    {"{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "{\"l\":[[1,2],[3]]}", "(12)(3)"},
    {"{{#l}}x{{/l}}{{#e}}x{{/e}}{{#z}}0{{/z}}", "{\"l\":[],\"e\":\"\",\"z\":0}", "0"},
    {"{{#t}}{{.}}{{/t}}", "{\"t\":\"text\"}", "text"},
    {"{{#a}}{{#b}}{{x}}{{y}}{{/b}}{{/a}}", "{\"a\":{\"x\":1},\"b\":{\"y\":2}}", "12"},
    {"{{#a.b}}in{{/a.b}}", "{\"a\":{\"b\":true}}", "in"},
    {"{{#x}}{{#x}}{{y}}{{/x}}{{/x}}", "{\"x\":{\"y\":1,\"x\":{\"y\":2}}}", "2"},
    {"{{#l}}{{n}}{{^-last}}, {{/-last}}{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}", "1, 2"},
    {"{{#l}}{{#-first}}<{{/-first}}{{-index}}{{/l}}", "{\"l\":[7,8,9]}", "<012"},
    {"{{#l}}{{#m}}{{.}}{{^-last}};{{/-last}}{{/m}}{{^-last}}|{{/-last}}{{/l}}",
     "{\"l\":[{\"m\":[1,2]},{\"m\":[3]}]}", "1;2|3"},
    {"[{{-last}}]{{#-last}}x{{/-last}}", "{}", "[]"},
    /* inverted */
    {"{{^on}}hidden{{/on}}{{^off}}shown{{/off}}", "{\"on\":true,\"off\":false}", "shown"},
    {"{{^l}}none{{/l}}{{^gone}} gone{{/gone}}", "{\"l\":[]}", "none gone"},
    {"{{^o}}x{{/o}}", "{\"o\":{}}", ""},
    {"{{^a.b.c}}no{{/a.b.c}}", "{\"a\":{}}", "no"},
    {"{{#a}}{{^b}}{{c}}{{/b}}{{/a}}", "{\"a\":{\"c\":1}}", "1"},
    /* lines that a tag has for itself */
    {"a\n{{#on}}\nb\n{{/on}}\nc\n", "{\"on\":true}", "a\nb\nc\n"},
    {"a\n  {{#on}}  \n  b\n\t{{/on}}\nc", "{\"on\":true}", "a\n  b\nc"},
    {"{{#on}}\n{{/on}}", "{\"on\":true}", ""},
    {"#{{#on}}\n/\n  {{/on}}", "{\"on\":true}", "#\n/\n"},
    {"  {{#on}}{{/on}} \n", "{\"on\":true}", "   \n"},
    {"|\r\n{{^off}}\r\n|\r\n{{/off}}\r\n|", "{}", "|\r\n|\r\n|"},
    {"{{#l}}\n- {{.}}\n{{/l}}\n", "{\"l\":[1,2]}", "- 1\n- 2\n"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer out = {0};
        CLEANUP_JSON json_t *data = NULL;
        struct mustache mustache;
        assert_null(json_read(&data, slice_from_text(rows[i].data), "data"));
        assert_null(mustache_parse(&mustache, &arena, slice_from_text(rows[i].template), "t"));
        assert_null(mustache_render(&mustache, data, escape_html, &out));
        if (!slice_equal(buffer_slice(&out), slice_from_text(rows[i].result)))
            fail_msg("%s with %s is \"%.*s\", not \"%s\"", rows[i].template, rows[i].data,
                     SLICE_ARG(buffer_slice(&out)), rows[i].result);
    }
}

static const struct row wrong[] = {
    {"a\n{{name", NULL, "line 2: a tag does not end"},
    {"{{{name}}", NULL, "a tag does not end"},
    {"\n\n{{#a}}\n{{x}}", NULL, "line 3: a section does not end: \"a\""},
    {"{{/a}}", NULL, "no section to end"},
    {"{{#a}}\n{{#b}}{{/a}}{{/b}}", NULL, "line 2: the section that ends here"},
    {"{{> other}}", NULL, "partials"},
    {"{{=<% %>=}}", NULL, "other delimiters"},
    {"{{}}", NULL, "no name"},
    {"{{ range .Results }}", NULL, "Mustache's, not Go's"},
    {"{{ .Target }}", NULL, "Mustache's, not Go's"},
    {"{{- if x }}", NULL, "Mustache's, not Go's"},
    {"{{#a}}\nx\n{{/a}}\n{{!\n\n}}\n{{a b}}", NULL, "line 7:"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct mustache mustache;
        CLEANUP_ERROR struct error *error =
            mustache_parse(&mustache, &arena, slice_from_text(wrong[i].template), "t");
        assert_non_null(error);
        if (!slice_contains(slice_from_text(error->message), slice_from_text(wrong[i].result)))
            fail_msg("%s: %s", wrong[i].template, error->message);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = LIMIT_TEMPLATE_DEPTH; depth <= LIMIT_TEMPLATE_DEPTH + 1; depth++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer text = {0}, out = {0};
        CLEANUP_JSON json_t *data = json_object();
        struct mustache mustache;
        json_object_set_new(data, "a", json_true());
        for (size_t i = 0; i < depth; i++)
            buffer_text(&text, "{{#a}}");
        buffer_text(&text, "x");
        for (size_t i = 0; i < depth; i++)
            buffer_text(&text, "{{/a}}");
        CLEANUP_ERROR struct error *error =
            mustache_parse(&mustache, &arena, buffer_slice(&text), "t");
        assert_int_equal(error == NULL, depth == LIMIT_TEMPLATE_DEPTH);
        if (!error) {
            assert_null(mustache_render(&mustache, data, NULL, &out));
            assert_true(slice_equal(buffer_slice(&out), SLICE("x")));
        }
    }
}

/* Lists in lists multiply: seven of twenty items are over a thousand million. */
static void test_steps(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer out = {0};
    CLEANUP_JSON json_t *data = json_object();
    struct mustache mustache;
    json_t *list = json_array();
    for (int i = 0; i < 20; i++)
        json_array_append_new(list, json_integer(i));
    json_object_set_new(data, "l", list);
    assert_null(mustache_parse(&mustache, &arena,
                               SLICE("{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{x}}{{/l}}{{/l}}"
                                     "{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}"),
                               "t"));
    CLEANUP_ERROR struct error *error = mustache_render(&mustache, data, NULL, &out);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_wrong),
                                       cmocka_unit_test(test_depth), cmocka_unit_test(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
