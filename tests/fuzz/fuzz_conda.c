#include "analysis.h"

static const char *const paths[] = {
    "opt/conda/conda-meta/x-1.0-0.json",
    "conda-meta/x-1.0-0.json",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_analyzer(&analyzer_conda, "conda", paths, sizeof(paths) / sizeof(paths[0]),
                   slice_make(data, size));
    return 0;
}
