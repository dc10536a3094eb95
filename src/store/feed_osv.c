/*
 * OSV advisories (OSV schema 1.7): https://ossf.github.io/osv-schema. What matching needs of one is
 * decoded; everything else is passed over.
 */
#include "store/feed.h"

#include "base/limits.h"

/*
 * Comparing an enumerated version with every event of its package's ranges costs their product;
 * beyond this all versions are kept, which is right too and only takes room.
 */
#define LARGEST_COMPARISON 4000000

static struct error *malformed(const char *what)
{
    return error_make(ERROR_INPUT, "it is no valid OSV advisory: %s", what);
}

static struct error *too_many(const char *what, unsigned long long limit)
{
    return error_make(ERROR_LIMIT, "it has more than %llu %s", limit, what);
}

/* --- ids -------------------------------------------------------------------------------------- */

static struct error *decode_names(struct arena *arena, const json_t *root, const char *member,
                                  const slice **names, size_t *count)
{
    const json_t *array = json_object_get(root, member);
    struct list list = {0};
    *names = NULL;
    *count = 0;
    if (!array || json_is_null(array))
        return NULL;
    if (!json_is_array(array))
        return malformed("aliases, upstream and related must be arrays");
    if (json_array_size(array) > LIMIT_ADVISORY_NAMES)
        return too_many("aliases or related ids (limit on names)", LIMIT_ADVISORY_NAMES);
    for (size_t i = 0; i < json_array_size(array); i++) {
        slice name = feed_json_slice(json_array_get(array, i));
        if (name.len == 0)
            return malformed("an alias or related id is not text");
        if (name.len > LIMIT_ADVISORY_ID_BYTES)
            return too_many("bytes in an id", LIMIT_ADVISORY_ID_BYTES);
        *(slice *)list_add(&list, arena, sizeof(slice)) = arena_copy(arena, name);
    }
    *names = list.items;
    *count = list.count;
    return NULL;
}

/* --- ranges and versions ---------------------------------------------------------------------- */

static const struct {
    const char *member;
    enum range_event_kind kind;
} event_kinds[] = {
    {"introduced", RANGE_INTRODUCED},
    {"fixed", RANGE_FIXED},
    {"last_affected", RANGE_LAST_AFFECTED},
    {"limit", RANGE_LIMIT},
};

static struct error *decode_version(struct arena *arena, const json_t *text, slice *version)
{
    *version = feed_json_slice(text);
    if (version->len == 0)
        return malformed("a version is not text");
    if (version->len > LIMIT_VERSION_BYTES)
        return too_many("bytes in a version (limit on a version)", LIMIT_VERSION_BYTES);
    *version = arena_copy(arena, *version);
    return NULL;
}

/* An event object has one member; a publisher that puts two in one means both. */
static struct error *decode_event(struct arena *arena, const json_t *object, struct list *events)
{
    size_t before = events->count;
    for (size_t i = 0; i < sizeof(event_kinds) / sizeof(event_kinds[0]); i++) {
        const json_t *version = json_object_get(object, event_kinds[i].member);
        if (!version)
            continue;
        struct range_event *event = list_add(events, arena, sizeof(*event));
        event->kind = event_kinds[i].kind;
        TRY(decode_version(arena, version, &event->version));
    }
    return events->count > before ? NULL : malformed("an event of a range is of no known kind");
}

static struct error *decode_range(struct arena *arena, const json_t *object,
                                  struct affected_range *range, size_t *events_left)
{
    const json_t *array = json_object_get(object, "events");
    struct list events = {0};
    if (!json_is_array(array))
        return malformed("a range has no events");
    if (json_array_size(array) > *events_left)
        return too_many("events in a package's ranges (limit on events)", LIMIT_RANGE_EVENTS);
    *events_left -= json_array_size(array);
    for (size_t i = 0; i < json_array_size(array); i++)
        TRY(decode_event(arena, json_array_get(array, i), &events));
    range->events = events.items;
    range->event_count = events.count;
    return NULL;
}

/* Commits say nothing about an installed package: ranges of type GIT are left out. */
static struct error *decode_ranges(struct arena *arena, const json_t *affected,
                                   struct affected_body *body)
{
    const json_t *array = json_object_get(affected, "ranges");
    struct list ranges = {0};
    size_t events_left = LIMIT_RANGE_EVENTS;
    if (!array || json_is_null(array))
        return NULL;
    if (!json_is_array(array) || json_array_size(array) > LIMIT_RANGE_EVENTS)
        return malformed("ranges must be an array of at most 2000");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *object = json_array_get(array, i);
        if (slice_equal(feed_json_text(object, "type"), SLICE("GIT")))
            continue;
        struct affected_range *range = list_add(&ranges, arena, sizeof(*range));
        TRY(decode_range(arena, object, range, &events_left));
    }
    body->ranges = ranges.items;
    body->range_count = ranges.count;
    return NULL;
}

