/* A VEX document, applied to one finding in one image. */
#undef NDEBUG
#include "policy/vex.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct vex vex = {.arena = &arena};
    slice input = slice_make(data, size);
    CLEANUP_ERROR struct error *error = vex_parse(&vex, "vex.json", input);
    if (error)
        assert(slice_contains(slice_from_text(error->message), SLICE("vex.json")));
    struct component component = {.ref = SLICE("pkg:pypi/x@1"),
                                  .type = SLICE("pypi"),
                                  .name = SLICE("x"),
                                  .version = SLICE("1"),
                                  .purl = SLICE("pkg:pypi/x@1")};
    struct finding finding = {
        .id = SLICE("CVE-2024-1"), .component = &component, .status = "affected"};
    struct finding *findings[] = {&finding};
    struct match_result result = {.findings = {(void *)findings, 1, 1}};
    struct target target;
    target_make(&target, image_new(&arena, "ghcr.io/me/app:1"), &arena);
    vex_apply(&vex, &target, &result);
    /* Nothing is hidden that is not named. */
    assert(finding.suppressed_reason.len == 0 || slice_contains(input, SLICE("CVE-2024-1")) ||
           slice_contains(input, SLICE("\\u")));
    return 0;
}
