/*
 * One document as JSON or as XML, for formats that exist as both: the same calls write either. The
 * order of calls must be the one that the XML schema asks for; JSON has none.
 */
#ifndef PLIMSOLL_REPORT_MARKUP_H
#define PLIMSOLL_REPORT_MARKUP_H

#include "base/json_write.h"

enum { MARKUP_DEPTH = 24 };

struct markup {
    bool xml;
    struct json_writer json;
    struct buffer *out;
    /* XML's own state */
    const char *open[MARKUP_DEPTH];
    bool is_list[MARKUP_DEPTH];
    unsigned depth;
    bool tag_open;
    bool has_children;
};

struct markup markup_start(struct buffer *out, bool xml);

/* An object under a name: "name": { … }, <name> … </name>; the name is XML's only in a list. */
void markup_begin(struct markup *markup, const char *name);
/* A list under a name, and an object in a list; `item` is XML's name of it. */
void markup_begin_list(struct markup *markup, const char *name);
void markup_begin_item(struct markup *markup, const char *item);
void markup_end(struct markup *markup);

/* A field that is an attribute in XML: before any other. Empty ones are left out. */
void markup_attribute(struct markup *markup, const char *name, slice value);
/* A field that is an element in XML. Empty ones are left out. */
void markup_field(struct markup *markup, const char *name, slice value);
/* A string in a list. */
void markup_value(struct markup *markup, const char *item, slice value);
void markup_decimal(struct markup *markup, const char *name, double number, int decimals);
/* {"name": name, "value": value} in a list; <property name="name">value</property>. */
void markup_property(struct markup *markup, slice name, slice value);
/* Text of the open element in XML, a field of that name in JSON. */
void markup_text(struct markup *markup, const char *name, slice value);

#endif
