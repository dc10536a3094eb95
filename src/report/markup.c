#include "report/markup.h"
#include "report/parts.h"

struct markup markup_start(struct buffer *out, bool xml)
{
    return (struct markup){.xml = xml, .json = {.out = out}, .out = out};
}

static void indent(struct markup *markup)
{
    buffer_format(markup->out, "\n%*s", (int)(2 * markup->depth), "");
}

/* A child comes: the open element's tag ends here. */
static void close_tag(struct markup *markup)
{
    if (markup->tag_open)
        buffer_add_byte(markup->out, '>');
    markup->tag_open = false;
}

static void open_element(struct markup *markup, const char *name)
{
    close_tag(markup);
    if (markup->out->len)
        indent(markup);
    buffer_format(markup->out, "<%s", name);
    markup->open[markup->depth++] = name;
    markup->tag_open = true;
    markup->has_children = false;
}

static void begin(struct markup *markup, const char *name, bool list, bool in_list)
{
    if (markup->xml) {
        open_element(markup, name);
        return;
    }
    if (!in_list && name)
        json_put_key(&markup->json, name);
    if (list)
        json_begin_array(&markup->json);
    else
        json_begin_object(&markup->json);
    markup->is_list[markup->depth++] = list;
}

void markup_begin(struct markup *markup, const char *name)
{
    begin(markup, name, false, markup->depth == 0);
}

void markup_begin_list(struct markup *markup, const char *name)
{
    begin(markup, name, true, false);
}

void markup_begin_item(struct markup *markup, const char *item)
{
    begin(markup, item, false, true);
}

void markup_end(struct markup *markup)
{
    markup->depth--;
    if (!markup->xml) {
        if (markup->is_list[markup->depth])
            json_end_array(&markup->json);
        else
            json_end_object(&markup->json);
        return;
    }
    if (markup->tag_open)
        buffer_text(markup->out, "/>");
    else {
        if (markup->has_children)
            indent(markup);
        buffer_format(markup->out, "</%s>", markup->open[markup->depth]);
    }
    markup->tag_open = false;
    markup->has_children = true;
}

void markup_attribute(struct markup *markup, const char *name, slice value)
{
    if (value.len == 0)
        return;
    if (!markup->xml) {
        json_field(&markup->json, name, value);
        return;
    }
    buffer_format(markup->out, " %s=\"", name);
    xml_add(markup->out, value);
    buffer_add_byte(markup->out, '"');
}

static void add_element(struct markup *markup, const char *name, slice value)
{
    close_tag(markup);
    indent(markup);
    buffer_format(markup->out, "<%s>", name);
    xml_add(markup->out, value);
    buffer_format(markup->out, "</%s>", name);
    markup->has_children = true;
}

void markup_field(struct markup *markup, const char *name, slice value)
{
    if (value.len == 0)
        return;
    if (markup->xml)
        add_element(markup, name, value);
    else
        json_field(&markup->json, name, value);
}

void markup_value(struct markup *markup, const char *item, slice value)
{
    if (markup->xml)
        add_element(markup, item, value);
    else
        json_put_string(&markup->json, value);
}

void markup_decimal(struct markup *markup, const char *name, double number, int decimals)
{
    if (markup->xml) {
        close_tag(markup);
        indent(markup);
        buffer_format(markup->out, "<%s>%.*f</%s>", name, decimals, number, name);
        markup->has_children = true;
        return;
    }
    json_put_key(&markup->json, name);
    json_put_decimal(&markup->json, number, decimals);
}

void markup_property(struct markup *markup, slice name, slice value)
{
    markup_begin_item(markup, "property");
    markup_attribute(markup, "name", name);
    markup_text(markup, "value", value);
    markup_end(markup);
}

void markup_text(struct markup *markup, const char *name, slice value)
{
    if (!markup->xml) {
        json_field(&markup->json, name, value);
        return;
    }
    close_tag(markup);
    xml_add(markup->out, value);
    markup->has_children = false;
}
