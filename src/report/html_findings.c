/*
 * The findings: the most severe as rows of HTML, all of them as data, from which the script makes
 * rows of the same form (`row` in html/report.js; a test compares the two).
 */
#include "base/json_write.h"
#include "base/map.h"
#include "report/html_parts.h"

static slice score_of(const struct finding *finding, struct arena *arena)
{
    if (finding->score_tenths < 0)
        return SLICE_EMPTY;
    return arena_format(arena, "%d.%d", finding->score_tenths / 10, finding->score_tenths % 10);
}

static slice epss_of(const struct finding *finding, struct arena *arena)
{
    return finding->epss < 0 ? SLICE_EMPTY : arena_format(arena, "%.2f %%", finding->epss * 100);
}

/* "will not fix" */
static slice status_of(const struct finding *finding, struct arena *arena)
{
    char *words = arena_text(arena, slice_from_text(finding->status));
    for (char *at = words; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    return slice_from_text(words);
}

static void write_small(struct page *page, slice text)
{
    if (text.len == 0)
        return;
    page_html(page, " <small>");
    page_text(page, text);
    page_html(page, "</small>");
}

static void write_id(struct page *page, const struct finding *finding)
{
    page_html(page, "<th scope=\"row\" data-label=\"Vulnerability\"><a rel=\"noopener noreferrer\" "
                    "href=\"");
    page_text(page, report_url(finding, page->arena));
    page_html(page, "\">");
    page_text(page, finding->id);
    page_html(page, "</a>");
    write_small(page, list_join(&finding->aliases, ", ", page->arena));
    page_html(page, "</th>");
}

static void write_row(struct page *page, const struct finding *finding)
{
    const struct component *component = finding->component;
    struct arena *arena = page->arena;
    bool guessed;
    page_html(page, "<tr>");
    page_open_cell(page, "Severity", NULL);
    page_severity(page, finding->severity);
    write_small(page, score_of(finding, arena));
    page_html(page, "</td>");
    write_id(page, finding);
    page_open_cell(page, "Package", NULL);
    page_text(page, component->name);
    write_small(page, component->type);
    page_html(page, "</td>");
    page_cell(page, "Installed", NULL, component->version, "not known");
    page_cell(page, "Fixed in", NULL, report_fixed(finding, arena), "no fix");
    page_cell(page, "Status", NULL, status_of(finding, arena), "");
    page_cell(page, "EPSS", "number", epss_of(finding, arena), "–");
    page_cell(page, "Exploited", finding->kev ? "exploited" : NULL,
              finding->kev ? SLICE("yes (KEV)") : SLICE_EMPTY, "–");
    if (!page->flat) {
        page_open_cell(page, "Layer", "layer");
        page_layer(page, component->layer);
        page_html(page, "</td>");
        enum html_origin origin = html_origin_of(page->report, component->layer, &guessed);
        page_cell(page, "Origin", NULL, slice_from_text(html_origin_names[origin]), "");
    }
    page_html(page, "</tr>\n");
}

static void write_table(struct page *page)
{
    size_t rows = page->finding_count < HTML_ROWS ? page->finding_count : HTML_ROWS;
    page_html(page, html_controls);
    page_html(page, "<p id=\"shown\" class=\"shown\" role=\"status\">");
    page_text(page, html_count(page->arena, page->finding_count, "finding"));
    page_html(page, "</p>\n");
    if (rows < page->finding_count) {
        page_html(page, "<p id=\"cut\" class=\"note\">");
        page_text(page, arena_format(page->arena,
                                     "The %.*s most severe are listed here. With JavaScript this "
                                     "page shows them all; so does --format json.",
                                     SLICE_ARG(html_number(page->arena, rows))));
        page_html(page, "</p>\n");
    }
    page_open_table(page, "findings-table",
                    "Vulnerabilities that were found, the most severe first",
                    page->flat ? "Severity|Vulnerability|Package|Installed|Fixed "
                                 "in|Status|EPSS|Exploited"
                               : "Severity|Vulnerability|Package|Installed|Fixed "
                                 "in|Status|EPSS|Exploited|Layer|Origin");
    for (size_t i = 0; i < rows; i++)
        write_row(page, page->findings[i]);
    page_close_table(page);
    page_html(page, "<nav id=\"pager\" class=\"pager\" aria-label=\"Pages of findings\" hidden>"
                    "</nav>\n");
}

void html_findings(struct page *page)
{
    const struct report *report = page->report;
    page_html(page, "<section aria-labelledby=\"findings\">\n"
                    "<h2 id=\"findings\" tabindex=\"-1\">Findings</h2>\n");
    if (!report->vulnerabilities_wanted)
        page_html(page, "<p>Vulnerabilities were not looked for (--scanners).</p>\n");
    else if (page->finding_count)
        write_table(page);
    else if (!report->store)
        page_html(page, "<p>Not looked for: there was no store of advisories.</p>\n");
    else if (report->errors.count || report->result->unjudged.count)
        page_html(page, "<p>No findings in what could be judged. See what could not.</p>\n");
    else
        page_html(page, "<p>No findings.</p>\n");
    page_html(page, "</section>\n");
}

/* Texts that stand in the data once and are named by their number. */
struct texts {
    struct map numbers; /* of size_t, one more than the number */
    struct list all;    /* of slice */
};

static size_t number_of(struct texts *texts, struct arena *arena, slice text)
{
    size_t *known = map_get(&texts->numbers, text);
    if (known)
        return *known;
    size_t *number = ARENA_NEW(arena, size_t);
    *number = texts->all.count;
    *(slice *)list_add(&texts->all, arena, sizeof(slice)) = text;
    map_put(&texts->numbers, text, number);
    return *number;
}

static void put_visible(struct json_writer *json, struct arena *arena, slice text)
{
    json_put_string(json, html_visible(arena, text));
}

/* A component's part of the rows of its findings: written once, named by its number. */
static void put_packages(struct json_writer *json, struct page *page, struct texts *refs)
{
    json_put_key(json, "packages");
    json_begin_array(json);
    for (size_t i = 0; i < page->finding_count; i++) {
        const struct component *component = page->findings[i]->component;
        size_t before = refs->all.count;
        number_of(refs, page->arena, component->ref);
        if (refs->all.count == before)
            continue;
        json_begin_array(json);
        put_visible(json, page->arena, component->name);
        put_visible(json, page->arena, component->type);
        put_visible(json, page->arena, component->version);
        json_put_number(json, (int64_t)component->layer);
        json_end_array(json);
    }
    json_end_array(json);
}

static void put_layers(struct json_writer *json, struct page *page)
{
    bool guessed;
    json_put_key(json, "layers");
    json_begin_array(json);
    for (size_t i = 0; i < page->report->image->layer_count; i++) {
        json_begin_array(json);
        json_put_string(json, html_instruction(page->report, i));
        json_put_string(
            json, slice_from_text(html_origin_names[html_origin_of(page->report, i, &guessed)]));
        json_end_array(json);
    }
    json_end_array(json);
}

/* The address without the id at its end, where that stands in it as it is; else whole. */
static void put_address(struct json_writer *json, struct page *page, struct texts *places,
                        const struct finding *finding)
{
    slice address = report_url(finding, page->arena);
    if (slice_ends(address, finding->id))
        json_put_number(json,
                        (int64_t)number_of(places, page->arena,
                                           slice_first(address, address.len - finding->id.len)));
    else
        json_put_string(json, address);
}

static void put_finding(struct json_writer *json, struct page *page, struct texts *refs,
                        struct texts *places, const struct finding *finding)
{
    struct arena *arena = page->arena;
    json_begin_array(json);
    json_put_number(json, finding->severity);
    json_put_string(json, score_of(finding, arena));
    put_visible(json, arena, finding->id);
    put_address(json, page, places, finding);
    put_visible(json, arena, list_join(&finding->aliases, ", ", arena));
    json_put_number(json, (int64_t)number_of(refs, arena, finding->component->ref));
    put_visible(json, arena, report_fixed(finding, arena));
    json_put_string(json, status_of(finding, arena));
    json_put_string(json, epss_of(finding, arena));
    json_put_number(json, finding->kev);
    json_end_array(json);
}

/*
 * HTML living standard, 4.12.1.3: in a script's text "<!--", "<script" and "</script" have a
 * meaning. In JSON '<' and '>' stand in strings only, where they may be written as escapes; '&' as
 * well, for whatever reads the page as XML.
 */
static void add_harmless(struct buffer *out, slice json)
{
    size_t from = 0;
    for (size_t i = 0; i < json.len; i++) {
        char byte = json.ptr[i];
        if (byte != '<' && byte != '>' && byte != '&')
            continue;
        buffer_add(out, slice_make(json.ptr + from, i - from));
        buffer_format(out, "\\u%04x", byte);
        from = i + 1;
    }
    buffer_add(out, slice_from(json, from));
}

void html_data(struct page *page)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct json_writer json = {.out = &text, .compact = true};
    struct texts refs = {.numbers.arena = page->arena}, places = {.numbers.arena = page->arena};
    if (!page->report->vulnerabilities_wanted || page->finding_count == 0)
        return;
    json_begin_object(&json);
    json_field_bool(&json, "flat", page->flat);
    put_layers(&json, page);
    put_packages(&json, page, &refs);
    json_put_key(&json, "findings");
    json_begin_array(&json);
    for (size_t i = 0; i < page->finding_count; i++)
        put_finding(&json, page, &refs, &places, page->findings[i]);
    json_end_array(&json);
    json_field_strings(&json, "places", places.all.items, places.all.count);
    json_end_object(&json);
    page_html(page, "<script type=\"application/json\" id=\"data\">");
    add_harmless(page->out, buffer_slice(&text));
    page_html(page, "</script>\n");
}
