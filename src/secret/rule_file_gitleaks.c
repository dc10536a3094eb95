/* Rules of the user's own in gitleaks' form (its config/gitleaks.toml, versions 8). */
#include "secret/rule_file.h"
#include "base/buffer.h"
#include "base/toml_read.h"

enum { OWN_REACH = 2048 };

struct reading {
    struct secret_rule_file *file;
    const char *name;
    struct arena *arena;
};

static const char *const no_examples[] = {NULL};

static const char *text_at(struct reading *reading, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? arena_text(reading->arena, slice_make(json_string_value(value),
                                                                         json_string_length(value)))
                                 : NULL;
}

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

/* With the group of that number named: the first one where none is said, as gitleaks takes it. */
static const char *pattern_of(struct reading *reading, const char *regex, uint64_t wanted,
                              bool named)
{
    CLEANUP_BUFFER struct buffer out = {0};
    slice rest = slice_from_text(regex);
    uint64_t group = 0;
    if (named)
        buffer_text(&out, "(?-s)");
    while (rest.len) {
        size_t length = atom_length(rest);
        size_t name = slice_starts(rest, SLICE("(?P<")) ? slice_find(rest, '>') : SIZE_MAX;
        bool captures =
            rest.ptr[0] == '(' && (rest.len < 2 || rest.ptr[1] != '?' || name < rest.len);
        if (!captures) {
            buffer_add(&out, slice_first(rest, length));
            rest = slice_from(rest, length);
            continue;
        }
        group++;
        buffer_text(&out, named && group == wanted ? "(?P<secret>" : "(");
        rest = slice_from(rest, name < rest.len ? name + 1 : 1);
    }
    return arena_text(reading->arena, buffer_slice(&out));
}

static void add_allow(struct reading *reading, const char *rule, const char *path,
                      const char *regex)
{
    struct secret_allow allow = {"allowlist", rule, path, regex};
    *(struct secret_allow *)list_add(&reading->file->allows, reading->arena, sizeof(allow)) = allow;
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
            slice text = slice_make(json_string_value(item), json_string_length(item));
            if (!json_is_string(item))
                continue;
            const char *copy = arena_text(reading->arena, text);
            add_allow(reading, rule, kind == 0 ? copy : NULL,
                      kind == 1   ? copy
                      : kind == 2 ? stopword(reading, text)
                                  : NULL);
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
    struct secret_rule *rule = ARENA_NEW(reading->arena, struct secret_rule);
    uint64_t wanted = json_integer_value(group) > 0 ? (uint64_t)json_integer_value(group) : 1;
    if (!id)
        return error_make(ERROR_INPUT, "%s: a rule has no id", reading->name);
    if (!regex) /* of paths alone: there is nothing in a file to look for */
        return NULL;
    *rule = (struct secret_rule){.id = id,
                                 .title = title ? title : id,
                                 .pattern = pattern_of(reading, regex, wanted, true),
                                 .find = pattern_of(reading, regex, 0, false),
                                 .path = text_at(reading, object, "path"),
                                 .checks = "",
                                 .near = "",
                                 .prefix = "",
                                 .revoke = "",
                                 .advice = "",
                                 .severity = SEVERITY_HIGH,
                                 .own = true,
                                 .reach = OWN_REACH,
                                 .good = no_examples,
                                 .bad = no_examples};
    if (json_number_value(entropy) > 0)
        rule->checks = arena_format(reading->arena, "entropy:%g", json_number_value(entropy)).ptr;
    *(struct secret_rule **)list_add(&reading->file->rules, reading->arena, sizeof(rule)) = rule;
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
            add_id(&reading->file->disabled,
                   slice_make(json_string_value(id), json_string_length(id)), reading->arena);
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
