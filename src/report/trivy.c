/*
 * JSON as `trivy image -f json` writes it (schema version 2), so that what reads Trivy's reads
 * ours, `trivy convert` among it. Keys without a value are left out, as there.
 *
 * Of the image's config there is what tells the image and its layers; environment and labels may
 * hold secrets and are not copied into a report. A finding that policy suppresses stands in
 * ExperimentalModifiedFindings, which `--show-suppressed` of theirs shows.
 */
#include "base/map.h"
#include "base/text.h"
#include "report/reports.h"
#include "report/trivy_parts.h"

/* A path without control characters: Trivy takes it for a part of a URL and breaks off at them. */
static slice path_of(const struct trivy_writing *writing, slice path)
{
    return text_safe(writing->report->arena, path);
}

/* -- packages -----------------------------------------------------------------------------------
 */

static void write_identifier(struct trivy_writing *writing, const char *key,
                             const struct component *component)
{
    struct json_writer *json = &writing->json;
    json_put_key(json, key);
    json_begin_object(json);
    json_field(json, "PURL", component->purl);
    json_field(json, "UID", peer_component_id(component, writing->report->arena));
    json_end_object(json);
}

/* "1:5.2-3" as Epoch 1, Version 5.2, Release 3; other types have a version only. */
static void write_version(struct json_writer *json, const struct component *component,
                          slice version, bool of_source)
{
    slice before, after, release = SLICE_EMPTY;
    uint64_t epoch = 0;
    bool parted =
        slice_equal(component->type, SLICE("deb")) || slice_equal(component->type, SLICE("rpm"));
    if (parted && slice_split(version, ':', &before, &after) && slice_to_u64(before, &epoch))
        version = after;
    size_t dash = parted ? slice_find_last(version, '-') : SIZE_MAX;
    if (dash != SIZE_MAX) {
        release = slice_from(version, dash + 1);
        version = slice_first(version, dash);
    }
    trivy_field(json, of_source ? "SrcVersion" : "Version", version);
    trivy_field(json, of_source ? "SrcRelease" : "Release", release);
    if (epoch && epoch <= INT32_MAX)
        json_field_number(json, of_source ? "SrcEpoch" : "Epoch", (int64_t)epoch);
}

static slice package_id(struct trivy_writing *writing, const struct component *component)
{
    return arena_format(writing->report->arena, "%.*s@%.*s", SLICE_ARG(component->name),
                        SLICE_ARG(component->version));
}

static void write_package(struct trivy_writing *writing, const struct component *component)
{
    struct json_writer *json = &writing->json;
    bool of_system = component_is_of_system(component);
    json_begin_object(json);
    if (of_system)
        json_field(json, "ID", package_id(writing, component));
    json_field(json, "Name", component->name);
    write_identifier(writing, "Identifier", component);
    write_version(json, component, component->version, false);
    trivy_field(json, "Arch", component->arch);
    if (of_system) {
        json_field(json, "SrcName",
                   component->source_name.len ? component->source_name : component->name);
        write_version(
            json, component,
            component->source_version.len ? component->source_version : component->version, true);
        trivy_field(json, "Maintainer", component->maintainer);
    }
    if (component->license.len)
        json_field_strings(json, "Licenses", &component->license, 1);
    json_put_key(json, "Layer");
    trivy_write_layer(json, &writing->report->image->layers[component->layer], false);
    if (!of_system)
        trivy_field(json, "FilePath", path_of(writing, report_location(component)));
    json_end_object(json);
}

/* -- findings -----------------------------------------------------------------------------------
 */

/* Whose word it is, in Trivy's short names. */
static slice source_id(const struct finding *finding, slice word, struct arena *arena)
{
    const struct finding_source *sources = finding->sources.items;
    slice ecosystem = finding->sources.count ? sources[0].ecosystem : SLICE_EMPTY, name, release;
    if (slice_starts(word, SLICE("CVE")))
        return SLICE("cve");
    if (slice_split(ecosystem, ':', &name, &release))
        ecosystem = name;
    if (slice_equal(ecosystem, SLICE("Go")))
        return SLICE("govulndb");
    if (component_is_of_system(finding->component)) {
        char *lower = arena_text(arena, ecosystem);
        for (char *c = lower; *c; c++)
            *c = byte_lower(*c);
        return slice_from_text(lower);
    }
    for (size_t i = 0; i < finding->sources.count; i++)
        if (slice_starts(sources[i].id, SLICE("GHSA-")))
            return SLICE("ghsa");
    return SLICE("osv");
}

