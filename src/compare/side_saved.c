/* Reads a report that was saved as JSON (docs/report.md), strictly: what is not as it should be is
 * an error, so that a damaged report never looks like a clean image. */
#include "compare/side.h"
#include "base/map.h"

struct saved {
    struct side *side;
    struct arena *arena;
    const struct side_wish *wish;
    const json_t *layers;
    struct map components; /* ref → struct side_package */
};

/* An object in the report, with words for where it stands. */
struct place {
    const json_t *object;
    const char *list;
    size_t index; /* SIZE_MAX: in no list */
};

static struct error *wrong(const struct place *place, const char *key, const char *what)
{
    if (place->index == SIZE_MAX)
        return error_make(ERROR_INPUT, "%s%s%s is %s", place->list, *place->list ? "." : "", key,
                          what);
    return error_make(ERROR_INPUT, "%s[%zu].%s is %s", place->list, place->index, key, what);
}

static struct error *get_text(const struct saved *saved, const struct place *place, const char *key,
                              slice *value)
{
    const json_t *member = json_object_get(place->object, key);
    if (!json_is_string(member))
        return wrong(place, key, member ? "no text" : "missing");
    *value = json_get_slice(place->object, key, saved->arena);
    return NULL;
}

static struct error *get_text_or_null(const struct saved *saved, const struct place *place,
                                      const char *key, slice *value)
{
    *value = SLICE_EMPTY;
    return json_is_null(json_object_get(place->object, key)) ? NULL
                                                             : get_text(saved, place, key, value);
}

static struct error *get_count(const struct place *place, const char *key, uint64_t *value)
{
    const json_t *member = json_object_get(place->object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0)
        return wrong(place, key, member ? "no count" : "missing");
    *value = (uint64_t)json_integer_value(member);
    return NULL;
}

static struct error *get_array(const struct place *place, const char *key, const json_t **value)
{
    *value = json_object_get(place->object, key);
    return json_is_array(*value) ? NULL : wrong(place, key, *value ? "no list" : "missing");
}

static struct error *get_object(const struct place *place, const char *key, const json_t **value)
{
    *value = json_object_get(place->object, key);
    return json_is_object(*value) ? NULL : wrong(place, key, *value ? "no object" : "missing");
}

static struct error *get_texts(const struct saved *saved, const struct place *place,
                               const char *key, struct list *values)
{
    const json_t *array;
    TRY(get_array(place, key, &array));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item))
            return wrong(place, key, "no list of texts");
        *(slice *)list_add(values, saved->arena, sizeof(slice)) =
            arena_copy(saved->arena, json_slice(item));
    }
    return NULL;
}

static struct error *get_severity(const struct saved *saved, const struct place *place,
                                  enum severity *severity)
{
    slice name;
    TRY(get_text(saved, place, "severity", &name));
    return severity_by_name(name, severity) ? NULL : wrong(place, "severity", "no severity");
}

static struct error *get_flag(const struct place *place, const char *key, bool *value)
{
    const json_t *member = json_object_get(place->object, key);
    if (!json_is_boolean(member))
        return wrong(place, key, member ? "neither true nor false" : "missing");
    *value = json_is_true(member);
    return NULL;
}

/* The items of a list, each of which must be an object. */
#define EACH_OBJECT(place_name, array, list_name)                                                  \
    for (struct place place_name = {json_array_get(array, 0), list_name, 0};                       \
         place_name.index < json_array_size(array);                                                \
         place_name.object = json_array_get(array, ++place_name.index))

static struct error *check_objects(const json_t *array, const char *list)
{
    EACH_OBJECT(place, array, list)
    {
        if (!json_is_object(place.object))
            return error_make(ERROR_INPUT, "%s[%zu] is no object", list, place.index);
    }
    return NULL;
}

static struct error *get_objects(const struct place *root, const char *key, const json_t **array)
{
    TRY(get_array(root, key, array));
    return check_objects(*array, key);
}

static struct error *read_layers(struct saved *saved, const struct place *image)
{
    TRY(get_objects(image, "layers", &saved->layers));
    saved->side->layer_count = json_array_size(saved->layers);
    EACH_OBJECT(place, saved->layers, "image.layers")
    {
        uint64_t size = 0;
        const json_t *base = json_object_get(place.object, "base");
        TRY(get_count(&place, "size", &size));
        saved->side->size += size; /* neither is above INT64_MAX, so this cannot wrap */
        if (saved->side->size > INT64_MAX)
            return wrong(&place, "size", "larger than can be");
        if (!json_is_boolean(base) && !json_is_null(base))
            return wrong(&place, "base", base ? "neither true nor false nor null" : "missing");
    }
    return NULL;
}

