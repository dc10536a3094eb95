#include "cli/options.h"
#include "base/limits.h"
#include "cli/option_values.h"
#include "cli/peer_options.h"

#define TEXT_OPTION(function, field)                                                               \
    static struct error *function(struct options *options, const char *value)                      \
    {                                                                                              \
        options->field = value;                                                                    \
        return NULL;                                                                               \
    }

#define SLICE_OPTION(function, field)                                                              \
    static struct error *function(struct options *options, const char *value)                      \
    {                                                                                              \
        options->field = slice_from_text(value);                                                   \
        return NULL;                                                                               \
    }

#define SWITCH(function, field)                                                                    \
    static struct error *function(struct options *options, const char *value)                      \
    {                                                                                              \
        options->field = value != NULL;                                                            \
        return NULL;                                                                               \
    }

TEXT_OPTION(set_input, input)
TEXT_OPTION(set_base_image, base_image)
TEXT_OPTION(set_db, db)
TEXT_OPTION(set_built, built)
TEXT_OPTION(set_secret_baseline, secret_baseline)
TEXT_OPTION(set_secret_config, secret_config)
TEXT_OPTION(set_cache_dir, cache_dir)
TEXT_OPTION(set_config, config)
TEXT_OPTION(set_dockerfile, dockerfile)
SLICE_OPTION(set_select, select)
TEXT_OPTION(set_image_src, image_src)
TEXT_OPTION(set_containerd_address, containerd_address)
TEXT_OPTION(set_containerd_namespace, containerd_namespace)
TEXT_OPTION(set_username, username)
TEXT_OPTION(set_password, password)
TEXT_OPTION(set_registry_token, registry_token)
TEXT_OPTION(set_ca_cert, ca_cert)
TEXT_OPTION(set_client_cert, client_cert)
TEXT_OPTION(set_client_key, client_key)
SWITCH(set_insecure, insecure)
SWITCH(set_no_lazy, no_lazy)
SWITCH(set_plan, plan)
SWITCH(set_write, write)
SWITCH(set_no_verify, no_verify)
SWITCH(set_ignore_unfixed, policy.ignore_unfixed)
SWITCH(set_allow_unjudged, policy.allow_unjudged)
SWITCH(set_kernel_headers, policy.kernel_headers)
SWITCH(set_quiet, quiet)
SWITCH(set_verbose, verbose)
SWITCH(set_stats, stats)
SWITCH(set_show_suppressed, show_suppressed)
TEXT_OPTION(set_output_file, output)
TEXT_OPTION(set_template, template_file)
SWITCH(set_help, help)
SWITCH(set_facts_only, facts_only)
SWITCH(set_starter, starter)
SWITCH(set_no_cache, no_cache)

/* Formats given before do not count any more when a nearer place gives some. */
static struct error *set_format(struct options *options, const char *value)
{
    if (!options->outputs_begun)
        options->outputs.count = 0;
    options->outputs_begun = true;
    return error_wrap(output_add(&options->outputs, slice_from_text(value)), "--format");
}

/* Grype's and Syft's -o is the format: a report in a file called "json" is not what is meant. */
static struct error *set_output(struct options *options, const char *value)
{
    if (output_is_format(slice_from_text(value)))
        return set_format(options, value);
    options->output = value;
    return NULL;
}

static struct error *set_sbom_sources(struct options *options, const char *value)
{
    if (strcmp(value, "oci") != 0)
        return error_make(ERROR_USAGE, "--sbom-sources: there is oci, not \"%s\"", value);
    options->attached_sbom = true;
    return NULL;
}

static struct error *set_comparison_format(struct options *options, const char *value)
{
    if (!options->outputs_begun)
        options->comparisons.count = 0;
    options->outputs_begun = true;
    return error_wrap(comparison_add(&options->comparisons, slice_from_text(value)), "--format");
}

static struct error *set_comparison_output(struct options *options, const char *value)
{
    if (comparison_is_format(slice_from_text(value)))
        return set_comparison_format(options, value);
    options->output = value;
    return NULL;
}

