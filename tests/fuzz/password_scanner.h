/* For the targets of archives in which secrets are looked for: a scanner of one rule, made once. */
#ifndef PLIMSOLL_TESTS_PASSWORD_SCANNER_H
#define PLIMSOLL_TESTS_PASSWORD_SCANNER_H

#undef NDEBUG
#include "secret/scanner.h"
#include <assert.h>

static inline struct secret_scanner *password_scanner(void)
{
    static const struct secret_rule *rules[1];
    static struct secret_scanner *made;
    struct secret_database *database;
    if (made)
        return made;
    for (size_t i = 0; i < secret_rule_count; i++)
        if (strcmp(secret_rules[i].id, "generic-password") == 0)
            rules[0] = &secret_rules[i];
    assert(rules[0] && !secret_database_make(&database, rules, 1, true));
    made = secret_scanner_new(rules, 1, database);
    return made;
}

#endif
