#include "report/parts.h"
#include "base/map.h"
#include "base/text.h"
#include "sbom/properties.h"

static int compare_findings(const void *left, const void *right)
{
    const struct finding *a = *(struct finding *const *)left, *b = *(struct finding *const *)right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->kev != b->kev)
        return a->kev ? -1 : 1;
    int order = slice_compare(a->component->name, b->component->name);
    order = order ? order : component_compare(a->component, b->component);
    order = order ? order : slice_compare(a->component->ref, b->component->ref);
    return order ? order : slice_compare(a->id, b->id);
}

struct finding *const *report_findings(const struct report *report, bool suppressed, size_t *count)
{
    struct finding *const *all = report->result->findings.items;
    size_t total = report->result->findings.count;
    struct finding **chosen = arena_array(report->arena, total + 1, sizeof(struct finding *));
    *count = 0;
    for (size_t i = 0; i < total; i++)
        if ((all[i]->suppressed_reason.len > 0) == suppressed)
            chosen[(*count)++] = all[i];
    qsort(chosen, *count, sizeof(struct finding *), compare_findings);
    return chosen;
}

static int compare_secrets(const void *left, const void *right)
{
    const struct image_secret *a = *(const struct image_secret *const *)left;
    const struct image_secret *b = *(const struct image_secret *const *)right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    return a < b ? -1 : a > b; /* as they stand in the inventory */
}

const struct image_secret *const *report_secrets(const struct report *report, bool suppressed,
                                                 size_t *count)
{
    const struct image_secret *all = report->inventory->secrets.items;
    size_t total = report->inventory->secrets.count;
    const struct image_secret **chosen =
        arena_array(report->arena, total + 1, sizeof(struct image_secret *));
    *count = 0;
    for (size_t i = 0; i < total; i++)
        if ((all[i].suppressed_reason.len > 0) == suppressed)
            chosen[(*count)++] = &all[i];
    qsort(chosen, *count, sizeof(struct image_secret *), compare_secrets);
    return chosen;
}

struct report_counts report_count(const struct report *report)
{
    struct report_counts counts = {0};
    struct finding *const *all = report->result->findings.items;
    for (size_t i = 0; i < report->result->findings.count; i++) {
        if (all[i]->suppressed_reason.len) {
            counts.suppressed++;
            continue;
        }
        counts.by_severity[all[i]->severity]++;
        counts.all++;
        counts.fixable += all[i]->fixed.count > 0;
        counts.exploited += all[i]->kev;
    }
    return counts;
}

slice report_fixed(const struct finding *finding, struct arena *arena)
{
    return list_join(&finding->fixed, ", ", arena);
}

slice report_url(const struct finding *finding, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer url = {0};
    buffer_text(&url, slice_starts(finding->id, SLICE("CVE-")) ? "https://nvd.nist.gov/vuln/detail/"
                      : slice_starts(finding->id, SLICE("GHSA-"))
                          ? "https://github.com/advisories/"
                          : "https://osv.dev/vulnerability/");
    buffer_add_percent(&url, finding->id, "-._~:");
    return arena_copy(arena, buffer_slice(&url));
}

slice report_title(const struct finding *finding, struct arena *arena)
{
    return finding->summary.len ? finding->summary
                                : arena_format(arena, "%.*s in %.*s", SLICE_ARG(finding->id),
                                               SLICE_ARG(finding->component->name));
}

slice report_origin(enum base_state base)
{
    return base == BASE_YES  ? SLICE("base image")
           : base == BASE_NO ? SLICE("own layers")
                             : SLICE_EMPTY;
}

slice report_location(const struct component *component)
{
    return component->locations.count ? *(const slice *)component->locations.items : SLICE_EMPTY;
}

/* Two hashes of 64 bits: of the text, and of it with a byte more. */
static void hash_twice(slice text, struct arena *arena, uint64_t hashes[2])
{
    hashes[0] = slice_hash(text);
    hashes[1] = slice_hash(arena_format(arena, "%.*s+", SLICE_ARG(text)));
}

