/* The image, in Trivy's JSON. */
#include "base/json_read.h"
#include "report/trivy_parts.h"

/* Distributions as Trivy calls them, where that is not their ID of os-release. */
slice trivy_family(const struct os *os)
{
    static const struct {
        const char *id, *family;
    } names[] = {{"rhel", "redhat"},
                 {"amzn", "amazon"},
                 {"ol", "oracle"},
                 {"almalinux", "alma"},
                 {"mariner", "cbl-mariner"},
                 {"sles", "suse linux enterprise server"},
                 {"opensuse-leap", "opensuse.leap"},
                 {"opensuse-tumbleweed", "opensuse.tumbleweed"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal(os->id, slice_from_text(names[i].id)))
            return slice_from_text(names[i].family);
    return os->id.len ? os->id : SLICE("none");
}

static void write_os(struct trivy_writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct os *os = &writing->report->inventory->os;
    if (os->id.len == 0)
        return;
    json_put_key(json, "OS");
    json_begin_object(json);
    json_field(json, "Family", trivy_family(os));
    json_field(json, "Name", os->version_id);
    if (writing->report->result->is_end_of_life)
        json_field_bool(json, "EOSL", true);
    json_end_object(json);
}

/* RFC 3339 with what Go's reader asks for; the config is the image's word. */
static bool is_time(slice text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (i >= text.len ||
            (form[i] == 'd' ? !byte_is_digit(text.ptr[i]) : text.ptr[i] != form[i]))
            return false;
    slice rest = slice_from(text, sizeof(form) - 1);
    if (slice_starts(rest, SLICE("."))) {
        rest = slice_from(rest, 1);
        while (rest.len && byte_is_digit(*rest.ptr))
            rest = slice_from(rest, 1);
    }
    return slice_equal(rest, SLICE("Z")) || slice_equal(rest, SLICE("+00:00"));
}

static void write_history(struct trivy_writing *writing, slice created)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    json_put_key(json, "history");
    json_begin_array(json);
    for (size_t i = 0; i < image->layer_count; i++) {
        json_begin_object(json);
        trivy_field(json, "created", created);
        trivy_field(json, "created_by", image->layers[i].instruction);
        json_end_object(json);
    }
    json_end_array(json);
    json_put_key(json, "rootfs");
    json_begin_object(json);
    json_field(json, "type", SLICE("layers"));
    json_put_key(json, "diff_ids");
    json_begin_array(json);
    for (size_t i = 0; i < image->layer_count; i++)
        json_put_string(json, image->layers[i].diff_id);
    json_end_array(json);
    json_end_object(json);
}

static void write_config(struct trivy_writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    CLEANUP_JSON json_t *config = NULL;
    slice created = SLICE_EMPTY, system = SLICE_EMPTY, rest = image->platform, part;
    CLEANUP_ERROR struct error *error =
        image->config.len ? json_read(&config, image->config, "the config") : NULL;
    if (error || !config)
        return;
    created = json_get_slice(config, "created", writing->report->arena);
    slice_pull(&rest, '/', &system);
    if (!slice_pull(&rest, '/', &part))
        part = SLICE_EMPTY;
    json_put_key(json, "ImageConfig");
    json_begin_object(json);
    json_field(json, "architecture", part);
    if (is_time(created))
        json_field(json, "created", created);
    json_field(json, "os", system);
    write_history(writing, is_time(created) ? created : SLICE_EMPTY);
    json_put_key(json, "config");
    json_begin_object(json);
    json_end_object(json);
    json_end_object(json);
}

void trivy_write_layer(struct json_writer *json, const struct image_layer *layer, bool created_by)
{
    json_begin_object(json);
    trivy_field(json, "Digest", layer->digest);
    trivy_field(json, "DiffID", layer->diff_id);
    if (created_by)
        trivy_field(json, "CreatedBy", layer->instruction);
    json_end_object(json);
}

/* "python@sha256:…" of "python:3.11": only where a registry said so. */
static void write_repository_digest(struct trivy_writing *writing)
{
    const struct image *image = writing->report->image;
    slice name = image->name, before, after;
    if (!image->remote || image->digest.len == 0)
        return;
    if (slice_split(name, '@', &before, &after))
        name = before;
    size_t colon = slice_find_last(name, ':'), slash = slice_find_last(name, '/');
    if (colon != SIZE_MAX && (slash == SIZE_MAX || colon > slash))
        name = slice_first(name, colon);
    slice digest = arena_format(writing->report->arena, "%.*s@%.*s", SLICE_ARG(name),
                                SLICE_ARG(image->digest));
    json_field_strings(&writing->json, "RepoDigests", &digest, 1);
}

void trivy_write_metadata(struct trivy_writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    json_put_key(json, "Metadata");
    json_begin_object(json);
    write_os(writing);
    trivy_field(json, "ImageID", image->config_digest);
    if (image->config_digest.len) {
        json_put_key(json, "DiffIDs");
        json_begin_array(json);
        for (size_t i = 0; i < image->layer_count; i++)
            json_put_string(json, image->layers[i].diff_id);
        json_end_array(json);
    }
    if (image->tags.count)
        json_field_strings(json, "RepoTags", image->tags.items, image->tags.count);
    write_repository_digest(writing);
    write_config(writing);
    if (image->config_digest.len) {
        json_put_key(json, "Layers");
        json_begin_array(json);
        for (size_t i = 0; i < image->layer_count; i++)
            trivy_write_layer(json, &image->layers[i], false);
        json_end_array(json);
    }
    json_end_object(json);
}
