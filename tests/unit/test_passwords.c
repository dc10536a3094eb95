/* Values behind a name that says password: which of them are one (tests/data/passwords.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "secret/checks.h"
#include "secret/chosen.h"
#include "table.h"

static void test_values(void **state)
{
    enum { LEAST = 70 };
    struct table table = table_open("passwords.txt");
    slice row, answer;
    size_t wrong = 0;
    (void)state;
    while (table_next(&table, &row)) {
        slice value = row;
        assert_true(slice_pull(&value, ' ', &answer));
        bool is_one = secret_checks_hold("chosen-password", value);
        if (is_one == slice_equal(answer, SLICE("yes")))
            continue;
        print_error("%s:%zu: %.*s: taken for %s\n", table.name, table.line_number, SLICE_ARG(row),
                    is_one ? "a password" : "something else");
        wrong++;
    }
    table_close(&table, LEAST);
    assert_int_equal(wrong, 0);
}

/* Of every length, cut anywhere: nothing behind the value is read (under ASan). */
static void test_cut_values(void **state)
{
    static const char text[] = "0:1P@ssw0rd-2024-11-30./x@y.z$5md5qwerty!";
    (void)state;
    for (size_t start = 0; start < sizeof(text); start++)
        for (size_t end = start + 1; end < sizeof(text); end++) {
            slice whole = slice_make(text + start, end - start);
            char *bytes = malloc(whole.len);
            assert_non_null(bytes);
            memcpy(bytes, whole.ptr, whole.len);
            slice value = slice_make(bytes, whole.len);
            assert_false(secret_is_default(value) && !secret_is_common(value));
            secret_checks_hold("chosen-password", value);
            free(bytes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_cut_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