slice report_fingerprint(const struct finding *finding, struct arena *arena)
{
    const slice parts[] = {finding->id, finding->component->ref,
                           report_location(finding->component)};
    uint64_t hashes[2];
    hash_twice(map_key(arena, parts, 3), arena, hashes);
    return arena_format(arena, "%016llx%016llx", (unsigned long long)hashes[0],
                        (unsigned long long)hashes[1]);
}

slice report_uuid(slice seed, struct arena *arena)
{
    uint64_t hashes[2];
    hash_twice(seed, arena, hashes);
    return arena_format(arena, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(hashes[0] >> 32),
                        (unsigned)(hashes[0] >> 16 & 0xffff), (unsigned)(hashes[0] & 0xfff),
                        (unsigned)(hashes[1] >> 48 & 0x3fff) | 0x8000,
                        (unsigned long long)(hashes[1] & 0xffffffffffff));
}

bool report_is_hash(const struct component_hash *hash)
{
    static const struct {
        const char *algorithm;
        size_t digits;
    } kinds[] = {{"MD5", 32},      {"SHA-1", 40},    {"SHA-256", 64},  {"SHA-384", 96},
                 {"SHA-512", 128}, {"SHA3-256", 64}, {"SHA3-384", 96}, {"SHA3-512", 128}};
    for (size_t i = 0; i < hash->digits.len; i++) {
        char byte = hash->digits.ptr[i];
        if (!byte_is_digit(byte) && (byte < 'a' || byte > 'f'))
            return false;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (slice_equal(hash->algorithm, slice_from_text(kinds[i].algorithm)))
            return hash->digits.len == kinds[i].digits;
    return false;
}

slice report_cpe(const struct component *component)
{
    slice cpe = component->cpe;
    if (!slice_starts(cpe, SLICE("cpe:2.3:")) && !slice_starts(cpe, SLICE("cpe:/")))
        return SLICE_EMPTY;
    size_t colons = 0;
    for (size_t i = 0; i < cpe.len; i++) {
        if (cpe.ptr[i] <= ' ' || cpe.ptr[i] > '~' || strchr("<>\"{}|^`", cpe.ptr[i]))
            return SLICE_EMPTY;
        colons += cpe.ptr[i] == ':' && (i == 0 || cpe.ptr[i - 1] != '\\');
    }
    return slice_starts(cpe, SLICE("cpe:/")) || colons == 12 ? cpe : SLICE_EMPTY;
}

struct list report_image_properties(const struct report *report)
{
    const struct report_error *errors = report->errors.items;
    struct list messages = {0};
    for (size_t i = 0; i < report->errors.count; i++)
        if (report->sbom_findings || strcmp(errors[i].where, "store") != 0)
            *(slice *)list_add(&messages, report->arena, sizeof(slice)) = errors[i].message;
    struct list properties =
        sbom_image_properties(report->image, report->inventory, &messages, report->arena);
    const struct unjudged *unjudged = report->result->unjudged.items;
    for (size_t i = 0; report->sbom_findings && i < report->result->unjudged.count; i++)
        *(struct sbom_property *)list_add(&properties, report->arena,
                                          sizeof(struct sbom_property)) = (struct sbom_property){
            "plimsoll:not-judged", unjudged_sentence(&unjudged[i], report->arena)};
    return properties;
}

slice report_identity(const struct report *report)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct component *const *components = report->inventory->components.items;
    buffer_add_string(&text, report->image->name);
    buffer_add_string(&text, report->image->digest);
    buffer_add_string(&text, slice_from_text(report->started));
    for (size_t i = 0; i < report->inventory->components.count; i++)
        buffer_add_string(&text, components[i]->ref);
    struct finding *const *findings = report->result->findings.items;
    for (size_t i = 0; report->sbom_findings && i < report->result->findings.count; i++) {
        buffer_add_string(&text, findings[i]->id);
        buffer_add_string(&text, findings[i]->suppressed_reason);
    }
    return arena_format(report->arena, "%016llx",
                        (unsigned long long)slice_hash(buffer_slice(&text)));
}

