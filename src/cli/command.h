/*
 * Commands: one file each, one line each in the table in main.c. A command returns the exit code;
 * an error it returns is printed by main, which then exits with 2 (wrong usage) or 3.
 */
#ifndef PLIMSOLL_CLI_COMMAND_H
#define PLIMSOLL_CLI_COMMAND_H

#include "cli/options.h"

struct command {
    const char *name;      /* "image", "db import" */
    unsigned flag;         /* FOR_…: which options it takes */
    const char *arguments; /* "IMAGE" */
    const char *summary;   /* half a line */
    const char *text;      /* a paragraph */
    const char *example;
    struct error *(*run)(const struct options *options, struct arena *arena, int *exit_code);
};

extern const struct command command_image, command_rootfs;
extern const struct command command_compare;
extern const struct command command_db_import, command_db_status, command_db_export,
    command_db_update;
extern const struct command command_cache_status, command_cache_clear;
extern const struct command command_secret, command_context;
extern const struct command command_sbom, command_sbom_scan, command_sbom_convert,
    command_sbom_merge, command_sbom_validate, command_sbom_score;
extern const struct command command_rules_list, command_rules_test;

extern const struct command *const command_table[];
extern const size_t command_count;

/* --help of a command, the general help, and what is generated from the tables at build time. */
void help_command(const struct command *command, struct buffer *out);
void help_general(struct buffer *out);
/* `what` is "man", "bash", "zsh" or "fish"; false for anything else. */
bool help_generate(const char *what, struct buffer *out);

/* Writes what a command has to say: to --output, whole or not at all, else to stdout. */
MUST_CHECK struct error *command_write(const struct options *options, const struct buffer *out);

/* Where the store is: --db, the user's own, the starter that came with the program. *path is NULL
 * when there is none. */
const char *store_place(const struct options *options, struct arena *arena);
/* Where `db import` puts it without --db. */
const char *store_place_of_user(struct arena *arena);
/*
 * Where `db import` and `db update` write: --db, or the user's own, whose folders are made. The
 * user's own begins as a copy of the starter (*begin_with, may be NULL), so that one feed anew does
 * not lose the others.
 */
MUST_CHECK struct error *store_place_to_write(const struct options *options, struct arena *arena,
                                              const char **path, const char **begin_with);
/* A file that came with the program, or NULL where it is missing. */
const char *data_place(const char *name, struct arena *arena);
/* The starter store, or NULL. */
const char *store_place_of_starter(struct arena *arena);
/* The folder of the cache: --cache-dir, or the user's own; NULL where there is no home folder. */
const char *cache_place(const struct options *options, struct arena *arena);

#endif
