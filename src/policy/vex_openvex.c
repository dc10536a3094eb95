/* OpenVEX 0.2, and 0.0.x, in which products and vulnerabilities are texts (OPENVEX-SPEC.md). */
#include "policy/vex_forms.h"

static bool recognise(const json_t *root)
{
    const char *context = json_string_value(json_object_get(root, "@context"));
    return context && slice_starts(slice_from_text(context), SLICE("https://openvex.dev/ns"));
}

static bool status_of(slice text, enum vex_status *status)
{
    for (int i = 0; i <= VEX_AFFECTED; i++)
        if (slice_equal(text, slice_from_text(vex_status_names[i]))) {
            *status = (enum vex_status)i;
            return true;
        }
    return false;
}

static void identify_member(struct vex_reading *reading, struct vex_thing *thing,
                            const json_t *object, const char *member)
{
    vex_identify(reading, thing, json_get_slice(object, member, reading->arena));
}

/* A text, or an object with @id, identifiers and hashes. */
static const struct vex_thing *read_thing(struct vex_reading *reading, const json_t *value)
{
    struct vex_thing *thing = ARENA_NEW(reading->arena, struct vex_thing);
    if (json_is_string(value)) {
        slice text = json_slice(value);
        vex_identify(reading, thing, arena_copy(reading->arena, text));
    }
    identify_member(reading, thing, value, "@id");
    identify_member(reading, thing, json_object_get(value, "identifiers"), "purl");
    const json_t *hashes = json_object_get(value, "hashes");
    slice digest = json_get_slice(hashes, "sha-256", reading->arena);
    if (digest.len)
        vex_identify(reading, thing,
                     arena_format(reading->arena, "sha256:%.*s", SLICE_ARG(digest)));
    return thing;
}

/* `parts`: of the product, or in 0.0.x of the statement. */
static struct error *add_product(struct vex_reading *reading, struct vex_statement *statement,
                                 const struct vex_thing *product, const json_t *parts)
{
    size_t i;
    const json_t *part;
    if (product->identifiers.count == 0)
        return NULL;
    if (json_array_size(parts) == 0)
        return vex_add_scope(reading, statement, product, NULL);
    json_array_foreach(parts, i, part)
        TRY(vex_add_scope(reading, statement, product, read_thing(reading, part)));
    return NULL;
}

static struct error *add_products(struct vex_reading *reading, struct vex_statement *statement,
                                  const json_t *object)
{
    size_t i;
    const json_t *product, *products = json_object_get(object, "products");
    const json_t *common = json_object_get(object, "subcomponents");
    json_array_foreach(products, i, product)
    {
        const json_t *parts = json_object_get(product, "subcomponents");
        TRY(add_product(reading, statement, read_thing(reading, product), parts ? parts : common));
    }
    return NULL;
}

static void add_names(struct vex_reading *reading, struct vex_statement *statement,
                      const json_t *object)
{
    size_t i;
    const json_t *alias, *vulnerability = json_object_get(object, "vulnerability");
    vex_add_name(reading, statement, json_get_slice(object, "vulnerability", reading->arena));
    vex_add_name(reading, statement, json_get_slice(vulnerability, "name", reading->arena));
    json_array_foreach(json_object_get(vulnerability, "aliases"), i,
                       alias) if (json_is_string(alias))
        vex_add_name(reading, statement, arena_copy(reading->arena, json_slice(alias)));
}

static struct error *read_statement(struct vex_reading *reading, const json_t *object,
                                    size_t number, int64_t moment)
{
    static const char *const moments[] = {"last_updated", "timestamp", NULL};
    enum vex_status status;
    slice word = json_get_slice(object, "status", reading->arena);
    if (!status_of(word, &status))
        return vex_wrong(reading,
                         "statement %zu has the status \"%.*s\"; there is not_affected, affected, "
                         "fixed and under_investigation",
                         number, SLICE_ARG(word));
    struct vex_statement *statement = vex_begin(reading, number, status);
    statement->moment = vex_moment_of(object, moments, moment);
    statement->justification = json_get_slice(object, "justification", reading->arena);
    statement->words = vex_join(reading, json_get_slice(object, "impact_statement", reading->arena),
                                json_get_slice(object, "status_notes", reading->arena));
    add_names(reading, statement, object);
    TRY(add_products(reading, statement, object));
    vex_end(reading, statement);
    return NULL;
}

static struct error *read_document(struct vex_reading *reading, const json_t *root)
{
    /* A statement without a moment of its own is as old as the document. */
    static const char *const moments[] = {"timestamp", NULL};
    size_t i;
    const json_t *statement, *statements = json_object_get(root, "statements");
    int64_t moment = vex_moment_of(root, moments, INT64_MIN);
    if (!json_is_array(statements))
        return vex_wrong(reading, "there is no list \"statements\"");
    json_array_foreach(statements, i, statement)
        TRY(read_statement(reading, statement, i + 1, moment));
    return NULL;
}

const struct vex_form vex_openvex = {
    .name = "OpenVEX",
    .recognise = recognise,
    .read = read_document,
};
