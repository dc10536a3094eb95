/*
 * One secret, once: places put together by their values, and which place tells a secret as policy
 * takes places away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "inventory/secret_groups.h"
#include "secret/redact.h"

static const struct secret_rule sure = {.id = "sure",
                                        .title = "A sure one",
                                        .revoke = "",
                                        .advice = "turn it in",
                                        .severity = SEVERITY_MEDIUM};
static const struct secret_rule vague = {
    .id = "vague", .title = "A vague one", .revoke = "", .advice = "", .severity = SEVERITY_HIGH};
static const struct secret_rule *const list_of_rules[] = {&sure, &vague};

struct planted {
    struct arena arena;
    struct secret_rules rules;
    struct secret_groups groups;
    struct list secrets;
};

static void start(struct planted *planted)
{
    *planted = (struct planted){.rules = {.rules = list_of_rules, .count = 2}};
    secret_groups_start(&planted->groups, &planted->arena, &planted->rules);
}

static void plant(struct planted *planted, const char *value, const struct secret_rule *rule,
                  const char *path, struct secret_place place)
{
    struct arena *arena = &planted->arena;
    struct secret *secret = ARENA_NEW(arena, struct secret);
    *secret = (struct secret){
        .rule = slice_from_text(rule->id),
        .file = slice_from_text(path),
        .path = slice_from_text(path),
        .match = SLICE("…"),
        .fingerprint = secret_fingerprint(rule, slice_from_text(value), arena),
        .identity = secret_identity(slice_from_text(value), arena),
        .more = 1,
    };
    place.secret = secret;
    if (place.stand != IN_FILE)
        place.layer = SIZE_MAX;
    if (place.deleted_in == 0)
        place.deleted_in = SIZE_MAX;
    secret_groups_add(&planted->groups, &place);
}

static struct image_secret *end(struct planted *planted, size_t expected)
{
    secret_groups_end(&planted->groups, &planted->secrets);
    assert_int_equal(planted->secrets.count, expected);
    return planted->secrets.items;
}

/* "a b c": the paths of its places. */
static void expect_places(const struct image_secret *found, const char *expected)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct secret_place *places = found->places.items;
    for (size_t i = 0; i < found->places.count; i++)
        buffer_format(&text, "%s%.*s", i ? " " : "", SLICE_ARG(places[i].secret->path));
    buffer_add_byte(&text, 0);
    assert_string_equal(text.bytes, expected);
    assert_true(slice_equal(found->secret->path, places[0].secret->path));
    assert_int_equal(found->layer, places[0].layer);
    assert_int_equal(found->deleted_in, places[0].deleted_in);
}

static void test_identity(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    static const char *const same[] = {"a b\nc", "abc", " a\\nb\\r\\nc\t", "a\\\\nb\\\\\\nc"};
    static const char *const others[] = {"abd",   "ab",  "a\\bc",   "a\\\\bc",
                                         "abc\\", "Abc", "\\nabc\\"};
    slice identity = secret_identity(slice_from_text(same[0]), &arena);
    assert_int_equal(identity.len, 16);
    for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++)
        assert_true(slice_equal(identity, secret_identity(slice_from_text(same[i]), &arena)));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(slice_equal(identity, secret_identity(slice_from_text(others[i]), &arena)));
    assert_false(slice_contains(secret_fingerprint(&sure, SLICE("abc"), &arena), identity));
}

