#include "secret/rule_file.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/yaml_read.h"

enum { OWN_REACH = 2048 };

/* -- what both forms have in common ---------------------------------------------------------------
 */

/* The length of what stands at the front of an expression: an escape, a class, or one character. */
static size_t atom_length(slice rest)
{
    if (rest.ptr[0] == '\\' && rest.len > 1)
        return 2;
    if (rest.ptr[0] != '[')
        return 1;
    size_t at = 1;
    if (at < rest.len && rest.ptr[at] == '^')
        at++;
    if (at < rest.len && rest.ptr[at] == ']')
        at++;
    while (at < rest.len && rest.ptr[at] != ']')
        at += rest.ptr[at] == '\\' ? 2 : 1;
    return at + 1 < rest.len ? at + 1 : rest.len;
}

/* For PCRE with the group named; for Hyperscan, which knows no names, without. */
static const char *pattern_of(const char *regex, const struct secret_group *wanted,
                              struct arena *arena)
{
    CLEANUP_BUFFER struct buffer out = {0};
    slice rest = slice_from_text(regex);
    uint64_t number = 0;
    if (wanted)
        buffer_text(&out, "(?-s)");
    while (rest.len) {
        size_t length = atom_length(rest), named = SIZE_MAX;
        if (slice_starts(rest, SLICE("(?P<")))
            named = slice_find(rest, '>');
        bool captures =
            rest.ptr[0] == '(' && (rest.len < 2 || rest.ptr[1] != '?' || named < rest.len);
        if (!captures) {
            buffer_add(&out, slice_first(rest, length));
            rest = slice_from(rest, length);
            continue;
        }
        slice name =
            named < rest.len ? slice_from(slice_first(rest, named), strlen("(?P<")) : SLICE_EMPTY;
        number++;
        bool secret = wanted && (wanted->name ? slice_equal(name, slice_from_text(wanted->name))
                                              : number == wanted->number);
        buffer_text(&out, secret ? "(?P<secret>" : "(");
        rest = slice_from(rest, named < rest.len ? named + 1 : 1);
    }
    return arena_text(arena, buffer_slice(&out));
}

void secret_rule_file_add(struct secret_rule_file *file, struct secret_rule rule, const char *regex,
                          struct secret_group group, struct arena *arena)
{
    static const char *const no_examples[] = {NULL};
    struct secret_rule *added = ARENA_NEW(arena, struct secret_rule);
    rule.pattern = pattern_of(regex, &group, arena);
    rule.find = pattern_of(regex, NULL, arena);
    rule.near = rule.prefix = rule.revoke = rule.advice = "";
    rule.own = true;
    rule.reach = OWN_REACH;
    rule.good = rule.bad = rule.other = no_examples;
    *added = rule;
    *(struct secret_rule **)list_add(&file->rules, arena, sizeof(added)) = added;
}

void secret_rule_file_allow(struct secret_rule_file *file, struct secret_allow allow,
                            struct arena *arena)
{
    *(struct secret_allow *)list_add(&file->allows, arena, sizeof(allow)) = allow;
}

/* -- Trivy's form, in YAML ------------------------------------------------------------------------
 */

struct reading {
    struct secret_rule_file *file;
    struct yaml_file yaml;
    struct arena *arena;
};

static struct error *wrong(const struct reading *reading, const yaml_node_t *node, const char *what)
{
    return yaml_file_wrong(&reading->yaml, node, "%s", what);
}

static yaml_node_t *member(struct reading *reading, const yaml_node_t *node, const char *key)
{
    return yaml_file_member(&reading->yaml, node, key);
}

/* NULL where there is no text. */
static const char *text_of(struct reading *reading, const yaml_node_t *node)
{
    slice text;
    return yaml_file_text(&reading->yaml, node, &text) ? arena_text(reading->arena, text) : NULL;
}

static const char *text_at(struct reading *reading, const yaml_node_t *node, const char *key)
{
    return text_of(reading, member(reading, node, key));
}

/* Calls back for each item of a list; what is no list is passed over. */
static struct error *each(struct reading *reading, const yaml_node_t *list,
                          struct error *(*visit)(struct reading *, const yaml_node_t *, void *),
                          void *context)
{
    const yaml_node_t *item;
    for (size_t i = 0; (item = yaml_file_item(&reading->yaml, list, i)) != NULL; i++)
        TRY(visit(reading, item, context));
    return NULL;
}

