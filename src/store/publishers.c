#include "store/publishers.h"
#include "base/buffer.h"

/* OSV's bucket (google.github.io/osv.dev, data): a folder for each ecosystem, with all of it in a
 * zip. */
#define OSV "https://storage.googleapis.com/osv-vulnerabilities"

#define ECOSYSTEM(name, standard)                                                                  \
    {                                                                                              \
        name, NULL, name "/all.zip", standard                                                      \
    }

/* Fetched without being asked for: what images hold and plimsoll judges. */
const struct publisher publishers[] = {
    ECOSYSTEM("Debian", true),
    ECOSYSTEM("Ubuntu", true),
    ECOSYSTEM("PyPI", true),
    {"epss", "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
     "epss_scores-current.csv.gz", true},
    {"kev", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
     "known_exploited_vulnerabilities.json", true},
    ECOSYSTEM("AlmaLinux", false),
    ECOSYSTEM("Alpine", false),
    ECOSYSTEM("Bitnami", false),
    ECOSYSTEM("Chainguard", false),
    ECOSYSTEM("Go", false),
    ECOSYSTEM("Hex", false),
    ECOSYSTEM("Maven", false),
    ECOSYSTEM("MinimOS", false),
    ECOSYSTEM("npm", false),
    ECOSYSTEM("NuGet", false),
    ECOSYSTEM("openSUSE", false),
    ECOSYSTEM("Packagist", false),
    ECOSYSTEM("Pub", false),
    ECOSYSTEM("Red Hat", false),
    ECOSYSTEM("Rocky Linux", false),
    ECOSYSTEM("RubyGems", false),
    ECOSYSTEM("SUSE", false),
    ECOSYSTEM("Wolfi", false),
    ECOSYSTEM("crates.io", false),
};
const size_t publisher_count = sizeof(publishers) / sizeof(publishers[0]);

const struct publisher *publisher_named(slice word)
{
    for (size_t i = 0; i < publisher_count; i++)
        if (slice_equal_nocase(word, slice_from_text(publishers[i].word)))
            return &publishers[i];
    return NULL;
}

slice publisher_url(const struct publisher *publisher, slice base, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer url = {0};
    if (base.len == 0 && publisher->url)
        return slice_from_text(publisher->url);
    while (slice_ends(base, SLICE("/")))
        base = slice_first(base, base.len - 1);
    buffer_add(&url, base.len ? base : SLICE(OSV));
    buffer_add_byte(&url, '/');
    for (const char *at = publisher->path; *at; at++)
        if (*at == ' ')
            buffer_text(&url, "%20");
        else
            buffer_add_byte(&url, *at);
    return arena_copy(arena, buffer_slice(&url));
}
