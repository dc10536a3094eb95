/* What the keys of an exception are compared with: one table of fields. */
#include "policy/exceptions.h"
#include "base/glob.h"
#include "base/limits.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* As it is called in an ignore file of Grype's form, by the package URL's type. */
static const struct grype_words {
    const char *type, *package_type, *language;
} grype_words[] = {
    {"deb", "deb", ""},
    {"rpm", "rpm", ""},
    {"apk", "apk", ""},
    {"conda", "conda", "python"},
    {"pypi", "python", "python"},
    {"npm", "npm", "javascript"},
    {"maven", "java-archive", "java"},
    {"golang", "go-module", "go"},
    {"cargo", "rust-crate", "rust"},
    {"gem", "gem", "ruby"},
    {"composer", "php-composer", "php"},
    {"nuget", "dotnet", "dotnet"},
};

static bool matches_regex(const struct exception_key *key, slice value)
{
    bool matches = slice_equal_nocase(key->wanted, value); /* "g++" is no expression */
    pcre2_match_context *limits = matches ? NULL : pcre2_match_context_create(NULL);
    pcre2_match_data *data = matches ? NULL : pcre2_match_data_create(1, NULL);
    if (!matches && (!limits || !data))
        memory_exhausted();
    if (!matches) {
        pcre2_set_match_limit(limits, LIMIT_IGNORE_MATCH_STEPS);
        matches =
            pcre2_match(key->compiled, (PCRE2_SPTR)value.ptr, value.len, 0, 0, data, limits) >= 0;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return matches;
}

static bool matches(const struct exception_key *key, slice value)
{
    switch (key->way) {
    case WAY_GLOB:
        return glob_match(key->wanted, value);
    case WAY_REGEX:
        return matches_regex(key, value);
    default:
        return slice_equal(key->wanted, value);
    }
}

/* Whether one of the entry's keys for the field is for that value. */
static bool is_for(const struct exception *exception, enum exception_field field, slice value)
{
    const struct exception_key *keys = exception->keys.items;
    for (size_t i = 0; i < exception->keys.count; i++)
        if (keys[i].field == field && matches(&keys[i], value))
            return true;
    return false;
}

static bool holds_id(const struct exception *exception, const struct exception_subject *subject)
{
    /* By its surest rule the secret is meant, by another what that rule found. */
    if (subject->secret)
        return is_for(exception, FIELD_ID, subject->secret->secret->rule) ||
               is_for(exception, FIELD_ID, subject->place->secret->rule);
    const struct finding *finding = subject->finding;
    const slice *aliases = finding->aliases.items;
    if (is_for(exception, FIELD_ID, finding->id))
        return true;
    for (size_t i = 0; i < finding->aliases.count; i++)
        if (is_for(exception, FIELD_ID, aliases[i]))
            return true;
    return false;
}

static bool holds_fingerprint(const struct exception *exception,
                              const struct exception_subject *subject)
{
    const slice *fingerprints = subject->secret ? subject->secret->fingerprints.items : NULL;
    for (size_t i = 0; fingerprints && i < subject->secret->fingerprints.count; i++)
        if (is_for(exception, FIELD_FINGERPRINT, fingerprints[i]))
            return true;
    return false;
}

static bool holds_package(const struct exception *exception,
                          const struct exception_subject *subject)
{
    return subject->finding && is_for(exception, FIELD_PACKAGE, subject->finding->component->name);
}

static bool holds_version(const struct exception *exception,
                          const struct exception_subject *subject)
{
    return subject->finding &&
           is_for(exception, FIELD_VERSION, subject->finding->component->version);
}

/* The package URL's type, Grype's name of it, or "language" and the language. */
static bool holds_type(const struct exception *exception, const struct exception_subject *subject)
{
    if (!subject->finding)
        return false;
    slice type = subject->finding->component->type;
    const struct exception_key *keys = exception->keys.items;
    for (size_t i = 0; i < exception->keys.count; i++) {
        if (keys[i].field != FIELD_TYPE)
            continue;
        bool holds = slice_equal(keys[i].wanted, type);
        for (size_t j = 0; j < sizeof(grype_words) / sizeof(grype_words[0]); j++)
            holds |= slice_equal(type, slice_from_text(grype_words[j].type)) &&
                     (slice_equal(keys[i].wanted, slice_from_text(grype_words[j].package_type)) ||
                      slice_equal(keys[i].wanted, slice_from_text(grype_words[j].language)));
        if (!holds)
            return false; /* type and language, where both are said */
    }
    return true;
}

static bool holds_upstream(const struct exception *exception,
                           const struct exception_subject *subject)
{
    return subject->finding &&
           is_for(exception, FIELD_UPSTREAM, subject->finding->component->source_name);
}

static bool holds_purl(const struct exception *exception, const struct exception_subject *subject)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct purl purl;
    const struct exception_key *keys = exception->keys.items;
    if (!subject->finding || !purl_parse(&purl, subject->finding->component->purl, &arena))
        return false;
    for (size_t i = 0; i < exception->keys.count; i++)
        if (keys[i].field == FIELD_PURL && purl_matches(keys[i].compiled, &purl))
            return true;
    return false;
}

/* A package that also lies elsewhere is there all the same: all its places must be named. */
static bool holds_path(const struct exception *exception, const struct exception_subject *subject)
{
    if (subject->secret)
        return is_for(exception, FIELD_PATH, subject->place->secret->path) ||
               is_for(exception, FIELD_PATH, subject->place->secret->file);
    const slice *locations = subject->finding->component->locations.items;
    size_t count = subject->finding->component->locations.count;
    for (size_t i = 0; i < count; i++)
        if (!is_for(exception, FIELD_PATH, locations[i]))
            return false;
    return count > 0;
}

