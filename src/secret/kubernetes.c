/*
 * Kubernetes manifests: looked through as the text that they are, and then the entries of Secrets
 * once more, each as a line `kind=Secret NAME=VALUE` with its value out of base64, which is what
 * rules ask for; found at the place of the value.
 */
#include "secret/kinds.h"
#include "secret/checks.h"
#include "secret/manifest.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/line_table.h"
#include "base/text.h"

enum {
    VALUE_MOST = 1024,  /* of one line; what is longer is a file of its own, and found as text */
    BINARY_LEAST = 24,  /* characters of base64 that stand for bytes which are no text */
    LINE_AROUND = 2048, /* bytes of the line that are looked at for remarks */
};

/* Where a value stands in the lines, and in the file. */
struct line_entry {
    size_t name, at; /* in the lines: the entry's name, its value */
    size_t start, end;
    bool same; /* byte for byte */
};

struct manifests {
    struct secret_look *look;
    slice file;
    struct buffer lines, entries;
    struct line_table table;
    size_t known; /* so many hits were found in the text */
};

static bool has_suffix(slice path)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".json"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t length = strlen(suffixes[i]);
        if (path.len > length &&
            slice_equal_nocase(slice_from(path, path.len - length), slice_from_text(suffixes[i])))
            return true;
    }
    return false;
}

static bool is_manifest(const struct secret_look *look, slice head)
{
    return !memchr(head.ptr, '\0', head.len) &&
           (has_suffix(look->path) || slice_contains(head, SLICE("apiVersion")) ||
            slice_contains(head, SLICE("kind: Secret")));
}

/* -- one line for each entry ----------------------------------------------------------------------
 */

/* Whether it is one line of text; a line end behind it does not count. */
static bool is_one_line(slice *value)
{
    *value = slice_trim(*value);
    for (size_t i = 0; i < value->len; i++)
        if ((unsigned char)value->ptr[i] < ' ' || value->ptr[i] == 0x7f)
            return false;
    return value->len > 0;
}

/* Base64 as the API server takes it (RFC 4648, 4): no other letters, padded to whole groups. */
static bool is_strict_base64(slice text)
{
    size_t count = 0, padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (byte_is_space(c))
            continue;
        padding += c == '=';
        count++;
        if (c != '=' &&
            (padding || !(byte_is_alpha(c) || byte_is_digit(c) || c == '+' || c == '/')))
            return false;
    }
    return count && count % 4 == 0 && padding <= 2;
}

/* UTF-8 of one or more lines. */
static bool is_text(slice bytes)
{
    while (bytes.len) {
        size_t length = utf8_length(bytes);
        if (!length || ((unsigned char)bytes.ptr[0] < ' ' && !byte_is_space(bytes.ptr[0])))
            return false;
        bytes = slice_from(bytes, length);
    }
    return true;
}

/* Bytes that are no text count as they are written: those of a random key are random. */
static bool decode(slice *value, char *room, size_t size)
{
    if (!is_strict_base64(*value))
        return false;
    size_t count = secret_decode_base64(*value, room, size);
    if (count == SIZE_MAX || count == size)
        return false;
    slice decoded = slice_make(room, count);
    if (!is_text(decoded))
        return value->len >= BINARY_LEAST && is_one_line(value);
    *value = decoded;
    return true;
}

/* Out of its quotes; false where an escape is none. */
static bool unquote(const struct manifest_entry *entry, char *room, slice *value)
{
    size_t length = 0, count;
    for (slice rest = *value; rest.len;) {
        size_t used = 1;
        room[length] = rest.ptr[0];
        count = 1;
        if (entry->quote == '"')
            used = json_unescape_one(rest, room + length, &count);
        else if (rest.ptr[0] == '\'' && rest.len > 1)
            used = 2;
        if (!used)
            return false;
        length += count;
        rest = slice_from(rest, used);
    }
    *value = slice_make(room, length);
    return true;
}

/* What tools fill in or have encrypted: templates, references, SOPS. */
static bool is_filled_in_later(slice value)
{
    static const char *const marks[] = {"{{", "{%", "${", "$(", "<%", "ENC[", "vault:"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (slice_contains(value, slice_from_text(marks[i])))
            return true;
    return false;
}

static void add_name(struct buffer *lines, slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool plain = byte_is_alpha(c) || byte_is_digit(c) || c == '.' || c == '-';
        buffer_add_byte(lines, plain ? c : '_');
    }
}

