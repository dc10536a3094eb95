/*
 * VEX in CycloneDX, 1.4 to 1.7 in JSON: `vulnerabilities` with an analysis, beside components or in
 * a document of its own. What is affected is a bom-ref of the document, a BOM-Link to another
 * document's, or a package URL.
 */
#include "policy/vex_forms.h"

struct bom {
    struct vex_reading *reading;
    struct map things;               /* of struct vex_thing, by bom-ref */
    const struct vex_thing *subject; /* metadata.component, or NULL */
    int64_t moment;
};

static const struct state {
    const char *name;
    enum vex_status status;
} states[] = {
    {"resolved", VEX_FIXED},
    {"resolved_with_pedigree", VEX_FIXED},
    {"not_affected", VEX_NOT_AFFECTED},
    {"false_positive", VEX_NOT_AFFECTED},
    {"in_triage", VEX_UNDER_INVESTIGATION},
    {"exploitable", VEX_AFFECTED},
};

static bool recognise(const json_t *root)
{
    const char *format = json_string_value(json_object_get(root, "bomFormat"));
    return format && strcmp(format, "CycloneDX") == 0;
}

static const struct vex_thing *add_component(struct bom *bom, const json_t *component)
{
    struct vex_reading *reading = bom->reading;
    struct vex_thing *thing = ARENA_NEW(reading->arena, struct vex_thing);
    slice ref = json_get_slice(component, "bom-ref", reading->arena);
    slice purl = json_get_slice(component, "purl", reading->arena);
    slice name = json_get_slice(component, "name", reading->arena);
    slice type = json_get_slice(component, "type", reading->arena);
    slice version = json_get_slice(component, "version", reading->arena);
    vex_identify(reading, thing, ref);
    vex_identify(reading, thing, purl);
    /* An image is known by its name; of a package that would say too little. */
    if (slice_equal(type, SLICE("container"))) {
        vex_identify(reading, thing, name);
        vex_identify(reading, thing,
                     arena_format(reading->arena, "%.*s%c%.*s", SLICE_ARG(name),
                                  slice_starts(version, SLICE("sha256:")) ? '@' : ':',
                                  SLICE_ARG(version)));
    }
    if (ref.len)
        map_put(&bom->things, ref, thing);
    return thing;
}

/* Components may hold components; the depth of the document is bounded. */
static void add_components(struct bom *bom, const json_t *list)
{
    size_t i;
    const json_t *component;
    json_array_foreach(list, i, component)
    {
        add_component(bom, component);
        add_components(bom, json_object_get(component, "components"));
    }
}

/* "urn:cdx:SERIAL/VERSION#REF": the ref of another document, which may be a package URL. */
static const struct vex_thing *thing_of(struct bom *bom, slice ref)
{
    slice link, fragment;
    const struct vex_thing *known = map_get(&bom->things, ref);
    if (known)
        return known;
    struct vex_thing *thing = ARENA_NEW(bom->reading->arena, struct vex_thing);
    if (slice_starts(ref, SLICE("urn:cdx:")) && slice_split(ref, '#', &link, &fragment)) {
        vex_identify(bom->reading, thing, fragment);
        slice decoded = purl_decode(fragment, bom->reading->arena);
        if (!slice_equal(decoded, fragment))
            vex_identify(bom->reading, thing, decoded);
    } else
        vex_identify(bom->reading, thing, ref);
    return thing;
}

/* The same thing at one version only. */
static const struct vex_thing *at_version(struct bom *bom, const struct vex_thing *thing,
                                          slice version)
{
    struct vex_thing *narrow = ARENA_NEW(bom->reading->arena, struct vex_thing);
    const struct purl *purls = thing->purls.items;
    for (size_t i = 0; i < thing->purls.count; i++) {
        struct purl purl = purls[i];
        if (purl.version.len && !slice_equal(purl.version, version))
            continue;
        purl.version = version;
        *(struct purl *)list_add(&narrow->purls, bom->reading->arena, sizeof(purl)) = purl;
    }
    return narrow;
}

struct entry {
    const json_t *object;
    size_t number;
    enum vex_status status;
    bool has_state;
};