static void write_data_source(struct trivy_writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    const struct finding_source *sources = finding->sources.items;
    if (finding->sources.count == 0)
        return;
    json_put_key(json, "DataSource");
    json_begin_object(json);
    json_field(json, "ID", source_id(finding, SLICE_EMPTY, writing->report->arena));
    json_field(json, "Name", sources[0].ecosystem);
    CLEANUP_BUFFER struct buffer url = {0};
    buffer_text(&url, "https://osv.dev/vulnerability/");
    buffer_add_percent(&url, sources[0].id, "-._~:");
    json_field(json, "URL", buffer_slice(&url));
    json_end_object(json);
}

/* Trivy has no NEGLIGIBLE: what a distribution calls unimportant is LOW there. */
static slice severity_of(enum severity severity)
{
    return slice_from_text(
        severity_names[severity == SEVERITY_NEGLIGIBLE ? SEVERITY_LOW : severity]);
}

static void write_score(struct trivy_writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    slice version = peer_cvss_version(finding->vector);
    if (finding->vector.len == 0 || finding->score_tenths < 0)
        return;
    const char *which = slice_starts(version, SLICE("4"))   ? "V40"
                        : slice_starts(version, SLICE("3")) ? "V3"
                                                            : "V2";
    struct arena *arena = writing->report->arena;
    json_put_key(json, "CVSS");
    json_begin_object(json);
    json_put_key(json, arena_text(arena, source_id(finding, finding->severity_source, arena)));
    json_begin_object(json);
    json_field(json, arena_text(arena, arena_format(arena, "%sVector", which)), finding->vector);
    json_put_key(json, arena_text(arena, arena_format(arena, "%sScore", which)));
    json_put_decimal(json, finding->score_tenths / 10.0, 1);
    json_end_object(json);
    json_end_object(json);
}

static void write_rating(struct trivy_writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    slice url = report_url(finding, writing->report->arena);
    if (finding->severity_source.len)
        json_field(json, "SeveritySource",
                   source_id(finding, finding->severity_source, writing->report->arena));
    json_field(json, "PrimaryURL", url);
    write_data_source(writing, finding);
    json_field(json, "Fingerprint", report_fingerprint(finding, writing->report->arena));
    trivy_field(json, "Title", finding->summary);
    trivy_field(json, "Description", finding->details);
    json_field(json, "Severity", severity_of(finding->severity));
    write_score(writing, finding);
    json_field_strings(json, "References", &url, 1);
}

static void write_finding(struct trivy_writing *writing, const struct finding *finding)
{
    struct json_writer *json = &writing->json;
    const struct component *component = finding->component;
    bool of_system = component_is_of_system(component);
    json_begin_object(json);
    json_field(json, "VulnerabilityID", finding->id);
    if (finding->aliases.count)
        json_field_strings(json, "VendorIDs", finding->aliases.items, finding->aliases.count);
    if (of_system)
        json_field(json, "PkgID", package_id(writing, component));
    json_field(json, "PkgName", component->name);
    if (!of_system)
        trivy_field(json, "PkgPath", path_of(writing, report_location(component)));
    write_identifier(writing, "PkgIdentifier", component);
    json_field(json, "InstalledVersion", component->version);
    trivy_field(json, "FixedVersion", report_fixed(finding, writing->report->arena));
    json_field(json, "Status", slice_from_text(finding->status));
    json_put_key(json, "Layer");
    trivy_write_layer(json, report_layer_of(writing->report, finding), false);
    write_rating(writing, finding);
    json_end_object(json);
}

static void begin_modified(struct json_writer *json, const char *type, slice reason, slice by)
{
    json_begin_object(json);
    json_field(json, "Type", slice_from_text(type));
    json_field(json, "Status", SLICE("ignored"));
    json_field(json, "Statement", reason);
    json_field(json, "Source", by);
    json_put_key(json, "Finding");
}

/* -- results: one for each kind of package, one for each file with secrets ------------------------
 */

struct kind {
    const struct peer_type *type; /* NULL: the distribution's packages, of whatever type */
};