/* "high", "high=3" */
static struct error *set_max_new(struct options *options, const char *value)
{
    slice name = slice_from_text(value), most = SLICE("0");
    struct compare_gates *gates = &options->gates;
    slice_split(name, '=', &name, &most);
    if (!severity_by_name(slice_trim(name), &gates->max_new) ||
        gates->max_new == SEVERITY_UNKNOWN || !slice_to_u64(slice_trim(most), &gates->most_new))
        return error_make(ERROR_USAGE,
                          "--max-new: \"%s\" is not of the form SEVERITY or SEVERITY=N, as high "
                          "or high=3; there is CRITICAL, HIGH, MEDIUM, LOW, NEGLIGIBLE",
                          value);
    gates->has_max_new = true;
    return NULL;
}

static struct error *set_min_reduction(struct options *options, const char *value)
{
    slice digits = slice_from_text(value);
    uint64_t percent;
    digits.len -= slice_ends(digits, SLICE("%"));
    if (!slice_to_u64(digits, &percent) || percent > 100)
        return error_make(ERROR_USAGE, "--min-reduction: \"%s\" is no percentage (0 to 100)",
                          value);
    options->gates.has_min_reduction = true;
    options->gates.min_reduction = (unsigned)percent;
    return NULL;
}

/* "os/architecture" or "os/architecture/variant" */
static struct error *set_platform(struct options *options, const char *value)
{
    slice rest, part;
    size_t parts = 0;
    value = peer_platform(value);
    rest = slice_from_text(value);
    while (slice_pull(&rest, '/', &part)) {
        parts++;
        if (part.len == 0)
            parts = SIZE_MAX / 2;
    }
    if (parts < 2 || parts > 3)
        return error_make(ERROR_USAGE,
                          "--platform: \"%s\" is no platform; write OS/ARCHITECTURE, as "
                          "linux/amd64 or linux/arm64/v8",
                          value);
    options->platform = slice_from_text(value);
    return NULL;
}

/* More than once adds up; what stands on the command line goes before the environment. */
static struct error *set_db_source(struct options *options, const char *value)
{
    if (!options->db_sources_begun)
        options->db_source_count = 0;
    options->db_sources_begun = true;
    if (options->db_source_count == DB_SOURCES)
        return error_make(ERROR_USAGE, "--db-source can be given %d times", DB_SOURCES);
    options->db_sources[options->db_source_count++] = value;
    return NULL;
}

/* More than once adds up, likewise. */
static struct error *add_file(struct named_files *files, const char *name, const char *value)
{
    if (!files->begun)
        files->count = 0;
    files->begun = true;
    if (!*value)
        return error_make(ERROR_USAGE, "--%s names no file", name);
    if (files->count == NAMED_FILES)
        return error_make(ERROR_USAGE, "--%s can be given %d times", name, NAMED_FILES);
    files->items[files->count++] = value;
    return NULL;
}

static struct error *set_ignore_file(struct options *options, const char *value)
{
    return add_file(&options->ignore_files, "ignorefile", value);
}

static struct error *set_vex(struct options *options, const char *value)
{
    return add_file(&options->vex, "vex", value);
}

/* "HOST=URL,HOST=URL" */
static struct error *set_registry_mirror(struct options *options, const char *value)
{
    slice rest = slice_from_text(value), entry, host, url;
    while (slice_pull(&rest, ',', &entry))
        if (!slice_split(slice_trim(entry), '=', &host, &url) || host.len == 0 ||
            !(slice_starts(url, SLICE("https://")) || slice_starts(url, SLICE("http://"))))
            return error_make(ERROR_USAGE,
                              "--registry-mirror: \"%.*s\" is no mirror; write HOST=URL, as "
                              "docker.io=https://mirror.example",
                              SLICE_ARG(entry));
    options->registry_mirror = value;
    return NULL;
}

struct error *option_ignore(struct options *options, const char *value)
{
    (void)options;
    (void)value;
    return NULL;
}

#define SEVERITY_WORDS "CRITICAL, HIGH, MEDIUM, LOW, NEGLIGIBLE, UNKNOWN"

static struct error *set_severity(struct options *options, const char *value)
{
    slice list = slice_from_text(value), name;
    if (!options->severities_begun)
        memset(options->policy.severities, 0, sizeof(options->policy.severities));
    options->severities_begun = true;
    while (slice_pull(&list, ',', &name)) {
        enum severity severity;
        if (!severity_by_name(slice_trim(name), &severity))
            return error_make(ERROR_USAGE,
                              "--severity: \"%.*s\" is no severity; there is " SEVERITY_WORDS,
                              SLICE_ARG(name));
        options->policy.severities[severity] = true;
    }
    options->policy.severities_given = true;
    return NULL;
}

