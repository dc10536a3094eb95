/* Text and places in SARIF (3.11, 3.28). */
#include "base/limits.h"
#include "base/text.h"
#include "report/escapes.h"
#include "report/parts.h"
#include "report/sarif_parts.h"
#include "report/sentences.h"

enum { MOST_TEXT_BYTES = 1000 }; /* of a description or message: GitHub takes 1,024 characters */

/*
 * Plain text, in which "[a](b)" would be a link (3.11.6) and "{0}" a placeholder (3.11.5): a space
 * keeps them from it.
 */
static slice plain_text(struct arena *arena, slice text)
{
    CLEANUP_BUFFER struct buffer out = {0};
    slice safe = text_safe(arena, text_cut(arena, text, MOST_TEXT_BYTES));
    for (size_t i = 0; i < safe.len; i++) {
        char next = i + 1 < safe.len ? safe.ptr[i + 1] : 0;
        buffer_add_byte(&out, safe.ptr[i]);
        if ((safe.ptr[i] == ']' && next == '(') || (safe.ptr[i] == '{' && byte_is_digit(next)))
            buffer_add_byte(&out, ' ');
    }
    return arena_copy(arena, buffer_slice(&out));
}

void sarif_put_message(struct json_writer *json, struct arena *arena, const char *key, slice text)
{
    json_put_key(json, key);
    json_begin_object(json);
    json_field(json, "text", plain_text(arena, text));
    json_end_object(json);
}

/* A relative reference (RFC 3986, 4.2): no scheme, no authority, nothing but a path. */
static slice uri_of(struct arena *arena, slice path)
{
    CLEANUP_BUFFER struct buffer uri = {0};
    while (path.len && path.ptr[0] == '/')
        path = slice_from(path, 1);
    buffer_add_percent(&uri, path, "-._~/");
    return arena_copy(arena, buffer_slice(&uri));
}

static void put_region(struct json_writer *json, uint64_t line, uint64_t column)
{
    line = line ? line : 1;
    column = column ? column : 1;
    json_put_key(json, "region");
    json_begin_object(json);
    json_field_number(json, "startLine", (int64_t)line);
    json_field_number(json, "startColumn", (int64_t)column);
    json_field_number(json, "endLine", (int64_t)line);
    json_field_number(json, "endColumn", (int64_t)column + 1);
    json_end_object(json);
}

bool sarif_is_rooted(const struct report *report)
{
    return report->image->root_folder < 0 || report->image->root_kind == ROOT_FILE_SYSTEM;
}

static void put_physical(struct json_writer *json, const struct report *report, slice path,
                         uint64_t line, uint64_t column)
{
    json_put_key(json, "physicalLocation");
    json_begin_object(json);
    json_put_key(json, "artifactLocation");
    json_begin_object(json);
    json_field(json, "uri", uri_of(report->arena, path.len ? path : report->image->name));
    if (sarif_is_rooted(report))
        json_field(json, "uriBaseId", SLICE("IMAGEROOT"));
    json_end_object(json);
    put_region(json, line, column);
    json_end_object(json);
}

void sarif_put_component_place(struct json_writer *json, const struct report *report,
                               const struct component *component)
{
    json_put_key(json, "locations");
    json_begin_array(json);
    json_begin_object(json);
    put_physical(json, report, report_location(component), 1, 1);
    json_put_key(json, "logicalLocations");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "name", component->name);
    json_field(json, "fullyQualifiedName", component->ref);
    json_field(json, "kind", SLICE("package"));
    json_end_object(json);
    json_end_array(json);
    sarif_put_message(json, report->arena, "message", component_words(report, component));
    json_end_object(json);
    json_end_array(json);
}

/* 3.28.2: an id is for what others refer to; of a result's first location nothing does. */
static void put_place(struct json_writer *json, const struct report *report, size_t id,
                      const struct secret *secret, slice words)
{
    json_begin_object(json);
    if (id)
        json_field_number(json, "id", (int64_t)id);
    put_physical(json, report, secret_file(report, secret), secret->line, secret->column);
    sarif_put_message(json, report->arena, "message", words);
    json_end_object(json);
}

void sarif_put_secret_places(struct json_writer *json, const struct report *report,
                             const struct image_secret *found)
{
    const struct secret_place *places = found->places.items;
    json_put_key(json, "locations");
    json_begin_array(json);
    put_place(json, report, 0, found->secret, secret_place(report, found));
    json_end_array(json);
    if (found->places.count < 2)
        return;
    json_put_key(json, "relatedLocations");
    json_begin_array(json);
    for (size_t i = 1; i < found->places.count && i < LIMIT_SECRET_PLACES_LISTED; i++)
        put_place(json, report, i, places[i].secret, secret_place_words(report, &places[i]));
    json_end_array(json);
}
