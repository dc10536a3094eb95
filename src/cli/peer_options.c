#include "cli/peer_options.h"
#include "base/progress.h"
#include "base/text.h"

#define FOR_PEERS FOR_SCAN

extern char **environ;

/* -- options --------------------------------------------------------------------------------------
 */

/* The first time in a place (file, environment, command line) takes the place of what was before.
 */
static bool begins(struct options *options, unsigned which)
{
    bool first = !(options->begun & which);
    options->begun |= which;
    return first;
}

enum { BEGUN_DIRS = 1, BEGUN_FILES = 2, BEGUN_EXCLUDE = 4, BEGUN_STATUS = 8 };

struct error *set_pkg_types(struct options *options, const char *value)
{
    return filters_set_types(&options->policy.filters, slice_from_text(value));
}

struct error *set_ignore_status(struct options *options, const char *value)
{
    if (begins(options, BEGUN_STATUS))
        options->policy.filters.status_count = 0;
    return filters_add_statuses(&options->policy.filters, "--ignore-status",
                                slice_from_text(value));
}

struct error *set_skip_dirs(struct options *options, const char *value)
{
    if (begins(options, BEGUN_DIRS))
        filters_drop_paths(&options->policy.filters, "--skip-dirs");
    return filters_add_paths(&options->policy.filters, "--skip-dirs", slice_from_text(value), true,
                             false);
}

struct error *set_skip_files(struct options *options, const char *value)
{
    if (begins(options, BEGUN_FILES))
        filters_drop_paths(&options->policy.filters, "--skip-files");
    return filters_add_paths(&options->policy.filters, "--skip-files", slice_from_text(value),
                             false, true);
}

static struct error *set_exclude(struct options *options, const char *value)
{
    if (begins(options, BEGUN_EXCLUDE))
        filters_drop_paths(&options->policy.filters, "--exclude");
    return filters_add_paths(&options->policy.filters, "--exclude", slice_from_text(value), true,
                             true);
}

/* "debian:12", "debian/12", "debian@12", "debian-12" */
struct error *set_distro(struct options *options, const char *value)
{
    size_t length = strcspn(value, ":/@-");
    if (length == 0 || !value[length] || !value[length + 1])
        return error_make(ERROR_USAGE,
                          "--distro: \"%s\" is no distribution; write NAME:VERSION, as debian:12",
                          value);
    options->distro_id = slice_first(slice_from_text(value), length);
    options->distro_version = slice_from_text(value + length + 1);
    return NULL;
}

static struct error *set_image_src(struct options *options, const char *value)
{
    options->image_src = value;
    return NULL;
}

static struct error *set_name(struct options *options, const char *value)
{
    options->target_name = value;
    return NULL;
}

static struct error *set_by_cve(struct options *options, const char *value)
{
    options->by_cve = value != NULL;
    return NULL;
}

static struct error *set_only_notfixed(struct options *options, const char *value)
{
    options->policy.filters.only_notfixed = value != NULL;
    return NULL;
}

static struct error *set_verbose(struct options *options, const char *value)
{
    options->verbose = value != NULL;
    return NULL;
}

static struct error *set_list_all_packages(struct options *options, const char *value)
{
    options->leave_out_packages = value == NULL;
    return NULL;
}

static struct error *set_cache_backend(struct options *options, const char *value)
{
    options->no_cache = strcmp(value, "memory") == 0;
    if (strcmp(value, "fs") == 0 || options->no_cache)
        return NULL;
    return error_make(ERROR_USAGE,
                      "--cache-backend: the cache is a folder (fs) or nothing at all (memory), not "
                      "\"%s\"; --cache-dir says which folder",
                      value);
}

/* Of what is in an image, no relationship to a project is known. */
static struct error *set_pkg_relationships(struct options *options, const char *value)
{
    slice rest = slice_from_text(value), one;
    (void)options;
    while (slice_pull(&rest, ',', &one))
        if (slice_equal(slice_trim(one), SLICE("unknown")))
            return NULL;
    return error_make(
        ERROR_USAGE,
        "--pkg-relationships: of packages in an image the relationship is unknown, so "
        "\"%s\" would leave all of them out; leave the flag out",
        value);
}

/* Where daemons are looked for is what their own variables say. */
static struct error *set_docker_host(struct options *options, const char *value)
{
    (void)options;
    return setenv("DOCKER_HOST", value, 1) == 0 ? NULL : error_errno("--docker-host");
}

static struct error *set_podman_host(struct options *options, const char *value)
{
    (void)options;
    return setenv("CONTAINER_HOST", value, 1) == 0 ? NULL : error_errno("--podman-host");
}

const struct option peer_option_table[] = {
    {"vuln-type", 0, "LIST", FOR_PEERS, "", set_pkg_types, "os library"},
    {"ignore-states", 0, "LIST", FOR_PEERS, "", set_ignore_status, ""},
    {"exclude", 0, "GLOB", FOR_LOOK, "", set_exclude, ""},
    {"only-notfixed", 0, NULL, FOR_PEERS, "", set_only_notfixed, NULL},
    {"by-cve", 0, NULL, FOR_PEERS, "", set_by_cve, NULL},
    {"name", 0, "NAME", FOR_PEERS, "", set_name, ""},
    {"from", 0, "LIST", FOR_IMAGE, "", set_image_src, ""},
    {"list-all-pkgs", 0, NULL, FOR_PEERS, "", set_list_all_packages, NULL},
    {"cache-backend", 0, "KIND", FOR_PEERS, "", set_cache_backend, ""},
    {"pkg-relationships", 0, "LIST", FOR_PEERS, "", set_pkg_relationships, ""},
    {"docker-host", 0, "ADDRESS", FOR_IMAGE, "", set_docker_host, ""},
    {"podman-host", 0, "ADDRESS", FOR_IMAGE, "", set_podman_host, ""},
    {"debug", 'd', NULL, FOR_PEERS, "", set_verbose, NULL},
};
const size_t peer_option_count = sizeof(peer_option_table) / sizeof(peer_option_table[0]);

