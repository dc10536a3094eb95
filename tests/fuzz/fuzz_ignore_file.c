/* An ignore file: the first byte says under which name, so that every form is read. */
#undef NDEBUG
#include "policy/ignore_file.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {".trivyignore",         ".trivyignore.yaml", ".grype.yaml",
                                    ".plimsollignore.yaml", "other.yaml",        "other"};

/* What a file says is applied to one finding and one secret. */
static void apply(struct exceptions *exceptions, struct arena *arena)
{
    struct image *image = image_new(arena, "ghcr.io/me/app:1");
    slice location = SLICE("usr/lib/python3/x-1.dist-info/METADATA");
    struct component component = {.ref = SLICE("pkg:pypi/x@1"),
                                  .type = SLICE("pypi"),
                                  .name = SLICE("x"),
                                  .version = SLICE("1"),
                                  .purl = SLICE("pkg:pypi/x@1"),
                                  .locations = {&location, 1, 1}};
    struct finding finding = {
        .id = SLICE("CVE-2024-1"), .component = &component, .status = "affected"};
    struct finding *findings[] = {&finding};
    struct secret found = {.rule = SLICE("github-token"), .file = location, .path = location};
    struct secret other = {.rule = SLICE("jwt"), .file = SLICE("a"), .path = SLICE("a")},
                  own = found;
    slice fingerprint = SLICE("0123456789abcdef");
    struct secret_place places[] = {{.secret = &found, .order = 1}, {.secret = &other, .order = 2}};
    struct image_secret secret = {
        .secret = &own, .places = {places, 2, 2}, .fingerprints = {&fingerprint, 1, 1}};
    struct list secrets = {&secret, 1, 1};
    struct match_result result = {.findings = {(void *)findings, 1, 1}};
    struct target target;
    target_make(&target, image, arena);
    struct exception_scan scan = {&target, &result, &secrets, true, true, SLICE("2026-06-15")};
    exceptions_apply(exceptions, &scan, arena);
    size_t count = 0, told = 0;
    for (int state = 0; state <= EXCEPTION_SKIPPED; state++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            count += exceptions_count(exceptions, names[i], (enum exception_state)state, &told);
    assert(count == exceptions->entries.count);
    assert(!finding.excepted || (finding.suppressed_reason.len && finding.suppressed_by.len));
    assert(!secret.excepted || (secret.suppressed_reason.len && secret.suppressed_by.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct exceptions exceptions = {0};
    if (size == 0)
        return 0;
    const char *name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
    CLEANUP_ERROR struct error *error =
        ignore_file_parse(&exceptions, name, slice_make(data + 1, size - 1), &arena);
    if (error)
        assert(slice_contains(slice_from_text(error->message), slice_from_text(name)));
    struct exception *const *entries = exceptions.entries.items;
    for (size_t i = 0; i < exceptions.entries.count; i++)
        assert(entries[i]->what.len && entries[i]->line && entries[i]->fields);
    apply(&exceptions, &arena);
    return 0;
}
