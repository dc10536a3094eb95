/* Package URLs: the purl specification, and its type definitions for deb, pypi and conda. */
#include "inventory/internal.h"

/* Percent-encodes all but what the specification leaves as it is. */
static void add_encoded(struct buffer *out, slice s)
{
    buffer_add_percent(out, s, ".-_~:");
}

struct qualifiers {
    struct buffer *out;
    bool any;
};

/* In the order of their keys, as the canonical form has them. */
static void add_qualifier(struct qualifiers *qualifiers, const char *key, slice value)
{
    if (value.len == 0)
        return;
    buffer_add_byte(qualifiers->out, qualifiers->any ? '&' : '?');
    buffer_text(qualifiers->out, key);
    buffer_add_byte(qualifiers->out, '=');
    add_encoded(qualifiers->out, value);
    qualifiers->any = true;
}

static void add_deb(struct buffer *out, const struct component *component, const struct os *os,
                    struct arena *arena)
{
    struct qualifiers qualifiers = {.out = out};
    slice distro = os->version_id.len ? arena_format(arena, "%.*s-%.*s", SLICE_ARG(os->id),
                                                     SLICE_ARG(os->version_id))
                                      : os->codename;
    add_qualifier(&qualifiers, "arch", component->arch);
    add_qualifier(&qualifiers, "distro", distro);
}

static void add_conda(struct buffer *out, const struct component *component)
{
    struct qualifiers qualifiers = {.out = out};
    add_qualifier(&qualifiers, "build", component->build);
    /* A channel can be a URL; its last part but one is what people call it. */
    slice channel = component->channel;
    while (slice_ends(channel, SLICE("/")))
        channel.len--;
    if (component->arch.len && slice_ends(channel, component->arch))
        channel = slice_dirname(channel);
    add_qualifier(&qualifiers, "channel", slice_basename(channel));
    add_qualifier(&qualifiers, "subdir", component->arch);
}

slice component_purl(const struct component *component, const struct os *os, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer out = {0};
    bool deb = slice_equal(component->type, SLICE("deb"));
    buffer_text(&out, "pkg:");
    add_encoded(&out, component->type);
    if (deb) {
        buffer_add_byte(&out, '/');
        add_encoded(&out, os->id.len ? os->id : SLICE("debian"));
    }
    buffer_add_byte(&out, '/');
    add_encoded(&out, component->name);
    if (component->version.len) {
        buffer_add_byte(&out, '@');
        add_encoded(&out, component->version);
    }
    if (deb)
        add_deb(&out, component, os, arena);
    else if (slice_equal(component->type, SLICE("conda")))
        add_conda(&out, component);
    return arena_copy(arena, buffer_slice(&out));
}