static struct error *read_image(struct saved *saved, const struct place *root)
{
    struct side *side = saved->side;
    const json_t *object, *os_object;
    TRY(get_object(root, "image", &object));
    struct place image = {object, "image", SIZE_MAX};
    TRY(get_text(saved, &image, "name", &side->image));
    TRY(get_text_or_null(saved, &image, "digest", &side->digest));
    TRY(get_text_or_null(saved, &image, "platform", &side->platform));
    /* The first reports did not say when the image was made. */
    if (json_object_get(object, "created"))
        TRY(get_text_or_null(saved, &image, "created", &side->created));
    side->created = side_day(side->created);
    TRY(get_object(&image, "os", &os_object));
    struct place os = {os_object, "image.os", SIZE_MAX};
    TRY(get_text_or_null(saved, &os, "name", &side->os_name));
    TRY(get_text_or_null(saved, &os, "end_of_life", &side->end_of_life));
    if (!saved->wish->vulnerabilities)
        side->end_of_life = SLICE_EMPTY; /* the store would have said it */
    return read_layers(saved, &image);
}

static struct error *read_components(struct saved *saved, const struct place *root)
{
    const json_t *array;
    TRY(get_objects(root, "components", &array));
    saved->components.arena = saved->arena;
    EACH_OBJECT(place, array, "components")
    {
        struct side_package *package = ARENA_NEW(saved->arena, struct side_package);
        slice ref;
        TRY(get_text(saved, &place, "ref", &ref));
        TRY(get_text(saved, &place, "type", &package->type));
        TRY(get_text(saved, &place, "name", &package->name));
        TRY(get_text(saved, &place, "version", &package->version));
        TRY(get_text_or_null(saved, &place, "architecture", &package->arch));
        if (map_get(&saved->components, ref))
            return wrong(&place, "ref", "that of another component as well");
        map_put(&saved->components, ref, package);
        *(struct side_package *)list_add(&saved->side->packages, saved->arena, sizeof(*package)) =
            *package;
    }
    return NULL;
}

/*
 * Whether what the report suppressed stays so. What its filters took away comes back: the filters
 * here are others.
 */
static struct error *stays_suppressed(const struct saved *saved, const struct place *place,
                                      bool *stays)
{
    static const char *const filters[] = {"--severity", "--ignore-unfixed", "--secret-baseline"};
    slice by;
    TRY(get_text_or_null(saved, place, "by", &by));
    *stays = !saved->wish->policy->kernel_headers || !slice_equal(by, SLICE("plimsoll"));
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        *stays = *stays && !slice_equal(by, slice_from_text(filters[i]));
    return NULL;
}

static struct error *read_finding(struct saved *saved, const struct place *place, bool suppressed)
{
    const struct policy *policy = saved->wish->policy;
    struct side_finding finding = {0};
    slice ref;
    uint64_t layer = 0;
    TRY(get_text(saved, place, "id", &finding.id));
    TRY(get_texts(saved, place, "aliases", &finding.aliases));
    TRY(get_severity(saved, place, &finding.severity));
    TRY(get_text(saved, place, "component", &ref));
    TRY(get_texts(saved, place, "fixed", &finding.fixed));
    TRY(get_count(place, "layer", &layer));
    TRY(get_flag(place, "kev", &finding.kev));
    const struct side_package *package = map_get(&saved->components, ref);
    if (!package)
        return wrong(place, "component", "none of the components");
    const json_t *base =
        json_object_get(json_array_get(saved->layers, (size_t)layer), "base"); /* NULL: no layer */
    if (!base)
        return wrong(place, "layer", "none of the layers");
    finding.package = *package;
    finding.base = json_is_null(base) ? BASE_UNKNOWN : json_is_true(base) ? BASE_YES : BASE_NO;
    if (!saved->wish->vulnerabilities)
        return NULL;
    if (suppressed || !policy->severities[finding.severity] ||
        (policy->ignore_unfixed && finding.fixed.count == 0))
        saved->side->suppressed++;
    else
        *(struct side_finding *)list_add(&saved->side->findings, saved->arena, sizeof(finding)) =
            finding;
    return NULL;
}

/* The first reports had the one only. */
static struct error *get_fingerprints(const struct saved *saved, const struct place *place,
                                      struct side_secret *secret)
{
    if (json_object_get(place->object, "fingerprints"))
        TRY(get_texts(saved, place, "fingerprints", &secret->fingerprints));
    *(slice *)list_add(&secret->fingerprints, saved->arena, sizeof(slice)) = secret->fingerprint;
    return NULL;
}

static struct error *read_secret(struct saved *saved, const struct place *place, bool suppressed)
{
    struct side_secret secret = {0};
    TRY(get_text(saved, place, "fingerprint", &secret.fingerprint));
    TRY(get_fingerprints(saved, place, &secret));
    TRY(get_text(saved, place, "rule", &secret.rule));
    TRY(get_text(saved, place, "title", &secret.title));
    TRY(get_text(saved, place, "path", &secret.path));
    TRY(get_severity(saved, place, &secret.severity));
    if (!saved->wish->secrets)
        return NULL;
    if (suppressed || !saved->wish->policy->severities[secret.severity] ||
        secret_baseline_has_any(&saved->wish->baseline, &secret.fingerprints))
        saved->side->suppressed++;
    else
        *(struct side_secret *)list_add(&saved->side->secrets, saved->arena, sizeof(secret)) =
            secret;
    return NULL;
}