static struct error *set_fail_on(struct options *options, const char *value)
{
    if (!severity_by_name(slice_trim(slice_from_text(value)), &options->policy.fail_on) ||
        options->policy.fail_on == SEVERITY_UNKNOWN)
        return error_make(ERROR_USAGE,
                          "--fail-on: \"%s\" is no severity to stop at; there is "
                          "CRITICAL, HIGH, MEDIUM, LOW, NEGLIGIBLE",
                          value);
    options->policy.has_fail_on = true;
    return NULL;
}

static struct error *read_exit_code(const char *option, const char *value, int *code)
{
    uint64_t number;
    if (!slice_to_u64(slice_from_text(value), &number) || number > 255)
        return error_make(ERROR_USAGE, "%s: \"%s\" is no exit code (0 to 255)", option, value);
    if (number == EXIT_USAGE || number == EXIT_UNTRUSTED)
        return error_make(ERROR_USAGE,
                          "%s: %d says that a scan went wrong (2: usage, 3: not to be trusted), so "
                          "a gate cannot end with it",
                          option, (int)number);
    *code = (int)number;
    return NULL;
}

static struct error *set_exit_code(struct options *options, const char *value)
{
    return read_exit_code("--exit-code", value, &options->policy.exit_code);
}

static struct error *set_exit_on_eol(struct options *options, const char *value)
{
    return read_exit_code("--exit-on-eol", value, &options->policy.exit_on_eol);
}

static struct error *set_scanners(struct options *options, const char *value)
{
    slice list = slice_from_text(value), name;
    options->scan_vulnerabilities = options->scan_secrets = false;
    options->scanners_given = true;
    while (slice_pull(&list, ',', &name)) {
        name = slice_trim(name);
        if (slice_equal(name, SLICE("vuln")))
            options->scan_vulnerabilities = true;
        else if (slice_equal(name, SLICE("secret")))
            options->scan_secrets = true;
        else
            return error_make(ERROR_USAGE,
                              "--scanners: this version has \"vuln\" and \"secret\", not \"%.*s\"",
                              SLICE_ARG(name));
    }
    return NULL;
}

#define SEVERITY_VALUES "CRITICAL HIGH MEDIUM LOW NEGLIGIBLE UNKNOWN"

