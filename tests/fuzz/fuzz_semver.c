#include "order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_order(version_scheme_named(SLICE("semver")), slice_make(data, size));
    return 0;
}
