/*
 * Command lines of other scanners (Trivy, Grype): their names for options that there are here, and
 * their options that ask for what is so here anyway or for what plimsoll cannot do. None of them is
 * in --help; docs/migrating.md lists them all.
 */
#ifndef PLIMSOLL_CLI_PEER_OPTIONS_H
#define PLIMSOLL_CLI_PEER_OPTIONS_H

#include "cli/options.h"

/* Other names of options, and options for the sake of other scanners' command lines alone. */
extern const struct option peer_option_table[];
extern const size_t peer_option_count;

/* A flag of another scanner that no option here answers to. */
struct peer_flag {
    const char *name;
    bool takes_value;
    /* The values that ask for what is so anyway, with commas between, and are ignored; NULL: all of
     * them; empty: none, the flag is refused. */
    const char *accepted;
    const char *why; /* when it is refused: why, and what to do instead */
};

/* The flag of that name, or NULL. */
const struct peer_flag *peer_flag_named(slice name);
/* An error when the value (NULL: a switch) asks for what plimsoll cannot do. */
MUST_CHECK struct error *peer_flag_take(const struct peer_flag *flag, const char *value);

/* A letter that two scanners use for different things: the option that the value speaks for (-f
 * high is Grype's --fail-on), or NULL where it says nothing. */
const char *peer_letter(char letter, slice value);

/* "linux/arm64" of Grype's "arm64"; the value itself where it is in full, or unknown. */
const char *peer_platform(const char *value);

/* Says of each variable of another scanner that would have had a meaning which one to use. */
void peer_variables_remark(struct arena *arena);

/* Functions of rows in option_table. */
struct error *set_pkg_types(struct options *options, const char *value);
struct error *set_ignore_status(struct options *options, const char *value);
struct error *set_skip_dirs(struct options *options, const char *value);
struct error *set_skip_files(struct options *options, const char *value);
struct error *set_distro(struct options *options, const char *value);

#endif
