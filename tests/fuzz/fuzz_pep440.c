#include "order.h"

/* To a bound without a local part an installed version is what stands before its '+'. */
static void check_bound(const struct version_scheme *scheme, slice installed, slice bound)
{
    if (!scheme->valid(installed) || !scheme->valid(bound))
        return;
    slice public = slice_first(installed, slice_find(installed, '+'));
    if (slice_find(bound, '+') != SIZE_MAX)
    public = installed;
    assert(order_sign(scheme->compare_bound(installed, bound)) ==
           order_sign(scheme->compare(public, bound)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct version_scheme *scheme = version_scheme_named(SLICE("pep440"));
    slice input = slice_make(data, size);
    check_order(scheme, input);
    slice first = next_line(&input);
    check_bound(scheme, first, next_line(&input));
    return 0;
}
