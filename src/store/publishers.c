#include "store/publishers.h"
#include "base/buffer.h"

/* OSV: https://google.github.io/osv.dev/data/; FIRST: https://www.first.org/epss/data_stats */
static const struct publisher osv = {"OSV", "https://storage.googleapis.com/osv-vulnerabilities",
                                     "all.zip", true};
static const struct publisher first = {"FIRST", "https://epss.empiricalsecurity.com",
                                       "epss_scores-current.csv.gz", false};
static const struct publisher cisa = {"CISA", "https://www.cisa.gov/sites/default/files/feeds",
                                      "known_exploited_vulnerabilities.json", false};

/*
 * Ecosystems by OSV's names (https://ossf.github.io/osv-schema/#defined-ecosystems). By default
 * come those that images hold and that this version judges (src/match): a new reader sets its line
 * to true.
 */
static const struct {
    const char *name;
    const struct publisher *publisher;
    bool by_default;
} feeds[] = {
    {"Debian", &osv, true},
    {"Ubuntu", &osv, true},
    {"PyPI", &osv, true},
    {"epss", &first, true},
    {"kev", &cisa, true},
    {"AlmaLinux", &osv, false},
    {"Alpaquita", &osv, false},
    {"Alpine", &osv, false},
    {"Android", &osv, false},
    {"Azure Linux", &osv, false},
    {"BellSoft Hardened Containers", &osv, false},
    {"Bioconductor", &osv, false},
    {"Bitnami", &osv, false},
    {"Chainguard", &osv, false},
    {"CleanStart", &osv, false},
    {"ConanCenter", &osv, false},
    {"CRAN", &osv, false},
    {"crates.io", &osv, false},
    {"Docker Hardened Images", &osv, false},
    {"Echo", &osv, false},
    {"FreeBSD", &osv, false},
    {"GHC", &osv, false},
    {"GitHub Actions", &osv, false},
    {"Go", &osv, false},
    {"Hackage", &osv, false},
    {"Hex", &osv, false},
    {"Julia", &osv, false},
    {"Linux", &osv, false},
    {"Mageia", &osv, false},
    {"Maven", &osv, false},
    {"MinimOS", &osv, false},
    {"npm", &osv, false},
    {"NuGet", &osv, false},
    {"opam", &osv, false},
    {"openEuler", &osv, false},
    {"openSUSE", &osv, false},
    {"OpenWrt", &osv, false},
    {"OSS-Fuzz", &osv, false},
    {"Packagist", &osv, false},
    {"Photon OS", &osv, false},
    {"PSF", &osv, false},
    {"Pub", &osv, false},
    {"Red Hat", &osv, false},
    {"Rocky Linux", &osv, false},
    {"Root", &osv, false},
    {"RubyGems", &osv, false},
    {"SUSE", &osv, false},
    {"SwiftURL", &osv, false},
    {"TuxCare", &osv, false},
    {"VSCode", &osv, false},
    {"Wolfi", &osv, false},
};
enum { FEEDS = sizeof(feeds) / sizeof(feeds[0]) };

static struct publication make(size_t index, slice name, struct arena *arena)
{
    const struct publisher *publisher = feeds[index].publisher;
    return (struct publication){
        .name = name,
        .publisher = publisher,
        .path = publisher->by_ecosystem
                    ? arena_format(arena, "%.*s/%s", SLICE_ARG(name), publisher->file)
                    : slice_from_text(publisher->file),
    };
}

/* A release goes into a path: it must not lead anywhere else. */
static bool is_release(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_alpha(text.ptr[i]) && !byte_is_digit(text.ptr[i]) &&
            !strchr(".:_- ", text.ptr[i]))
            return false;
    return text.len > 0;
}

bool publication_named(slice word, struct arena *arena, struct publication *publication)
{
    slice base = word, release = SLICE_EMPTY;
    bool of_release = slice_split(word, ':', &base, &release);
    for (size_t i = 0; i < FEEDS; i++) {
        slice name = slice_from_text(feeds[i].name);
        if (!slice_equal_nocase(base, name))
            continue;
        if (of_release && (!feeds[i].publisher->by_ecosystem || !is_release(release)))
            return false;
        if (of_release)
            name = arena_format(arena, "%.*s:%.*s", SLICE_ARG(name), SLICE_ARG(release));
        *publication = make(i, name, arena);
        return true;
    }
    return false;
}

struct list publications_by_default(struct arena *arena)
{
    struct list list = {0};
    for (size_t i = 0; i < FEEDS; i++)
        if (feeds[i].by_default)
            *(struct publication *)list_add(&list, arena, sizeof(struct publication)) =
                make(i, slice_from_text(feeds[i].name), arena);
    return list;
}

slice publication_names(struct arena *arena)
{
    slice names = SLICE_EMPTY;
    for (size_t i = 0; i < FEEDS; i++)
        names = arena_format(arena, "%.*s%s%s", SLICE_ARG(names), i ? ", " : "", feeds[i].name);
    return names;
}

slice publication_url_path(const struct publication *publication, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer url = {0};
    buffer_add_percent(&url, publication->path, "/-._~");
    return arena_copy(arena, buffer_slice(&url));
}
