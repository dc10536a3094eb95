#include "analysis.h"

static const char *const paths[] = {
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base-files",
    "var/lib/dpkg/status.d/base-files.md5sums",
    "var/lib/dpkg/info/python3-six.list",
    "var/lib/dpkg/info/libc6:amd64.md5sums",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_analyzer(&analyzer_dpkg, "deb", paths, sizeof(paths) / sizeof(paths[0]),
                   slice_make(data, size));
    return 0;
}
