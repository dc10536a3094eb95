/* What stands above the findings: the verdict, the facts, the charts; and the layers. */
#include "base/text.h"
#include "report/advice.h"
#include "report/html_parts.h"

/* The load line: the water stands below it, or has come above it. */
static void write_mark(struct page *page, bool pass)
{
    buffer_format(page->out,
                  "<svg class=\"mark\" viewBox=\"0 0 64 64\" width=\"64\" height=\"64\" "
                  "aria-hidden=\"true\" focusable=\"false\"><path class=\"water\" d=\"M0 %dq8 -6 "
                  "16 0t16 0t16 0t16 0V64H0z\"/><circle cx=\"32\" cy=\"32\" r=\"17\"/><path "
                  "d=\"M4 32h56\"/></svg>",
                  pass ? 46 : 20);
}

static void write_pointer(struct page *page, const char *section, size_t count, const char *thing)
{
    buffer_format(page->out, "<li><a href=\"#%s\">", section);
    page_text(page, html_count(page->arena, count, thing));
    page_html(page, "</a></li>");
}

/* What there is, each with the way to it: what was not judged must not hide at the bottom. */
static void write_pointers(struct page *page)
{
    const struct report *report = page->report;
    page_html(page, "<ul class=\"pointers\">");
    if (report->errors.count)
        write_pointer(page, "errors", report->errors.count, "error");
    if (report->vulnerabilities_wanted)
        write_pointer(page, "findings", page->finding_count, "finding");
    if (report->secrets_wanted)
        write_pointer(page, "secrets", page->secret_count, "secret");
    if (report->result->unjudged.count)
        page_html(page, "<li><a href=\"#unjudged\">not all could be judged</a></li>");
    page_html(page, "</ul>\n");
}

void html_verdict(struct page *page)
{
    const struct report *report = page->report;
    const struct verdict *verdict = report->verdict;
    const slice *reasons = verdict->reasons.items;
    bool gate = report->policy->exit_code || report->policy->has_fail_on;
    page_html(page, "<section class=\"verdict ");
    page_html(page, !verdict->pass ? "stop" : gate ? "pass" : "open");
    page_html(page, "\" aria-labelledby=\"verdict\">\n");
    write_mark(page, verdict->pass);
    page_html(page, "<div><h2 id=\"verdict\">");
    page_html(page, verdict->pass ? "May leave port" : "May not leave port");
    page_html(page, "</h2>\n<p>");
    if (verdict->pass && !gate)
        page_html(page, "No gate was set (--exit-code, --fail-on), so nothing that was found holds "
                        "it back.");
    else if (verdict->pass)
        page_html(page, "Nothing was found that the gate is there to stop.");
    else
        buffer_format(page->out, "Exit code %d, because:", verdict->exit_code);
    page_html(page, "</p>\n");
    if (verdict->reasons.count)
        page_html(page, "<ul class=\"reasons\">");
    for (size_t i = 0; i < verdict->reasons.count; i++) {
        page_html(page, "<li>");
        page_text(page, reasons[i]);
        page_html(page, "</li>");
    }
    page_html(page, verdict->reasons.count ? "</ul>\n" : "");
    write_pointers(page);
    page_html(page, "</div></section>\n");
}

static void write_fact(struct page *page, const char *name, slice value)
{
    if (value.len == 0)
        return;
    page_html(page, "<div><dt>");
    page_html(page, name);
    page_html(page, "</dt><dd>");
    page_text(page, value);
    page_html(page, "</dd></div>\n");
}

static slice store_words(const struct report *report)
{
    if (!report->store)
        return SLICE("there was no store of advisories");
    return arena_format(report->arena, "%s of %.*s, %.*s old",
                        report->store->starter ? "the starter store" : "store",
                        SLICE_ARG(slice_first(report->store->built, 10)),
                        SLICE_ARG(html_count(report->arena, report->store_age_days, "day")));
}

static slice end_of_life_words(const struct report *report)
{
    slice date = report->result->end_of_life;
    return report->result->is_end_of_life && date.len
               ? arena_format(report->arena, "%.*s, which has passed", SLICE_ARG(date))
               : date;
}

void html_facts(struct page *page)
{
    const struct report *report = page->report;
    const struct image *image = report->image;
    const struct os *os = &report->inventory->os;
    page_html(page, "<section aria-labelledby=\"facts\">\n<h2 id=\"facts\">What was scanned</h2>\n"
                    "<dl class=\"facts\">\n");
    write_fact(page, page->flat ? "Folder" : "Image", image->name);
    write_fact(page, "Tags", list_join(&image->tags, ", ", page->arena));
    write_fact(page, "Digest", image->digest);
    write_fact(page, "Platform", image->platform);
    write_fact(page, "Operating system", os->found ? os->name : SLICE("no distribution known"));
    write_fact(page, "End of life", end_of_life_words(report));
    write_fact(page, "Base image", image->base_name);
    if (!page->flat)
        write_fact(page, "Layers", html_number(page->arena, image->layer_count));
    write_fact(page, "Packages", html_number(page->arena, report->inventory->components.count));
    if (report->vulnerabilities_wanted)
        write_fact(page, "Advisories", store_words(report));
    page_html(page, "</dl>\n");
    slice sentence = end_of_life_sentence(report->result, os, page->arena);
    if (sentence.len) {
        page_html(page, "<p class=\"warning\">");
        page_text(page, sentence);
        page_html(page, "</p>\n");
    }
    page_html(page, "</section>\n");
}

