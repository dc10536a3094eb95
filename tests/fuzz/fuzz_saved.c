/* Saved reports: read, and compared with themselves, in every form. */
#include "compare/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_JSON json_t *document = NULL;
    struct policy policy = {0};
    struct side sides[3];
    for (int i = 0; i < SEVERITY_COUNT; i++)
        policy.severities[i] = true;
    const struct side_wish wish = {.policy = &policy, .vulnerabilities = true, .secrets = true};
    struct error *error =
        json_read_with(&document, slice_make(data, size), "it", JSON_REJECT_DUPLICATES);
    for (size_t i = 0; i < 3; i++) {
        sides[i] = (struct side){.name = SLICE("x"), .kind = "report"};
        if (!error)
            error = side_from_document(&sides[i], &arena, document, &wish);
    }
    for (size_t count = 2; !error && count <= 3; count++) {
        struct comparison comparison = {.arena = &arena,
                                        .sides = sides,
                                        .side_count = count,
                                        .gates = {.has_max_new = true, .has_min_reduction = true},
                                        .today = SLICE("2026-08-21"),
                                        .version = SLICE("0")};
        compare_run(&comparison);
        if (comparison.finding_fates[FATE_NEW] || comparison.finding_fates[FATE_FIXED] ||
            comparison.package_fates[PACKAGE_ADDED] || comparison.package_fates[PACKAGE_REMOVED])
            abort(); /* it differs from itself */
        for (size_t i = 0; i < compare_format_count; i++) {
            CLEANUP_BUFFER struct buffer out = {0};
            struct report_options look = {0};
            compare_formats[i]->write(&comparison, &look, &out);
        }
    }
    error_free(error);
    return 0;
}
