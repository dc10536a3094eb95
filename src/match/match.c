#include "match/match.h"
#include "match/internal.h"
#include "base/limits.h"

slice unjudged_sentence(const struct unjudged *unjudged, struct arena *arena)
{
    if (unjudged->count == 0)
        return arena_format(arena, "%.*s: %.*s", SLICE_ARG(unjudged->what),
                            SLICE_ARG(unjudged->reason));
    if (unjudged->of == UNJUDGED_ARCHIVES)
        return arena_format(arena, "%zu archive%s not looked into for secrets: %.*s",
                            unjudged->count, unjudged->count == 1 ? "" : "s",
                            SLICE_ARG(unjudged->reason));
    return arena_format(arena, "%zu component%s of %.*s: %.*s", unjudged->count,
                        unjudged->count == 1 ? "" : "s", SLICE_ARG(unjudged->what),
                        SLICE_ARG(unjudged->reason));
}

static void add_unjudged(struct matcher *matcher, slice what, size_t count, slice reason)
{
    enum { MOST_KINDS = 200 };
    struct list *list = &matcher->result->unjudged;
    struct unjudged *items = list->items;
    if (list->count >= MOST_KINDS)
        what = SLICE("many more kinds");
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(items[i].what, what)) {
            items[i].count += count;
            return;
        }
    *(struct unjudged *)list_add(list, matcher->arena, sizeof(*items)) =
        (struct unjudged){what, count, reason, matcher->looked_at};
}

/* The advisories that speak of this version of this package, each with the fix it names. */
static struct error *find_hits(struct matcher *matcher, slice ecosystem, slice name, slice version,
                               struct list *hits)
{
    const struct advisory *advisories;
    size_t count;
    const struct version_scheme *scheme = version_scheme_for(ecosystem);
    TRY(store_lookup(matcher->store, matcher->arena, ecosystem, name, &advisories, &count));
    for (size_t i = 0; scheme && i < count; i++) {
        const struct advisory *advisory = &advisories[i];
        struct hit hit = {.advisory = advisory};
        bool affected =
            version_in_list(scheme, version, advisory->versions, advisory->version_count);
        for (size_t j = 0; j < advisory->range_count; j++) {
            slice fixed;
            if (!version_in_range(scheme, version, &advisory->ranges[j], &fixed))
                continue;
            affected = true;
            if (fixed.len)
                *(slice *)list_add(&hit.fixed, matcher->arena, sizeof(slice)) = fixed;
        }
        if (affected)
            *(struct hit *)list_add(hits, matcher->arena, sizeof(hit)) = hit;
    }
    return NULL;
}

/* Notes what cannot be judged by its name or version; true when there is nothing more to do. */
static bool is_odd(struct matcher *matcher, const struct component *component, slice ecosystem,
                   slice name, slice version)
{
    if (name.len > LIMIT_PACKAGE_NAME_BYTES) {
        add_unjudged(matcher, SLICE("packages with endless names"), 1,
                     SLICE("no feed has a name of that length"));
        return true;
    }
    if (!version_scheme_for(ecosystem)->valid(version))
        add_unjudged(
            matcher,
            arena_format(matcher->arena, "%.*s with odd versions", SLICE_ARG(component->type)), 1,
            arena_format(matcher->arena,
                         "\"%.*s\" is no version by the rules of %.*s, so ranges say little "
                         "of it",
                         SLICE_ARG(version), SLICE_ARG(ecosystem)));
    return false;
}

static struct error *match_in(struct matcher *matcher, const struct component *component,
                              slice ecosystem, slice name, slice version)
{
    struct list hits = {0};
    if (is_odd(matcher, component, ecosystem, name, version))
        return NULL;
    TRY(find_hits(matcher, ecosystem, name, version, &hits));
    return join_hits(matcher, component, hits.items, hits.count, version_scheme_for(ecosystem));
}

