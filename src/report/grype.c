/*
 * JSON as `grype -o json` writes it, so that what reads Grype's reads ours. Secrets have no place
 * in that form; they are in every other one.
 *
 * Ids are as Grype has them by default: the GHSA id for a package of a programming language where
 * there is one, with the CVE as related; with --by-cve the CVE.
 */
#include "base/json_write.h"
#include "report/parts.h"
#include "report/peer_words.h"
#include "report/reports.h"

struct writing {
    struct json_writer json;
    const struct report *report;
};

/* "Critical" of CRITICAL */
static slice severity_of(enum severity severity, struct arena *arena)
{
    char *word = arena_text(arena, slice_from_text(severity_names[severity]));
    for (char *c = word; *c && *++c;)
        *c = byte_lower(*c);
    return slice_from_text(word);
}

/* -- the vulnerability ----------------------------------------------------------------------------
 */

/* The id under which Grype knows it from its source. */
static slice native_id(const struct finding *finding)
{
    slice ghsa = peer_ghsa(finding);
    return ghsa.len && !component_is_of_system(finding->component) ? ghsa : finding->id;
}

static slice id_of(const struct writing *writing, const struct finding *finding)
{
    return writing->report->by_cve ? finding->id : native_id(finding);
}

static slice url_of(slice id, struct arena *arena)
{
    const struct finding named = {.id = id};
    return report_url(&named, arena);
}

/* "debian:distro:debian:12", "github:language:python" */
static slice namespace_of(const struct writing *writing, const struct finding *finding)
{
    const struct os *os = &writing->report->inventory->os;
    const struct peer_type *type = peer_type_of(finding->component);
    struct arena *arena = writing->report->arena;
    if (component_is_of_system(finding->component))
        return arena_format(arena, "%.*s:distro:%.*s:%.*s", SLICE_ARG(os->id), SLICE_ARG(os->id),
                            SLICE_ARG(os->version_id));
    return arena_format(arena, "%s%s%s", peer_ghsa(finding).len ? "github" : "osv",
                        *type->language ? ":language:" : "", type->language);
}