static bool in_any_range(const struct version_scheme *scheme, slice version,
                         const struct affected_body *body)
{
    for (size_t i = 0; i < body->range_count; i++)
        if (version_in_range(scheme, version, &body->ranges[i], NULL))
            return true;
    return false;
}

static size_t count_events(const struct affected_body *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->range_count; i++)
        count += body->ranges[i].event_count;
    return count;
}

/* Publishers list the versions that their ranges cover too; only what stands in no range is kept.
 */
static struct error *decode_versions(struct arena *arena, const json_t *affected, slice ecosystem,
                                     struct affected_body *body)
{
    const json_t *array = json_object_get(affected, "versions");
    struct list versions = {0};
    if (!array || json_is_null(array))
        return NULL;
    if (!json_is_array(array))
        return malformed("versions must be an array");
    size_t count = json_array_size(array);
    if (count > LIMIT_ADVISORY_VERSIONS)
        return too_many("versions of one package (limit on versions)", LIMIT_ADVISORY_VERSIONS);
    const struct version_scheme *scheme = version_scheme_for(ecosystem);
    if (count * count_events(body) > LARGEST_COMPARISON)
        scheme = NULL;
    for (size_t i = 0; i < count; i++) {
        slice version = feed_json_slice(json_array_get(array, i));
        if (version.len && version.len <= LIMIT_VERSION_BYTES && scheme &&
            in_any_range(scheme, version, body))
            continue;
        TRY(decode_version(arena, json_array_get(array, i),
                           list_add(&versions, arena, sizeof(slice))));
    }
    body->versions = versions.items;
    body->version_count = versions.count;
    return NULL;
}

/* --- packages --------------------------------------------------------------------------------- */

/*
 * The feed's word for a package: Debian's urgency, or why RustSec lists a crate that has no
 * vulnerability ("unmaintained", "unsound", "notice").
 */
static slice word_for_package(const json_t *affected)
{
    slice urgency = feed_json_text(json_object_get(affected, "ecosystem_specific"), "urgency");
    if (urgency.len)
        return urgency;
    return feed_json_text(json_object_get(affected, "database_specific"), "informational");
}

static struct error *decode_package(struct arena *arena, const json_t *affected,
                                    struct feed_package *package)
{
    const json_t *named = json_object_get(affected, "package");
    slice ecosystem = feed_json_text(named, "ecosystem"), name = feed_json_text(named, "name");
    if (ecosystem.len == 0 || name.len == 0)
        return malformed("an affected package has no ecosystem or no name");
    if (ecosystem.len > LIMIT_ADVISORY_ID_BYTES)
        return too_many("bytes in an ecosystem's name", LIMIT_ADVISORY_ID_BYTES);
    if (name.len > LIMIT_PACKAGE_NAME_BYTES)
        return too_many("bytes in a package's name", LIMIT_PACKAGE_NAME_BYTES);
    package->ecosystem = arena_copy(arena, ecosystem);
    package->name = store_package_name(arena, ecosystem, arena_copy(arena, name));
    package->body.urgency = arena_copy(arena, slice_first(word_for_package(affected), 256));
    TRY(decode_ranges(arena, affected, &package->body));
    return decode_versions(arena, affected, ecosystem, &package->body);
}

static struct error *decode_packages(struct arena *arena, const json_t *root,
                                     struct feed_advisory *advisory)
{
    const json_t *array = json_object_get(root, "affected");
    struct list packages = {0};
    if (!array || json_is_null(array))
        return NULL;
    if (!json_is_array(array))
        return malformed("affected must be an array");
    if (json_array_size(array) > LIMIT_ADVISORY_PACKAGES)
        return too_many("affected packages (limit on packages)", LIMIT_ADVISORY_PACKAGES);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *affected = json_array_get(array, i);
        /* PSF's advisories are on a repository, not on a package: their ids still count. */
        const json_t *named = json_object_get(affected, "package");
        if (!named || json_is_null(named))
            continue;
        TRY(decode_package(arena, affected,
                           list_add(&packages, arena, sizeof(struct feed_package))));
    }
    size_t events = 0;
    for (size_t i = 0; i < packages.count; i++)
        events += count_events(&((struct feed_package *)packages.items)[i].body);
    if (events > LIMIT_ADVISORY_EVENTS)
        return too_many("events in its ranges (limit on events)", LIMIT_ADVISORY_EVENTS);
    advisory->packages = packages.items;
    advisory->package_count = packages.count;
    return NULL;
}

