/* What the forms of ignore files in YAML share. */
#include "policy/ignore_file.h"

/* Puts "FILE, line N" before what is wrong with a value. Takes the error over. */
static struct error *at_line(struct yaml_file *file, const yaml_node_t *node, struct error *error)
{
    return error_wrap(error, "%s, line %zu", file->name, yaml_file_line(node));
}

struct error *ignore_text(struct yaml_file *file, slice key, const yaml_node_t *node, slice *text)
{
    if (!yaml_file_text(file, node, text))
        return yaml_file_wrong(file, node, "\"%.*s\" must be a text", SLICE_ARG(key));
    *text = slice_trim(*text);
    return NULL;
}

static struct error *add_value(struct yaml_file *file, struct exception *exception,
                               const struct ignore_key *key, const yaml_node_t *node)
{
    slice text;
    TRY(ignore_text(file, slice_from_text(key->name), node, &text));
    if (key->is_path && slice_starts(text, SLICE("./")))
        text = slice_from(text, 2);
    while (key->is_path && slice_starts(text, SLICE("/")))
        text = slice_from(text, 1);
    return at_line(file, node,
                   exception_add_key(exception, key->field, key->way, text, file->arena));
}

struct error *ignore_add_values(struct yaml_file *file, struct exception *exception,
                                const struct ignore_key *key, const yaml_node_t *node)
{
    const yaml_node_t *item;
    if (!node || node->type != YAML_SEQUENCE_NODE)
        return add_value(file, exception, key, node);
    if (!yaml_file_item(file, node, 0))
        return yaml_file_wrong(file, node, "the list \"%s\" is empty", key->name);
    for (size_t i = 0; (item = yaml_file_item(file, node, i)); i++)
        TRY(add_value(file, exception, key, item));
    return NULL;
}

const struct ignore_key *ignore_key_named(const struct ignore_key *keys, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(name, slice_from_text(keys[i].name)))
            return &keys[i];
    return NULL;
}

struct exception *ignore_begin(struct yaml_file *file, const yaml_node_t *node, unsigned kinds)
{
    struct exception *exception = ARENA_NEW(file->arena, struct exception);
    exception->file = file->name;
    exception->line = yaml_file_line(node);
    exception->kinds = kinds;
    return exception;
}

struct error *ignore_end(struct yaml_file *file, const yaml_node_t *node,
                         struct exceptions *exceptions, struct exception *exception)
{
    return at_line(file, node, exceptions_add(exceptions, exception, file->arena));
}

struct error *ignore_until(struct yaml_file *file, const yaml_node_t *node,
                           struct exception *exception)
{
    slice date;
    TRY(ignore_text(file, SLICE("date"), node, &date));
    return at_line(file, node, exception_set_until(exception, date, file->arena));
}

struct error *ignore_each(struct yaml_file *file, const char *key, ignore_visit *visit,
                          void *context)
{
    const yaml_node_t *list = yaml_file_member(file, yaml_file_root(file), key), *item;
    slice text;
    if (!list || (yaml_file_text(file, list, &text) && text.len == 0))
        return NULL;
    if (list->type != YAML_SEQUENCE_NODE)
        return yaml_file_wrong(file, list, "\"%s\" must be a list", key);
    for (size_t i = 0; (item = yaml_file_item(file, list, i)); i++) {
        if (item->type != YAML_MAPPING_NODE)
            return yaml_file_wrong(file, item, "an entry of \"%s\" has keys, as \"- id: …\"", key);
        TRY(visit(file, item, context));
    }
    return NULL;
}