/* A statement of that entry, with all but what it is about. */
static struct vex_statement *begin(struct bom *bom, const struct entry *entry,
                                   enum vex_status status)
{
    static const char *const analysed[] = {"lastUpdated", "firstIssued", NULL};
    static const char *const updated[] = {"updated", "published", NULL};
    struct vex_reading *reading = bom->reading;
    struct vex_statement *statement = vex_begin(reading, entry->number, status);
    const json_t *analysis = json_object_get(entry->object, "analysis"), *reference;
    size_t i;
    statement->moment = vex_moment_of(entry->object, updated, bom->moment);
    statement->moment = vex_moment_of(analysis, analysed, statement->moment);
    vex_add_name(reading, statement, json_get_slice(entry->object, "id", reading->arena));
    json_array_foreach(json_object_get(entry->object, "references"), i, reference)
        vex_add_name(reading, statement, json_get_slice(reference, "id", reading->arena));
    if (status == entry->status && entry->has_state) {
        statement->justification = json_get_slice(analysis, "justification", reading->arena);
        statement->words = json_get_slice(analysis, "detail", reading->arena);
    }
    return statement;
}

/* One listed version of what is affected: unaffected, or as the analysis has it. */
static struct error *add_version(struct bom *bom, const struct entry *entry,
                                 const struct vex_thing *thing, const json_t *version)
{
    struct arena *arena = bom->reading->arena;
    slice exact = json_get_slice(version, "version", arena);
    slice word = json_get_slice(version, "status", arena);
    enum vex_status status = entry->status;
    if (slice_equal(word, SLICE("unaffected")))
        status = VEX_NOT_AFFECTED;
    else if (slice_equal(word, SLICE("unknown")))
        status = VEX_UNDER_INVESTIGATION;
    else if (!entry->has_state)
        status = VEX_AFFECTED;
    struct vex_statement *statement = begin(bom, entry, status);
    if (exact.len) /* a range is passed over */
        TRY(vex_add_scope(bom->reading, statement, at_version(bom, thing, exact), NULL));
    if (slice_equal(word, SLICE("unaffected")) && statement->words.len == 0)
        statement->words = SLICE("this version is listed as unaffected");
    vex_end(bom->reading, statement);
    return NULL;
}

static struct error *add_affected(struct bom *bom, const struct entry *entry,
                                  struct vex_statement *whole, const json_t *affected)
{
    size_t i;
    const json_t *version, *versions = json_object_get(affected, "versions");
    const struct vex_thing *thing =
        thing_of(bom, json_get_slice(affected, "ref", bom->reading->arena));
    if (json_array_size(versions) == 0)
        return entry->has_state ? vex_add_scope(bom->reading, whole, thing, NULL) : NULL;
    json_array_foreach(versions, i, version) TRY(add_version(bom, entry, thing, version));
    return NULL;
}

static struct error *read_entry(struct bom *bom, const json_t *object, size_t number)
{
    struct entry entry = {.object = object, .number = number, .status = VEX_AFFECTED};
    slice word = json_get_slice(json_object_get(object, "analysis"), "state", bom->reading->arena);
    const json_t *affected, *list = json_object_get(object, "affects");
    size_t i, ranged = 0;
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (slice_equal(word, slice_from_text(states[i].name))) {
            entry.status = states[i].status;
            entry.has_state = true;
        }
    if (word.len && !entry.has_state)
        return vex_wrong(bom->reading, "vulnerability %zu has the unknown analysis state \"%.*s\"",
                         number, SLICE_ARG(word));
    struct vex_statement *whole = begin(bom, &entry, entry.status);
    json_array_foreach(list, i, affected)
    {
        ranged += json_array_size(json_object_get(affected, "versions")) > 0;
        TRY(add_affected(bom, &entry, whole, affected));
    }
    if (json_array_size(list) == 0 && bom->subject && entry.has_state)
        TRY(vex_add_scope(bom->reading, whole, bom->subject, NULL));
    if (entry.has_state && (whole->scopes.count || !ranged))
        vex_end(bom->reading, whole);
    return NULL;
}

static struct error *read_document(struct vex_reading *reading, const json_t *root)
{
    static const char *const moments[] = {"timestamp", NULL};
    struct bom bom = {.reading = reading, .things = {.arena = reading->arena}};
    const json_t *metadata = json_object_get(root, "metadata"), *vulnerability;
    const json_t *subject = json_object_get(metadata, "component");
    size_t i;
    bom.moment = vex_moment_of(metadata, moments, INT64_MIN);
    if (json_is_object(subject))
        bom.subject = add_component(&bom, subject);
    add_components(&bom, json_object_get(root, "components"));
    json_array_foreach(json_object_get(root, "vulnerabilities"), i, vulnerability)
        TRY(read_entry(&bom, vulnerability, i + 1));
    return NULL;
}

const struct vex_form vex_cyclonedx = {
    .name = "CycloneDX",
    .recognise = recognise,
    .read = read_document,
};
