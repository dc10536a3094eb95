/*
 * CycloneDX's XML as its JSON, as far as the reader wants it. Expat reads it: without external
 * entities, and with its own bound on what entities grow to; a document type is refused at once,
 * since CycloneDX has none.
 */
#include "base/limits.h"
#include "sbom/builder.h"

#include <expat.h>

struct reading {
    XML_Parser parser;
    struct arena arena;
    json_t *open[LIMIT_SBOM_NESTING * 2 + 8]; /* borrowed; the outermost is owned by the caller */
    slice names[LIMIT_SBOM_NESTING * 2 + 8];
    bool has_children[LIMIT_SBOM_NESTING * 2 + 8];
    size_t depth;
    struct buffer text;
    const char *problem;
};

/* Elements that hold a list of others. */
static bool is_list(slice name)
{
    static const char *const lists[] = {"components",  "properties",   "hashes", "licenses",
                                        "occurrences", "dependencies", "authors"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (slice_equal(name, slice_from_text(lists[i])))
            return true;
    return false;
}

static json_t *text_value(slice text)
{
    json_t *value = json_stringn(text.len ? text.ptr : "", text.len);
    return value ? value : json_string("");
}

/* The part of a name behind its namespace, which expat puts before a line end. */
static slice local_name(const char *name)
{
    slice whole = slice_from_text(name);
    size_t end = slice_find_last(whole, '\n');
    return end == SIZE_MAX ? whole : slice_from(whole, end + 1);
}

static bool is_cyclonedx(const char *name)
{
    return slice_starts(slice_from_text(name), SLICE("http://cyclonedx.org/schema/bom/"));
}

static void stop(struct reading *reading, const char *problem)
{
    reading->problem = problem;
    XML_StopParser(reading->parser, XML_FALSE);
}

static void set_attributes(json_t *object, const char **attributes)
{
    for (; attributes[0]; attributes += 2)
        json_object_set_new(object, attributes[0], text_value(slice_from_text(attributes[1])));
}

static void XMLCALL on_start(void *data, const char *name, const char **attributes)
{
    struct reading *reading = data;
    size_t depth = reading->depth;
    if (depth + 1 >= sizeof(reading->open) / sizeof(reading->open[0])) {
        stop(reading, "its elements are nested deeper than the limit");
        return;
    }
    slice local = is_cyclonedx(name) ? arena_copy(&reading->arena, local_name(name))
                                     : SLICE("of another namespace");
    json_t *value = is_list(local) ? json_array() : json_object();
    if (!value) {
        stop(reading, "there is no memory for it");
        return;
    }
    if (json_is_object(value))
        set_attributes(value, attributes);
    reading->text.len = 0;
    reading->names[depth] = local;
    reading->open[depth] = value;
    reading->has_children[depth] = false;
    if (depth)
        reading->has_children[depth - 1] = true;
    reading->depth++;
}

static void XMLCALL on_text(void *data, const char *bytes, int count)
{
    struct reading *reading = data;
    if (reading->text.len + (size_t)count > LIMIT_FIELD_BYTES)
        stop(reading, "one of its texts is longer than the limit");
    else
        buffer_add(&reading->text, slice_make(bytes, (size_t)count));
}

/* What JSON has instead of the element: some carry their text in a field of its own. */
static json_t *closed_value(struct reading *reading, json_t *value, slice name)
{
    slice text = slice_trim(buffer_slice(&reading->text));
    if (json_is_array(value) || reading->has_children[reading->depth])
        return value;
    const char *field = slice_equal(name, SLICE("property"))     ? "value"
                        : slice_equal(name, SLICE("hash"))       ? "content"
                        : slice_equal(name, SLICE("expression")) ? "expression"
                                                                 : NULL;
    if (slice_equal(name, SLICE("dependency")))
        return value;
    if (field) {
        json_object_set_new(value, field, text_value(text));
        return value;
    }
    json_decref(value);
    return text_value(text);
}

static void put_into_list(json_t *list, slice name, json_t *value)
{
    /* JSON wraps a licence once more. */
    if (slice_equal(name, SLICE("license"))) {
        json_t *choice = json_object();
        json_object_set_new(choice, "license", value);
        value = choice;
    }
    json_array_append_new(list, value);
}

static void put_into_object(struct reading *reading, json_t *object, slice name, json_t *value)
{
    /* <dependency ref="a"><dependency ref="b"/></dependency> */
    if (slice_equal(name, SLICE("dependency"))) {
        json_array_append(json_get_list(object, "dependsOn"), json_object_get(value, "ref"));
        json_decref(value);
        return;
    }
    char *key = arena_text(&reading->arena, name);
    if (is_list(name) && json_object_get(object, key)) {
        json_decref(value);
        stop(reading, "it has the same list twice in one element");
        return;
    }
    json_object_set_new(object, key, value);
}

static void XMLCALL on_end(void *data, const char *element)
{
    struct reading *reading = data;
    (void)element;
    if (reading->depth == 0)
        return;
    size_t depth = --reading->depth;
    slice name = reading->names[depth];
    json_t *value = closed_value(reading, reading->open[depth], name);
    reading->text.len = 0;
    reading->open[depth] = value;
    if (depth == 0)
        return; /* the document is whole; open[0] holds it */
    json_t *parent = reading->open[depth - 1];
    if (json_is_array(parent))
        put_into_list(parent, name, value);
    else
        put_into_object(reading, parent, name, value);
    reading->open[depth] = NULL;
}

static void XMLCALL on_doctype(void *data, const char *name, const char *system, const char *public,
                               int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    stop(data, "it declares a document type, which CycloneDX has not");
}

static slice namespace_version(const char *name)
{
    slice space = slice_first(slice_from_text(name), slice_find(slice_from_text(name), '\n'));
    return slice_basename(space);
}

static void XMLCALL on_root(void *data, const char *name, const char **attributes)
{
    struct reading *reading = data;
    if (!is_cyclonedx(name)) {
        stop(reading, "its root is none of CycloneDX");
        return;
    }
    XML_SetStartElementHandler(reading->parser, on_start);
    on_start(data, name, attributes);
    if (reading->depth)
        json_object_set_new(reading->open[0], "bomFormat", json_string("CycloneDX"));
    if (reading->depth)
        json_object_set_new(reading->open[0], "specVersion", text_value(namespace_version(name)));
}

static struct error *parse(struct reading *reading, slice bytes)
{
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_root, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading->parser, on_doctype);
    while (bytes.len) {
        slice part = slice_first(bytes, 1 << 20);
        bytes = slice_from(bytes, part.len);
        if (XML_Parse(reading->parser, part.ptr, (int)part.len, bytes.len == 0) == XML_STATUS_OK)
            continue;
        if (reading->problem)
            return error_make(ERROR_INPUT, "%s", reading->problem);
        return error_make(ERROR_INPUT, "it is not valid XML: %s at line %lu",
                          XML_ErrorString(XML_GetErrorCode(reading->parser)),
                          (unsigned long)XML_GetCurrentLineNumber(reading->parser));
    }
    return NULL;
}

struct error *sbom_xml_to_json(json_t **document, slice bytes)
{
    struct reading *reading = memory_alloc(sizeof(*reading));
    *reading = (struct reading){.parser = XML_ParserCreateNS(NULL, '\n')};
    struct error *error = reading->parser ? parse(reading, bytes)
                                          : error_make(ERROR_SYSTEM, "there is no memory for it");
    *document = NULL;
    if (!error && reading->depth == 0 && json_is_object(reading->open[0]))
        *document = reading->open[0];
    else if (!error)
        error = error_make(ERROR_INPUT, "it is no whole document");
    for (size_t i = 0; error && i < reading->depth; i++)
        json_decref(reading->open[i]);
    if (error && reading->depth == 0)
        json_decref(reading->open[0]);
    if (reading->parser)
        XML_ParserFree(reading->parser);
    buffer_free(&reading->text);
    arena_free(&reading->arena);
    free(reading);
    return error;
}
