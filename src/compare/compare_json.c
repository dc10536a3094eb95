/* A comparison as JSON: docs/compare.md and docs/compare.schema.json describe it. */
#include "base/json_write.h"
#include "compare/formats.h"

static void write_counts(struct json_writer *json, const struct side_counts *counts)
{
    json_put_key(json, "findings");
    json_begin_object(json);
    json_field_number(json, "all", (int64_t)counts->all);
    for (int i = SEVERITY_CRITICAL; i >= 0; i--)
        json_field_number(json, severity_names[i], (int64_t)counts->by_severity[i]);
    json_field_number(json, "fixable", (int64_t)counts->fixable);
    json_field_number(json, "exploited", (int64_t)counts->exploited);
    json_field_number(json, "in_base", (int64_t)counts->in_base);
    json_field_number(json, "in_own_layers", (int64_t)counts->in_own);
    json_end_object(json);
    json_field_number(json, "secrets", (int64_t)counts->secrets);
}

static void write_side(struct json_writer *json, const struct comparison *comparison, size_t index)
{
    const struct side *side = &comparison->sides[index];
    json_begin_object(json);
    json_field(json, "name", side->name);
    json_field(json, "kind", slice_from_text(side->kind));
    json_field(json, "image", side->image);
    json_field_or_null(json, "digest", side->digest);
    json_field_or_null(json, "platform", side->platform);
    json_field_or_null(json, "os", side->os_name);
    json_field_or_null(json, "end_of_life", side->end_of_life);
    json_field_bool(json, "is_end_of_life", compare_is_end_of_life(side, comparison->today));
    json_field_or_null(json, "created", side->created);
    json_field_or_null(json, "store_built", side->store_built);
    json_field_number(json, "layers", (int64_t)side->layer_count);
    json_field_number(json, "size", (int64_t)side->size);
    json_field_number(json, "packages", (int64_t)side->packages.count);
    write_counts(json, &comparison->counts[index]);
    json_field_number(json, "suppressed", (int64_t)side->suppressed);
    json_field_strings(json, "unjudged", side->unjudged.items, side->unjudged.count);
    json_field_strings(json, "errors", side->errors.items, side->errors.count);
    json_end_object(json);
}

static void write_number(struct json_writer *json, const char *key, uint64_t before, uint64_t after)
{
    int64_t tenths;
    json_put_key(json, key);
    json_begin_object(json);
    json_field_number(json, "before", (int64_t)before);
    json_field_number(json, "after", (int64_t)after);
    json_put_key(json, "percent");
    if (compare_percent(before, after, &tenths))
        json_put_decimal(json, (double)tenths / 10.0, 1);
    else if (after == 0)
        json_put_number(json, 0);
    else
        json_put_null(json);
    json_end_object(json);
}

static void write_totals(struct json_writer *json, const struct comparison *comparison)
{
    const struct side_counts *a = &comparison->counts[0], *b = &comparison->counts[1];
    const struct side *before = &comparison->sides[0], *after = &comparison->sides[1];
    json_put_key(json, "totals");
    json_begin_object(json);
    write_number(json, "findings", a->all, b->all);
    for (int i = SEVERITY_CRITICAL; i >= 0; i--)
        write_number(json, severity_names[i], a->by_severity[i], b->by_severity[i]);
    write_number(json, "fixable", a->fixable, b->fixable);
    write_number(json, "exploited", a->exploited, b->exploited);
    write_number(json, "secrets", a->secrets, b->secrets);
    write_number(json, "packages", before->packages.count, after->packages.count);
    write_number(json, "layers", before->layer_count, after->layer_count);
    write_number(json, "size", before->size, after->size);
    json_end_object(json);
}

