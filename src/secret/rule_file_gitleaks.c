/* Rules of the user's own in gitleaks' form (its config/gitleaks.toml, versions 8). */
#include "secret/rule_file.h"
#include "base/buffer.h"
#include "base/toml_read.h"

struct reading {
    struct secret_rule_file *file;
    const char *name;
    struct arena *arena;
};

static const char *text_at(struct reading *reading, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? arena_text(reading->arena, json_slice(value)) : NULL;
}

/* A word anywhere in the secret, in any case, as an expression. */
static const char *stopword(struct reading *reading, slice word)
{
    CLEANUP_BUFFER struct buffer out = {0};
    buffer_text(&out, "(?i)");
    for (size_t i = 0; i < word.len; i++) {
        if (!byte_is_alpha(word.ptr[i]) && !byte_is_digit(word.ptr[i]))
            buffer_add_byte(&out, '\\');
        buffer_add_byte(&out, word.ptr[i]);
    }
    return arena_text(reading->arena, buffer_slice(&out));
}

static void read_allowlist(struct reading *reading, const json_t *list, const char *rule)
{
    static const char *const keys[] = {"paths", "regexes", "stopwords"};
    for (size_t kind = 0; kind < 3; kind++) {
        const json_t *items = json_object_get(list, keys[kind]);
        for (size_t i = 0; i < json_array_size(items); i++) {
            const json_t *item = json_array_get(items, i);
            slice text = json_slice(item);
            if (!json_is_string(item))
                continue;
            const char *copy = arena_text(reading->arena, text);
            struct secret_allow allow = {.id = "allowlist", .rule = rule};
            *(kind == 0 ? &allow.path : &allow.regex) = kind == 2 ? stopword(reading, text) : copy;
            secret_rule_file_allow(reading->file, allow, reading->arena);
        }
    }
}

/* "allowlist" is one; "allowlists", of later versions, are several. */
static void read_allowlists(struct reading *reading, const json_t *object, const char *rule)
{
    const json_t *several = json_object_get(object, "allowlists");
    read_allowlist(reading, json_object_get(object, "allowlist"), rule);
    for (size_t i = 0; i < json_array_size(several); i++)
        read_allowlist(reading, json_array_get(several, i), rule);
}

static struct error *read_rule(struct reading *reading, const json_t *object)
{
    const char *id = text_at(reading, object, "id"), *regex = text_at(reading, object, "regex");
    const char *title = text_at(reading, object, "description");
    const json_t *group = json_object_get(object, "secretGroup");
    const json_t *entropy = json_object_get(object, "entropy");
    struct secret_rule rule = {.id = id,
                               .title = title ? title : id,
                               .path = text_at(reading, object, "path"),
                               .checks = "",
                               .severity = SEVERITY_HIGH};
    /* Where no number is said the first group counts, as gitleaks takes it. */
    struct secret_group wanted = {
        .number = json_integer_value(group) > 0 ? (uint64_t)json_integer_value(group) : 1};
    if (!id)
        return error_make(ERROR_INPUT, "%s: a rule has no id", reading->name);
    if (!regex) /* of paths alone: there is nothing in a file to look for */
        return NULL;
    if (json_number_value(entropy) > 0)
        rule.checks = arena_format(reading->arena, "entropy:%g", json_number_value(entropy)).ptr;
    secret_rule_file_add(reading->file, rule, regex, wanted, reading->arena);
    read_allowlists(reading, object, id);
    return NULL;
}

static void add_id(struct list *list, slice id, struct arena *arena)
{
    *(slice *)list_add(list, arena, sizeof(slice)) = arena_copy(arena, id);
}

/* gitleaks leaves its own rules out unless they are asked for. */
static void read_extend(struct reading *reading, const json_t *root)
{
    const json_t *extend = json_object_get(root, "extend");
    const json_t *disabled = json_object_get(extend, "disabledRules");
    if (!json_is_true(json_object_get(extend, "useDefault")))
        add_id(&reading->file->enabled, SLICE("(none)"), reading->arena);
    for (size_t i = 0; i < json_array_size(disabled); i++) {
        const json_t *id = json_array_get(disabled, i);
        if (json_is_string(id))
            add_id(&reading->file->disabled, json_slice(id), reading->arena);
    }
}

struct error *secret_rule_file_read_toml(struct secret_rule_file *file, slice text,
                                         const char *name, struct arena *arena)
{
    struct reading reading = {.file = file, .name = name, .arena = arena};
    CLEANUP_JSON json_t *root = NULL;
    *file = (struct secret_rule_file){0};
    TRY(toml_read(&root, text, name));
    const json_t *rules = json_object_get(root, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++)
        TRY(read_rule(&reading, json_array_get(rules, i)));
    read_allowlists(&reading, root, NULL);
    read_extend(&reading, root);
    return NULL;
}
