/*
 * CSAF 2.0 and 2.1 (profile VEX): a tree of products, relationships between them, and for each
 * vulnerability lists of products by status. Products are known by package URL or hash; those that
 * are only named cannot be told apart from others and are passed over.
 */
#include "policy/vex_forms.h"
#include "base/limits.h"

struct product {
    const struct vex_thing *product, *part; /* part: of a relationship; else NULL */
};

struct tree {
    struct vex_reading *reading;
    struct map products; /* of struct product, by product_id */
    struct map groups;   /* of json_t: lists of product_ids, by group_id */
    int64_t moment;
};

/* What is said of products of one vulnerability beside their status, by product_id: of slice. */
struct remarks {
    struct map labels, words;
};

static bool recognise(const json_t *root)
{
    return json_is_string(json_object_get(json_object_get(root, "document"), "csaf_version"));
}

static void identify_by_hashes(struct vex_reading *reading, struct vex_thing *thing,
                               const json_t *helper)
{
    size_t i, j;
    const json_t *file, *hash;
    json_array_foreach(json_object_get(helper, "hashes"), i, file)
    {
        json_array_foreach(json_object_get(file, "file_hashes"), j, hash)
        {
            slice algorithm = json_get_slice(hash, "algorithm", reading->arena);
            slice value = json_get_slice(hash, "value", reading->arena);
            if (slice_equal(algorithm, SLICE("sha256")))
                vex_identify(reading, thing,
                             arena_format(reading->arena, "sha256:%.*s", SLICE_ARG(value)));
        }
    }
}

static void put_product(struct tree *tree, slice id, const struct vex_thing *product,
                        const struct vex_thing *part)
{
    struct product *entry = ARENA_NEW(tree->reading->arena, struct product);
    *entry = (struct product){product, part};
    if (id.len)
        map_put(&tree->products, id, entry);
}

static void add_product(struct tree *tree, const json_t *product)
{
    size_t i;
    const json_t *purl, *helper = json_object_get(product, "product_identification_helper");
    struct vex_reading *reading = tree->reading;
    struct vex_thing *thing = ARENA_NEW(reading->arena, struct vex_thing);
    vex_identify(reading, thing, json_get_slice(helper, "purl", reading->arena));
    json_array_foreach(json_object_get(helper, "purls"), i, purl) if (json_is_string(purl))
        vex_identify(reading, thing, arena_copy(reading->arena, json_slice(purl)));
    identify_by_hashes(reading, thing, helper);
    put_product(tree, json_get_slice(product, "product_id", reading->arena), thing, NULL);
}

/* As deep as the document, whose depth is bounded. */
static void add_branches(struct tree *tree, const json_t *branches)
{
    size_t i;
    const json_t *branch;
    json_array_foreach(branches, i, branch)
    {
        const json_t *product = json_object_get(branch, "product");
        if (json_is_object(product))
            add_product(tree, product);
        add_branches(tree, json_object_get(branch, "branches"));
    }
}

static const struct product *product_named(const struct tree *tree, const json_t *object,
                                           const char *member)
{
    return map_get(&tree->products, json_get_slice(object, member, tree->reading->arena));
}

/* One product as part of (or installed on) another. Relationships may build on those before. */
static void add_relationship(struct tree *tree, const json_t *relationship)
{
    const struct product *part = product_named(tree, relationship, "product_reference");
    const struct product *whole = product_named(tree, relationship, "relates_to_product_reference");
    const json_t *name = json_object_get(relationship, "full_product_name");
    if (part && whole)
        put_product(tree, json_get_slice(name, "product_id", tree->reading->arena), whole->product,
                    part->part ? part->part : part->product);
}

static void read_tree(struct tree *tree, const json_t *object)
{
    size_t i;
    const json_t *item;
    add_branches(tree, json_object_get(object, "branches"));
    json_array_foreach(json_object_get(object, "full_product_names"), i, item)
        add_product(tree, item);
    json_array_foreach(json_object_get(object, "relationships"), i, item)
        add_relationship(tree, item);
    json_array_foreach(json_object_get(object, "product_groups"), i, item)
    {
        slice id = json_get_slice(item, "group_id", tree->reading->arena);
        json_t *ids = json_object_get(item, "product_ids");
        if (id.len && ids)
            map_put(&tree->groups, id, ids);
    }
}

static void remark_on(struct tree *tree, struct map *map, const json_t *ids, slice text)
{
    size_t i;
    const json_t *id;
    slice *kept = ARENA_NEW(tree->reading->arena, slice);
    *kept = text;
    json_array_foreach(ids, i, id) if (json_is_string(id) && text.len)
        map_put(map, json_slice(id), kept);
}

