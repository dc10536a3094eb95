/*
 * plimsoll's own form: entries under `ignore:`, each with what it is for (id, package, version,
 * path, image, fingerprint: all that is said must hold), why (reason, which must be there), and
 * until when.
 */
#include "policy/ignore_file.h"

static const struct ignore_key keys[] = {
    {"id", FIELD_ID, WAY_EQUAL, false},
    {"package", FIELD_PACKAGE, WAY_GLOB, false},
    {"version", FIELD_VERSION, WAY_GLOB, false},
    {"path", FIELD_PATH, WAY_GLOB, true},
    {"image", FIELD_IMAGE, WAY_GLOB, false},
    {"fingerprint", FIELD_FINGERPRINT, WAY_EQUAL, false},
};

static struct error *take_key(struct yaml_file *file, struct exception *exception, slice name,
                              const yaml_node_t *value)
{
    const struct ignore_key *key = ignore_key_named(keys, sizeof(keys) / sizeof(keys[0]), name);
    if (key)
        return ignore_add_values(file, exception, key, value);
    if (slice_equal(name, SLICE("reason")))
        return ignore_text(file, name, value, &exception->reason);
    if (slice_equal(name, SLICE("until")))
        return ignore_until(file, value, exception);
    return yaml_file_wrong(file, value,
                           "there is no key \"%.*s\"; there is id, package, version, path, image, "
                           "fingerprint, reason and until",
                           SLICE_ARG(name));
}

static struct error *take_entry(struct yaml_file *file, const yaml_node_t *item, void *exceptions)
{
    struct exception *exception = ignore_begin(file, item, EXCEPT_FINDINGS | EXCEPT_SECRETS);
    slice name;
    yaml_node_t *value;
    for (size_t i = 0; yaml_file_pair(file, item, i, &name, &value); i++)
        TRY(take_key(file, exception, name, value));
    if (exception->reason.len == 0)
        return yaml_file_wrong(file, item, "the entry has no reason");
    if (exception->fields == 1U << FIELD_IMAGE)
        return yaml_file_wrong(file, item,
                               "the entry hides everything in an image; say what in it");
    return ignore_end(file, item, exceptions, exception);
}

static struct error *read_yaml(struct ignore_reading *reading, slice text)
{
    CLEANUP_YAML struct yaml_file file = {0};
    slice name;
    yaml_node_t *value;
    TRY(yaml_file_read(&file, text, reading->path, reading->arena));
    yaml_node_t *root = yaml_file_root(&file);
    if (root && root->type != YAML_MAPPING_NODE)
        return yaml_file_wrong(&file, root, "the file has a list \"ignore:\"");
    for (size_t i = 0; yaml_file_pair(&file, root, i, &name, &value); i++)
        if (!slice_equal(name, SLICE("ignore")))
            return yaml_file_wrong(&file, value, "there is no key \"%.*s\"; the list is \"ignore\"",
                                   SLICE_ARG(name));
    return ignore_each(&file, "ignore", take_entry, reading->exceptions);
}

static const char *const files[] = {".plimsollignore.yaml", ".plimsollignore.yml",
                                    "plimsollignore.yaml", "plimsollignore.yml", NULL};
static const char *const sections[] = {"ignore", NULL};

const struct ignore_form ignore_own = {
    .name = ".plimsollignore.yaml",
    .files = files,
    .word = "plimsoll",
    .sections = sections,
    .read = read_yaml,
};
