/*
 * Jupyter notebooks (nbformat 3 and 4), by their name or by what stands in them. Their strings are
 * looked through as the text that they stand for, and what is found is told at its place in the
 * file; then the file as it lies there, for what only a name and a value in quotes give away.
 */
#include "secret/kinds.h"
#include "base/limits.h"
#include "base/line_table.h"
#include "secret/json_text.h"

/* Where it stands in the file. */
struct cell {
    uint32_t start, end;
};

struct notebook {
    struct secret_look *look;
    slice file;
    struct json_text strings;
    struct buffer cells; /* of struct cell */
    struct line_table lines, lines_of_strings;
    struct arena arena;
    size_t known; /* so many hits were found in the strings */
};

static bool is_named_so(const struct secret_look *look)
{
    return slice_ends(look->path, SLICE(".ipynb"));
}

/* Whether it may be a notebook: any JSON object without such a name is read further to see. */
static bool may_be_notebook(const struct secret_look *look, slice head)
{
    slice text = slice_starts(head, SLICE("\xef\xbb\xbf")) ? slice_from(head, 3) : head;
    return slice_starts(slice_trim(text), SLICE("{")) &&
           (is_named_so(look) || !memchr(head.ptr, '\0', head.len));
}

/* The keys of nbformat's schema; writers sort them, so that "nbformat" may stand at the far end. */
static bool has_keys_of_notebook(slice text)
{
    return slice_contains(text, SLICE("\"nbformat\"")) ||
           (slice_contains(text, SLICE("\"cells\"")) &&
            slice_contains(text, SLICE("\"cell_type\"")));
}

/* -- what stands in it ----------------------------------------------------------------------------
 */

static void read_cells(struct notebook *notebook, struct json_scan *scan)
{
    json_scan_enter(scan, '[');
    while (json_scan_item(scan)) {
        struct cell cell = {.start = (uint32_t)json_scan_offset(scan)};
        json_text_add_value(&notebook->strings, scan);
        cell.end = (uint32_t)json_scan_offset(scan);
        buffer_add(&notebook->cells, slice_make(&cell, sizeof(cell)));
    }
}

/* What is no cell (metadata, above all) belongs to none. */
static void read_sheets(struct notebook *notebook, struct json_scan *scan, bool sheets)
{
    slice key;
    json_scan_enter(scan, '{');
    while (json_scan_raw_key(scan, &key)) {
        if (slice_equal(key, SLICE("cells")) && json_scan_peek(scan) == '[') {
            read_cells(notebook, scan);
        } else if (sheets && slice_equal(key, SLICE("worksheets")) && json_scan_peek(scan) == '[') {
            json_scan_enter(scan, '[');
            while (json_scan_item(scan))
                read_sheets(notebook, scan, false);
        } else {
            json_text_add_member(&notebook->strings, key, scan);
        }
    }
}

/* The number of the cell, from 1, or 0. */
static uint64_t cell_at(const struct notebook *notebook, uint64_t offset)
{
    const struct cell *cells = (const void *)notebook->cells.bytes;
    size_t low = 0, high = notebook->cells.len / sizeof(*cells);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cells[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < notebook->cells.len / sizeof(*cells) && cells[low].start <= offset ? low + 1 : 0;
}

/* -- what is found in it --------------------------------------------------------------------------
 */

/* In the strings: a key of many lines is told where its first line is. */
static void on_string_hit(void *context, const struct secret_hit *hit)
{
    const struct notebook *notebook = context;
    const struct json_text *strings = &notebook->strings;
    struct secret_hit told = *hit;
    size_t at = line_table_offset(&notebook->lines_of_strings, hit->line, hit->column);
    told.start = json_text_place(strings, (size_t)hit->start);
    told.end = json_text_place(strings, (size_t)hit->end - 1) + 1;
    line_table_place(&notebook->lines, json_text_place(strings, at), &told.line, &told.column);
    secret_look_add(notebook->look, &told, cell_at(notebook, told.start));
}

static void on_raw_hit(void *context, const struct secret_hit *hit)
{
    const struct notebook *notebook = context;
    secret_look_add_new(notebook->look, hit, cell_at(notebook, hit->start), notebook->known);
}

static struct error *look_through(struct notebook *notebook)
{
    struct secret_look *look = notebook->look;
    struct json_scan scan;
    json_text_start(&notebook->strings, notebook->file);
    json_scan_start(&scan, notebook->file, &notebook->arena);
    if (json_scan_peek(&scan) == '{')
        read_sheets(notebook, &scan, true);
    slice strings = buffer_slice(&notebook->strings.text);
    line_table_make(&notebook->lines, notebook->file, &notebook->arena);
    line_table_make(&notebook->lines_of_strings, strings, &notebook->arena);
    bool whole =
        secret_scan(look->scanner, SECRET_TEXT, look->path, strings, on_string_hit, notebook);
    notebook->known = look->hits->count;
    whole &=
        secret_scan(look->scanner, SECRET_TEXT, look->path, notebook->file, on_raw_hit, notebook);
    secret_look_settle(look);
    look->incomplete |= !whole;
    return notebook->strings.full
               ? error_make(ERROR_LIMIT,
                            "this notebook's strings take more than %llu bytes, the limit; what "
                            "is behind them was looked through as it lies there",
                            (unsigned long long)LIMIT_SECRET_JSON_TEXT_BYTES)
               : NULL;
}

/* -- the file -------------------------------------------------------------------------------------
 */

static struct error *read_file(struct stream *stream, struct buffer *text, bool *whole)
{
    slice window;
    *whole = false;
    for (;;) {
        TRY(stream_some(stream, &window));
        if (text->len + window.len > LIMIT_SECRET_NOTEBOOK_BYTES)
            return NULL;
        *whole = window.len == 0;
        if (*whole)
            return NULL;
        buffer_add(text, window);
        stream_take(stream, window.len);
    }
}

static struct error *too_large(void)
{
    return error_make(ERROR_LIMIT,
                      "this notebook has more than %llu bytes, the limit for one whose cells are "
                      "looked through; it was looked through as text",
                      (unsigned long long)LIMIT_SECRET_NOTEBOOK_BYTES);
}

static struct error *look_at_notebook(struct secret_look *look, struct stream *stream)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct notebook notebook = {.look = look};
    bool whole;
    TRY(read_file(stream, &text, &whole));
    if (!whole) {
        TRY(secret_look_plain_from(look, buffer_slice(&text), stream, SECRET_TEXT, UINT64_MAX));
        return is_named_so(look) ? too_large() : NULL;
    }
    notebook.file = buffer_slice(&text);
    struct error *error = look_through(&notebook);
    json_text_free(&notebook.strings);
    buffer_free(&notebook.cells);
    arena_free(&notebook.arena);
    return error;
}

static struct error *look_at_json(struct secret_look *look, struct stream *stream)
{
    slice window;
    TRY(stream_need(stream, STREAM_WINDOW, &window));
    if (is_named_so(look) || has_keys_of_notebook(window))
        return look_at_notebook(look, stream);
    return secret_kind_manifest.look(look, stream);
}

const struct secret_kind secret_kind_notebook = {"notebook", may_be_notebook, look_at_json};