/* An SBOM can list packages of several distributions, but is judged by the advisories of one. */
static bool is_of_another(struct matcher *matcher, const struct component *component)
{
    const struct os *os = &matcher->inventory->os;
    slice release = component->distribution_release;
    bool any_release = release.len == 0 || os->version_id.len == 0;
    if (component->distribution.len == 0 || !os->found ||
        (slice_equal(component->distribution, os->id) &&
         (any_release || release_is_same(release, os->version_id))))
        return false;
    add_unjudged(matcher,
                 arena_format(matcher->arena, "%.*s %.*s", SLICE_ARG(component->distribution),
                              SLICE_ARG(component->distribution_release)),
                 1,
                 arena_format(matcher->arena,
                              "the SBOM is one of %.*s %.*s, by whose advisories these cannot be "
                              "judged",
                              SLICE_ARG(os->id), SLICE_ARG(os->version_id)));
    return true;
}

static struct error *match_deb(struct matcher *matcher, const struct component *component)
{
    const struct os *os = &matcher->inventory->os;
    if (is_of_another(matcher, component))
        return NULL;
    if (matcher->distribution_ecosystem.len)
        return match_in(matcher, component, matcher->distribution_ecosystem, component->source_name,
                        component->source_version);
    if (!os->found) {
        add_unjudged(matcher, SLICE("deb"), 1,
                     SLICE("the image has no os-release, so it is not known which distribution's "
                           "advisories to `plimsoll db import` and to look into"));
        return NULL;
    }
    slice what = os->version_id.len ? arena_format(matcher->arena, "%.*s %.*s", SLICE_ARG(os->id),
                                                   SLICE_ARG(os->version_id))
                                    : os->id;
    add_unjudged(matcher, what, 1,
                 arena_format(matcher->arena,
                              "the store holds no advisories for %.*s: fetch them (OSV publishes "
                              "them by ecosystem) and `plimsoll db import` them",
                              SLICE_ARG(what)));
    return NULL;
}

static struct error *find_pypi_hits(struct matcher *matcher, const struct component *component,
                                    slice name, slice version, struct list *hits)
{
    bool has;
    TRY(store_has_ecosystem(matcher->store, SLICE("PyPI"), &has));
    if (!has) {
        add_unjudged(matcher, SLICE("PyPI"), 1,
                     SLICE("the store holds no advisories for PyPI: `plimsoll db import` OSV's "
                           "PyPI/all.zip"));
        return NULL;
    }
    if (version.len == 0) {
        add_unjudged(matcher, SLICE("pypi without version"), 1,
                     SLICE("their metadata names no version"));
        return NULL;
    }
    if (is_odd(matcher, component, SLICE("PyPI"), name, version))
        return NULL;
    return find_hits(matcher, SLICE("PyPI"), name, version, hits);
}

static struct error *match_pypi(struct matcher *matcher, const struct component *component)
{
    struct list hits = {0};
    TRY(find_pypi_hits(matcher, component, component->name, component->version, &hits));
    return join_hits(matcher, component, hits.items, hits.count, version_scheme_for(SLICE("PyPI")));
}

/* A conda package is judged by the Python distributions that it holds; nobody publishes advisories
 * for the others. */
static struct error *match_conda(struct matcher *matcher, const struct component *component)
{
    const struct identity *held = component->contains.items;
    struct list hits = {0};
    size_t own = 0;
    for (size_t i = 0; i < component->contains.count; i++) {
        if (held[i].bundled)
            continue;
        own++;
        TRY(find_pypi_hits(matcher, component, held[i].name, held[i].version, &hits));
    }
    if (own)
        return join_hits(matcher, component, hits.items, hits.count,
                         version_scheme_for(SLICE("PyPI")));
    add_unjudged(matcher, SLICE("conda"), 1,
                 SLICE("they are no Python distributions, and no feed publishes advisories for "
                       "conda's other packages"));
    return NULL;
}

/* Packages of languages that only SBOMs tell of so far, and that are judged by name and version. */
static const struct {
    slice type, ecosystem;
} languages[] = {
    {SLICE("golang"), SLICE("Go")},
    {SLICE("npm"), SLICE("npm")},
    {SLICE("cargo"), SLICE("crates.io")},
    {SLICE("hex"), SLICE("Hex")},
};

