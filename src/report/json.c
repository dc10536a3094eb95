/* plimsoll's own JSON: docs/report.md and docs/report.schema.json describe it. */
#include "base/json_write.h"
#include "base/limits.h"
#include "report/parts.h"
#include "report/reports.h"

static void write_base(struct json_writer *json, enum base_state base)
{
    json_put_key(json, "base");
    if (base == BASE_UNKNOWN)
        json_put_null(json);
    else
        json_put_bool(json, base == BASE_YES);
}

static void write_os(struct json_writer *json, const struct report *report)
{
    const struct os *os = &report->inventory->os;
    json_put_key(json, "os");
    json_begin_object(json);
    json_field_or_null(json, "id", os->id);
    json_field_or_null(json, "version_id", os->version_id);
    json_field_or_null(json, "name", os->name);
    json_field_or_null(json, "end_of_life", report->result->end_of_life);
    json_end_object(json);
}

static void write_image(struct json_writer *json, const struct report *report)
{
    const struct image *image = report->image;
    json_put_key(json, "image");
    json_begin_object(json);
    json_field(json, "name", image->name);
    json_field_strings(json, "tags", image->tags.items, image->tags.count);
    json_field_or_null(json, "digest", image->digest);
    json_field_or_null(json, "config_digest", image->config_digest);
    json_field_or_null(json, "platform", image->platform);
    json_field_or_null(json, "created", image->created);
    json_field_or_null(json, "base_name", image->base_name);
    json_field_or_null(json, "base_digest", image->base_digest);
    write_os(json, report);
    json_put_key(json, "layers");
    json_begin_array(json);
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct image_layer *layer = &image->layers[i];
        json_begin_object(json);
        json_field_number(json, "index", (int64_t)i);
        json_field_or_null(json, "digest", layer->digest);
        json_field_or_null(json, "diff_id", layer->diff_id);
        json_field_number(json, "size", (int64_t)layer->size);
        json_field_or_null(json, "instruction", layer->instruction);
        write_base(json, layer->base);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}

static void write_source(struct json_writer *json, const struct component *component)
{
    json_put_key(json, "source");
    if (component->source_name.len == 0) {
        json_put_null(json);
        return;
    }
    json_begin_object(json);
    json_field(json, "name", component->source_name);
    json_field(json, "version", component->source_version);
    json_end_object(json);
}

static void write_component(struct json_writer *json, const struct component *component,
                            struct arena *arena)
{
    json_begin_object(json);
    json_field(json, "ref", component->ref);
    json_field(json, "type", component->type);
    json_field(json, "name", component->name);
    json_field(json, "version", component->version);
    json_field_or_null(json, "architecture", component->arch);
    json_field(json, "purl", component->purl);
    json_field_number(json, "layer", (int64_t)component->layer);
    json_field_strings(json, "locations", component->locations.items, component->locations.count);
    write_source(json, component);
    json_field_or_null(json, "installer", component->installer);
    json_field_or_null(json, "direct_url", component->direct_url);
    json_put_key(json, "contains");
    json_begin_array(json);
    const struct identity *held = component->contains.items;
    for (size_t i = 0; i < component->contains.count; i++)
        json_put_string(json, arena_format(arena, "pkg:%.*s/%.*s@%.*s", SLICE_ARG(held[i].type),
                                           SLICE_ARG(held[i].name), SLICE_ARG(held[i].version)));
    json_end_array(json);
    json_end_object(json);
}

static void write_components(struct json_writer *json, const struct report *report)
{
    struct component *const *components = report->inventory->components.items;
    json_put_key(json, "components");
    json_begin_array(json);
    for (size_t i = 0; i < report->inventory->components.count; i++)
        write_component(json, components[i], report->arena);
    json_end_array(json);
}