static void test_one_value_is_one_secret(void **state)
{
    (void)state;
    struct planted planted;
    start(&planted);
    plant(&planted, "one", &vague, "config:Env", (struct secret_place){.stand = IN_CONFIG});
    plant(&planted, "two", &vague, "config:Env", (struct secret_place){.stand = IN_CONFIG});
    plant(&planted, "one", &vague, "history:10", (struct secret_place){.stand = IN_HISTORY});
    plant(&planted, "one", &vague, "history:9", (struct secret_place){.stand = IN_HISTORY});
    plant(&planted, "one", &vague, "gone", (struct secret_place){.layer = 0, .deleted_in = 3});
    plant(&planted, "one", &sure, "b", (struct secret_place){.layer = 2});
    plant(&planted, "one", &vague, "z", (struct secret_place){.layer = 1});
    plant(&planted, "one", &vague, "a", (struct secret_place){.layer = 2});
    plant(&planted, "one", &vague, "a", (struct secret_place){.layer = 2});
    const struct image_secret *found = end(&planted, 2);
    expect_places(&found[0], "z a b gone config:Env history:9 history:10");
    expect_places(&found[1], "config:Env");
    /* By the surer rule, wherever that one found it; as bad as any says. */
    assert_true(slice_equal(found[0].secret->rule, SLICE("sure")));
    assert_true(slice_equal(found[0].title, SLICE("A sure one")));
    assert_true(slice_equal(found[0].advice, SLICE("turn it in")));
    assert_int_equal(found[0].severity, SEVERITY_HIGH);
    assert_int_equal(found[0].secret->more, 8);
    const slice *fingerprints = found[0].fingerprints.items;
    assert_int_equal(found[0].fingerprints.count, 2);
    assert_true(slice_equal(fingerprints[0], found[0].secret->fingerprint));
    assert_true(
        slice_equal(fingerprints[0], secret_fingerprint(&sure, SLICE("one"), &planted.arena)));
    assert_true(
        slice_equal(fingerprints[1], secret_fingerprint(&vague, SLICE("one"), &planted.arena)));
    arena_free(&planted.arena);
}

static void test_the_place_that_counts_leads(void **state)
{
    (void)state;
    struct planted planted;
    start(&planted);
    plant(&planted, "one", &sure, "a/tests/x",
          (struct secret_place){.suppressed_reason = SLICE("a test"), .suppressed_by = SLICE("p")});
    plant(&planted, "one", &sure, "b", (struct secret_place){.layer = 1});
    plant(&planted, "one", &sure, "c", (struct secret_place){.layer = 2});
    struct image_secret *found = end(&planted, 1);
    struct secret_place *places = found->places.items;
    expect_places(found, "b c a/tests/x");
    assert_int_equal(found->suppressed_reason.len, 0);
    places[0].suppressed_reason = SLICE("excepted");
    places[0].excepted = true;
    image_secret_settle(found);
    expect_places(found, "c a/tests/x b");
    assert_int_equal(found->suppressed_reason.len, 0);
    places[0].suppressed_reason = SLICE("excepted, too");
    image_secret_settle(found);
    expect_places(found, "a/tests/x b c");
    assert_true(slice_equal(found->suppressed_reason, SLICE("a test")));
    assert_true(slice_equal(found->suppressed_by, SLICE("p")));
    assert_false(found->excepted);
    arena_free(&planted.arena);
}

/* Of a worker that was taken over: what has no identity is taken for nothing else. */
static void test_without_identity(void **state)
{
    (void)state;
    struct planted planted;
    struct secret secrets[] = {{.rule = SLICE("sure"), .path = SLICE("a")},
                               {.rule = SLICE("none"), .path = SLICE("a")},
                               {.rule = SLICE("none"), .path = SLICE("a"), .identity = SLICE("x")},
                               {.rule = SLICE(""), .path = SLICE("a"), .identity = SLICE("x")}};
    start(&planted);
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        struct secret_place place = {.secret = &secrets[i], .deleted_in = SIZE_MAX};
        secret_groups_add(&planted.groups, &place);
    }
    const struct image_secret *found = end(&planted, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(found[i].places.count, 1);
    assert_int_equal(found[1].severity, SEVERITY_UNKNOWN);
    arena_free(&planted.arena);
}

/* Taken apart, each place is a secret again, suppressed or not by itself. */
static void test_parts(void **state)
{
    (void)state;
    struct planted planted;
    struct inventory inventory = {0};
    start(&planted);
    plant(&planted, "one", &sure, "a", (struct secret_place){.suppressed_reason = SLICE("why")});
    plant(&planted, "one", &sure, "b", (struct secret_place){.layer = 1});
    end(&planted, 1);
    inventory.secrets = planted.secrets;
    inventory_part_secrets(&inventory, &planted.arena);
    const struct image_secret *parts = inventory.secrets.items;
    assert_int_equal(inventory.secrets.count, 2);
    expect_places(&parts[0], "b");
    expect_places(&parts[1], "a");
    assert_true(parts[0].suppressed_reason.len == 0 && parts[1].suppressed_reason.len > 0);
    assert_int_equal(parts[0].secret->more, 1);
    arena_free(&planted.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_one_value_is_one_secret),
        cmocka_unit_test(test_the_place_that_counts_leads),
        cmocka_unit_test(test_without_identity),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
