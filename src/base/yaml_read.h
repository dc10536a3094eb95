/*
 * Small YAML files (libyaml) that people write: one document, no key twice in one mapping, and
 * where each thing stands, for messages. Nodes live until yaml_file_close; texts in the arena.
 */
#ifndef PLIMSOLL_BASE_YAML_READ_H
#define PLIMSOLL_BASE_YAML_READ_H

#include "base/error.h"
#include <yaml.h>

struct yaml_file {
    yaml_document_t document;
    bool loaded;
    const char *name; /* for messages */
    struct arena *arena;
};

/* Parses the text, whose bounds the caller has looked at. Close it in any case. */
MUST_CHECK struct error *yaml_file_read(struct yaml_file *file, slice text, const char *name,
                                        struct arena *arena);
void yaml_file_close(struct yaml_file *file);

/* The outermost value, NULL in an empty file. */
yaml_node_t *yaml_file_root(struct yaml_file *file);

/* The value under the key of a mapping, or NULL. */
yaml_node_t *yaml_file_member(struct yaml_file *file, const yaml_node_t *node, const char *key);

/* The mapping's pair of that number, in the order of the file; false behind the last. */
bool yaml_file_pair(struct yaml_file *file, const yaml_node_t *node, size_t number, slice *key,
                    yaml_node_t **value);

/* The list's item of that number, NULL behind the last. */
yaml_node_t *yaml_file_item(struct yaml_file *file, const yaml_node_t *node, size_t number);

/* A scalar's text; false for anything else. "~" and nothing at all are an empty text. */
bool yaml_file_text(struct yaml_file *file, const yaml_node_t *node, slice *text);

/* "NAME, line N: what is wrong" */
MUST_CHECK struct error *yaml_file_wrong(const struct yaml_file *file, const yaml_node_t *node,
                                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline size_t yaml_file_line(const yaml_node_t *node)
{
    return node ? node->start_mark.line + 1 : 1;
}

#define CLEANUP_YAML __attribute__((unused, cleanup(yaml_file_close)))

#endif
