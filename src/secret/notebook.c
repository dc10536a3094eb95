/*
 * Jupyter notebooks (nbformat 3 and 4): looked through as they lie there, for lines and columns,
 * and then cell by cell with JSON's escapes resolved, for what is split by them.
 */
#include "secret/kinds.h"
#include "base/json_scan.h"
#include "base/limits.h"

struct cell {
    size_t start, end; /* in the file */
    slice text;        /* all strings in it */
};

struct notebook {
    struct secret_look *look;
    slice text;
    struct list cells; /* of struct cell */
    struct arena arena;
    size_t at;    /* the cell that is looked through */
    size_t known; /* so many hits were found in the file as it lies there */
};

static bool is_notebook(const struct secret_look *look, slice head)
{
    return slice_ends(look->path, SLICE(".ipynb")) && slice_starts(slice_trim(head), SLICE("{"));
}

/* Every string of a value, one after the other: lines of a source end in line breaks already. */
static void collect(struct json_scan *scan, struct buffer *out, unsigned depth)
{
    slice key, value;
    char next = json_scan_peek(scan);
    if (next == '"' && json_scan_string(scan, &value)) {
        buffer_add(out, value);
    } else if (next == '[' && depth < LIMIT_JSON_DEPTH) {
        json_scan_enter(scan, '[');
        while (json_scan_item(scan))
            collect(scan, out, depth + 1);
        buffer_add_byte(out, '\n');
    } else if (next == '{' && depth < LIMIT_JSON_DEPTH) {
        json_scan_enter(scan, '{');
        while (json_scan_key(scan, &key)) {
            buffer_format(out, "\n%.*s: ", SLICE_ARG(key));
            collect(scan, out, depth + 1);
        }
        buffer_add_byte(out, '\n');
    } else if (next != '"') {
        json_scan_skip(scan);
    }
}

static void read_cells(struct notebook *notebook, struct json_scan *scan)
{
    json_scan_enter(scan, '[');
    while (json_scan_item(scan)) {
        CLEANUP_BUFFER struct buffer text = {0};
        struct cell cell = {.start = json_scan_offset(scan)};
        collect(scan, &text, 0);
        cell.end = json_scan_offset(scan);
        cell.text = arena_copy(&notebook->arena, buffer_slice(&text));
        *(struct cell *)list_add(&notebook->cells, &notebook->arena, sizeof(cell)) = cell;
    }
}

static void read_sheets(struct notebook *notebook, struct json_scan *scan, bool sheets)
{
    slice key;
    json_scan_enter(scan, '{');
    while (json_scan_key(scan, &key)) {
        if (slice_equal(key, SLICE("cells")) && json_scan_peek(scan) == '[') {
            read_cells(notebook, scan);
        } else if (sheets && slice_equal(key, SLICE("worksheets")) && json_scan_peek(scan) == '[') {
            json_scan_enter(scan, '[');
            while (json_scan_item(scan))
                read_sheets(notebook, scan, false);
        } else {
            json_scan_skip(scan);
        }
    }
}

static uint64_t cell_at(const struct notebook *notebook, uint64_t offset)
{
    const struct cell *cells = notebook->cells.items;
    for (size_t i = 0; i < notebook->cells.count; i++)
        if (offset >= cells[i].start && offset < cells[i].end)
            return i + 1;
    return 0;
}

static void on_raw_hit(void *context, const struct secret_hit *hit)
{
    const struct notebook *notebook = context;
    secret_look_add(notebook->look, hit, cell_at(notebook, hit->start));
}

/* In a cell: its place is the cell's, unless it was found there as it lies in the file. */
static void on_cell_hit(void *context, const struct secret_hit *hit)
{
    struct notebook *notebook = context;
    const struct cell *cell = (const struct cell *)notebook->cells.items + notebook->at;
    struct secret_hit told = *hit;
    told.start = notebook->text.len + cell->start + hit->start;
    told.end = told.start + (hit->end - hit->start);
    told.line = told.column = 1;
    for (size_t i = 0; i < cell->start; i++)
        told.line += notebook->text.ptr[i] == '\n';
    secret_look_add_new(notebook->look, &told, notebook->at + 1, notebook->known);
}

static void look_through(struct notebook *notebook)
{
    struct secret_look *look = notebook->look;
    struct json_scan scan;
    json_scan_start(&scan, notebook->text, &notebook->arena);
    if (json_scan_peek(&scan) == '{')
        read_sheets(notebook, &scan, true);
    bool whole =
        secret_scan(look->scanner, SECRET_TEXT, look->path, notebook->text, on_raw_hit, notebook);
    notebook->known = look->hits->count;
    const struct cell *cells = notebook->cells.items;
    for (; notebook->at < notebook->cells.count; notebook->at++)
        whole &= secret_scan(look->scanner, SECRET_TEXT, look->path, cells[notebook->at].text,
                             on_cell_hit, notebook);
    secret_look_settle(look);
    look->incomplete |= !whole;
}

static struct error *look_at_notebook(struct secret_look *look, struct stream *stream)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct notebook notebook = {.look = look};
    for (;;) {
        slice window;
        TRY(stream_some(stream, &window));
        if (window.len == 0)
            break;
        if (text.len + window.len > LIMIT_SECRET_NOTEBOOK_BYTES)
            return error_make(ERROR_LIMIT,
                              "this notebook has more than %llu bytes, the limit for one in which "
                              "secrets are looked for",
                              (unsigned long long)LIMIT_SECRET_NOTEBOOK_BYTES);
        buffer_add(&text, window);
        stream_take(stream, window.len);
    }
    notebook.text = buffer_slice(&text);
    look_through(&notebook);
    arena_free(&notebook.arena);
    return NULL;
}

const struct secret_kind secret_kind_notebook = {"notebook", is_notebook, look_at_notebook};
