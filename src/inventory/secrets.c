/* Secrets of all layers, with what became of the files that they stand in. */
#include "inventory/secret_groups.h"
#include "inventory/tree.h"
#include "secret/public.h"

/* The layer that first takes away or writes over what `layer` has at `path`. */
static size_t layer_that_hides(const struct tree *tree, size_t layer, slice path)
{
    for (size_t i = layer + 1; i < tree->count; i++)
        if (tree_removes(tree, i, path) || tree_has(tree, i, path))
            return i;
    return SIZE_MAX;
}

static bool has_any(slice path, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_contains(path, slice_from_text(parts[i])))
            return true;
    return false;
}

#define HAS_ANY(path, parts) has_any((path), (parts), sizeof(parts) / sizeof((parts)[0]))

static bool ends_in_any(slice path, const char *const *ends, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_ends(path, slice_from_text(ends[i])))
            return true;
    return false;
}

#define ENDS_IN_ANY(path, ends) ends_in_any((path), (ends), sizeof(ends) / sizeof((ends)[0]))

static bool is_installed(slice path)
{
    static const char *const folders[] = {
        "site-packages/",
        "dist-packages/",
        "node_modules/",
        "usr/lib/python",
        "usr/local/lib/python",
        "pkg/mod/",
        "/gems/",
        "usr/local/go/",
        "usr/lib/go",
        "usr/share/go-",
        "/registry/src/" /* cargo's */,
    };
    return HAS_ANY(path, folders);
}

/*
 * What packages bring along as tests, examples and documentation is public: everyone has those
 * keys. Said, but not counted.
 */
static bool is_test_data(slice path)
{
    static const char *const parts[] = {
        "/test/",      "/tests/",     "/testing/",  "/testdata/", "/test_data/",
        "/test-data/", "/fixtures/",  "/examples/", "/example/",  "/examples-",
        "/docs/",      "/doc/",       "/selftest/", "/test_",     "/__tests__/",
        "/spec/",      "/testcerts/", "/README",    "/CHANGELOG", "/unit_tests",
    };
    static const char *const ends[] = {
        "_test.py",
        "_test.go",
        "_test.rb",
        "_spec.rb",
        ".test.js",
        ".test.ts",
        ".spec.js",
        ".spec.ts",
        "/test.js",
        "/tests.py",
        "/tests.rs",
        ".md",
        ".rst",
        ".dist-info/METADATA",
        ".egg-info/PKG-INFO",
    };
    if (slice_starts(path, SLICE("usr/share/doc/")) || slice_starts(path, SLICE("usr/share/man/")))
        return true;
    return is_installed(path) && (HAS_ANY(path, parts) || ENDS_IN_ANY(path, ends));
}

/* The package of the distribution that brought the file with the layer, if nobody changed it since.
 */
static const struct brought_files *who_brought(const struct record *record,
                                               const struct secret *secret)
{
    const struct brought_files *brought = record ? record->brought.items : NULL;
    uint64_t hash = slice_hash(secret->file);
    for (size_t i = 0; record && i < record->brought.count; i++)
        if (secret->modified <= brought[i].written && path_set_has(&brought[i].files, hash))
            return &brought[i];
    return NULL;
}

/* What is known of the place itself may say that a secret there does not count. */
static slice why_not_counted(const struct secret_place *place, struct arena *arena,
                             const struct record *record, const struct secret_rule *rule)
{
    const struct secret *secret = place->secret;
    const struct brought_files *brought = who_brought(record, secret);
    const char *package = secret_published_in(secret->fingerprint);
    if (is_test_data(secret->path))
        return SLICE("test data or an example of an installed package");
    if (package)
        return arena_format(arena, "published in %s", package);
    if (brought)
        return arena_format(
            arena, "in a file of the distribution's package %.*s, unchanged since it was installed",
            SLICE_ARG(brought->package));
    if (rule && rule->weak && is_installed(secret->path))
        return SLICE("in the code of an installed package, where such values are mostly examples");
    return SLICE_EMPTY;
}

static void judge_place(struct secret_place *place, struct arena *arena,
                        const struct record *record, const struct secret_rule *rule)
{
    slice allowed = place->secret->allowed;
    slice why = allowed.len ? allowed : why_not_counted(place, arena, record, rule);
    if (why.len == 0)
        return;
    place->suppressed_reason = why;
    place->suppressed_by = allowed.len ? SLICE("plimsoll:allow") : SLICE("plimsoll");
}

static void add(struct secret_groups *groups, struct arena *arena, const struct record *record,
                struct secret_place place)
{
    judge_place(&place, arena, record, secret_groups_rule(groups, place.secret));
    secret_groups_add(groups, &place);
}

static void add_of_config(struct secret_groups *groups, struct arena *arena,
                          const struct image *image, const struct record *record)
{
    const struct secret *secrets = record->secrets.items;
    for (size_t i = 0; i < record->secrets.count; i++) {
        size_t layer = secrets[i].layer ? (size_t)secrets[i].layer - 1 : SIZE_MAX;
        bool history = slice_starts(secrets[i].path, SLICE("history:"));
        add(groups, arena, NULL,
            (struct secret_place){.secret = &secrets[i],
                                  .stand = history ? IN_HISTORY : IN_CONFIG,
                                  .layer = layer < image->layer_count ? layer : SIZE_MAX,
                                  .deleted_in = SIZE_MAX});
    }
}

static void add_unopened(struct inventory *inventory, struct arena *arena,
                         const struct record *record, size_t layer)
{
    const struct unopened *unopened = record->unopened.items;
    for (size_t i = 0; i < record->unopened.count; i++) {
        struct image_unopened *added = list_add(&inventory->unopened, arena, sizeof(*added));
        *added = (struct image_unopened){&unopened[i], layer, is_test_data(unopened[i].path)};
    }
}

static size_t count_secrets(const struct image *image, const struct layer_outcome *outcomes)
{
    size_t count = 0;
    for (size_t i = 0; i < image->layer_count; i++)
        count += outcomes[i].complete ? outcomes[i].record.secrets.count : 0;
    return count;
}

static void add_of_layers(struct secret_groups *groups, struct arena *arena,
                          const struct image *image, const struct layer_outcome *outcomes)
{
    struct tree tree;
    const struct record **records = arena_array(arena, image->layer_count + 1, sizeof(*records));
    for (size_t i = 0; i < image->layer_count; i++)
        records[i] = outcomes[i].complete ? &outcomes[i].record : NULL;
    tree_build(&tree, arena, records, image->layer_count);
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct secret *secrets = records[i] ? records[i]->secrets.items : NULL;
        for (size_t j = 0; records[i] && j < records[i]->secrets.count; j++)
            add(groups, arena, records[i],
                (struct secret_place){.secret = &secrets[j],
                                      .stand = IN_FILE,
                                      .layer = i,
                                      .deleted_in = layer_that_hides(&tree, i, secrets[j].file)});
    }
}

void inventory_add_secrets(struct inventory *inventory, struct arena *arena,
                           const struct image *image, const struct layer_outcome *outcomes,
                           const struct layer_outcome *config, const struct secret_rules *rules)
{
    struct secret_groups groups;
    for (size_t i = 0; i < image->layer_count; i++)
        if (outcomes[i].complete)
            add_unopened(inventory, arena, &outcomes[i].record, i);
    secret_groups_start(&groups, arena, rules);
    if (config && config->complete)
        add_of_config(&groups, arena, image, &config->record);
    if (count_secrets(image, outcomes))
        add_of_layers(&groups, arena, image, outcomes);
    secret_groups_end(&groups, &inventory->secrets);
}