static void write_packages(struct json_writer *json, const struct comparison *comparison)
{
    const struct package_change *changes = comparison->packages.items;
    json_put_key(json, "packages");
    json_begin_object(json);
    for (int fate = 0; fate < PACKAGE_FATES; fate++) {
        json_put_key(json, package_fate_names[fate]);
        json_begin_array(json);
        for (size_t i = 0; i < comparison->packages.count; i++) {
            const struct side_package *before = changes[i].before, *after = changes[i].after;
            const struct side_package *package = after ? after : before;
            if ((int)changes[i].fate != fate)
                continue;
            json_begin_object(json);
            json_field(json, "type", package->type);
            json_field(json, "name", package->name);
            json_field_or_null(json, "architecture", package->arch);
            json_put_key(json, "before");
            before ? json_put_string(json, before->version) : json_put_null(json);
            json_put_key(json, "after");
            after ? json_put_string(json, after->version) : json_put_null(json);
            json_end_object(json);
        }
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_finding(struct json_writer *json, const struct finding_change *change)
{
    const struct side_finding *finding = change->after ? change->after : change->before;
    json_begin_object(json);
    json_field(json, "id", finding->id);
    json_field_strings(json, "aliases", finding->aliases.items, finding->aliases.count);
    json_field(json, "severity", slice_from_text(severity_names[finding->severity]));
    json_field(json, "type", finding->package.type);
    json_field(json, "name", finding->package.name);
    json_field_or_null(json, "before", change->version_before);
    json_field_or_null(json, "after", change->version_after);
    json_field_strings(json, "fixed", finding->fixed.items, finding->fixed.count);
    json_field_bool(json, "kev", finding->kev);
    json_put_key(json, "base");
    if (finding->base == BASE_UNKNOWN)
        json_put_null(json);
    else
        json_put_bool(json, finding->base == BASE_YES);
    json_end_object(json);
}

static void write_findings(struct json_writer *json, const struct comparison *comparison)
{
    const struct finding_change *changes = comparison->findings.items;
    json_put_key(json, "findings");
    json_begin_object(json);
    for (int fate = 0; fate < FATES; fate++) {
        json_put_key(json, fate_names[fate]);
        json_begin_array(json);
        for (size_t i = 0; i < comparison->findings.count; i++)
            if ((int)changes[i].fate == fate)
                write_finding(json, &changes[i]);
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_secrets(struct json_writer *json, const struct comparison *comparison)
{
    const struct secret_change *changes = comparison->secrets.items;
    json_put_key(json, "secrets");
    json_begin_object(json);
    for (int fate = 0; fate < FATES; fate++) {
        json_put_key(json, fate_names[fate]);
        json_begin_array(json);
        for (size_t i = 0; i < comparison->secrets.count; i++) {
            const struct side_secret *secret = changes[i].secret;
            if ((int)changes[i].fate != fate)
                continue;
            json_begin_object(json);
            json_field(json, "rule", secret->rule);
            json_field(json, "severity", slice_from_text(severity_names[secret->severity]));
            json_field(json, "title", secret->title);
            json_field(json, "path", secret->path);
            json_field(json, "fingerprint", secret->fingerprint);
            json_end_object(json);
        }
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_changes(struct json_writer *json, const struct comparison *comparison)
{
    json_put_key(json, "changes");
    if (!compare_is_pair(comparison) || !compare_is_possible(comparison)) {
        json_put_null(json);
        return;
    }
    json_begin_object(json);
    write_totals(json, comparison);
    write_packages(json, comparison);
    write_findings(json, comparison);
    write_secrets(json, comparison);
    json_end_object(json);
}

static void write_ranking(struct json_writer *json, const struct comparison *comparison)
{
    json_put_key(json, "ranking");
    if (compare_is_pair(comparison)) {
        json_put_null(json);
        return;
    }
    json_begin_object(json);
    json_put_key(json, "order");
    json_begin_array(json);
    for (size_t i = 0; i < comparison->side_count; i++)
        json_put_number(json, (int64_t)comparison->ranking[i]);
    json_end_array(json);
    json_field(json, "reason", comparison->reason);
    json_end_object(json);
}

static void write_verdict(struct json_writer *json, const struct comparison *comparison)
{
    json_put_key(json, "verdict");
    json_begin_object(json);
    json_field_bool(json, "pass", comparison->exit_code == EXIT_CLEAN);
    json_field_number(json, "exit_code", comparison->exit_code);
    json_field_bool(json, "complete", comparison->untrusted == 0);
    json_field_strings(json, "reasons", comparison->reasons.items, comparison->reasons.count);
    json_end_object(json);
}

static void write_comparison(const struct comparison *comparison,
                             const struct report_options *options, struct buffer *out)
{
    struct json_writer json = {.out = out};
    (void)options;
    json_begin_object(&json);
    json_field(&json, "schema_version", SLICE(COMPARE_SCHEMA_VERSION));
    json_put_key(&json, "sides");
    json_begin_array(&json);
    for (size_t i = 0; i < comparison->side_count; i++)
        write_side(&json, comparison, i);
    json_end_array(&json);
    write_changes(&json, comparison);
    write_ranking(&json, comparison);
    json_field_strings(&json, "notes", comparison->notes.items, comparison->notes.count);
    write_verdict(&json, comparison);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

const struct compare_format compare_json = {"json", write_comparison};
