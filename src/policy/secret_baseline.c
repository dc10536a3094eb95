#include "policy/secret_baseline.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/limits.h"

#include <fcntl.h>

static int compare_texts(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

/* Its fingerprint; and those by other rules that found it, which the first reports did not have. */
static bool add_secret(struct list *fingerprints, const json_t *secret, struct arena *arena)
{
    slice fingerprint = json_get_slice(secret, "fingerprint", arena);
    const json_t *all = json_object_get(secret, "fingerprints");
    if (fingerprint.len == 0)
        return false;
    *(slice *)list_add(fingerprints, arena, sizeof(slice)) = fingerprint;
    for (size_t i = 0; i < json_array_size(all); i++)
        *(slice *)list_add(fingerprints, arena, sizeof(slice)) =
            arena_copy(arena, json_slice(json_array_get(all, i)));
    return true;
}

struct error *secret_baseline_read(struct secret_baseline *baseline, const char *path,
                                   struct arena *arena)
{
    CLEANUP_JSON json_t *report = NULL;
    struct list fingerprints = {0};
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
    for (size_t i = 0; i < json_array_size(secrets); i++)
        if (!add_secret(&fingerprints, json_array_get(secrets, i), arena))
            return error_make(
                ERROR_INPUT, "%s is no baseline of secrets: entry %zu has no fingerprint", path, i);
    baseline->fingerprints = fingerprints.items;
    baseline->count = fingerprints.count;
    if (baseline->count)
        qsort(baseline->fingerprints, baseline->count, sizeof(slice), compare_texts);
    return NULL;
}

bool secret_baseline_has(const struct secret_baseline *baseline, slice fingerprint)
{
    return baseline->count && bsearch(&fingerprint, baseline->fingerprints, baseline->count,
                                      sizeof(slice), compare_texts);
}

bool secret_baseline_has_any(const struct secret_baseline *baseline,
                             const struct list *fingerprints)
{
    const slice *items = fingerprints->items;
    for (size_t i = 0; i < fingerprints->count; i++)
        if (secret_baseline_has(baseline, items[i]))
            return true;
    return false;
}

void secret_baseline_apply(const struct secret_baseline *baseline, struct list *list,
                           struct arena *arena)
{
    struct image_secret *secrets = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (secrets[i].suppressed_reason.len ||
            !secret_baseline_has_any(baseline, &secrets[i].fingerprints))
            continue;
        secrets[i].suppressed_reason =
            arena_format(arena, "known already: it is in %s", baseline->path);
        secrets[i].suppressed_by = SLICE("--secret-baseline");
    }
}