/* --- severities ------------------------------------------------------------------------------- */

struct words {
    struct arena *arena;
    struct list list; /* struct severity_word */
    slice source;     /* the feed's name */
    bool too_many;
};

static bool word_is_known(const struct words *words, const struct severity_word *word)
{
    const struct severity_word *known = words->list.items;
    for (size_t i = 0; i < words->list.count; i++)
        if (slice_equal(known[i].vector, word->vector) && slice_equal(known[i].word, word->word) &&
            slice_equal(known[i].source, word->source))
            return true;
    return false;
}

static void add_word(struct words *words, slice source, slice vector, slice word)
{
    struct severity_word added = {source, vector, word};
    if ((vector.len == 0 && word.len == 0) || word_is_known(words, &added))
        return;
    if (words->list.count == LIMIT_SEVERITY_WORDS || vector.len > LIMIT_ADVISORY_ID_BYTES ||
        word.len > LIMIT_ADVISORY_ID_BYTES || source.len > LIMIT_ADVISORY_ID_BYTES) {
        words->too_many = true;
        return;
    }
    *(struct severity_word *)list_add(&words->list, words->arena, sizeof(added)) =
        (struct severity_word){arena_copy(words->arena, source), arena_copy(words->arena, vector),
                               arena_copy(words->arena, word)};
}

/* severity[] of the advisory or of one package: CVSS vectors, or a vendor's word ("Ubuntu"). */
static void add_severity_array(struct words *words, const json_t *object)
{
    const json_t *array = json_object_get(object, "severity");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *severity = json_array_get(array, i);
        slice type = feed_json_text(severity, "type"), score = feed_json_text(severity, "score");
        if (slice_starts(type, SLICE("CVSS_")))
            add_word(words, words->source, score, SLICE_EMPTY);
        else if (type.len)
            add_word(words, type, SLICE_EMPTY, score);
    }
}

/* Words that say how bad it is. Others ("not yet assigned", "unimportant") are no severity. */
static const slice severity_words[] = {
    SLICE("critical"), SLICE("important"), SLICE("high"),       SLICE("moderate"),
    SLICE("medium"),   SLICE("low"),       SLICE("negligible"),
};

static void add_known_word(struct words *words, slice word)
{
    for (size_t i = 0; i < sizeof(severity_words) / sizeof(severity_words[0]); i++)
        if (slice_equal_nocase(word, severity_words[i]))
            add_word(words, words->source, SLICE_EMPTY, word);
}

static void add_specific_words(struct words *words, const json_t *object)
{
    const json_t *database = json_object_get(object, "database_specific");
    const json_t *ecosystem = json_object_get(object, "ecosystem_specific");
    slice cvss = feed_json_text(database, "cvss");
    if (slice_starts(cvss, SLICE("CVSS:")))
        add_word(words, words->source, cvss, SLICE_EMPTY);
    add_known_word(words, feed_json_text(database, "severity"));
    add_known_word(words, feed_json_text(ecosystem, "severity"));
    add_known_word(words, feed_json_text(ecosystem, "urgency"));
}

/* AlmaLinux's only severity is the first word of the summary: "Important: kernel security update".
 */
static void add_summary_word(struct words *words, slice summary)
{
    static const slice vendor_words[] = {SLICE("Critical"), SLICE("Important"), SLICE("Moderate"),
                                         SLICE("Low")};
    slice word, rest;
    if (!slice_equal(words->source, SLICE("AlmaLinux")) || !slice_split(summary, ':', &word, &rest))
        return;
    for (size_t i = 0; i < sizeof(vendor_words) / sizeof(vendor_words[0]); i++)
        if (slice_equal(word, vendor_words[i]))
            add_word(words, words->source, SLICE_EMPTY, word);
}

/* Whose word it is: GitHub's for its own ids, whatever feed they come with; else the ecosystem's.
 */
static slice source_of(const struct feed_advisory *advisory)
{
    if (slice_starts(advisory->id, SLICE("GHSA-")))
        return SLICE("GitHub");
    slice from = advisory->package_count ? advisory->packages[0].ecosystem : advisory->id;
    return slice_first(from, slice_find(from, advisory->package_count ? ':' : '-'));
}

