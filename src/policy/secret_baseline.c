#include "policy/secret_baseline.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/limits.h"

#include <fcntl.h>

static int compare_texts(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

struct error *secret_baseline_read(struct secret_baseline *baseline, const char *path,
                                   struct arena *arena)
{
    CLEANUP_JSON json_t *report = NULL;
    slice text;
    TRY(error_wrap(file_read_whole(arena, AT_FDCWD, path, LIMIT_SECRET_BASELINE_BYTES, &text),
                   "the baseline of secrets"));
    TRY(json_read_secret(&report, text, path));
    const json_t *secrets = json_object_get(report, "secrets");
    if (!json_is_array(secrets))
        return error_make(ERROR_INPUT,
                          "%s is no baseline of secrets: it has no list \"secrets\"; make one with "
                          "plimsoll image IMAGE -f json -o FILE",
                          path);
    *baseline = (struct secret_baseline){.path = path};
    baseline->fingerprints = arena_array(arena, json_array_size(secrets) + 1, sizeof(slice));
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        slice fingerprint = json_get_slice(json_array_get(secrets, i), "fingerprint", arena);
        if (fingerprint.len == 0)
            return error_make(
                ERROR_INPUT, "%s is no baseline of secrets: entry %zu has no fingerprint", path, i);
        baseline->fingerprints[baseline->count++] = fingerprint;
    }
    qsort(baseline->fingerprints, baseline->count, sizeof(slice), compare_texts);
    return NULL;
}

bool secret_baseline_has(const struct secret_baseline *baseline, slice fingerprint)
{
    return baseline->count && bsearch(&fingerprint, baseline->fingerprints, baseline->count,
                                      sizeof(slice), compare_texts);
}

void secret_baseline_apply(const struct secret_baseline *baseline, struct list *list,
                           struct arena *arena)
{
    struct image_secret *secrets = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (secrets[i].suppressed_reason.len ||
            !secret_baseline_has(baseline, secrets[i].secret->fingerprint))
            continue;
        secrets[i].suppressed_reason =
            arena_format(arena, "known already: it is in %s", baseline->path);
        secrets[i].suppressed_by = SLICE("--secret-baseline");
    }
}
