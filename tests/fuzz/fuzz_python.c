#include "analysis.h"

static const char *const paths[] = {
    "usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA",
    "opt/x-1.0-py3.8.egg-info/PKG-INFO",
    "opt/x-1.0-py3.8.egg/EGG-INFO/PKG-INFO",
    "opt/x-1.0-py3.8.egg-info",
    "opt/.dist-info/METADATA",
    "opt/x-1.0.dist-info/RECORD",
    "opt/x-1.0.dist-info/INSTALLER",
    "opt/x-1.0.dist-info/direct_url.json",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_analyzer(&analyzer_python, "pypi", paths, sizeof(paths) / sizeof(paths[0]),
                   slice_make(data, size));
    return 0;
}