/* "ghcr.io/team/app:1.2@sha256:…" into its parts; what is a path of a file has none. */
static void split_name(slice name, slice *repository, slice *tag)
{
    slice rest;
    slice_split(name, '@', &name, &rest);
    size_t slash = slice_find_last(name, '/'), colon = slice_find_last(name, ':');
    *tag = SLICE_EMPTY;
    *repository = name;
    if (colon != SIZE_MAX && (slash == SIZE_MAX || colon > slash)) {
        *repository = slice_first(name, colon);
        *tag = slice_from(name, colon + 1);
    }
}

slice report_image_purl(const struct report *report)
{
    CLEANUP_BUFFER struct buffer out = {0};
    const struct image *image = report->image;
    slice repository, tag, name = image->name;
    if (image->digest.len == 0)
        return SLICE_EMPTY;
    if (image->tags.count)
        name = *(const slice *)image->tags.items;
    split_name(name, &repository, &tag);
    if (slice_basename(repository).len == 0)
        return SLICE_EMPTY;
    buffer_text(&out, "pkg:oci/");
    buffer_add_percent(&out, arena_lower(report->arena, slice_basename(repository)), ".-_~");
    buffer_add_byte(&out, '@');
    buffer_add_percent(&out, image->digest, ".-_~");
    char separator = '?';
    slice parts[2];
    if (image->platform.len && slice_split(image->platform, '/', &parts[0], &parts[1])) {
        buffer_text(&out, "?arch=");
        buffer_add_percent(&out, parts[1], ".-_~");
        separator = '&';
    }
    /* Only what an archive or a registry calls it; the path of a file is nobody's repository. */
    if (image->tags.count && slice_find(repository, '/') != SIZE_MAX) {
        buffer_format(&out, "%crepository_url=", separator);
        buffer_add_percent(&out, arena_lower(report->arena, repository), ".-_~:/");
        separator = '&';
    }
    if (image->tags.count && tag.len) {
        buffer_format(&out, "%ctag=", separator);
        buffer_add_percent(&out, tag, ".-_~");
    }
    return arena_copy(report->arena, buffer_slice(&out));
}

/* XML 1.0, 2.2: what is no Char cannot even be written as a reference. */
static bool is_xml_char(uint32_t code)
{
    return code >= 0x20 ? code != 0xFFFE && code != 0xFFFF : code == '\t' || code == '\n';
}

void xml_add(struct buffer *out, slice text)
{
    for (size_t at = 0, length; at < text.len; at += length) {
        slice rest = slice_from(text, at);
        length = text_plain_run(rest, "<>&\"'");
        if (length) {
            buffer_add(out, slice_first(rest, length));
            continue;
        }
        char byte = text.ptr[at];
        length = utf8_length(rest);
        if (length == 0 || !is_xml_char(utf8_decode(rest, length)))
            buffer_text(out, "\xEF\xBF\xBD");
        else if (byte == '<' || byte == '>' || byte == '&' || byte == '"' || byte == '\'' ||
                 byte == '\t' || byte == '\n')
            buffer_format(out, "&#%d;", byte);
        else
            buffer_add(out, slice_first(rest, length));
        length = length ? length : 1;
    }
}

void report_put_incomplete(const struct report *report, struct json_writer *json)
{
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    if (report->errors.count == 0 && report->result->unjudged.count == 0)
        return;
    json_put_key(json, "plimsoll");
    json_begin_object(json);
    json_field_bool(json, "complete", report->errors.count == 0);
    json_field_number(json, "exit_code", report->verdict->exit_code);
    json_put_key(json, "errors");
    json_begin_array(json);
    for (size_t i = 0; i < report->errors.count; i++)
        json_put_string(json, errors[i].message);
    json_end_array(json);
    json_put_key(json, "not_judged");
    json_begin_array(json);
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        json_put_string(json, unjudged_sentence(&unjudged[i], report->arena));
    json_end_array(json);
    json_end_object(json);
}