static void write_sources(struct json_writer *json, const struct finding *finding)
{
    const struct finding_source *sources = finding->sources.items;
    json_put_key(json, "sources");
    json_begin_array(json);
    for (size_t i = 0; i < finding->sources.count; i++) {
        json_begin_object(json);
        json_field(json, "ecosystem", sources[i].ecosystem);
        json_field(json, "id", sources[i].id);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_rating(struct json_writer *json, const struct finding *finding)
{
    json_field(json, "severity", slice_from_text(severity_names[finding->severity]));
    json_put_key(json, "score");
    if (finding->score_tenths < 0)
        json_put_null(json);
    else
        json_put_decimal(json, finding->score_tenths / 10.0, 1);
    json_field_or_null(json, "vector", finding->vector);
    json_field_or_null(json, "severity_source", finding->severity_source);
}

static void write_epss(struct json_writer *json, const struct finding *finding)
{
    json_put_key(json, "epss");
    if (finding->epss < 0)
        json_put_null(json);
    else
        json_put_decimal(json, finding->epss, 5);
    json_put_key(json, "epss_percentile");
    if (finding->epss < 0)
        json_put_null(json);
    else
        json_put_decimal(json, finding->epss_percentile, 5);
    json_field_bool(json, "kev", finding->kev);
}

static void write_finding(struct json_writer *json, const struct report *report,
                          const struct finding *finding)
{
    const struct component *component = finding->component;
    const struct image_layer *layer = report_layer_of(report, finding);
    json_begin_object(json);
    json_field(json, "id", finding->id);
    json_field_strings(json, "aliases", finding->aliases.items, finding->aliases.count);
    write_rating(json, finding);
    json_field(json, "component", component->ref);
    json_field(json, "name", component->name);
    json_field(json, "installed", component->version);
    json_field_strings(json, "fixed", finding->fixed.items, finding->fixed.count);
    json_field(json, "status", slice_from_text(finding->status));
    json_field_number(json, "layer", (int64_t)component->layer);
    json_field_or_null(json, "instruction", layer->instruction);
    write_base(json, layer->base);
    write_sources(json, finding);
    write_epss(json, finding);
    if (finding->suppressed_reason.len) {
        json_field(json, "reason", finding->suppressed_reason);
        json_field_or_null(json, "by", finding->suppressed_by);
        json_field_or_null(json, "until", finding->suppressed_until);
    }
    json_end_object(json);
}

static void write_findings(struct json_writer *json, const struct report *report, bool suppressed)
{
    struct finding *const *findings = report->result->findings.items;
    for (size_t i = 0; i < report->result->findings.count; i++)
        if ((findings[i]->suppressed_reason.len > 0) == suppressed)
            write_finding(json, report, findings[i]);
}

static void number_or_null(struct json_writer *json, const char *key, uint64_t number, bool known)
{
    json_put_key(json, key);
    if (known)
        json_put_number(json, (int64_t)number);
    else
        json_put_null(json);
}

/* What an entry and its places have in common. */
static void write_place(struct json_writer *json, const struct report *report,
                        const struct secret_place *place)
{
    const struct secret *secret = place->secret;
    bool in_layer = place->layer != SIZE_MAX, deleted = place->deleted_in != SIZE_MAX;
    const struct image_layer *layer = in_layer ? &report->image->layers[place->layer] : NULL;
    json_field(json, "path", secret->path);
    number_or_null(json, "line", secret->line, secret->line > 0);
    number_or_null(json, "column", secret->column, secret->column > 0);
    number_or_null(json, "cell", secret->cell, secret->cell > 0);
    json_field_or_null(json, "variable", secret->variable);
    number_or_null(json, "layer", place->layer, in_layer);
    json_field_or_null(json, "instruction", layer ? layer->instruction : SLICE_EMPTY);
    write_base(json, layer ? layer->base : BASE_UNKNOWN);
    json_field_bool(json, "deleted", deleted);
    number_or_null(json, "deleted_in", place->deleted_in, deleted);
}

static void write_places(struct json_writer *json, const struct report *report,
                         const struct image_secret *found)
{
    const struct secret_place *places = found->places.items;
    size_t listed = found->places.count < LIMIT_SECRET_PLACES_LISTED ? found->places.count
                                                                     : LIMIT_SECRET_PLACES_LISTED;
    json_put_key(json, "places");
    json_begin_array(json);
    for (size_t i = 0; i < listed; i++) {
        json_begin_object(json);
        write_place(json, report, &places[i]);
        json_field_or_null(json, "reason", places[i].suppressed_reason);
        json_end_object(json);
    }
    json_end_array(json);
    json_field_number(json, "more_places", (int64_t)(found->places.count - listed));
}

static void write_secret(struct json_writer *json, const struct report *report,
                         const struct image_secret *found)
{
    const struct secret *secret = found->secret;
    json_begin_object(json);
    json_field(json, "rule", secret->rule);
    json_field(json, "severity", slice_from_text(severity_names[found->severity]));
    json_field(json, "title", found->title);
    write_place(json, report, found->places.items);
    json_field(json, "match", secret->match);
    json_field(json, "fingerprint", secret->fingerprint);
    json_field_strings(json, "fingerprints", found->fingerprints.items, found->fingerprints.count);
    json_field_number(json, "more_in_file", (int64_t)secret->more);
    json_field_or_null(json, "advice", found->advice);
    write_places(json, report, found);
    if (found->suppressed_reason.len) {
        json_field(json, "reason", found->suppressed_reason);
        json_field_or_null(json, "by", found->suppressed_by);
        json_field_or_null(json, "until", found->suppressed_until);
    }
    json_end_object(json);
}

static void write_secrets(struct json_writer *json, const struct report *report, bool suppressed)
{
    const struct image_secret *secrets = report->inventory->secrets.items;
    for (size_t i = 0; i < report->inventory->secrets.count; i++)
        if ((secrets[i].suppressed_reason.len > 0) == suppressed)
            write_secret(json, report, &secrets[i]);
}

static void write_array(struct json_writer *json, const struct report *report, const char *key,
                        bool findings, bool secrets, bool suppressed)
{
    json_put_key(json, key);
    json_begin_array(json);
    if (findings)
        write_findings(json, report, suppressed);
    if (secrets)
        write_secrets(json, report, suppressed);
    json_end_array(json);
}

static void write_unjudged(struct json_writer *json, const struct report *report)
{
    const struct unjudged *unjudged = report->result->unjudged.items;
    json_put_key(json, "unjudged");
    json_begin_array(json);
    for (size_t i = 0; i < report->result->unjudged.count; i++) {
        json_begin_object(json);
        json_field(json, "what", unjudged[i].what);
        json_field_number(json, "components", (int64_t)unjudged[i].count);
        json_field_number(json, "count", (int64_t)unjudged[i].count);
        json_field(json, "reason", unjudged[i].reason);
        json_field(json, "why", unjudged[i].reason);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_exceptions(struct json_writer *json, const struct report *report)
{
    static const struct exceptions none;
    const struct exceptions *exceptions = report->exceptions ? report->exceptions : &none;
    struct exception *const *entries = exceptions->entries.items;
    json_put_key(json, "exceptions");
    json_begin_array(json);
    for (size_t i = 0; i < exceptions->entries.count; i++) {
        json_begin_object(json);
        json_field(json, "file", slice_from_text(entries[i]->file));
        json_field_number(json, "line", (int64_t)entries[i]->line);
        json_field(json, "id", entries[i]->what);
        json_field_or_null(json, "reason", entries[i]->reason);
        json_field_or_null(json, "until", entries[i]->until);
        json_field(json, "state", slice_from_text(exception_state_names[entries[i]->state]));
        json_field_number(json, "findings", (int64_t)entries[i]->findings);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_errors(struct json_writer *json, const struct report *report)
{
    const struct report_error *errors = report->errors.items;
    json_put_key(json, "errors");
    json_begin_array(json);
    for (size_t i = 0; i < report->errors.count; i++) {
        json_begin_object(json);
        json_field(json, "where", slice_from_text(errors[i].where));
        json_put_key(json, "layer");
        if (errors[i].layer == SIZE_MAX)
            json_put_null(json);
        else
            json_put_number(json, (int64_t)errors[i].layer);
        json_field_or_null(json, "path", errors[i].path);
        json_field(json, "message", errors[i].message);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_verdict(struct json_writer *json, const struct report *report)
{
    const struct verdict *verdict = report->verdict;
    json_put_key(json, "verdict");
    json_begin_object(json);
    json_field_bool(json, "pass", verdict->pass);
    json_field_number(json, "exit_code", verdict->exit_code);
    json_field_bool(json, "complete", report->errors.count == 0);
    json_field_strings(json, "reasons", verdict->reasons.items, verdict->reasons.count);
    json_end_object(json);
}

static void write_store(struct json_writer *json, const struct report *report)
{
    json_put_key(json, "store");
    if (!report->store) {
        json_put_null(json);
        return;
    }
    json_begin_object(json);
    json_field_or_null(json, "built", report->store->built);
    json_field_number(json, "age_days", (int64_t)report->store_age_days);
    json_field_bool(json, "starter", report->store->starter);
    json_put_key(json, "ecosystems");
    json_begin_object(json);
    for (size_t i = 0; i < report->store->feed_count; i++) {
        const struct store_feed *feed = &report->store->feeds[i];
        json_put_key(json, arena_text(report->arena, feed->ecosystem));
        json_begin_object(json);
        json_field_number(json, "entries", (int64_t)feed->entries);
        json_field_or_null(json, "newest", feed->newest);
        json_end_object(json);
    }
    json_end_object(json);
    json_end_object(json);
}

/* What was looked for: nothing found of it else says nothing. */
static void write_scanners(struct json_writer *json, const struct report *report)
{
    slice scanners[2];
    size_t count = 0;
    if (report->vulnerabilities_wanted)
        scanners[count++] = SLICE("vuln");
    if (report->secrets_wanted)
        scanners[count++] = SLICE("secret");
    json_field_strings(json, "scanners", scanners, count);
}

static void write_stats(struct json_writer *json, const struct report_stats *stats)
{
    json_put_key(json, "stats");
    json_begin_object(json);
    json_field_number(json, "image_bytes", (int64_t)stats->image_bytes);
    json_field_number(json, "bytes_read", (int64_t)stats->bytes_read);
    json_field_number(json, "bytes_unpacked", (int64_t)stats->bytes_unpacked);
    json_field_number(json, "entries", (int64_t)stats->entries);
    json_field_number(json, "entries_read", (int64_t)stats->entries_read);
    json_field_number(json, "open_microseconds", (int64_t)stats->open_microseconds);
    json_field_number(json, "walk_microseconds", (int64_t)stats->walk_microseconds);
    json_field_number(json, "merge_microseconds", (int64_t)stats->merge_microseconds);
    json_field_number(json, "match_microseconds", (int64_t)stats->match_microseconds);
    json_field_number(json, "parent_peak_memory", (int64_t)stats->parent_peak_memory);
    json_field_number(json, "worker_peak_memory", (int64_t)stats->worker_peak_memory);
    json_end_object(json);
}

static void write_report(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct json_writer json = {.out = out};
    (void)options;
    json_begin_object(&json);
    json_field(&json, "schema_version", SLICE(REPORT_SCHEMA_VERSION));
    write_scanners(&json, report);
    write_image(&json, report);
    write_components(&json, report);
    write_array(&json, report, "findings", true, false, false);
    write_array(&json, report, "secrets", false, true, false);
    json_field_strings(&json, "misconfigurations", NULL, 0);
    write_array(&json, report, "suppressed", true, true, true);
    write_exceptions(&json, report);
    write_unjudged(&json, report);
    write_errors(&json, report);
    write_verdict(&json, report);
    write_store(&json, report);
    if (report->stats.wanted)
        write_stats(&json, &report->stats);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_json = {
    .name = "json",
    .help = "plimsoll's own JSON, all that is known (docs/report.md)",
    .write = write_report,
};
