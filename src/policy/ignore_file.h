/*
 * Ignore files: files in which people write which findings they except, and why. One file for each
 * form, one table of forms (ignore_file.c): Trivy's two, Grype's, and plimsoll's own.
 *
 * To add one: ignore_NAME.c with a `const struct ignore_form`, its `extern` below, its line in the
 * table, rows in tests/e2e/test_ignore.py, seeds in scripts/make-fuzz-seeds, docs/ignore.md.
 */
#ifndef PLIMSOLL_POLICY_IGNORE_FILE_H
#define PLIMSOLL_POLICY_IGNORE_FILE_H

#include "base/yaml_read.h"
#include "policy/exceptions.h"

struct ignore_reading {
    struct exceptions *exceptions;
    const char *path;
    struct arena *arena;
};

struct ignore_form {
    const char *name;         /* "trivyignore" */
    const char *const *files; /* where it is looked for in the working directory; NULL at the end */
    const char *word;         /* what stands in the name of a file of this form */
    const char *const *sections; /* keys of a YAML file that show its form; NULL: it is no YAML */
    struct error *(*read)(struct ignore_reading *reading, slice text);
};

extern const struct ignore_form ignore_trivy, ignore_trivy_yaml, ignore_grype, ignore_own;
extern const struct ignore_form *const ignore_forms[];
extern const size_t ignore_form_count;

/* Adds the entries of a file whose text is given; its form is told by name and content. The error
 * names file and line. */
MUST_CHECK struct error *ignore_file_parse(struct exceptions *exceptions, const char *path,
                                           slice text, struct arena *arena);

/* Reads one file. */
MUST_CHECK struct error *ignore_file_read(struct exceptions *exceptions, const char *path,
                                          struct arena *arena);

/* Reads those that are in the working directory by the names of the table. */
MUST_CHECK struct error *ignore_files_find(struct exceptions *exceptions, struct arena *arena);

/* -- for the forms in YAML (ignore_yaml.c) ------------------------------------------------------
 */

/* A key of an entry, with what its values are compared with. */
struct ignore_key {
    const char *name;
    enum exception_field field;
    enum exception_way way;
    bool is_path; /* a leading "/" or "./" does not count */
};

/* Adds one key of an entry whose value is a text or a list of texts. */
MUST_CHECK struct error *ignore_add_values(struct yaml_file *file, struct exception *exception,
                                           const struct ignore_key *key, const yaml_node_t *node);

/* The line of the table of that name, or NULL. */
const struct ignore_key *ignore_key_named(const struct ignore_key *keys, size_t count, slice name);

/* A value that must be one text. */
MUST_CHECK struct error *ignore_text(struct yaml_file *file, slice key, const yaml_node_t *node,
                                     slice *text);

/* Begins an entry that stands at the node. */
struct exception *ignore_begin(struct yaml_file *file, const yaml_node_t *node, unsigned kinds);

/* Ends it; the error names its line. */
MUST_CHECK struct error *ignore_end(struct yaml_file *file, const yaml_node_t *node,
                                    struct exceptions *exceptions, struct exception *exception);

/* Sets the date; the error names the line. */
MUST_CHECK struct error *ignore_until(struct yaml_file *file, const yaml_node_t *node,
                                      struct exception *exception);

/* Calls back for each item of the list under a key of the root; what is no list is an error. */
typedef struct error *ignore_visit(struct yaml_file *file, const yaml_node_t *item, void *context);
MUST_CHECK struct error *ignore_each(struct yaml_file *file, const char *key, ignore_visit *visit,
                                     void *context);

#endif
