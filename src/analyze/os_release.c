/* The distribution: os-release(5), in /etc or /usr/lib (where /etc's is a link to it). */
#include "analyze/analyzers.h"
#include "base/limits.h"

#define PLACE_ETC "etc/os-release"
#define PLACE_USR "usr/lib/os-release"

static struct want wants(slice path, const struct entry *entry)
{
    (void)entry;
    bool here = slice_equal(path, SLICE(PLACE_ETC)) || slice_equal(path, SLICE(PLACE_USR));
    return (struct want){here ? WANT_FIRST : WANT_NOTHING, 64 * LIMIT_KIB};
}

/* The value as a shell would read it: quotes away, in double quotes a backslash before $"`\ too. */
static slice unquote(struct arena *arena, slice raw)
{
    raw = slice_trim(raw);
    if (raw.len < 2 || (raw.ptr[0] != '"' && raw.ptr[0] != '\'') ||
        raw.ptr[raw.len - 1] != raw.ptr[0])
        return raw;
    char quote = raw.ptr[0];
    slice inside = slice_first(slice_from(raw, 1), raw.len - 2);
    if (quote == '\'')
        return inside;
    char *out = arena_alloc(arena, inside.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.ptr[i] == '\\' && i + 1 < inside.len && memchr("$\"`\\", inside.ptr[i + 1], 4))
            i++;
        out[length++] = inside.ptr[i];
    }
    return slice_make(out, length);
}

static struct error *read_file(struct analysis *analysis, slice bytes)
{
    static const char *const keys[] = {"ID",   "VERSION_ID", "PRETTY_NAME",
                                       "NAME", "ID_LIKE",    "VERSION_CODENAME"};
    slice line, key, value;
    analysis_evidence(analysis);
    while (slice_pull_line(&bytes, &line)) {
        line = slice_trim(line);
        if (line.len == 0 || line.ptr[0] == '#' || !slice_split(line, '=', &key, &value))
            continue;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (slice_equal(key, slice_from_text(keys[i])))
                analysis_add_fact(analysis, keys[i], unquote(analysis->scratch, value));
    }
    return NULL;
}

static const char *const places[] = {PLACE_ETC, PLACE_USR, NULL};

const struct analyzer analyzer_os_release = {
    .name = "os-release",
    .version = 1,
    .wants = wants,
    .read = read_file,
    .places = places,
};