static struct error *match_language(struct matcher *matcher, const struct component *component,
                                    slice ecosystem)
{
    bool has;
    slice version = component->version;
    TRY(store_has_ecosystem(matcher->store, ecosystem, &has));
    if (!has) {
        add_unjudged(matcher, component->type, 1,
                     arena_format(matcher->arena,
                                  "the store holds no advisories for %.*s: `plimsoll db update "
                                  "%.*s` fetches them",
                                  SLICE_ARG(ecosystem), SLICE_ARG(ecosystem)));
        return NULL;
    }
    if (version.len == 0) {
        add_unjudged(
            matcher,
            arena_format(matcher->arena, "%.*s without version", SLICE_ARG(component->type)), 1,
            SLICE("nothing says which version is there"));
        return NULL;
    }
    /* Go's versions begin with a "v" that advisories leave out; its own library's with "go". */
    if (slice_equal(ecosystem, SLICE("Go")))
        version = slice_starts(version, SLICE("go"))  ? slice_from(version, 2)
                  : slice_starts(version, SLICE("v")) ? slice_from(version, 1)
                                                      : version;
    return match_in(matcher, component, ecosystem, component->name, version);
}

static struct error *match_component(struct matcher *matcher, const struct component *component)
{
    matcher->looked_at = component_is_of_system(component) ? UNJUDGED_SYSTEM : UNJUDGED_LIBRARIES;
    if (slice_equal(component->type, SLICE("deb")))
        return match_deb(matcher, component);
    if (slice_equal(component->type, SLICE("pypi")))
        return match_pypi(matcher, component);
    if (slice_equal(component->type, SLICE("conda")))
        return match_conda(matcher, component);
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        if (slice_equal(component->type, languages[i].type))
            return match_language(matcher, component, languages[i].ecosystem);
    add_unjudged(matcher, component->type, 1, SLICE("plimsoll has no rules for them"));
    return NULL;
}

static struct error *find_distribution(struct matcher *matcher)
{
    const struct os *os = &matcher->inventory->os;
    slice names[2];
    matcher->distribution = distribution_find(os);
    if (!matcher->distribution)
        return NULL;
    size_t count = distribution_ecosystems(matcher->distribution, os, matcher->arena, names);
    for (size_t i = 0; i < count && matcher->distribution_ecosystem.len == 0; i++) {
        bool has;
        TRY(store_has_ecosystem(matcher->store, names[i], &has));
        if (has && version_scheme_for(names[i]))
            matcher->distribution_ecosystem = names[i];
    }
    return NULL;
}

static size_t count_type(const struct inventory *inventory, slice type)
{
    size_t count = 0;
    struct component *const *components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++)
        count += slice_equal(components[i]->type, type);
    return count;
}

/* An image of a distribution whose packages were not found cannot be clean. */
static void check_packages_found(struct matcher *matcher)
{
    const struct distribution *distribution = matcher->distribution;
    const struct os *os = &matcher->inventory->os;
    matcher->looked_at = UNJUDGED_ANYTHING;
    if (matcher->inventory->components.count == 0 && !os->found &&
        matcher->inventory->databases.count == 0)
        add_unjudged(matcher, SLICE("the whole image"), 0,
                     SLICE("neither a distribution nor any package was found in it"));
    matcher->looked_at = UNJUDGED_SYSTEM;
    const slice *databases = matcher->inventory->databases.items;
    for (size_t i = 0; i < matcher->inventory->databases.count; i++)
        add_unjudged(
            matcher, arena_format(matcher->arena, "%.*s packages", SLICE_ARG(databases[i])), 0,
            SLICE("there is a database of them, which this version of plimsoll does not read"));
    if (matcher->inventory->os_without_id && matcher->inventory->databases.count == 0 &&
        count_type(matcher->inventory, SLICE("deb")) == 0)
        add_unjudged(
            matcher, SLICE("the distribution"), 0,
            SLICE("the image's os-release does not say which it is, and no package of it was "
                  "found"));
    if (!os->found || matcher->inventory->databases.count)
        return;
    slice type = distribution ? slice_from_text(distribution->package_type) : SLICE("deb");
    if (count_type(matcher->inventory, type))
        return;
    slice name = os->name.len ? os->name : os->id;
    bool known = distribution && slice_equal(type, SLICE("deb"));
    const char *why = known ? "no package of it was found: its package database is missing"
                            : "this version of plimsoll does not read its package database";
    add_unjudged(matcher, arena_format(matcher->arena, "packages of %.*s", SLICE_ARG(name)), 0,
                 slice_from_text(why));
}

