#include "report/sentences.h"
#include "report/escapes.h"
#include "report/parts.h"

enum { INSTRUCTION_BYTES = 300, PLACES_TOLD = 4 };

slice system_words(const struct report *report)
{
    const struct os *os = &report->inventory->os;
    if (os->id.len == 0)
        return SLICE("unknown");
    return arena_format(report->arena, "%.*s%s%.*s", SLICE_ARG(os->id),
                        os->version_id.len ? " " : "", SLICE_ARG(os->version_id));
}

/* Whether the same package is there for another architecture as well; neighbours in the list. */
static bool report_has_several(const struct report *report, const struct component *component)
{
    struct component *const *all = report->inventory->components.items;
    size_t low = 0, high = report->inventory->components.count;
    if (component->arch.len == 0)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (component_compare(all[middle], component) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low ? low - 1 : 0; i < report->inventory->components.count && i <= low + 1; i++)
        if (all[i] != component && slice_equal(all[i]->type, component->type) &&
            slice_equal(all[i]->name, component->name) &&
            slice_equal(all[i]->version, component->version) &&
            !slice_equal(all[i]->arch, component->arch))
            return true;
    return false;
}

slice component_words(const struct report *report, const struct component *component)
{
    bool several = report_has_several(report, component);
    slice arch =
        several ? arena_format(report->arena, " (%.*s)", SLICE_ARG(component->arch)) : SLICE_EMPTY;
    if (component->version.len == 0)
        return arena_format(report->arena, "%.*s%.*s", SLICE_ARG(component->name), SLICE_ARG(arch));
    return arena_format(report->arena, "%.*s %.*s%.*s", SLICE_ARG(component->name),
                        SLICE_ARG(component->version), SLICE_ARG(arch));
}

slice remedy_sentence(const struct report *report, const struct finding *finding)
{
    const struct component *component = finding->component;
    if (finding->fixed.count == 0)
        return SLICE("No version repairs it yet.");
    slice fixed = report_fixed(finding, report->arena);
    /* A Debian advisory names versions of the source package. */
    if (component->source_name.len && !slice_equal(component->source_name, component->name))
        return arena_format(report->arena, "Upgrade %.*s (of source %.*s) to %.*s.",
                            SLICE_ARG(component->name), SLICE_ARG(component->source_name),
                            SLICE_ARG(fixed));
    return arena_format(report->arena, "Upgrade %.*s to %.*s.", SLICE_ARG(component->name),
                        SLICE_ARG(fixed));
}

slice layer_words(const struct report *report, size_t layer)
{
    const struct image *image = report->image;
    if (image->root_folder >= 0)
        return image->root_kind == ROOT_FILE_SYSTEM ? SLICE("The root file system")
                                                    : SLICE("The folder");
    slice origin = report_origin(image->layers[layer].base);
    slice instruction =
        text_cut(report->arena, image->layers[layer].instruction, INSTRUCTION_BYTES);
    return arena_format(report->arena, "Layer %zu%s%.*s%s%s%.*s", layer, origin.len ? " (" : "",
                        SLICE_ARG(origin), origin.len ? ")" : "", instruction.len ? ": " : "",
                        SLICE_ARG(instruction));
}

slice suppression_words(const struct report *report, slice reason, slice by, slice until)
{
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_add(&text, reason);
    if (by.len)
        buffer_format(&text, " (%.*s)", SLICE_ARG(by));
    if (until.len)
        buffer_format(&text, ", until %.*s", SLICE_ARG(until));
    return arena_copy(report->arena, buffer_slice(&text));
}

static void add_place(struct buffer *text, const struct secret *secret)
{
    buffer_add(text, secret->path);
    if (secret->line)
        buffer_format(text, ":%llu:%llu", (unsigned long long)secret->line,
                      (unsigned long long)secret->column);
    if (secret->cell)
        buffer_format(text, " (cell %llu)", (unsigned long long)secret->cell);
    if (secret->variable.len)
        buffer_format(text, " (%.*s)", SLICE_ARG(secret->variable));
}

slice secret_place(const struct report *report, const struct image_secret *found)
{
    CLEANUP_BUFFER struct buffer text = {0};
    add_place(&text, found->secret);
    return arena_copy(report->arena, buffer_slice(&text));
}

slice secret_place_words(const struct report *report, const struct secret_place *place)
{
    CLEANUP_BUFFER struct buffer text = {0}, more = {0};
    add_place(&text, place->secret);
    if (place->stand == IN_FILE && report->image->root_folder < 0)
        buffer_format(&more, "layer %zu", place->layer);
    if (place->deleted_in != SIZE_MAX)
        buffer_format(&more, ", deleted in layer %zu", place->deleted_in);
    if (place->suppressed_reason.len)
        buffer_format(&more, "%snot counted", more.len ? ", " : "");
    if (more.len)
        buffer_format(&text, " (%.*s)", SLICE_ARG(buffer_slice(&more)));
    return arena_copy(report->arena, buffer_slice(&text));
}

slice secret_other_places(const struct report *report, const struct image_secret *found)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const struct secret_place *places = found->places.items;
    size_t count = found->places.count, told = count < PLACES_TOLD ? count : PLACES_TOLD;
    for (size_t i = 1; i < told; i++) {
        buffer_text(&text, i == 1 ? "Also in " : i + 1 == count ? " and " : ", ");
        buffer_add(&text, secret_place_words(report, &places[i]));
    }
    if (count > told)
        buffer_format(&text, " and %zu more place%s", count - told, count - told == 1 ? "" : "s");
    buffer_text(&text, text.len ? "." : "");
    return arena_copy(report->arena, buffer_slice(&text));
}

slice secret_origin(const struct report *report, const struct image_secret *found)
{
    if (found->layer == SIZE_MAX)
        return SLICE("The image's config");
    slice layer = layer_words(report, found->layer);
    if (found->deleted_in == SIZE_MAX)
        return layer;
    return arena_format(report->arena, "Deleted in layer %zu, still readable in layer %zu. %.*s",
                        found->deleted_in, found->layer, SLICE_ARG(layer));
}

slice secret_file(const struct report *report, const struct secret *secret)
{
    slice path = secret->file.len ? secret->file : secret->path;
    slice folder = report->image->name;
    if (report->image->root_folder < 0 || report->image->root_kind != ROOT_FOLDER ||
        slice_starts(folder, SLICE("/")) || slice_starts(folder, SLICE("..")))
        return path;
    while (slice_starts(folder, SLICE("./")))
        folder = slice_from(folder, 2);
    while (slice_ends(folder, SLICE("/")))
        folder.len--;
    if (folder.len == 0 || slice_equal(folder, SLICE(".")))
        return path;
    return arena_format(report->arena, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(path));
}

slice severity_words(const struct report *report, const size_t counts[SEVERITY_COUNT])
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (int i = SEVERITY_COUNT - 1; i >= 0; i--)
        if (counts[i])
            buffer_format(&text, "%s%s %zu", text.len ? ", " : "", severity_small((enum severity)i),
                          counts[i]);
    return arena_copy(report->arena, buffer_slice(&text));
}

const char *severity_small(enum severity severity)
{
    static const char *const words[SEVERITY_COUNT] = {
        [SEVERITY_UNKNOWN] = "unknown", [SEVERITY_NEGLIGIBLE] = "negligible",
        [SEVERITY_LOW] = "low",         [SEVERITY_MEDIUM] = "medium",
        [SEVERITY_HIGH] = "high",       [SEVERITY_CRITICAL] = "critical"};
    return words[severity];
}