static struct error *read_found(struct saved *saved, const struct place *root)
{
    const json_t *findings, *secrets, *suppressed;
    TRY(get_objects(root, "findings", &findings));
    TRY(get_objects(root, "secrets", &secrets));
    TRY(get_objects(root, "suppressed", &suppressed));
    EACH_OBJECT(place, findings, "findings")
    {
        TRY(read_finding(saved, &place, false));
    }
    EACH_OBJECT(place, secrets, "secrets")
    {
        TRY(read_secret(saved, &place, false));
    }
    EACH_OBJECT(place, suppressed, "suppressed")
    {
        bool stays = false;
        if (json_object_get(place.object, "resolution"))
            continue; /* a misconfiguration: those are not compared */
        TRY(stays_suppressed(saved, &place, &stays));
        TRY(json_object_get(place.object, "rule") ? read_secret(saved, &place, stays)
                                                  : read_finding(saved, &place, stays));
    }
    return NULL;
}

static struct error *read_unjudged(struct saved *saved, const struct place *root)
{
    const json_t *array;
    TRY(get_objects(root, "unjudged", &array));
    EACH_OBJECT(place, array, "unjudged")
    {
        struct unjudged unjudged = {0};
        uint64_t count = 0;
        TRY(get_text(saved, &place, "what", &unjudged.what));
        TRY(get_count(&place, "components", &count));
        TRY(get_text(saved, &place, "reason", &unjudged.reason));
        unjudged.count = (size_t)count;
        if (saved->wish->vulnerabilities)
            *(slice *)list_add(&saved->side->unjudged, saved->arena, sizeof(slice)) =
                unjudged_sentence(&unjudged, saved->arena);
    }
    return NULL;
}

/* What could not be read then cannot be trusted now. */
static struct error *read_errors(struct saved *saved, const struct place *root)
{
    const json_t *array, *object;
    bool complete = false;
    TRY(get_objects(root, "errors", &array));
    TRY(get_object(root, "verdict", &object));
    struct place verdict = {object, "verdict", SIZE_MAX};
    TRY(get_flag(&verdict, "complete", &complete));
    EACH_OBJECT(place, array, "errors")
    {
        slice message;
        TRY(get_text(saved, &place, "message", &message));
        side_add_error(saved->side, saved->arena, message);
    }
    if (complete != (json_array_size(array) == 0))
        return wrong(&verdict, "complete", "not what its errors say");
    return NULL;
}

static void miss(struct saved *saved, const char *what, const char *scanner)
{
    side_add_error(
        saved->side, saved->arena,
        arena_format(saved->arena,
                     "%.*s was saved without looking for %s: scan again with --scanners %s",
                     SLICE_ARG(saved->side->name), what, scanner));
}

static bool has_text(const struct list *list, slice text)
{
    const slice *texts = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(texts[i], text))
            return true;
    return false;
}

/* Nothing found where nothing was looked for must not count as clean. */
static struct error *check_scanners(struct saved *saved, const struct place *root)
{
    struct list scanners = {0};
    const json_t *store = json_object_get(root->object, "store");
    if (!store || (!json_is_null(store) && !json_is_object(store)))
        return wrong(root, "store", store ? "no object" : "missing");
    if (json_is_object(store) && saved->wish->vulnerabilities) {
        struct place place = {store, "store", SIZE_MAX};
        TRY(get_text_or_null(saved, &place, "built", &saved->side->store_built));
    }
    /* The first reports did not say it; without a store there were no vulnerabilities. */
    bool told = json_object_get(root->object, "scanners") != NULL;
    if (told)
        TRY(get_texts(saved, root, "scanners", &scanners));
    if (saved->wish->vulnerabilities &&
        (json_is_null(store) || (told && !has_text(&scanners, SLICE("vuln")))))
        miss(saved, "vulnerabilities", "vuln,secret");
    if (saved->wish->secrets && told && !has_text(&scanners, SLICE("secret")))
        miss(saved, "secrets", "vuln,secret, or compare with --scanners vuln");
    return NULL;
}

static struct error *read_report(struct saved *saved, const struct place *root)
{
    slice version;
    TRY(get_text(saved, root, "schema_version", &version));
    if (!slice_starts(version, SLICE("1.")))
        return error_make(ERROR_INPUT,
                          "it has the form %.*s, and this version of plimsoll reads form 1: use "
                          "the version that wrote it",
                          SLICE_ARG(version));
    TRY(read_image(saved, root));
    TRY(read_components(saved, root));
    TRY(read_found(saved, root));
    TRY(read_unjudged(saved, root));
    TRY(read_errors(saved, root));
    return check_scanners(saved, root);
}

struct error *side_from_document(struct side *side, struct arena *arena, const json_t *document,
                                 const struct side_wish *wish)
{
    struct saved saved = {.side = side, .arena = arena, .wish = wish};
    struct place root = {document, "", SIZE_MAX};
    TRY(error_wrap(read_report(&saved, &root), "the saved report is not whole"));
    side_sort(side);
    return NULL;
}
