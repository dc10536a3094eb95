/* An SBOM of any kind, as it lies in a file. */
#undef NDEBUG
#include "sbom/sbom.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct sbom sbom;
    CLEANUP_ERROR struct error *error = sbom_read(&sbom, &arena, "fuzz", slice_make(data, size));
    if (error)
        return 0;
    /* What is read can be reported: each component has a reference and a layer that there is. */
    struct component *const *components = sbom.inventory.components.items;
    for (size_t i = 0; i < sbom.inventory.components.count; i++) {
        assert(components[i]->ref.len > 0);
        assert(components[i]->layer < sbom.image->layer_count);
    }
    (void)sbom_score(&sbom);
    return 0;
}