static void add_line(void *context, const struct manifest_entry *entry)
{
    struct manifests *manifests = context;
    char room[VALUE_MOST + 4];
    slice value = entry->value;
    struct line_entry place = {.start = (size_t)(value.ptr - manifests->file.ptr)};
    place.end = place.start + value.len;
    if (value.len > VALUE_MOST || is_filled_in_later(value))
        return;
    if (entry->encoded ? !decode(&value, room, sizeof(room))
                       : entry->quote && !unquote(entry, room, &value))
        return;
    place.same = value.ptr != room && !entry->encoded;
    if (!is_one_line(&value) || is_filled_in_later(value))
        return;
    if (place.same)
        place.start = (size_t)(value.ptr - manifests->file.ptr);
    buffer_text(&manifests->lines, "kind=Secret ");
    place.name = manifests->lines.len;
    add_name(&manifests->lines, entry->name);
    buffer_add_byte(&manifests->lines, '=');
    place.at = manifests->lines.len;
    buffer_add(&manifests->lines, value);
    buffer_add_byte(&manifests->lines, '\n');
    buffer_add(&manifests->entries, slice_make(&place, sizeof(place)));
}

/* -- what is found in them ------------------------------------------------------------------------
 */

static const struct line_entry *entry_at(const struct manifests *manifests, uint64_t offset)
{
    const struct line_entry *entries = (const void *)manifests->entries.bytes;
    size_t low = 0, high = manifests->entries.len / sizeof(*entries);
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (entries[middle].at <= offset)
            low = middle;
        else
            high = middle;
    }
    return &entries[low];
}

static void set_line_around(slice file, struct secret_hit *hit)
{
    size_t from = hit->start > LINE_AROUND ? (size_t)hit->start - LINE_AROUND : 0;
    slice before = slice_make(file.ptr + from, (size_t)hit->start - from);
    slice after = slice_first(slice_from(file, (size_t)hit->end), LINE_AROUND);
    size_t line = slice_find_last(before, '\n');
    hit->line_before = line == SIZE_MAX ? before : slice_from(before, line + 1);
    hit->line_after = slice_first(after, slice_find(after, '\n'));
}

static void on_hit(void *context, const struct secret_hit *hit)
{
    struct manifests *manifests = context;
    const struct line_entry *entry = entry_at(manifests, hit->start);
    struct secret_hit told = *hit;
    if (hit->start < entry->at)
        return; /* in a name */
    told.name = slice_make(manifests->lines.bytes + entry->name, entry->at - 1 - entry->name);
    told.start = entry->start + (entry->same ? hit->start - entry->at : 0);
    told.end = entry->same ? told.start + (hit->end - hit->start) : entry->end;
    if (told.end > manifests->file.len)
        told.end = manifests->file.len;
    line_table_place(&manifests->table, (size_t)told.start, &told.line, &told.column);
    set_line_around(manifests->file, &told);
    secret_look_add_new(manifests->look, &told, 0, manifests->known);
}

static void look_at_secrets(struct secret_look *look, slice file)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct manifests manifests = {.look = look, .file = file, .known = look->hits->count};
    if (slice_contains(file, SLICE("Secret")))
        manifest_walk(file, add_line, &manifests);
    if (manifests.entries.len) {
        line_table_make(&manifests.table, file, &arena);
        look->incomplete |= !secret_scan(look->scanner, SECRET_TEXT, look->path,
                                         buffer_slice(&manifests.lines), on_hit, &manifests);
    }
    buffer_free(&manifests.lines);
    buffer_free(&manifests.entries);
}

/* All of it as text; only what is at hand of a large one is walked over. */
static struct error *look_at_manifest(struct secret_look *look, struct stream *stream)
{
    CLEANUP_BUFFER struct buffer file = {0};
    struct secret_text *text =
        secret_text_start(look->scanner, SECRET_TEXT, look->path, secret_look_hit, look);
    struct error *error = NULL;
    for (;;) {
        slice window;
        error = stream_some(stream, &window);
        if (error || window.len == 0)
            break;
        secret_text_add(text, window);
        buffer_add(&file, slice_first(window, LIMIT_SECRET_MANIFEST_BYTES - file.len));
        stream_take(stream, window.len);
    }
    look->incomplete |= !secret_text_end(text);
    look_at_secrets(look, buffer_slice(&file));
    secret_look_settle(look);
    return error;
}

const struct secret_kind secret_kind_manifest = {"Kubernetes manifest", is_manifest,
                                                 look_at_manifest};
