/* Trivy's .trivyignore.yaml: entries under what they are for, with paths, package URLs, a reason
 * (statement) and a date. */
#include "policy/ignore_file.h"

static const struct ignore_key keys[] = {
    {"id", FIELD_ID, WAY_EQUAL, false},
    {"paths", FIELD_PATH, WAY_GLOB, true},
    {"purls", FIELD_PURL, WAY_PURL, false},
};

static const struct section {
    const char *name;
    unsigned kinds;
} sections[] = {
    {"vulnerabilities", EXCEPT_FINDINGS},
    {"misconfigurations", EXCEPT_OTHERS},
    {"secrets", EXCEPT_SECRETS},
    {"licenses", EXCEPT_OTHERS},
};
enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

struct reading {
    struct ignore_reading *reading;
    const struct section *section;
};

static struct error *take_key(struct yaml_file *file, struct exception *exception, slice name,
                              const yaml_node_t *value)
{
    const struct ignore_key *key = ignore_key_named(keys, sizeof(keys) / sizeof(keys[0]), name);
    if (key)
        return ignore_add_values(file, exception, key, value);
    if (slice_equal(name, SLICE("statement")))
        return ignore_text(file, name, value, &exception->reason);
    if (slice_equal(name, SLICE("expired_at")))
        return ignore_until(file, value, exception);
    /* It may be what narrows the entry down. */
    return yaml_file_wrong(file, value, "there is no key \"%.*s\" here", SLICE_ARG(name));
}

static struct error *take_entry(struct yaml_file *file, const yaml_node_t *item, void *context)
{
    struct reading *at = context;
    struct exception *exception = ignore_begin(file, item, at->section->kinds);
    slice name;
    yaml_node_t *value;
    for (size_t i = 0; yaml_file_pair(file, item, i, &name, &value); i++)
        TRY(take_key(file, exception, name, value));
    if (!(exception->fields & 1U << FIELD_ID))
        return yaml_file_wrong(file, item, "the entry has no id");
    return ignore_end(file, item, at->reading->exceptions, exception);
}

static struct error *take_sections(struct ignore_reading *reading, struct yaml_file *file)
{
    slice name;
    yaml_node_t *value, *root = yaml_file_root(file);
    if (root && root->type != YAML_MAPPING_NODE)
        return yaml_file_wrong(file, root, "the file has sections, as \"vulnerabilities:\"");
    for (size_t i = 0; yaml_file_pair(file, root, i, &name, &value); i++) {
        const struct section *section = sections;
        while (section < sections + SECTIONS && !slice_equal(name, slice_from_text(section->name)))
            section++;
        if (section == sections + SECTIONS)
            return yaml_file_wrong(file, value, "there is no section \"%.*s\"", SLICE_ARG(name));
        struct reading at = {reading, section};
        TRY(ignore_each(file, section->name, take_entry, &at));
    }
    return NULL;
}

static struct error *read_yaml(struct ignore_reading *reading, slice text)
{
    CLEANUP_YAML struct yaml_file file = {0};
    TRY(yaml_file_read(&file, text, reading->path, reading->arena));
    return take_sections(reading, &file);
}

static const char *const files[] = {".trivyignore.yaml", ".trivyignore.yml", NULL};
static const char *const section_names[] = {"vulnerabilities", "misconfigurations", "secrets",
                                            "licenses", NULL};

const struct ignore_form ignore_trivy_yaml = {
    .name = ".trivyignore.yaml",
    .files = files,
    .word = "trivy",
    .sections = section_names,
    .read = read_yaml,
};