static bool holds_image(const struct exception *exception, const struct exception_subject *subject)
{
    const slice *names = subject->target->names.items;
    for (size_t i = 0; i < subject->target->names.count; i++)
        if (is_for(exception, FIELD_IMAGE, names[i]))
            return true;
    return false;
}

/* "Debian:12" is debian:distro:debian:12 with Grype, "PyPI" is github:language:python. */
static slice namespace_of(const struct finding *finding, slice ecosystem, struct arena *arena)
{
    slice name, release;
    const struct component *component = finding->component;
    if (slice_split(ecosystem, ':', &name, &release)) {
        char *lower = arena_text(arena, name);
        for (size_t i = 0; i < name.len; i++)
            lower[i] = byte_lower(lower[i]);
        slice_split(release, ':', &release, &name);
        if (slice_starts(release, SLICE("v")))
            release = slice_from(release, 1);
        return arena_format(arena, "%s:distro:%s:%.*s", lower, lower, SLICE_ARG(release));
    }
    for (size_t i = 0; i < sizeof(grype_words) / sizeof(grype_words[0]); i++)
        if (slice_equal(component->type, slice_from_text(grype_words[i].type)))
            return arena_format(arena, "github:language:%s", grype_words[i].language);
    return SLICE_EMPTY;
}

static bool holds_namespace(const struct exception *exception,
                            const struct exception_subject *subject)
{
    CLEANUP_ARENA struct arena arena = {0};
    if (!subject->finding)
        return false;
    const struct finding_source *sources = subject->finding->sources.items;
    for (size_t i = 0; i < subject->finding->sources.count; i++)
        if (is_for(exception, FIELD_NAMESPACE, sources[i].ecosystem) ||
            is_for(exception, FIELD_NAMESPACE,
                   namespace_of(subject->finding, sources[i].ecosystem, &arena)))
            return true;
    return false;
}

static bool holds_fix_state(const struct exception *exception,
                            const struct exception_subject *subject)
{
    if (!subject->finding)
        return false;
    slice status = slice_from_text(subject->finding->status);
    slice state = subject->finding->fixed.count                ? SLICE("fixed")
                  : slice_equal(status, SLICE("will_not_fix")) ? SLICE("wont-fix")
                  : slice_equal(status, SLICE("unknown"))      ? SLICE("unknown")
                                                               : SLICE("not-fixed");
    return is_for(exception, FIELD_FIX_STATE, state);
}

/* Directly by its own name, or by that of the source package that it was made from. */
static bool holds_match_type(const struct exception *exception,
                             const struct exception_subject *subject)
{
    if (!subject->finding)
        return false;
    const struct component *component = subject->finding->component;
    bool direct =
        component->source_name.len == 0 || slice_equal(component->source_name, component->name);
    return is_for(exception, FIELD_MATCH_TYPE,
                  direct ? SLICE("exact-direct-match") : SLICE("exact-indirect-match"));
}

static bool holds_vex_status(const struct exception *exception,
                             const struct exception_subject *subject)
{
    return subject->finding && is_for(exception, FIELD_VEX_STATUS, subject->finding->vex_status);
}

static bool holds_vex_justification(const struct exception *exception,
                                    const struct exception_subject *subject)
{
    return subject->finding &&
           is_for(exception, FIELD_VEX_JUSTIFICATION, subject->finding->vex_justification);
}

static bool (*const holds[FIELD_COUNT])(const struct exception *exception,
                                        const struct exception_subject *subject) = {
    [FIELD_ID] = holds_id,
    [FIELD_FINGERPRINT] = holds_fingerprint,
    [FIELD_PACKAGE] = holds_package,
    [FIELD_VERSION] = holds_version,
    [FIELD_TYPE] = holds_type,
    [FIELD_UPSTREAM] = holds_upstream,
    [FIELD_PURL] = holds_purl,
    [FIELD_PATH] = holds_path,
    [FIELD_IMAGE] = holds_image,
    [FIELD_NAMESPACE] = holds_namespace,
    [FIELD_FIX_STATE] = holds_fix_state,
    [FIELD_MATCH_TYPE] = holds_match_type,
    [FIELD_VEX_STATUS] = holds_vex_status,
    [FIELD_VEX_JUSTIFICATION] = holds_vex_justification,
};

const char *const exception_field_names[FIELD_COUNT] = {
    [FIELD_ID] = "id",
    [FIELD_FINGERPRINT] = "fingerprint",
    [FIELD_PACKAGE] = "package",
    [FIELD_VERSION] = "version",
    [FIELD_TYPE] = "type",
    [FIELD_UPSTREAM] = "upstream-name",
    [FIELD_PURL] = "purl",
    [FIELD_PATH] = "path",
    [FIELD_IMAGE] = "image",
    [FIELD_NAMESPACE] = "namespace",
    [FIELD_FIX_STATE] = "fix-state",
    [FIELD_MATCH_TYPE] = "match-type",
    [FIELD_VEX_STATUS] = "vex-status",
    [FIELD_VEX_JUSTIFICATION] = "vex-justification",
};

bool exception_holds(const struct exception *exception, const struct exception_subject *subject)
{
    for (size_t field = 0; field < FIELD_COUNT; field++)
        if ((exception->fields & 1U << field) && !holds[field](exception, subject))
            return false;
    return exception->fields != 0;
}
