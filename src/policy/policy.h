/*
 * Policy: what of the findings is shown, what is suppressed and why, and whether the image may
 * leave port. Between match and report. Nothing is dropped: what policy takes away is marked with
 * its reason.
 */
#ifndef PLIMSOLL_POLICY_POLICY_H
#define PLIMSOLL_POLICY_POLICY_H

#include "policy/filters.h"

enum exit_code { EXIT_CLEAN = 0, EXIT_GATE = 1, EXIT_USAGE = 2, EXIT_UNTRUSTED = 3 };

struct policy {
    bool severities[SEVERITY_COUNT]; /* shown and counted */
    bool severities_given;           /* named by the user: then NEGLIGIBLE among them gates too */
    bool ignore_unfixed;
    int exit_code;    /* of a gate that closes; 0: no gate asked for by --exit-code */
    bool has_fail_on; /* --fail-on: a gate from this severity on */
    enum severity fail_on;
    bool allow_unjudged; /* a gate passes although something could not be judged */
    int exit_on_eol;     /* of a gate that closes when the distribution gets no updates; or 0 */
    struct filters filters;
    bool kernel_headers; /* count what is found in packages of kernel headers */
};

struct verdict {
    bool pass;
    bool blocked_unjudged; /* a gate is closed because something could not be judged */
    int exit_code;
    struct list reasons; /* of slice: why it does not pass, or what was overlooked on demand */
};

/* Marks findings and secrets (of struct image_secret) as suppressed by the policy's filters. */
void policy_apply(const struct policy *policy, struct arena *arena, struct match_result *result,
                  struct list *secrets);

/*
 * Decides. `untrusted` is the number of things that could not be read or trusted: any of them makes
 * the exit code 3, gate or not.
 */
void policy_decide(const struct policy *policy, struct arena *arena,
                   const struct match_result *result, const struct list *secrets, size_t untrusted,
                   struct verdict *verdict);

#endif
