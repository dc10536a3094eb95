#include "sbom/license.h"
#include "base/limits.h"
#include "sbom/spdx_ids.h"

#include <strings.h>

static const struct {
    const char *name, *id;
} well_known[] = {
    {"MIT License", "MIT"},
    {"The MIT License", "MIT"},
    {"Expat", "MIT"},
    {"Apache 2.0", "Apache-2.0"},
    {"Apache 2", "Apache-2.0"},
    {"Apache License 2.0", "Apache-2.0"},
    {"Apache License, Version 2.0", "Apache-2.0"},
    {"Apache Software License 2.0", "Apache-2.0"},
    {"Apache Software License", "Apache-2.0"},
    {"Apache License 2", "Apache-2.0"},
    {"Apache License, 2.0", "Apache-2.0"},
    {"Apache-2", "Apache-2.0"},
    {"Apache2", "Apache-2.0"},
    {"New BSD", "BSD-3-Clause"},
    {"3-Clause BSD License", "BSD-3-Clause"},
    {"BSD-2-Clause License", "BSD-2-Clause"},
    {"ISC License (ISCL)", "ISC"},
    {"Python Software Foundation License", "PSF-2.0"},
    {"The Unlicense (Unlicense)", "Unlicense"},
    {"MIT No Attribution License (MIT-0)", "MIT-0"},
    {"GNU General Public License v2 (GPLv2)", "GPL-2.0-only"},
    {"GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"},
    {"GNU General Public License v3 (GPLv3)", "GPL-3.0-only"},
    {"GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"},
    {"GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"},
    {"GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"},
    {"GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"},
    {"GNU Affero General Public License v3", "AGPL-3.0-only"},
    {"BSD 3-Clause", "BSD-3-Clause"},
    {"BSD-3-Clause License", "BSD-3-Clause"},
    {"BSD 3-Clause License", "BSD-3-Clause"},
    {"BSD 2-Clause", "BSD-2-Clause"},
    {"ISC License", "ISC"},
    {"MPL 2.0", "MPL-2.0"},
    {"Mozilla Public License 2.0", "MPL-2.0"},
    {"Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"},
    {"PSF", "PSF-2.0"},
    {"GPLv2", "GPL-2.0-only"},
    {"GPLv3", "GPL-3.0-only"},
    {"LGPLv3", "LGPL-3.0-only"},
};

/* The identifier as the list writes it, or NULL. */
static const char *find_id(const char *const *ids, size_t count, slice word)
{
    size_t low = 0, high = count;
    char text[64];
    if (word.len == 0 || word.len >= sizeof(text))
        return NULL;
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcasecmp(text, ids[middle]);
        if (order == 0)
            return strlen(ids[middle]) == word.len ? ids[middle] : NULL;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

#define FIND(ids, word) find_id(ids, sizeof(ids) / sizeof((ids)[0]), word)

static bool is_reference(slice word)
{
    slice rest = slice_starts(word, SLICE("LicenseRef-")) ? slice_from(word, 11) : SLICE_EMPTY;
    for (size_t i = 0; i < rest.len; i++)
        if (!byte_is_alpha(rest.ptr[i]) && !byte_is_digit(rest.ptr[i]) && rest.ptr[i] != '.' &&
            rest.ptr[i] != '-')
            return false;
    return rest.len > 0;
}

struct expression {
    slice rest;
    struct buffer *out;
    unsigned depth;
};

static slice next_word(struct expression *expression)
{
    slice rest = expression->rest;
    size_t len = 0;
    while (rest.len && byte_is_space(*rest.ptr))
        rest = slice_from(rest, 1);
    if (rest.len && (*rest.ptr == '(' || *rest.ptr == ')'))
        len = 1;
    while (len < rest.len && !byte_is_space(rest.ptr[len]) && rest.ptr[len] != '(' &&
           rest.ptr[len] != ')' && (len == 0 || (*rest.ptr != '(' && *rest.ptr != ')')))
        len++;
    expression->rest = slice_from(rest, len);
    return slice_first(rest, len);
}

static slice peek_word(const struct expression *expression)
{
    struct expression ahead = *expression;
    return next_word(&ahead);
}

static bool take_operator(struct expression *expression, const char *operator)
{
    if (!slice_equal_nocase(peek_word(expression), slice_from_text(operator)))
        return false;
    next_word(expression);
    buffer_format(expression->out, " %s ", operator);
    return true;
}

static bool take_license(struct expression *expression, slice word)
{
    slice plain = slice_ends(word, SLICE("+")) ? slice_first(word, word.len - 1) : word;
    const char *id = FIND(spdx_licenses, word);
    if (!id && is_reference(word))
        buffer_add(expression->out, word);
    else if (!id && !(id = FIND(spdx_licenses, plain)))
        return false;
    else
        buffer_format(expression->out, "%s%s", id, strlen(id) < word.len ? "+" : "");
    if (!take_operator(expression, "WITH"))
        return true;
    const char *exception = FIND(spdx_exceptions, next_word(expression));
    if (exception)
        buffer_text(expression->out, exception);
    return exception != NULL;
}

/* AND binds closer than OR; both are written as they stand, so one level will do. */
static bool take_expression(struct expression *expression)
{
    do {
        slice word = next_word(expression);
        if (!slice_equal(word, SLICE("("))) {
            if (!take_license(expression, word))
                return false;
            continue;
        }
        if (++expression->depth > LIMIT_LICENSE_NESTING)
            return false;
        buffer_add_byte(expression->out, '(');
        if (!take_expression(expression) || !slice_equal(next_word(expression), SLICE(")")))
            return false;
        buffer_add_byte(expression->out, ')');
        expression->depth--;
    } while (take_operator(expression, "AND") || take_operator(expression, "OR"));
    return true;
}

slice license_expression(slice text, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer out = {0};
    text = slice_trim(text);
    for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
        if (slice_equal_nocase(text, slice_from_text(well_known[i].name)))
            return slice_from_text(well_known[i].id);
    if (text.len == 0 || text.len > LIMIT_LICENSE_BYTES)
        return SLICE_EMPTY;
    struct expression expression = {text, &out, 0};
    if (!take_expression(&expression) || peek_word(&expression).len)
        return SLICE_EMPTY;
    return arena_copy(arena, buffer_slice(&out));
}

bool license_is_id(slice expression)
{
    return FIND(spdx_licenses, expression) != NULL;
}