static void write_score(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    json_put_key(json, "cvss");
    json_begin_array(json);
    if (finding->vector.len && finding->score_tenths >= 0) {
        json_begin_object(json);
        if (finding->severity_source.len)
            json_field(json, "source", finding->severity_source);
        json_field(json, "type", SLICE("Primary"));
        json_field(json, "version", peer_cvss_version(finding->vector));
        json_field(json, "vector", finding->vector);
        json_put_key(json, "metrics");
        json_begin_object(json);
        json_put_key(json, "baseScore");
        json_put_decimal(json, finding->score_tenths / 10.0, 1);
        json_end_object(json);
        json_put_key(json, "vendorMetadata");
        json_begin_object(json);
        json_end_object(json);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_exploitation(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    if (finding->epss >= 0) {
        json_put_key(json, "epss");
        json_begin_array(json);
        json_begin_object(json);
        json_field(json, "cve", finding->id);
        json_put_key(json, "epss");
        json_put_decimal(json, finding->epss, 5);
        json_put_key(json, "percentile");
        json_put_decimal(json, finding->epss_percentile, 5);
        json_end_object(json);
        json_end_array(json);
    }
    if (finding->kev) {
        json_put_key(json, "knownExploited");
        json_begin_array(json);
        json_begin_object(json);
        json_field(json, "cve", finding->id);
        json_end_object(json);
        json_end_array(json);
    }
}

static slice fix_state_of(const struct finding *finding)
{
    slice status = slice_from_text(finding->status);
    if (finding->fixed.count)
        return SLICE("fixed");
    if (slice_equal(status, SLICE("will_not_fix")))
        return SLICE("wont-fix");
    return slice_equal(status, SLICE("unknown")) ? SLICE("unknown") : SLICE("not-fixed");
}

static void write_vulnerability(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    struct arena *arena = writing->report->arena;
    slice id = id_of(writing, finding), url = url_of(id, arena);
    slice text = finding->details.len ? finding->details : finding->summary;
    json_put_key(json, "vulnerability");
    json_begin_object(json);
    json_field(json, "id", id);
    json_field(json, "dataSource", url);
    json_field(json, "namespace", namespace_of(writing, finding));
    json_field(json, "severity", severity_of(finding->severity, arena));
    json_field_strings(json, "urls", &url, 1);
    if (text.len)
        json_field(json, "description", text);
    write_score(writing, finding);
    write_exploitation(writing, finding);
    json_put_key(json, "fix");
    json_begin_object(json);
    json_field_strings(json, "versions", finding->fixed.items, finding->fixed.count);
    json_field(json, "state", fix_state_of(finding));
    json_end_object(json);
    json_field_strings(json, "advisories", NULL, 0);
    json_end_object(json);
}

/* The CVE; with --by-cve the id that is in its place otherwise. */
static void write_related(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    struct arena *arena = writing->report->arena;
    bool native = writing->report->by_cve && !slice_equal(native_id(finding), finding->id);
    slice id = native ? native_id(finding) : finding->id, url = url_of(id, arena);
    json_put_key(json, "relatedVulnerabilities");
    json_begin_array(json);
    if (native || slice_starts(id, SLICE("CVE-"))) {
        json_begin_object(json);
        json_field(json, "id", id);
        json_field(json, "dataSource", url);
        json_field(json, "namespace", native ? namespace_of(writing, finding) : SLICE("nvd:cpe"));
        json_field(json, "severity", severity_of(finding->severity, arena));
        json_field_strings(json, "urls", &url, 1);
        write_score(writing, finding);
        write_exploitation(writing, finding);
        json_end_object(json);
    }
    json_end_array(json);
}

/* -- how it was found -----------------------------------------------------------------------------
 */

/* Advisories of distributions are on the source package; that is what was looked up. */
static bool is_indirect(const struct component *component)
{
    return component_is_of_system(component) && component->source_name.len &&
           !slice_equal(component->source_name, component->name);
}

static void write_searched(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    const struct component *component = finding->component;
    const struct peer_type *type = peer_type_of(component);
    const struct os *os = &writing->report->inventory->os;
    bool indirect = is_indirect(component);
    json_put_key(json, "searchedBy");
    json_begin_object(json);
    if (component_is_of_system(finding->component)) {
        json_put_key(json, "distro");
        json_begin_object(json);
        json_field(json, "type", os->id);
        json_field(json, "version", os->version_id);
        json_end_object(json);
    } else {
        json_field(json, "language", slice_from_text(type->language));
    }
    json_field(json, "namespace", namespace_of(writing, finding));
    json_put_key(json, "package");
    json_begin_object(json);
    json_field(json, "name", indirect ? component->source_name : component->name);
    json_field(json, "version",
               indirect && component->source_version.len ? component->source_version
                                                         : component->version);
    json_end_object(json);
    json_end_object(json);
}

static void write_details(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    struct arena *arena = writing->report->arena;
    const struct peer_type *type = peer_type_of(finding->component);
    const slice *fixed = finding->fixed.items;
    json_put_key(json, "matchDetails");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "type",
               is_indirect(finding->component) ? SLICE("exact-indirect-match")
                                               : SLICE("exact-direct-match"));
    json_field(json, "matcher", slice_from_text(type->matcher));
    write_searched(writing, finding);
    json_put_key(json, "found");
    json_begin_object(json);
    json_field(json, "vulnerabilityID", native_id(finding));
    json_field(json, "versionConstraint",
               finding->fixed.count
                   ? arena_format(arena, "< %.*s (%s)", SLICE_ARG(fixed[finding->fixed.count - 1]),
                                  type->grype_type)
                   : arena_format(arena, "none (%s)", type->grype_type));
    json_end_object(json);
    if (finding->fixed.count) {
        json_put_key(json, "fix");
        json_begin_object(json);
        json_field(json, "suggestedVersion", fixed[0]);
        json_end_object(json);
    }
    json_end_object(json);
    json_end_array(json);
}

/* -- the package ----------------------------------------------------------------------------------
 */

static void write_locations(struct writing *writing, const struct component *component)
{
    struct json_writer *json = &writing->json;
    const struct report *report = writing->report;
    const slice *paths = component->locations.items;
    slice layer = report->image->layers[component->layer].diff_id;
    json_put_key(json, "locations");
    json_begin_array(json);
    for (size_t i = 0; i < component->locations.count; i++) {
        slice path = arena_format(report->arena, "/%.*s", SLICE_ARG(paths[i]));
        json_begin_object(json);
        json_field(json, "path", path);
        if (layer.len)
            json_field(json, "layerID", layer);
        json_field(json, "accessPath", path);
        json_put_key(json, "annotations");
        json_begin_object(json);
        json_field(json, "evidence", i ? SLICE("supporting") : SLICE("primary"));
        json_end_object(json);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_artifact(struct writing *writing, const struct component *component)
{
    struct json_writer *json = &writing->json;
    const struct peer_type *type = peer_type_of(component);
    json_put_key(json, "artifact");
    json_begin_object(json);
    json_field(json, "id", peer_component_id(component, writing->report->arena));
    json_field(json, "name", component->name);
    json_field(json, "version", component->version);
    json_field(json, "type", slice_from_text(type->grype_type));
    write_locations(writing, component);
    json_field(json, "language", slice_from_text(type->language));
    json_field_strings(json, "licenses", &component->license, component->license.len > 0);
    json_field_strings(json, "cpes", NULL, 0);
    json_field(json, "purl", component->purl);
    json_put_key(json, "upstreams");
    json_begin_array(json);
    bool same_version = component->source_version.len == 0 ||
                        slice_equal(component->source_version, component->version);
    if (component->source_name.len &&
        !(same_version && slice_equal(component->source_name, component->name))) {
        json_begin_object(json);
        json_field(json, "name", component->source_name);
        if (!same_version)
            json_field(json, "version", component->source_version);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

static void write_rules(struct writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    json_put_key(json, "appliedIgnoreRules");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "vulnerability", id_of(writing, finding));
    json_field(
        json, "reason",
        arena_format(writing->report->arena, "%.*s%s%.*s%s", SLICE_ARG(finding->suppressed_reason),
                     finding->suppressed_by.len ? " (" : "", SLICE_ARG(finding->suppressed_by),
                     finding->suppressed_by.len ? ")" : ""));
    json_field(json, "namespace", SLICE_EMPTY);
    json_field(json, "fix-state", SLICE_EMPTY);
    json_put_key(json, "package");
    json_begin_object(json);
    json_field(json, "name", finding->component->name);
    json_field(json, "version", finding->component->version);
    json_end_object(json);
    json_end_object(json);
    json_end_array(json);
}

static void write_matches(struct writing *writing, const char *key, bool suppressed)
{
    struct json_writer *json = &writing->json;
    size_t count;
    struct finding *const *findings = report_findings(writing->report, suppressed, &count);
    json_put_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json);
        write_vulnerability(writing, findings[i]);
        write_related(writing, findings[i]);
        write_details(writing, findings[i]);
        write_artifact(writing, findings[i]->component);
        if (suppressed)
            write_rules(writing, findings[i]);
        json_end_object(json);
    }
    json_end_array(json);
}

/* -- what was scanned, and by whom ----------------------------------------------------------------
 */

static void write_layers(struct writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    uint64_t size = 0;
    for (size_t i = 0; i < image->layer_count; i++)
        size += image->layers[i].size;
    json_field_number(json, "imageSize", (int64_t)size);
    json_put_key(json, "layers");
    json_begin_array(json);
    for (size_t i = 0; i < image->layer_count; i++) {
        json_begin_object(json);
        json_field(json, "mediaType", image->layers[i].media_type);
        json_field(json, "digest",
                   image->layers[i].diff_id.len ? image->layers[i].diff_id
                                                : image->layers[i].digest);
        json_field_number(json, "size", (int64_t)image->layers[i].size);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_target(struct writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    slice rest = image->platform, system = SLICE_EMPTY, architecture = SLICE_EMPTY;
    slice_pull(&rest, '/', &system);
    if (!slice_pull(&rest, '/', &architecture))
        architecture = SLICE_EMPTY;
    json_begin_object(json);
    json_field(json, "userInput", image->name);
    json_field(json, "imageID", image->config_digest);
    json_field(json, "manifestDigest", image->digest);
    json_field(json, "mediaType", SLICE("application/vnd.oci.image.manifest.v1+json"));
    json_field_strings(json, "tags", image->tags.items, image->tags.count);
    write_layers(writing);
    json_field_strings(json, "repoDigests", NULL, 0);
    json_field(json, "architecture", architecture);
    json_field(json, "os", system);
    json_end_object(json);
}

static void write_source(struct writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct image *image = writing->report->image;
    bool folder = image->root_folder >= 0;
    json_put_key(json, "source");
    json_begin_object(json);
    json_field(json, "type", folder ? SLICE("directory") : SLICE("image"));
    json_put_key(json, "target");
    if (folder)
        json_put_string(json, image->name);
    else
        write_target(writing);
    json_end_object(json);
}

static void write_distribution(struct writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct os *os = &writing->report->inventory->os;
    slice rest = os->id_like, word;
    json_put_key(json, "distro");
    json_begin_object(json);
    json_field(json, "name", os->id);
    json_field(json, "version", os->version_id);
    json_put_key(json, "idLike");
    json_begin_array(json);
    while (rest.len && slice_pull(&rest, ' ', &word))
        if (word.len)
            json_put_string(json, word);
    json_end_array(json);
    json_end_object(json);
}

static void write_descriptor(struct writing *writing)
{
    struct json_writer *json = &writing->json;
    const struct report *report = writing->report;
    json_put_key(json, "descriptor");
    json_begin_object(json);
    json_field(json, "name", SLICE("plimsoll"));
    json_field(json, "version", slice_from_text(report->version));
    json_put_key(json, "configuration");
    json_begin_object(json);
    json_field_bool(json, "by-cve", report->by_cve);
    json_field_bool(json, "only-fixed", report->policy->ignore_unfixed);
    json_end_object(json);
    json_put_key(json, "db");
    json_begin_object(json);
    json_put_key(json, "status");
    json_begin_object(json);
    if (report->store)
        json_field(json, "built", report->store->built);
    json_field_bool(json, "valid", report->store != NULL);
    json_end_object(json);
    json_end_object(json);
    json_field(json, "timestamp", slice_from_text(report->started));
    json_end_object(json);
}

static void write_report(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct writing writing = {.json = {.out = out, .compact = true}, .report = report};
    (void)options;
    json_begin_object(&writing.json);
    write_matches(&writing, "matches", false);
    write_matches(&writing, "ignoredMatches", true);
    write_source(&writing);
    write_distribution(&writing);
    write_descriptor(&writing);
    report_put_incomplete(report, &writing.json);
    json_end_object(&writing.json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_grype = {
    .name = "grype",
    .alias = "grype-json",
    .help = "JSON as `grype -o json` writes it",
    .wants_prose = true,
    .write = write_report,
};