/* A bar of parts, one a severity, the worst first; `most` fills the whole width. */
static void write_bar(struct page *page, const size_t by_severity[SEVERITY_COUNT], size_t most)
{
    uint64_t at = 0;
    page_html(page, "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
                    "aria-hidden=\"true\" focusable=\"false\">");
    for (int i = SEVERITY_CRITICAL; i >= 0; i--) {
        uint64_t width = by_severity[i] * UINT64_C(1000) / (most ? most : 1);
        if (by_severity[i] && width < 4)
            width = 4; /* few, but there */
        if (width)
            buffer_format(page->out, "<rect class=\"%s\" x=\"%llu\" width=\"%llu\" height=\"10\"/>",
                          html_class((enum severity)i), (unsigned long long)at,
                          (unsigned long long)width);
        at += width;
    }
    page_html(page, "</svg>");
}

/* "2 critical, 5 high" */
static slice counts_in_words(struct arena *arena, const size_t by_severity[SEVERITY_COUNT])
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (int i = SEVERITY_CRITICAL; i >= 0; i--)
        if (by_severity[i])
            buffer_format(&text, "%s%.*s %s", text.len ? ", " : "",
                          SLICE_ARG(html_number(arena, by_severity[i])),
                          html_class((enum severity)i));
    return arena_copy(arena, buffer_slice(&text));
}

static void write_chart_row(struct page *page, const char *name,
                            const size_t by_severity[SEVERITY_COUNT], size_t most, slice words)
{
    size_t all = 0;
    for (size_t i = 0; i < SEVERITY_COUNT; i++)
        all += by_severity[i];
    page_html(page, "<tr><th scope=\"row\">");
    page_html(page, name);
    page_html(page, "</th><td class=\"number\">");
    page_text(page, html_number(page->arena, all));
    page_html(page, "</td><td>");
    write_bar(page, by_severity, most);
    page_html(page, " <span class=\"words\">");
    page_text(page, words);
    page_html(page, "</span></td></tr>\n");
}

static void open_chart(struct page *page, const char *caption, const char *first)
{
    page_html(page, "<table class=\"chart\">\n<caption>");
    page_html(page, caption);
    page_html(page, "</caption>\n<thead><tr><th scope=\"col\">");
    page_html(page, first);
    page_html(page, "</th><th scope=\"col\">Findings</th><th scope=\"col\">Part</th></tr></thead>\n"
                    "<tbody>\n");
}

static void write_severity_chart(struct page *page)
{
    const size_t *counts = page->counts.by_severity;
    size_t most = 0;
    for (size_t i = 0; i < SEVERITY_COUNT; i++)
        most = counts[i] > most ? counts[i] : most;
    open_chart(page, "By severity", "Severity");
    for (int i = SEVERITY_CRITICAL; i >= 0; i--) {
        size_t one[SEVERITY_COUNT] = {0};
        one[i] = counts[i];
        uint64_t tenths = (counts[i] * UINT64_C(2000) / page->counts.all + 1) / 2;
        write_chart_row(page, severity_names[i], one, most,
                        arena_format(page->arena, "%llu.%llu %%", (unsigned long long)tenths / 10,
                                     (unsigned long long)tenths % 10));
    }
    page_html(page, "</tbody>\n</table>\n");
}

/* Whether an origin is known of any. */
static bool write_origin_chart(struct page *page)
{
    size_t counts[HTML_ORIGINS][SEVERITY_COUNT] = {0}, all[HTML_ORIGINS] = {0}, most = 0;
    bool guessed, any_guessed = false;
    for (size_t i = 0; i < page->finding_count; i++) {
        const struct finding *finding = page->findings[i];
        enum html_origin origin = html_origin_of(page->report, finding->component->layer, &guessed);
        any_guessed = any_guessed || guessed;
        counts[origin][finding->severity]++;
        if (++all[origin] > most)
            most = all[origin];
    }
    open_chart(page, any_guessed ? "By origin (a guess from the image's history)" : "By origin",
               "Origin");
    for (size_t i = 0; i < HTML_ORIGINS; i++)
        if (all[i] || i != HTML_UNKNOWN)
            write_chart_row(page, html_origin_names[i], counts[i], most,
                            counts_in_words(page->arena, counts[i]));
    page_html(page, "</tbody>\n</table>\n");
    return all[HTML_UNKNOWN] < page->finding_count;
}