static bool is_of_kind(struct kind kind, const struct component *component)
{
    return kind.type ? peer_type_of(component) == kind.type : component_is_of_system(component);
}

static void write_packages(struct trivy_writing *writing, struct kind kind)
{
    struct component *const *components = writing->report->inventory->components.items;
    if (writing->report->leave_out_packages)
        return;
    json_put_key(&writing->json, "Packages");
    json_begin_array(&writing->json);
    for (size_t i = 0; i < writing->report->inventory->components.count; i++)
        if (is_of_kind(kind, components[i]))
            write_package(writing, components[i]);
    json_end_array(&writing->json);
}

static bool any_of_kind(const struct trivy_writing *writing, struct kind kind, bool suppressed)
{
    for (size_t i = 0; i < writing->finding_count[suppressed]; i++)
        if (is_of_kind(kind, writing->findings[suppressed][i]->component))
            return true;
    return false;
}

static void write_findings(struct trivy_writing *writing, struct kind kind, bool suppressed)
{
    struct json_writer *json = &writing->json;
    if (!any_of_kind(writing, kind, suppressed))
        return;
    json_put_key(json, suppressed ? "ExperimentalModifiedFindings" : "Vulnerabilities");
    json_begin_array(json);
    for (size_t i = 0; i < writing->finding_count[suppressed]; i++) {
        const struct finding *finding = writing->findings[suppressed][i];
        if (!is_of_kind(kind, finding->component))
            continue;
        if (suppressed)
            begin_modified(json, "vulnerability", finding->suppressed_reason,
                           finding->suppressed_by);
        write_finding(writing, finding);
        if (suppressed)
            json_end_object(json);
    }
    json_end_array(json);
}

static void write_result(struct trivy_writing *writing, struct kind kind)
{
    struct json_writer *json = &writing->json;
    const struct report *report = writing->report;
    const struct os *os = &report->inventory->os;
    if (report->leave_out_packages && !any_of_kind(writing, kind, false) &&
        !any_of_kind(writing, kind, true))
        return;
    json_begin_object(json);
    if (kind.type)
        json_field(json, "Target", slice_from_text(kind.type->trivy_target));
    else
        json_field(json, "Target",
                   arena_format(report->arena, "%.*s (%.*s%s%.*s)", SLICE_ARG(report->image->name),
                                SLICE_ARG(trivy_family(os)), os->version_id.len ? " " : "",
                                SLICE_ARG(os->version_id)));
    json_field(json, "Class", kind.type ? SLICE("lang-pkgs") : SLICE("os-pkgs"));
    json_field(json, "Type", kind.type ? slice_from_text(kind.type->trivy_type) : trivy_family(os));
    write_packages(writing, kind);
    write_findings(writing, kind, false);
    write_findings(writing, kind, true);
    json_end_object(json);
}

/* The kinds in the order in which their first component comes; the distribution's first. */
static void write_package_results(struct trivy_writing *writing)
{
    struct component *const *components = writing->report->inventory->components.items;
    size_t count = writing->report->inventory->components.count;
    const struct peer_type *seen[32];
    size_t seen_count = 0;
    bool of_system = false;
    for (size_t i = 0; i < count; i++)
        of_system = of_system || component_is_of_system(components[i]);
    if (of_system)
        write_result(writing, (struct kind){NULL});
    for (size_t i = 0; i < count; i++) {
        const struct peer_type *type = peer_type_of(components[i]);
        bool is_new =
            !component_is_of_system(components[i]) && seen_count < sizeof(seen) / sizeof(seen[0]);
        for (size_t j = 0; j < seen_count; j++)
            is_new = is_new && seen[j] != type;
        if (!is_new)
            continue;
        seen[seen_count++] = type;
        write_result(writing, (struct kind){type});
    }
}

static void write_secret(struct trivy_writing *writing, const struct image_secret *found)
{
    struct json_writer *json = &writing->json;
    const struct secret *secret = found->secret;
    json_begin_object(json);
    json_field(json, "RuleID", secret->rule);
    json_field(json, "Category", SLICE("secret"));
    json_field(json, "Severity", severity_of(found->severity));
    json_field(json, "Title", found->title);
    json_field_number(json, "StartLine", (int64_t)secret->line);
    json_field_number(json, "EndLine", (int64_t)secret->line);
    json_put_key(json, "Code");
    json_begin_object(json);
    json_put_key(json, "Lines");
    json_put_null(json);
    json_end_object(json);
    json_field(json, "Match", secret->match);
    json_put_key(json, "Layer");
    if (found->layer != SIZE_MAX) {
        trivy_write_layer(json, &writing->report->image->layers[found->layer], true);
    } else {
        json_begin_object(json);
        json_end_object(json);
    }
    json_end_object(json);
}