static struct error *decode_severities(struct arena *arena, const json_t *root,
                                       struct feed_advisory *advisory)
{
    struct words words = {.arena = arena, .source = source_of(advisory)};
    const json_t *affected = json_object_get(root, "affected");
    add_severity_array(&words, root);
    for (size_t i = 0; i < json_array_size(affected); i++)
        add_severity_array(&words, json_array_get(affected, i));
    add_specific_words(&words, root);
    for (size_t i = 0; i < json_array_size(affected); i++)
        add_specific_words(&words, json_array_get(affected, i));
    add_summary_word(&words, advisory->summary);
    advisory->body.words = words.list.items;
    advisory->body.word_count = words.list.count;
    return words.too_many ? too_many("severities, or one of too many bytes", LIMIT_SEVERITY_WORDS)
                          : NULL;
}

/* --- errata ----------------------------------------------------------------------------------- */

/*
 * Ids of distributions' errata, which repair the vulnerabilities that they are related to. Bug
 * fixes and enhancements come in the same feed: without a CVE they are no vulnerability.
 */
static const struct {
    slice prefix;
    bool security;
} errata[] = {
    {SLICE("ALSA-"), true},  {SLICE("ALBA-"), false}, {SLICE("ALEA-"), false},
    {SLICE("RLSA-"), true},  {SLICE("RLBA-"), false}, {SLICE("RLEA-"), false},
    {SLICE("RXSA-"), true},  {SLICE("RHSA-"), true},  {SLICE("RHBA-"), false},
    {SLICE("RHEA-"), false},
};

static bool names_a_cve(const slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts(names[i], SLICE("CVE-")))
            return true;
    return false;
}

void feed_look_for_erratum(struct feed_advisory *advisory)
{
    const struct advisory_body *body = &advisory->body;
    for (size_t i = 0; i < sizeof(errata) / sizeof(errata[0]); i++) {
        if (!slice_starts(advisory->id, errata[i].prefix))
            continue;
        advisory->erratum = true;
        advisory->harmless = !errata[i].security &&
                             !names_a_cve(body->related, body->related_count) &&
                             !names_a_cve(body->aliases, body->alias_count) &&
                             !names_a_cve(body->upstream, body->upstream_count);
    }
}

/* --- the advisory ----------------------------------------------------------------------------- */

struct error *feed_osv_decode(struct arena *arena, const json_t *root,
                              struct feed_advisory *advisory)
{
    slice id = feed_json_text(root, "id");
    *advisory = (struct feed_advisory){0};
    if (id.len == 0)
        return malformed("it has no id");
    if (id.len > LIMIT_ADVISORY_ID_BYTES)
        return too_many("bytes in its id", LIMIT_ADVISORY_ID_BYTES);
    advisory->id = arena_copy(arena, id);
    advisory->modified_text = slice_first(feed_json_text(root, "modified"), 40);
    advisory->modified = feed_time(advisory->modified_text);
    advisory->withdrawn = feed_json_text(root, "withdrawn").len > 0;
    advisory->summary = feed_json_text(root, "summary");
    advisory->details = feed_json_text(root, "details");
    struct advisory_body *body = &advisory->body;
    TRY(decode_names(arena, root, "aliases", &body->aliases, &body->alias_count));
    TRY(decode_names(arena, root, "upstream", &body->upstream, &body->upstream_count));
    TRY(decode_names(arena, root, "related", &body->related, &body->related_count));
    TRY(decode_packages(arena, root, advisory));
    TRY(decode_severities(arena, root, advisory));
    feed_look_for_erratum(advisory);
    return NULL;
}

/* "id" and "modified" are what the schema asks for; nothing else that is known here has both. */
static bool recognise_osv(const json_t *root)
{
    return json_is_string(json_object_get(root, "id")) &&
           (json_object_get(root, "modified") || json_object_get(root, "affected"));
}

static struct error *import_osv(struct feed_import *import, const struct feed_document *document,
                                const json_t *root)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct feed_advisory advisory;
    struct error *error = feed_osv_decode(&arena, root, &advisory);
    if (error)
        return feed_skip(import, document, error);
    advisory.fingerprint = slice_hash(document->bytes);
    import->read++;
    return writer_add(&import->writer, &advisory);
}

const struct document_kind document_osv = {"OSV advisory", recognise_osv, import_osv};
