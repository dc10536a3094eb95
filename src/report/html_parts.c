#include "report/html_parts.h"
#include "base/text.h"

enum { INSTRUCTION_COLUMNS = 64 };

const char *const html_origin_names[HTML_ORIGINS] = {"base image", "own layers", "not known"};

void page_html(struct page *page, const char *markup)
{
    buffer_text(page->out, markup);
}

static bool is_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

/* Unicode 23.7, noncharacters: a parse error in HTML, even as a reference. */
static bool is_noncharacter(uint32_t code)
{
    return (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
}

slice html_visible(struct arena *arena, slice text)
{
    if (is_plain(text))
        return text;
    CLEANUP_BUFFER struct buffer out = {0};
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, text);
    slice rest = buffer_slice(&safe);
    while (rest.len) {
        size_t length = utf8_length(rest);
        uint32_t code = utf8_decode(rest, length);
        if (is_noncharacter(code))
            buffer_format(&out, "\\u%04x", code);
        else
            buffer_add(&out, slice_first(rest, length));
        rest = slice_from(rest, length);
    }
    return arena_copy(arena, buffer_slice(&out));
}

static const char *escape_of(char byte)
{
    return byte == '<'    ? "&lt;"
           : byte == '>'  ? "&gt;"
           : byte == '&'  ? "&amp;"
           : byte == '"'  ? "&quot;"
           : byte == '\'' ? "&#39;"
                          : NULL;
}

void page_text(struct page *page, slice text)
{
    slice visible = html_visible(page->arena, text);
    size_t from = 0;
    for (size_t i = 0; i < visible.len; i++) {
        const char *escape = escape_of(visible.ptr[i]);
        if (!escape)
            continue;
        buffer_add(page->out, slice_make(visible.ptr + from, i - from));
        buffer_text(page->out, escape);
        from = i + 1;
    }
    buffer_add(page->out, slice_from(visible, from));
}

void page_open_cell(struct page *page, const char *label, const char *class)
{
    page_html(page, "<td");
    if (class) {
        page_html(page, " class=\"");
        page_html(page, class);
        page_html(page, "\"");
    }
    page_html(page, " data-label=\"");
    page_html(page, label);
    page_html(page, "\">");
}

void page_cell(struct page *page, const char *label, const char *class, slice text,
               const char *quiet)
{
    page_open_cell(page, label, class);
    if (text.len) {
        page_text(page, text);
    } else {
        page_html(page, "<span class=\"quiet\">");
        page_html(page, quiet);
        page_html(page, "</span>");
    }
    page_html(page, "</td>");
}

void page_severity(struct page *page, enum severity severity)
{
    page_html(page, "<span class=\"severity ");
    page_html(page, html_class(severity));
    page_html(page, "\">");
    page_html(page, severity_names[severity]);
    page_html(page, "</span>");
}

void page_open_table(struct page *page, const char *id, const char *caption, const char *headings)
{
    slice rest = slice_from_text(headings), heading;
    page_html(page, "<div class=\"wide\"><table class=\"cards\" id=\"");
    page_html(page, id);
    page_html(page, "\">\n<caption>");
    page_html(page, caption);
    page_html(page, "</caption>\n<thead><tr>");
    while (rest.len && slice_pull(&rest, '|', &heading)) {
        page_html(page, "<th scope=\"col\">");
        buffer_add(page->out, heading);
        page_html(page, "</th>");
    }
    page_html(page, "</tr></thead>\n<tbody>\n");
}

void page_close_table(struct page *page)
{
    page_html(page, "</tbody>\n</table></div>\n");
}

void page_say_cut(struct page *page, size_t count, const char *things)
{
    if (count <= HTML_ROWS)
        return;
    page_html(page, "<p class=\"note\">");
    page_text(page, arena_format(page->arena,
                                 "The first %.*s of %.*s %s are listed; the JSON report (--format "
                                 "json) has them all.",
                                 SLICE_ARG(html_number(page->arena, HTML_ROWS)),
                                 SLICE_ARG(html_number(page->arena, count)), things));
    page_html(page, "</p>\n");
}

void page_layer(struct page *page, size_t layer)
{
    slice instruction = html_instruction(page->report, layer);
    buffer_format(page->out, "<a href=\"#layer-%zu\">%zu</a>", layer, layer);
    if (instruction.len) {
        page_html(page, " <code>");
        page_text(page, instruction);
        page_html(page, "</code>");
    }
}

slice html_number(struct arena *arena, uint64_t number)
{
    char text[32];
    size_t at = sizeof(text), digits = 0;
    do {
        if (digits && digits % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + number % 10);
        digits++;
        number /= 10;
    } while (number);
    return arena_copy(arena, slice_make(text + at, sizeof(text) - at));
}

slice html_count(struct arena *arena, size_t count, const char *thing)
{
    return arena_format(arena, "%.*s %s%s", SLICE_ARG(html_number(arena, count)), thing,
                        count == 1 ? "" : "s");
}

const char *html_class(enum severity severity)
{
    static const char *const classes[SEVERITY_COUNT] = {"unknown", "negligible", "low",
                                                        "medium",  "high",       "critical"};
    return classes[severity];
}

enum html_origin html_origin_of(const struct report *report, size_t layer, bool *guessed)
{
    const struct image *image = report->image;
    enum base_state base = layer < image->layer_count ? image->layers[layer].base : BASE_UNKNOWN;
    *guessed = false;
    if (base != BASE_UNKNOWN)
        return base == BASE_YES ? HTML_BASE : HTML_OWN;
    if (image->guessed_base_layers == SIZE_MAX)
        return HTML_UNKNOWN;
    *guessed = true;
    return layer < image->guessed_base_layers ? HTML_BASE : HTML_OWN;
}

slice html_instruction(const struct report *report, size_t layer)
{
    if (layer >= report->image->layer_count)
        return SLICE_EMPTY;
    CLEANUP_BUFFER struct buffer cut = {0};
    text_add_cut(&cut, html_visible(report->arena, report->image->layers[layer].instruction),
                 INSTRUCTION_COLUMNS);
    return arena_copy(report->arena, buffer_slice(&cut));
}