static struct error *read_allow(struct reading *reading, const yaml_node_t *node, void *rule)
{
    struct secret_allow allow = {.id = text_at(reading, node, "id"),
                                 .rule = rule,
                                 .path = text_at(reading, node, "path"),
                                 .regex = text_at(reading, node, "regex")};
    if (!allow.id)
        allow.id = "allow-rule";
    if (!allow.path && !allow.regex)
        return wrong(reading, node, "an allow rule needs a path or a regex");
    secret_rule_file_allow(reading->file, allow, reading->arena);
    return NULL;
}

static struct error *read_excluded(struct reading *reading, const yaml_node_t *node, void *rule)
{
    struct secret_allow allow = {
        .id = "exclude-block", .rule = rule, .regex = text_of(reading, node)};
    if (!allow.regex)
        return wrong(reading, node, "an excluded expression must be text");
    secret_rule_file_allow(reading->file, allow, reading->arena);
    return NULL;
}

static struct error *read_rule(struct reading *reading, const yaml_node_t *node, void *unused)
{
    const char *id = text_at(reading, node, "id"), *regex = text_at(reading, node, "regex");
    const char *title = text_at(reading, node, "title");
    const char *severity = text_at(reading, node, "severity");
    const char *group = text_at(reading, node, "secret-group-name");
    struct secret_rule rule = {.id = id,
                               .title = title ? title : id,
                               .path = text_at(reading, node, "path"),
                               .checks = "",
                               .severity = SEVERITY_UNKNOWN};
    (void)unused;
    if (!id || !regex)
        return wrong(reading, node, "a rule needs an id and a regex");
    if (severity && !severity_by_name(slice_from_text(severity), &rule.severity))
        return wrong(reading, node, "a rule's severity is CRITICAL, HIGH, MEDIUM, LOW or UNKNOWN");
    secret_rule_file_add(reading->file, rule, regex,
                         (struct secret_group){.name = group ? group : "secret"}, reading->arena);
    TRY(each(reading, member(reading, node, "allow-rules"), read_allow, (void *)(uintptr_t)id));
    return each(reading, member(reading, member(reading, node, "exclude-block"), "regexes"),
                read_excluded, (void *)(uintptr_t)id);
}

static struct error *read_id(struct reading *reading, const yaml_node_t *node, void *list)
{
    const char *id = text_of(reading, node);
    if (!id)
        return wrong(reading, node, "the id of a rule must be text");
    *(slice *)list_add(list, reading->arena, sizeof(slice)) = slice_from_text(id);
    return NULL;
}

static struct error *read_document(struct reading *reading)
{
    struct secret_rule_file *file = reading->file;
    const yaml_node_t *root = yaml_file_root(&reading->yaml);
    if (!root)
        return NULL;
    if (root->type != YAML_MAPPING_NODE)
        return wrong(reading, root, "this is no configuration for secrets: it has no \"rules\"");
    TRY(each(reading, member(reading, root, "rules"), read_rule, NULL));
    TRY(each(reading, member(reading, root, "allow-rules"), read_allow, NULL));
    TRY(each(reading, member(reading, member(reading, root, "exclude-block"), "regexes"),
             read_excluded, NULL));
    TRY(each(reading, member(reading, root, "disable-rules"), read_id, &file->disabled));
    return each(reading, member(reading, root, "enable-builtin-rules"), read_id, &file->enabled);
}

struct error *secret_rule_file_read(struct secret_rule_file *file, slice text, const char *name,
                                    struct arena *arena)
{
    struct reading reading = {.file = file, .arena = arena};
    *file = (struct secret_rule_file){0};
    struct error *error = yaml_file_read(&reading.yaml, text, name, arena);
    if (!error)
        error = read_document(&reading);
    yaml_file_close(&reading.yaml);
    return error;
}

bool secret_rule_file_uses(const struct secret_rule_file *file, const char *id)
{
    const slice *disabled = file->disabled.items, *enabled = file->enabled.items;
    for (size_t i = 0; i < file->disabled.count; i++)
        if (slice_equal(disabled[i], slice_from_text(id)))
            return false;
    for (size_t i = 0; i < file->enabled.count; i++)
        if (slice_equal(enabled[i], slice_from_text(id)))
            return true;
    return file->enabled.count == 0;
}