/*
 * Whether the package that owns this Python distribution speaks for it: made by the distribution
 * itself, and the distribution is one that the store can judge. Some maintainers sign with an
 * address of their own; that the store knows the source package tells them from a vendor.
 */
static struct error *is_spoken_for(struct matcher *matcher, const struct component *component,
                                   bool *spoken_for)
{
    const struct component *owner = component->owner;
    *spoken_for = false;
    if (!owner || matcher->distribution_ecosystem.len == 0)
        return NULL;
    if (!component->owner_is_vendor) {
        *spoken_for = true;
        return NULL;
    }
    const struct advisory *advisories;
    size_t count;
    const slice *location = component->locations.items;
    if (component->locations.count == 0 || !slice_starts(*location, SLICE("usr/lib/python")))
        return NULL;
    TRY(store_lookup(matcher->store, matcher->arena, matcher->distribution_ecosystem,
                     owner->source_name, &advisories, &count));
    *spoken_for = count > 0;
    return NULL;
}

static struct error *drop_spoken_for(struct matcher *matcher)
{
    struct list *list = &matcher->inventory->components;
    struct component **components = list->items;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool spoken_for;
        TRY(is_spoken_for(matcher, components[i], &spoken_for));
        if (spoken_for)
            matcher->result->owned_by_distribution++;
        else
            components[kept++] = components[i];
    }
    list->count = kept;
    return NULL;
}

static struct error *find_end_of_life(struct matcher *matcher, slice today)
{
    const struct distribution *distribution = matcher->distribution;
    struct match_result *result = matcher->result;
    result->end_of_life_unknown = matcher->inventory->os.found;
    if (!distribution)
        return NULL;
    slice release = distribution_release(distribution, &matcher->inventory->os);
    TRY(store_end_of_life(matcher->store, matcher->arena,
                          slice_from_text(distribution->end_of_life), release, &result->end_of_life,
                          &result->end_of_extended_life));
    result->end_of_life_unknown = result->end_of_life.len == 0;
    result->is_end_of_life =
        slice_equal(result->end_of_life, SLICE("true")) ||
        (result->end_of_life.len == 10 && slice_compare(result->end_of_life, today) <= 0);
    return NULL;
}

struct error *match_run(struct match_result *result, struct arena *arena,
                        struct inventory *inventory, struct store *store, slice today)
{
    struct matcher matcher = {
        .result = result, .arena = arena, .store = store, .inventory = inventory};
    *result = (struct match_result){0};
    TRY(find_distribution(&matcher));
    TRY(find_end_of_life(&matcher, today));
    TRY(drop_spoken_for(&matcher));
    struct component *const *components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++)
        TRY(match_component(&matcher, components[i]));
    check_packages_found(&matcher);
    return NULL;
}

slice end_of_life_sentence(const struct match_result *result, const struct os *os,
                           struct arena *arena)
{
    if (!result->is_end_of_life)
        return SLICE_EMPTY;
    slice when = result->end_of_life.len == 10
                     ? arena_format(arena, " on %.*s", SLICE_ARG(result->end_of_life))
                     : SLICE_EMPTY;
    slice extended = result->end_of_extended_life.len == 10
                         ? arena_format(arena, " (extended support until %.*s)",
                                        SLICE_ARG(result->end_of_extended_life))
                         : SLICE_EMPTY;
    return arena_format(arena,
                        "%.*s reached its end of life%.*s%.*s: new vulnerabilities may stay "
                        "without a fix. Move to a newer release.",
                        SLICE_ARG(os->name), SLICE_ARG(when), SLICE_ARG(extended));
}