/* Of a list as `flags` or `threats`: what each entry says, for its products and groups. */
static void add_remarks(struct tree *tree, struct map *map, const json_t *list,
                        const char *category, const char *member)
{
    size_t i, j;
    const json_t *item, *group;
    json_array_foreach(list, i, item)
    {
        slice word = json_get_slice(item, "category", tree->reading->arena);
        slice text = json_get_slice(item, member, tree->reading->arena);
        if (category && !slice_equal(word, slice_from_text(category)))
            continue;
        remark_on(tree, map, json_object_get(item, "product_ids"), text);
        json_array_foreach(json_object_get(item, "group_ids"), j, group) if (json_is_string(group))
            remark_on(tree, map, map_get(&tree->groups, json_slice(group)), text);
    }
}

static slice remark_for(const struct map *map, slice id)
{
    const slice *text = map_get(map, id);
    return text ? *text : SLICE_EMPTY;
}

static void add_names(struct tree *tree, struct vex_statement *statement,
                      const json_t *vulnerability)
{
    size_t i;
    const json_t *id;
    struct vex_reading *reading = tree->reading;
    vex_add_name(reading, statement, json_get_slice(vulnerability, "cve", reading->arena));
    json_array_foreach(json_object_get(vulnerability, "ids"), i, id)
        vex_add_name(reading, statement, json_get_slice(id, "text", reading->arena));
}

struct listing {
    const json_t *vulnerability;
    size_t number;
    enum vex_status status;
    const struct remarks *remarks;
};

static struct error *add_statement(struct tree *tree, const struct listing *listing, slice id)
{
    struct vex_reading *reading = tree->reading;
    const struct product *product = map_get(&tree->products, id);
    struct vex_statement *statement = vex_begin(reading, listing->number, listing->status);
    statement->moment = tree->moment;
    if (listing->status == VEX_NOT_AFFECTED)
        statement->justification = remark_for(&listing->remarks->labels, id);
    statement->words = remark_for(&listing->remarks->words, id);
    add_names(tree, statement, listing->vulnerability);
    if (product && product->product->identifiers.count &&
        (!product->part || product->part->identifiers.count))
        TRY(vex_add_scope(reading, statement, product->product, product->part));
    vex_end(reading, statement);
    return NULL;
}

static const struct status_list {
    const char *name;
    enum vex_status status;
} status_lists[] = {
    {"known_not_affected", VEX_NOT_AFFECTED},
    {"fixed", VEX_FIXED},
    {"first_fixed", VEX_FIXED},
    {"under_investigation", VEX_UNDER_INVESTIGATION},
    {"known_affected", VEX_AFFECTED},
    {"first_affected", VEX_AFFECTED},
    {"last_affected", VEX_AFFECTED},
};

static struct error *read_vulnerability(struct tree *tree, const json_t *vulnerability,
                                        size_t number)
{
    struct arena *arena = tree->reading->arena;
    struct remarks remarks = {.labels = {.arena = arena}, .words = {.arena = arena}};
    const json_t *statuses = json_object_get(vulnerability, "product_status"), *id;
    size_t i;
    add_remarks(tree, &remarks.labels, json_object_get(vulnerability, "flags"), NULL, "label");
    add_remarks(tree, &remarks.words, json_object_get(vulnerability, "remediations"), "vendor_fix",
                "details");
    add_remarks(tree, &remarks.words, json_object_get(vulnerability, "threats"), "impact",
                "details");
    for (size_t list = 0; list < sizeof(status_lists) / sizeof(status_lists[0]); list++) {
        struct listing listing = {vulnerability, number, status_lists[list].status, &remarks};
        json_array_foreach(json_object_get(statuses, status_lists[list].name), i, id)
            TRY(add_statement(tree, &listing, json_slice(id)));
    }
    return NULL;
}

static struct error *read_document(struct vex_reading *reading, const json_t *root)
{
    static const char *const moments[] = {"current_release_date", "initial_release_date", NULL};
    struct tree tree = {.reading = reading,
                        .products = {.arena = reading->arena},
                        .groups = {.arena = reading->arena}};
    const json_t *document = json_object_get(root, "document"), *vulnerability;
    size_t i;
    tree.moment = vex_moment_of(json_object_get(document, "tracking"), moments, INT64_MIN);
    read_tree(&tree, json_object_get(root, "product_tree"));
    json_array_foreach(json_object_get(root, "vulnerabilities"), i, vulnerability)
        TRY(read_vulnerability(&tree, vulnerability, i + 1));
    return NULL;
}

const struct vex_form vex_csaf = {
    .name = "CSAF",
    .recognise = recognise,
    .read = read_document,
};