const struct option option_table[] = {
    {"input", 'i', "FILE", FOR_IMAGE, "the image: a file or folder", set_input, NULL},
    {"image", 0, "NAME", FOR_IMAGE, "which of several images in FILE: a tag or digest", set_select,
     ""},
    {"platform", 0, "OS/ARCH", FOR_FETCH, "which platform's image, where FILE holds several",
     set_platform, "linux/amd64 linux/arm64"},
    {"base-image", 0, "FILE", FOR_IMAGE, "the base image, to tell its layers from your own",
     set_base_image, NULL},
    {"image-src", 0, "LIST", FOR_FETCH,
     "where to look for a name, in order: docker,podman,containerd,registry", set_image_src,
     "docker podman containerd registry"},
    {"username", 0, "NAME", FOR_FETCH, "for the registry; else what docker login keeps",
     set_username, ""},
    {"password", 0, "WORD", FOR_FETCH, "for the registry; better in PLIMSOLL_PASSWORD",
     set_password, ""},
    {"registry-token", 0, "TOKEN", FOR_FETCH, "a bearer token for the registry", set_registry_token,
     ""},
    {"registry-mirror", 0, "HOST=URL", FOR_FETCH,
     "ask URL before the registry HOST; more by commas", set_registry_mirror, ""},
    {"ca-cert", 0, "FILE", FOR_HTTP, "PEM of an authority to trust", set_ca_cert, NULL},
    {"cacert", 0, "FILE", FOR_HTTP, "", set_ca_cert, NULL},
    {"client-cert", 0, "FILE", FOR_HTTP, "PEM of a client certificate", set_client_cert, NULL},
    {"client-key", 0, "FILE", FOR_HTTP, "PEM of its key", set_client_key, NULL},
    {"insecure", 0, NULL, FOR_HTTP, "allow http, and certificates that are not trusted",
     set_insecure, NULL},
    {"containerd-address", 0, "SOCKET", FOR_FETCH, "containerd's socket", set_containerd_address,
     NULL},
    {"containerd-namespace", 0, "NAME", FOR_FETCH, "containerd's namespace; else all of them",
     set_containerd_namespace, ""},
    {"sbom-sources", 0, "LIST", FOR_IMAGE,
     "take the packages from an SBOM attached to the image, where there is one: oci",
     set_sbom_sources, "oci"},
    {"plan", 0, NULL, FOR_IMAGE, "say what would be fetched or read, and stop", set_plan, NULL},
    {"dockerfile", 0, "FILE", FOR_CONTEXT,
     "the Dockerfile of the build (Dockerfile or Containerfile in DIR)", set_dockerfile, NULL},
    {"write", 0, NULL, FOR_CONTEXT, "add the lines to .dockerignore, or the file in its place",
     set_write, NULL},
    {"no-lazy", 0, NULL, FOR_FETCH, "read eStargz and zstd:chunked layers whole", set_no_lazy,
     NULL},
    {"timeout", 0, "TIME", FOR_LOOK | FOR_CONTEXT | FOR_DB_UPDATE,
     "give up after so long, as 5m (30m)", set_timeout, ""},
    {"no-verify", 0, NULL, FOR_FETCH, "do not check the digests of what is read", set_no_verify,
     NULL},
    {"severity", 's', "LIST", FOR_LOOK, "show and count only these severities, as HIGH,CRITICAL",
     set_severity, SEVERITY_VALUES},
    {"ignore-unfixed", 0, NULL, FOR_SCAN, "leave out what no version repairs", set_ignore_unfixed,
     NULL},
    {"only-fixed", 0, NULL, FOR_SCAN, "", set_ignore_unfixed, NULL},
    {"exit-code", 0, "N", FOR_REPORT | FOR_CONTEXT, "end with N when anything is found (a gate)",
     set_exit_code, ""},
    {"fail-on", 0, "SEVERITY", FOR_REPORT,
     "end with 1 when this severity or worse is found (a gate)", set_fail_on,
     "CRITICAL HIGH MEDIUM LOW NEGLIGIBLE"},
    {"ignorefile", 0, "FILE", FOR_LOOK,
     "what is excepted (.plimsollignore.yaml, .trivyignore, .grype.yaml); instead of those here",
     set_ignore_file, NULL},
    {"ignore-file", 0, "FILE", FOR_LOOK, "", set_ignore_file, NULL},
    {"vex", 0, "FILE", FOR_SCAN, "VEX documents (OpenVEX, CycloneDX, CSAF), or a folder of them",
     set_vex, NULL},
    {"exit-on-eol", 0, "N", FOR_REPORT, "end with N when the distribution gets no more updates",
     set_exit_on_eol, ""},
    {"pkg-types", 0, "LIST", FOR_SCAN, "count only packages of these kinds: os,library",
     set_pkg_types, "os library"},
    {"ignore-status", 0, "LIST", FOR_SCAN, "leave out findings of these, as will_not_fix",
     set_ignore_status, "affected fixed will_not_fix fix_deferred end_of_life unknown"},
    {"skip-dirs", 0, "GLOB", FOR_LOOK, "leave out what is found below; more by commas",
     set_skip_dirs, ""},
    {"skip-files", 0, "GLOB", FOR_LOOK, "leave out what is found in them; more by commas",
     set_skip_files, ""},
    {"distro", 0, "NAME:VERSION", FOR_SCAN, "take the distribution for this, as debian:12",
     set_distro, ""},
    {"allow-unjudged", 0, NULL, FOR_SCAN, "let a gate pass what the store cannot judge",
     set_allow_unjudged, NULL},
    {"kernel-headers", 0, NULL, FOR_SCAN, "count the kernel's findings for its header packages",
     set_kernel_headers, NULL},
    {"scanners", 0, "LIST", FOR_SCAN, "what to look for: vuln,secret", set_scanners, "vuln secret"},
    {"secret-config", 0, "FILE", FOR_LOOK | FOR_CONTEXT,
     "own rules for secrets, and what is allowed (trivy-secret.yaml, .toml: gitleaks)",
     set_secret_config, NULL},
    {"secret-baseline", 0, "FILE", FOR_LOOK,
     "a JSON report: the secrets in it are known already and do not count", set_secret_baseline,
     NULL},
    {"format", 'f', "FORMAT", FOR_WRITTEN,
     "table (for people), json or another; FORMAT=FILE writes it there", set_format,
     "table json html sarif junit gitlab github markdown csv openmetrics openvex template "
     "cyclonedx cyclonedx-xml spdx spdx-tag-value spdx3"},
    {"output", 'o', "FILE", FOR_WRITTEN, "write the report to FILE, whole or not at all",
     set_output, NULL},
    {"format", 'f', "FORMAT", FOR_COMPARE,
     "table (for people), json, markdown or html; FORMAT=FILE writes it there",
     set_comparison_format, "table json markdown html"},
    {"output", 'o', "FILE", FOR_COMPARE, "write the comparison to FILE, whole or not at all",
     set_comparison_output, NULL},
    {"max-new", 0, "SEVERITY[=N]", FOR_COMPARE,
     "end with 1 when more than N (0) new findings are of it or worse (a gate)", set_max_new,
     "CRITICAL HIGH MEDIUM LOW NEGLIGIBLE"},
    {"min-reduction", 0, "PERCENT", FOR_COMPARE,
     "end with 1 unless findings fell by so many per cent (a gate)", set_min_reduction, ""},
    {"file", 0, "FILE", FOR_REPORT, "", set_output_file, NULL},
    {"template", 't', "FILE", FOR_REPORT, "the template of --format template (docs/formats.md)",
     set_template, NULL},
    {"show-suppressed", 0, NULL, FOR_REPORT, "list in the table what was suppressed, and why",
     set_show_suppressed, NULL},
    {"stats", 0, NULL, FOR_REPORT, "add bytes read, times and memory to the report", set_stats,
     NULL},
    {"cache-dir", 0, "FOLDER", FOR_LOOK | FOR_CACHE, "where what was found in layers is kept",
     set_cache_dir, NULL},
    {"cache-size", 0, "SIZE", FOR_SCAN, "how much of that is kept, as 500M or 2G (1G)",
     set_cache_size, ""},
    {"no-cache", 0, NULL, FOR_LOOK, "read each layer anew, and keep nothing of it", set_no_cache,
     NULL},
    {"db", 0, "FILE", FOR_SCAN | FOR_DB, "the advisory store", set_db, NULL},
    {"db-max-age", 0, "AGE", FOR_SCAN,
     "refuse an advisory store that is older, as 5d (exit code 3)", set_db_max_age, ""},
    {"db-source", 0, "BASE", FOR_DB_UPDATE,
     "fetch from a mirror of the publishers: a URL or a folder; more by commas", set_db_source,
     NULL},
    {"facts-only", 0, NULL, FOR_DB_IMPORT, "leave out summaries and descriptions", set_facts_only,
     NULL},
    {"built", 0, "DATE", FOR_DB_IMPORT, "the date to write down as the store's, not now", set_built,
     ""},
    {"starter", 0, NULL, FOR_DB_IMPORT, "", set_starter, NULL},
    {"config", 'c', "FILE", FOR_ALL, "options from FILE; else from plimsoll.yaml if it is there",
     set_config, NULL},
    {"quiet", 'q', NULL, FOR_ALL, "no progress and no remarks, only errors", set_quiet, NULL},
    {"verbose", 'v', NULL, FOR_ALL, "say what is done, and how", set_verbose, NULL},
    {"help", 'h', NULL, FOR_ALL, "this help", set_help, NULL},
    /* Switches of other scanners that ask for what is so here anyway. */
    {"no-progress", 0, NULL, FOR_LOOK, "", option_ignore, NULL},
    {"offline-scan", 0, NULL, FOR_SCAN, "", option_ignore, NULL},
    {"skip-db-update", 0, NULL, FOR_SCAN, "", option_ignore, NULL},
    {"skip-java-db-update", 0, NULL, FOR_SCAN, "", option_ignore, NULL},
    {"skip-version-check", 0, NULL, FOR_SCAN, "", option_ignore, NULL},
};

const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

const struct option *option_numbered(size_t number)
{
    if (number < option_count)
        return &option_table[number];
    number -= option_count;
    return number < peer_option_count ? &peer_option_table[number] : NULL;
}