void html_charts(struct page *page)
{
    const struct report_counts *counts = &page->counts;
    struct arena *arena = page->arena;
    if (!page->report->vulnerabilities_wanted || counts->all == 0)
        return;
    page_html(page, "<section aria-labelledby=\"numbers\">\n<h2 id=\"numbers\">In numbers</h2>\n"
                    "<p>");
    page_text(page,
              arena_format(
                  arena,
                  "%.*s: an upgrade repairs %.*s, and %.*s known to be exploited "
                  "(CISA's list).",
                  SLICE_ARG(html_count(arena, counts->all, "finding")),
                  SLICE_ARG(html_number(arena, counts->fixable)),
                  SLICE_ARG(counts->exploited < 2
                                ? counts->exploited ? SLICE("1 is") : SLICE("none is")
                                : arena_format(arena, "%.*s are",
                                               SLICE_ARG(html_number(arena, counts->exploited))))));
    page_html(page, "</p>\n");
    slice advice = advice_write(page->report);
    if (advice.len) {
        page_html(page, "<p class=\"advice\">");
        page_text(page, advice);
        page_html(page, "</p>\n");
    }
    page_html(page, "<div class=\"charts\">\n");
    write_severity_chart(page);
    bool known = page->flat || write_origin_chart(page);
    page_html(page, "</div>\n");
    if (!known)
        page_html(page, "<p class=\"note\">Nothing tells which layers are the base image's; "
                        "--base-image names it.</p>\n");
    page_html(page, "</section>\n");
}

/* What came with each layer; one more place for what no layer brought. */
struct brought {
    size_t by_severity[SEVERITY_COUNT], all, secrets;
};

/* A secret counts once for each layer that has it. */
static void count_secrets(const struct page *page, struct brought *brought)
{
    size_t layers = page->report->image->layer_count;
    size_t *counted = arena_array(page->arena, layers + 1, sizeof(size_t)); /* the last, from 1 */
    for (size_t i = 0; i < page->secret_count; i++) {
        const struct secret_place *places = page->secrets[i]->places.items;
        for (size_t j = 0; j < page->secrets[i]->places.count; j++) {
            size_t layer = places[j].layer < layers ? places[j].layer : layers;
            brought[layer].secrets += counted[layer] != i + 1;
            counted[layer] = i + 1;
        }
    }
}

static const struct brought *count_brought(const struct page *page, size_t *most)
{
    size_t layers = page->report->image->layer_count;
    struct brought *brought = arena_array(page->arena, layers + 1, sizeof(struct brought));
    *most = 0;
    for (size_t i = 0; i < page->finding_count; i++) {
        size_t layer = page->findings[i]->component->layer;
        struct brought *one = &brought[layer < layers ? layer : layers];
        one->by_severity[page->findings[i]->severity]++;
        if (++one->all > *most)
            *most = one->all;
    }
    count_secrets(page, brought);
    return brought;
}

static void write_layer(struct page *page, size_t index, const struct brought *brought, size_t most)
{
    const struct image_layer *layer = &page->report->image->layers[index];
    bool guessed;
    enum html_origin origin = html_origin_of(page->report, index, &guessed);
    buffer_format(page->out, "<tr id=\"layer-%zu\"><th scope=\"row\" data-label=\"Layer\">%zu</th>",
                  index, index);
    page_open_cell(page, "Instruction", "instruction");
    page_html(page, layer->instruction.len ? "<code>" : "<span class=\"quiet\">not known");
    page_text(page, layer->instruction);
    page_html(page, layer->instruction.len ? "</code></td>" : "</span></td>");
    page_cell(
        page, "Origin", NULL,
        arena_format(page->arena, "%s%s", html_origin_names[origin], guessed ? " (a guess)" : ""),
        "");
    page_cell(page, "Size", "number", text_size(page->arena, layer->size), "");
    page_open_cell(page, "Findings", "brought");
    if (brought->all) {
        page_text(page, html_number(page->arena, brought->all));
        write_bar(page, brought->by_severity, most);
        page_html(page, " <span class=\"words\">");
        page_text(page, counts_in_words(page->arena, brought->by_severity));
        page_html(page, "</span>");
    } else {
        page_html(page, "<span class=\"quiet\">none</span>");
    }
    page_html(page, "</td>");
    page_cell(page, "Secrets", "number",
              brought->secrets ? html_number(page->arena, brought->secrets) : SLICE_EMPTY, "none");
    page_html(page, "</tr>\n");
}

void html_layers(struct page *page)
{
    size_t most, count = page->report->image->layer_count;
    if (page->flat || count == 0)
        return;
    const struct brought *brought = count_brought(page, &most);
    page_html(page, "<section aria-labelledby=\"layers\">\n<h2 id=\"layers\">Layers</h2>\n");
    page_open_table(page, "layers-table", "Layers, the lowest first, and what came with each",
                    "Layer|Instruction|Origin|Size|Findings|Secrets");
    for (size_t i = 0; i < count; i++)
        write_layer(page, i, &brought[i], most);
    page_close_table(page);
    page_html(page, "</section>\n");
}
