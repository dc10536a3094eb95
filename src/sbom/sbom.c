#include "sbom/sbom.h"
#include "base/base64.h"
#include "base/limits.h"
#include "sbom/builder.h"

/* By which member a document is known, and who reads it. */
static const struct {
    const char *member;
    struct error *(*read)(struct sbom_builder *builder, const json_t *document);
} kinds[] = {
    {"bomFormat", sbom_read_cyclonedx}, {"specVersion", sbom_read_cyclonedx},
    {"spdxVersion", sbom_read_spdx2},   {"@graph", sbom_read_spdx3},
    {"artifacts", sbom_read_syft},
};

bool sbom_is_known_by(slice member)
{
    if (slice_is_among(member, "predicate payloadType")) /* what it is wrapped in */
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (slice_equal(member, slice_from_text(kinds[i].member)))
            return true;
    return false;
}

static slice first_bytes(slice bytes)
{
    if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
        bytes = slice_from(bytes, 3);
    while (bytes.len && byte_is_space(*bytes.ptr))
        bytes = slice_from(bytes, 1);
    return bytes;
}

static bool is_tag_value(slice bytes)
{
    slice start = slice_first(first_bytes(bytes), 4096);
    return slice_starts(start, SLICE("SPDXVersion:")) ||
           (slice_starts(start, SLICE("#")) && slice_contains(start, SLICE("\nSPDXVersion:")));
}

bool sbom_is_likely(slice bytes)
{
    slice start = first_bytes(bytes);
    return slice_starts(start, SLICE("{")) || slice_starts(start, SLICE("<")) ||
           is_tag_value(bytes);
}

/* What a statement is about. */
static void read_subjects(struct sbom *sbom, const json_t *statement, struct arena *arena)
{
    size_t i;
    const json_t *subject;
    json_array_foreach(json_object_get(statement, "subject"), i, subject) *
        (slice *)list_add(&sbom->subjects, arena, sizeof(slice)) =
        json_get_slice(json_object_get(subject, "digest"), "sha256", arena);
}

/* An in-toto statement, bare or in a DSSE envelope, holds the SBOM as its predicate; older cosign
 * has it one step further in. */
static struct error *unwrap(json_t **document, struct sbom *sbom, struct arena *arena)
{
    slice payload = json_slice(json_object_get(*document, "payload"));
    if (payload.len && json_object_get(*document, "payloadType")) {
        CLEANUP_ARENA struct arena scratch = {0};
        json_t *inner;
        TRY(json_read_with(&inner, base64_decode(payload, LIMIT_SBOM_BYTES, &scratch),
                           "the envelope's payload", JSON_REJECT_DUPLICATES));
        json_decref(*document);
        *document = inner;
    }
    json_t *predicate = json_object_get(*document, "predicate");
    if (json_is_object(json_object_get(predicate, "Data")))
        predicate = json_object_get(predicate, "Data");
    if (!json_object_get(*document, "_type") || !json_is_object(predicate))
        return NULL;
    read_subjects(sbom, *document, arena);
    json_incref(predicate);
    json_decref(*document);
    *document = predicate;
    return NULL;
}

static struct error *parse(json_t **document, struct sbom *sbom, struct arena *arena, slice bytes)
{
    slice start = first_bytes(bytes);
    if (slice_starts(start, SLICE("<")))
        return sbom_xml_to_json(document, bytes);
    if (is_tag_value(bytes))
        return sbom_tag_value_to_json(document, bytes);
    if (!slice_starts(start, SLICE("{")))
        return error_make(ERROR_INPUT, "it is no SBOM that is known: plimsoll reads CycloneDX "
                                       "(JSON, XML), SPDX (JSON, tag-value) and Syft's JSON");
    TRY(json_read_with(document, bytes, "it", JSON_REJECT_DUPLICATES));
    return unwrap(document, sbom, arena);
}

static struct error *read_document(struct sbom_builder *builder, const json_t *document)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (json_object_get(document, kinds[i].member))
            return kinds[i].read(builder, document);
    return error_make(ERROR_INPUT, "it is JSON, but no SBOM that is known: plimsoll reads "
                                   "CycloneDX, SPDX 2 and 3, and Syft's JSON");
}

struct error *sbom_read(struct sbom *sbom, struct arena *arena, const char *name, slice bytes)
{
    CLEANUP_JSON json_t *document = NULL;
    struct sbom_builder builder = {.sbom = sbom,
                                   .arena = arena,
                                   .ids = {.arena = arena},
                                   .licenses = {.arena = arena},
                                   .by_id = {.arena = arena},
                                   .by_ref = {.arena = arena},
                                   .by_purl = {.arena = arena}};
    *sbom = (struct sbom){.image = image_new(arena, name)};
    if (bytes.len > LIMIT_SBOM_BYTES)
        return error_make(ERROR_LIMIT, "%s is larger than the limit for SBOMs", name);
    TRY(error_wrap(parse(&document, sbom, arena, bytes), "cannot read the SBOM %s", name));
    TRY(error_wrap(read_document(&builder, document), "cannot read the SBOM %s", name));
    sbom_finish(&builder);
    return NULL;
}

void sbom_place_in(struct sbom *sbom, const struct image *image)
{
    struct component *const *components = sbom->inventory.components.items;
    for (size_t i = 0; i < sbom->inventory.components.count; i++) {
        slice diff_id = sbom->image->layers[components[i]->layer].diff_id;
        components[i]->layer = 0;
        for (size_t at = 0; diff_id.len && at < image->layer_count; at++)
            if (slice_equal(image->layers[at].diff_id, diff_id))
                components[i]->layer = at;
    }
}

bool sbom_is_about(const struct sbom *sbom, slice digest)
{
    const slice *subjects = sbom->subjects.items;
    slice algorithm, digits;
    if (sbom->subjects.count == 0)
        return true;
    for (size_t i = 0; i < sbom->subjects.count; i++)
        if (slice_split(digest, ':', &algorithm, &digits) && slice_equal(digits, subjects[i]))
            return true;
    return false;
}