/* A file's secrets: those that count, or those that are suppressed. */
static void write_secrets_of(struct trivy_writing *writing, const struct list *of_path,
                             bool suppressed)
{
    struct json_writer *json = &writing->json;
    const struct image_secret *const *secrets = of_path->items;
    bool begun = false;
    for (size_t i = 0; i < of_path->count; i++) {
        if ((secrets[i]->suppressed_reason.len > 0) != suppressed)
            continue;
        if (!begun) {
            json_put_key(json, suppressed ? "ExperimentalModifiedFindings" : "Secrets");
            json_begin_array(json);
        }
        begun = true;
        if (suppressed)
            begin_modified(json, "secret", secrets[i]->suppressed_reason,
                           secrets[i]->suppressed_by);
        write_secret(writing, secrets[i]);
        if (suppressed)
            json_end_object(json);
    }
    if (begun)
        json_end_array(json);
}

static void write_secret_results(struct trivy_writing *writing)
{
    struct json_writer *json = &writing->json;
    struct arena *arena = writing->report->arena;
    struct image_secret *secrets = writing->report->inventory->secrets.items;
    struct map by_path = {.arena = arena};
    struct list groups = {0}; /* of struct list * */
    for (size_t i = 0; i < writing->report->inventory->secrets.count; i++) {
        slice path = secrets[i].secret->path;
        struct list *group = map_get(&by_path, path);
        if (!group) {
            group = ARENA_NEW(arena, struct list);
            map_put(&by_path, path, group);
            *(struct list **)list_add(&groups, arena, sizeof(group)) = group;
        }
        *(struct image_secret **)list_add(group, arena, sizeof(secrets)) = &secrets[i];
    }
    struct list *const *all = groups.items;
    for (size_t i = 0; i < groups.count; i++) {
        const struct image_secret *const *first = all[i]->items;
        slice path = path_of(writing, first[0]->secret->path);
        json_begin_object(json);
        json_field(json, "Target",
                   first[0]->layer == SIZE_MAX || slice_starts(path, SLICE("/"))
                       ? path
                       : arena_format(arena, "/%.*s", SLICE_ARG(path)));
        json_field(json, "Class", SLICE("secret"));
        write_secrets_of(writing, all[i], false);
        write_secrets_of(writing, all[i], true);
        json_end_object(json);
    }
}

static void write_report(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct trivy_writing writing = {.json = {.out = out}, .report = report};
    struct json_writer *json = &writing.json;
    const struct image *image = report->image;
    (void)options;
    for (int suppressed = 0; suppressed < 2; suppressed++)
        writing.findings[suppressed] =
            report_findings(report, suppressed, &writing.finding_count[suppressed]);
    json_begin_object(json);
    json_field_number(json, "SchemaVersion", 2);
    json_put_key(json, "Trivy");
    json_begin_object(json);
    json_field(json, "Version", arena_format(report->arena, "plimsoll %s", report->version));
    json_end_object(json);
    json_field(json, "ReportID",
               report_uuid(arena_format(report->arena, "%.*s %.*s %s", SLICE_ARG(image->name),
                                        SLICE_ARG(image->digest), report->started),
                           report->arena));
    json_field(json, "CreatedAt", slice_from_text(report->started));
    trivy_field(json, "ArtifactID", image->config_digest);
    json_field(json, "ArtifactName", image->name);
    json_field(json, "ArtifactType",
               image->root_folder >= 0 ? SLICE("filesystem") : SLICE("container_image"));
    trivy_write_metadata(&writing);
    json_put_key(json, "Results");
    json_begin_array(json);
    write_package_results(&writing);
    write_secret_results(&writing);
    json_end_array(json);
    report_put_incomplete(report, json);
    json_end_object(json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_trivy = {
    .name = "trivy",
    .alias = "trivy-json",
    .help = "JSON as `trivy image -f json` writes it",
    .wants_prose = true,
    .write = write_report,
};
