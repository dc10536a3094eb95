/* Grype's configuration: the rules of its `ignore:`. All that is said in a rule must hold; names
 * are regular expressions for the whole name. What else stands in the file is not for us. */
#include "policy/ignore_file.h"

static const struct ignore_key keys[] = {
    {"vulnerability", FIELD_ID, WAY_EQUAL, false},
    {"namespace", FIELD_NAMESPACE, WAY_EQUAL, false},
    {"fix-state", FIELD_FIX_STATE, WAY_EQUAL, false},
    {"match-type", FIELD_MATCH_TYPE, WAY_EQUAL, false},
    {"vex-status", FIELD_VEX_STATUS, WAY_EQUAL, false},
    {"vex-justification", FIELD_VEX_JUSTIFICATION, WAY_EQUAL, false},
};

static const struct ignore_key package_keys[] = {
    {"name", FIELD_PACKAGE, WAY_REGEX, false},  {"version", FIELD_VERSION, WAY_EQUAL, false},
    {"language", FIELD_TYPE, WAY_EQUAL, false}, {"type", FIELD_TYPE, WAY_EQUAL, false},
    {"location", FIELD_PATH, WAY_GLOB, true},   {"upstream-name", FIELD_UPSTREAM, WAY_REGEX, false},
};

/* Grype takes an empty value for one that is not said. */
static bool is_empty(struct yaml_file *file, const yaml_node_t *value)
{
    slice text;
    return yaml_file_text(file, value, &text) && slice_trim(text).len == 0;
}

static struct error *take_package(struct yaml_file *file, struct exception *exception,
                                  const yaml_node_t *package)
{
    slice name;
    yaml_node_t *value;
    if (package->type != YAML_MAPPING_NODE)
        return yaml_file_wrong(file, package, "\"package\" has keys, as \"name: …\"");
    for (size_t i = 0; yaml_file_pair(file, package, i, &name, &value); i++) {
        const struct ignore_key *key =
            ignore_key_named(package_keys, sizeof(package_keys) / sizeof(package_keys[0]), name);
        if (!key)
            return yaml_file_wrong(file, value, "a package has no key \"%.*s\"", SLICE_ARG(name));
        if (!is_empty(file, value))
            TRY(ignore_add_values(file, exception, key, value));
    }
    return NULL;
}

static struct error *take_key(struct yaml_file *file, struct exception *exception, slice name,
                              const yaml_node_t *value)
{
    slice text;
    const struct ignore_key *key = ignore_key_named(keys, sizeof(keys) / sizeof(keys[0]), name);
    if (is_empty(file, value))
        return NULL;
    if (key)
        return ignore_add_values(file, exception, key, value);
    if (slice_equal(name, SLICE("package")))
        return take_package(file, exception, value);
    if (slice_equal(name, SLICE("reason")))
        return ignore_text(file, name, value, &exception->reason);
    /* Aliases count anyway: which of a vulnerability's ids stands first differs between us. */
    if (slice_equal(name, SLICE("include-aliases")))
        return ignore_text(file, name, value, &text);
    return yaml_file_wrong(file, value, "an ignore rule has no key \"%.*s\"", SLICE_ARG(name));
}

static struct error *take_rule(struct yaml_file *file, const yaml_node_t *item, void *exceptions)
{
    struct exception *exception = ignore_begin(file, item, EXCEPT_FINDINGS);
    slice name;
    yaml_node_t *value;
    for (size_t i = 0; yaml_file_pair(file, item, i, &name, &value); i++)
        TRY(take_key(file, exception, name, value));
    return ignore_end(file, item, exceptions, exception);
}

static struct error *read_yaml(struct ignore_reading *reading, slice text)
{
    CLEANUP_YAML struct yaml_file file = {0};
    TRY(yaml_file_read(&file, text, reading->path, reading->arena));
    const yaml_node_t *root = yaml_file_root(&file);
    if (root && root->type != YAML_MAPPING_NODE)
        return yaml_file_wrong(&file, root, "this is no configuration of Grype");
    return ignore_each(&file, "ignore", take_rule, reading->exceptions);
}

static const char *const files[] = {".grype.yaml", ".grype.yml", ".grype/config.yaml", NULL};
static const char *const sections[] = {"ignore", NULL};

const struct ignore_form ignore_grype = {
    .name = ".grype.yaml",
    .files = files,
    .word = "grype",
    .sections = sections,
    .read = read_yaml,
};
