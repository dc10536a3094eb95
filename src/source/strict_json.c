#include "source/strict_json.h"

/* The keys that decide which image it is. */
static const char *const keys[] = {
    "schemaVersion", "mediaType",   "config",       "layers",  "manifests",  "digest",
    "size",          "platform",    "os",           "variant", "rootfs",     "diff_ids",
    "history",       "annotations", "architecture", "urls",    "created_by", "empty_layer",
};

static struct error *check_keys(const json_t *object, const char *what)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        slice name = slice_from_text(key);
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (slice_equal_nocase(name, slice_from_text(keys[i])) &&
                !slice_equal(name, slice_from_text(keys[i])))
                return error_make(ERROR_INPUT,
                                  "%s has the key \"%s\", which some readers take for \"%s\" and "
                                  "others pass over",
                                  what, key, keys[i]);
    }
    return NULL;
}

static struct error *check_list(const json_t *list, const char *what)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        TRY(check_keys(item, what));
        TRY(check_keys(json_object_get(item, "platform"), what));
    }
    return NULL;
}

static struct error *check(const json_t *root, const char *what)
{
    TRY(check_keys(root, what));
    TRY(check_keys(json_object_get(root, "rootfs"), what));
    TRY(check_list(json_object_get(root, "layers"), what));
    TRY(check_list(json_object_get(root, "manifests"), what));
    TRY(check_list(json_object_get(root, "history"), what));
    /* In a config it is how to run the image, with keys of its own. */
    if (json_object_get(root, "layers"))
        return check_keys(json_object_get(root, "config"), what);
    return NULL;
}

struct error *strict_json_read(json_t **value, slice text, const char *what)
{
    TRY(json_read_with(value, text, what, JSON_REJECT_DUPLICATES));
    struct error *error = check(*value, what);
    if (error) {
        json_decref(*value);
        *value = NULL;
    }
    return error;
}
