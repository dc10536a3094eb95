#include "base/yaml_read.h"
#include "base/limits.h"
#include "base/map.h"

struct error *yaml_file_wrong(const struct yaml_file *file, const yaml_node_t *node,
                              const char *format, ...)
{
    va_list arguments;
    char text[512];
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return error_make(ERROR_INPUT, "%s, line %zu: %s", file->name, yaml_file_line(node), text);
}

static slice scalar(const yaml_node_t *node)
{
    return slice_make(node->data.scalar.value, node->data.scalar.length);
}

static yaml_node_t *node_at(struct yaml_file *file, int index)
{
    return yaml_document_get_node(&file->document, index);
}

/* What is said twice could be meant either way. */
static struct error *check_keys(struct yaml_file *file, const yaml_node_t *node)
{
    struct map seen = {.arena = file->arena};
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = node_at(file, pair->key);
        if (!key || key->type != YAML_SCALAR_NODE)
            return yaml_file_wrong(file, node, "a key must be text");
        if (map_get(&seen, scalar(key)))
            return yaml_file_wrong(file, key, "\"%.*s\" stands here twice", SLICE_ARG(scalar(key)));
        map_put(&seen, scalar(key), key);
    }
    return NULL;
}

static struct error *check(struct yaml_file *file)
{
    for (const yaml_node_t *node = file->document.nodes.start; node < file->document.nodes.top;
         node++)
        if (node->type == YAML_MAPPING_NODE)
            TRY(check_keys(file, node));
    return NULL;
}

static struct error *no_yaml(const struct yaml_file *file, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        memory_exhausted();
    return error_make(ERROR_INPUT, "%s, line %zu: this is no YAML: %s", file->name,
                      parser->problem_mark.line + 1,
                      parser->problem ? parser->problem : "it cannot be read");
}

/* Goes over the events alone: for a document as deep as it is long libyaml takes minutes. */
static struct error *check_depth(struct yaml_file *file, yaml_parser_t *parser)
{
    unsigned depth = 0;
    for (bool end = false; !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return no_yaml(file, parser);
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        end = event.type == YAML_STREAM_END_EVENT;
        size_t line = event.start_mark.line + 1;
        yaml_event_delete(&event);
        if (depth > LIMIT_JSON_DEPTH)
            return error_make(ERROR_LIMIT, "%s, line %zu: it is nested deeper than the limit of %d",
                              file->name, line, LIMIT_JSON_DEPTH);
    }
    return NULL;
}

static struct error *load(struct yaml_file *file, yaml_parser_t *parser, yaml_document_t *document)
{
    if (yaml_parser_load(parser, document))
        return NULL;
    return no_yaml(file, parser);
}

static struct error *load_only(struct yaml_file *file, yaml_parser_t *parser)
{
    yaml_document_t next;
    TRY(load(file, parser, &file->document));
    file->loaded = true;
    if (!yaml_file_root(file))
        return NULL;
    TRY(load(file, parser, &next));
    const yaml_node_t *more = yaml_document_get_root_node(&next);
    struct error *error =
        more ? yaml_file_wrong(file, more, "a second document begins here; one is read") : NULL;
    yaml_document_delete(&next);
    return error;
}

static struct error *with_parser(struct yaml_file *file, slice text,
                                 struct error *(*use)(struct yaml_file *, yaml_parser_t *))
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        memory_exhausted();
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.ptr : ""),
                                 text.len);
    struct error *error = use(file, &parser);
    yaml_parser_delete(&parser);
    return error;
}

struct error *yaml_file_read(struct yaml_file *file, slice text, const char *name,
                             struct arena *arena)
{
    *file = (struct yaml_file){.name = name, .arena = arena};
    TRY(with_parser(file, text, check_depth));
    TRY(with_parser(file, text, load_only));
    return check(file);
}

void yaml_file_close(struct yaml_file *file)
{
    if (file->loaded)
        yaml_document_delete(&file->document);
    file->loaded = false;
}

yaml_node_t *yaml_file_root(struct yaml_file *file)
{
    return yaml_document_get_root_node(&file->document);
}

bool yaml_file_pair(struct yaml_file *file, const yaml_node_t *node, size_t number, slice *key,
                    yaml_node_t **value)
{
    if (!node || node->type != YAML_MAPPING_NODE ||
        number >= (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start))
        return false;
    const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[number];
    *key = scalar(node_at(file, pair->key));
    *value = node_at(file, pair->value);
    return true;
}

yaml_node_t *yaml_file_member(struct yaml_file *file, const yaml_node_t *node, const char *key)
{
    slice name;
    yaml_node_t *value;
    for (size_t i = 0; yaml_file_pair(file, node, i, &name, &value); i++)
        if (slice_equal(name, slice_from_text(key)))
            return value;
    return NULL;
}

yaml_node_t *yaml_file_item(struct yaml_file *file, const yaml_node_t *node, size_t number)
{
    if (!node || node->type != YAML_SEQUENCE_NODE ||
        number >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
        return NULL;
    return node_at(file, node->data.sequence.items.start[number]);
}

bool yaml_file_text(struct yaml_file *file, const yaml_node_t *node, slice *text)
{
    if (!node || node->type != YAML_SCALAR_NODE)
        return false;
    *text = arena_copy(file->arena, scalar(node));
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (slice_equal(*text, SLICE("~")) || slice_equal(*text, SLICE("null"))))
        *text = SLICE_EMPTY;
    return true;
}
