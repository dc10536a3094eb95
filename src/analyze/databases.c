/*
 * Package databases that this version does not read: that they are there is noted, so that an image
 * that has one is not taken for judged.
 */
#include "analyze/analyzers.h"

static const struct database {
    const char *path; /* one that ends in '/' is a folder */
    const char *kind;
} databases[] = {
    {"lib/apk/db/installed", "apk"},
    {"usr/lib/apk/db/installed", "apk"},
    {"var/lib/rpm/Packages", "rpm"},
    {"var/lib/rpm/Packages.db", "rpm"},
    {"var/lib/rpm/rpmdb.sqlite", "rpm"},
    {"usr/lib/sysimage/rpm/Packages", "rpm"},
    {"usr/lib/sysimage/rpm/Packages.db", "rpm"},
    {"usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm"},
    {"usr/share/rpm/rpmdb.sqlite", "rpm"},
    {"var/lib/rpmmanifest/container-manifest-2", "rpm"},
    {"usr/lib/opkg/status", "opkg"},
    {"var/lib/opkg/status", "opkg"},
    {"var/lib/pacman/local/", "pacman"},
    {"var/db/pkg/", "portage"},
};

static const struct database *find(slice path)
{
    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
        slice known = slice_from_text(databases[i].path);
        if (slice_ends(known, SLICE("/")) ? slice_starts(path, known) : slice_equal(path, known))
            return &databases[i];
    }
    return NULL;
}

static struct want wants(slice path, const struct entry *entry)
{
    (void)entry;
    return (struct want){find(path) ? WANT_HEADER : WANT_NOTHING, 0};
}

static struct error *read_file(struct analysis *analysis, slice bytes)
{
    (void)bytes;
    analysis_add_fact(analysis, "database", slice_from_text(find(analysis->path)->kind));
    return NULL;
}

const struct analyzer analyzer_databases = {
    .name = "databases",
    .version = 1,
    .wants = wants,
    .read = read_file,
};