/* -- what letters and values mean -----------------------------------------------------------------
 */

static bool is_among(slice word, const char *words)
{
    slice rest = slice_from_text(words), one;
    while (slice_pull(&rest, ',', &one))
        if (slice_equal_nocase(word, one))
            return true;
    return false;
}

const char *peer_letter(char letter, slice value)
{
    if (letter == 'f' && is_among(value, "negligible,low,medium,high,critical"))
        return "fail-on";
    if (letter == 's' && is_among(value, "squashed,all-layers,deep-squashed"))
        return "scope";
    return NULL;
}

const char *peer_platform(const char *value)
{
    static const char *const platforms[] = {"linux/amd64",  "linux/arm64",   "linux/386",
                                            "linux/arm",    "linux/ppc64le", "linux/s390x",
                                            "linux/riscv64"};
    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
        if (strcmp(value, platforms[i] + strlen("linux/")) == 0)
            return platforms[i];
    return value;
}

struct error *peer_flag_take(const struct peer_flag *flag, const char *value)
{
    slice list = slice_from_text(value ? value : "true"), one;
    if (!flag->accepted)
        return NULL;
    if (!flag->takes_value && slice_equal(list, SLICE("false")))
        return NULL;
    bool accepted = *flag->accepted;
    while (accepted && slice_pull(&list, ',', &one))
        accepted = is_among(slice_trim(one), flag->accepted);
    if (accepted)
        return NULL;
    return error_make(ERROR_USAGE, "--%s%s%s is not what plimsoll can do: %s", flag->name,
                      *flag->accepted && value ? " " : "", *flag->accepted && value ? value : "",
                      flag->why);
}

/* -- variables ------------------------------------------------------------------------------------
 */

/* Where the names differ. */
static const struct {
    const char *theirs, *ours;
} variables[] = {
    {"GRYPE_FAIL_ON_SEVERITY", "PLIMSOLL_FAIL_ON"},
    {"GRYPE_OUTPUT", "PLIMSOLL_FORMAT"},
    {"GRYPE_FILE", "PLIMSOLL_OUTPUT"},
    {"GRYPE_IGNORE_WONTFIX", "PLIMSOLL_IGNORE_STATUS"},
    {"GRYPE_DEFAULT_IMAGE_PULL_SOURCE", "PLIMSOLL_IMAGE_SRC"},
    {"GRYPE_DB_CACHE_DIR", "PLIMSOLL_DB"},
    {"GRYPE_DB_MAX_ALLOWED_BUILT_AGE", "PLIMSOLL_DB_MAX_AGE"},
    {"GRYPE_DB_UPDATE_URL", "PLIMSOLL_DB_SOURCE"},
    {"GRYPE_REGISTRY_CA_CERT", "PLIMSOLL_CA_CERT"},
    {"GRYPE_REGISTRY_INSECURE_SKIP_TLS_VERIFY", "PLIMSOLL_INSECURE"},
    {"GRYPE_REGISTRY_INSECURE_USE_HTTP", "PLIMSOLL_INSECURE"},
    {"GRYPE_REGISTRY_AUTH_USERNAME", "PLIMSOLL_USERNAME"},
    {"GRYPE_REGISTRY_AUTH_PASSWORD", "PLIMSOLL_PASSWORD"},
    {"GRYPE_REGISTRY_AUTH_TOKEN", "PLIMSOLL_REGISTRY_TOKEN"},
    {"GRYPE_LOG_QUIET", "PLIMSOLL_QUIET"},
    {"TRIVY_DB_REPOSITORY", "PLIMSOLL_DB_SOURCE"},
    {"TRIVY_NON_SSL", "PLIMSOLL_INSECURE"},
};

static slice variable_for(slice theirs, struct arena *arena)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (slice_equal(theirs, slice_from_text(variables[i].theirs)))
            return slice_from_text(variables[i].ours);
    slice ours = arena_format(arena, "PLIMSOLL_%.*s",
                              SLICE_ARG(slice_from(theirs, slice_find(theirs, '_') + 1)));
    const struct option *option;
    for (size_t i = 0; (option = option_numbered(i)) != NULL; i++)
        if ((option->commands & FOR_SCAN) && option->apply != option_ignore &&
            slice_equal(ours, option_environment(arena, option)))
            return ours;
    return SLICE_EMPTY;
}

void peer_variables_remark(struct arena *arena)
{
    for (char **variable = environ; *variable; variable++) {
        slice text = slice_from_text(*variable), name, value;
        if (!(slice_starts(text, SLICE("TRIVY_")) || slice_starts(text, SLICE("GRYPE_"))) ||
            !slice_split(text, '=', &name, &value) || value.len == 0)
            continue;
        slice ours = variable_for(name, arena);
        if (ours.len)
            remark("%.*s is not read; what it says goes into %.*s",
                   SLICE_ARG(text_safe(arena, name)), SLICE_ARG(ours));
    }
}
