/*
 * The command line: one table of options (options.c) that is also --help, the man page, the shell
 * completions and the PLIMSOLL_* names. --severity is PLIMSOLL_SEVERITY; what stands on the command
 * line goes before the environment.
 */
#ifndef PLIMSOLL_CLI_OPTIONS_H
#define PLIMSOLL_CLI_OPTIONS_H

#include "cli/comparisons.h"
#include "cli/outputs.h"
#include "policy/policy.h"

/* Which commands an option belongs to. */
enum {
    FOR_IMAGE = 1,
    FOR_ROOTFS = 2,
    FOR_DB_IMPORT = 4,
    FOR_DB_STATUS = 8,
    FOR_DB_EXPORT = 16,
    FOR_CACHE_STATUS = 32,
    FOR_CACHE_CLEAR = 64,
    FOR_DB_UPDATE = 128,
    FOR_RULES_LIST = 256,
    FOR_RULES_TEST = 512,
    FOR_SECRET = 1024,
    FOR_CONTEXT = 2048,
    FOR_SBOM = 1 << 12, /* beside FOR_IMAGE, whose options it takes */
    FOR_SBOM_SCAN = 1 << 13,
    FOR_SBOM_CONVERT = 1 << 14,
    FOR_SBOM_MERGE = 1 << 15,
    FOR_SBOM_CHECK = 1 << 16, /* validate, score */
    FOR_COMPARE = 1 << 17,
    FOR_FETCH = FOR_IMAGE | FOR_COMPARE, /* open an image by its name */
    FOR_SCAN = FOR_IMAGE | FOR_ROOTFS | FOR_SBOM_SCAN | FOR_COMPARE,
    FOR_SBOM_OUT = FOR_SBOM_CONVERT | FOR_SBOM_MERGE,
    FOR_SBOMS = FOR_SBOM | FOR_SBOM_OUT | FOR_SBOM_CHECK,
    FOR_LOOK = FOR_SCAN | FOR_SECRET,
    /* end in a report and its verdict */
    FOR_REPORT = FOR_IMAGE | FOR_ROOTFS | FOR_SBOM_SCAN | FOR_SECRET,
    /* have a --format and an --output */
    FOR_WRITTEN = FOR_REPORT | FOR_CONTEXT | FOR_DB_STATUS | FOR_CACHE_STATUS | FOR_RULES_LIST |
                  FOR_SBOM_OUT | FOR_SBOM_CHECK,
    FOR_HTTP = FOR_FETCH | FOR_DB_UPDATE,
    FOR_DB = FOR_DB_IMPORT | FOR_DB_STATUS | FOR_DB_EXPORT | FOR_DB_UPDATE,
    FOR_CACHE = FOR_CACHE_STATUS | FOR_CACHE_CLEAR,
    FOR_RULES = FOR_RULES_LIST | FOR_RULES_TEST,
    FOR_ALL = FOR_LOOK | FOR_CONTEXT | FOR_DB | FOR_CACHE | FOR_RULES | FOR_SBOMS
};

/* --db-source may be given so often. */
enum { DB_SOURCES = 16 };

/* Files that may be named so often. */
enum { NAMED_FILES = 64 };

struct named_files {
    const char *items[NAMED_FILES];
    size_t count;
    bool begun; /* the command line goes before the environment */
};

struct options {
    /* what to scan */
    const char *input;
    slice platform, select;
    const char *base_image;
    bool no_verify, no_lazy, plan;
    bool attached_sbom; /* --sbom-sources oci */
    bool write;         /* context: into .dockerignore */
    const char *dockerfile;
    int64_t timeout_ms; /* 0: LIMIT_SCAN_SECONDS */
    /* where images come from */
    const char *image_src;
    const char *containerd_address, *containerd_namespace;
    const char *username, *password, *registry_token, *registry_mirror;
    const char *ca_cert, *client_cert, *client_key;
    bool insecure;
    /* the store */
    const char *db;
    const char *db_sources[DB_SOURCES]; /* each may be several, with commas */
    size_t db_source_count;
    bool db_sources_begun;
    int64_t db_max_age; /* seconds; 0: any age will do */
    bool facts_only, starter;
    const char *built;
    /* the cache of layer records */
    const char *cache_dir; /* NULL: cache_place knows */
    uint64_t cache_size;
    bool no_cache;
    /* what to look for */
    bool scan_vulnerabilities, scan_secrets;
    const char *secret_baseline, *secret_config;
    bool scanners_given; /* --scanners says so */
    /* policy */
    struct policy policy;
    bool severities_begun; /* --severity more than once adds up */
    /* compare */
    struct compare_gates gates;
    struct comparison_outputs comparisons;
    struct named_files ignore_files, vex;
    /* output */
    struct outputs outputs;
    bool outputs_begun; /* --format more than once adds up */
    const char *output, *template_file;
    bool show_suppressed;
    bool by_cve, leave_out_packages; /* in forms of other scanners */
    const char *target_name;         /* what the report calls the image, or NULL */
    slice distro_id, distro_version; /* in place of what the image says; or empty */
    bool quiet, verbose, stats, help;
    const char *config;  /* --config; NULL: plimsoll.yaml where there is one */
    unsigned begun;      /* which of the options that add up were given in this place */
    struct list remarks; /* of slice: what to say of the options themselves */
    /* what stands on the line and is no option */
    const char *const *words;
    size_t word_count;
};

struct option {
    const char *name;     /* "severity" */
    char letter;          /* 's', or 0 */
    const char *argument; /* "LIST"; NULL: a switch */
    unsigned commands;
    const char *help; /* one line; empty: not listed */
    struct error *(*apply)(struct options *options, const char *value);
    const char *values; /* what can be completed, separated by spaces; NULL: files or nothing */
};

extern const struct option option_table[];
extern const size_t option_count;

/* All options, those of other scanners' command lines too; NULL behind the last. */
const struct option *option_numbered(size_t number);
/* The `apply` of options that ask for what is so anyway. */
struct error *option_ignore(struct options *options, const char *value);
/* Applies what a file or the environment says; `from` names that place in messages. */
MUST_CHECK struct error *option_apply_text(struct options *options, const struct option *option,
                                           slice from, const char *value);

/* Defaults, then the file (settings.h), then the environment, then the arguments. */
MUST_CHECK struct error *options_parse(struct options *options, struct arena *arena,
                                       unsigned command, int count, char **arguments);

/* "PLIMSOLL_IGNORE_UNFIXED" of "ignore-unfixed". */
slice option_environment(struct arena *arena, const struct option *option);

#endif
