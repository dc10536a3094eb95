#include "cli/store_age.h"
#include "match/distribution.h"

#include <time.h>

uint64_t hours_since(slice date)
{
    struct tm parts = {0};
    char text[32] = "";
    memcpy(text, date.ptr, date.len < 19 ? date.len : 19);
    if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) && !strptime(text, "%Y-%m-%d", &parts))
        return 0;
    time_t then = timegm(&parts), now = time(NULL);
    return now > then ? (uint64_t)(now - then) / 3600 : 0;
}

static bool holds_python(const struct inventory *inventory)
{
    struct component *const *components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++)
        if (slice_equal(components[i]->type, SLICE("pypi")) ||
            slice_equal(components[i]->type, SLICE("conda")))
            return true;
    return false;
}

/* Whether the advisories of this feed judge something in the image. */
static bool judges(slice ecosystem, const struct inventory *inventory, bool python,
                   struct arena *arena)
{
    const struct distribution *distribution = distribution_find(&inventory->os);
    slice names[2];
    size_t count =
        distribution ? distribution_ecosystems(distribution, &inventory->os, arena, names) : 0;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(ecosystem, names[i]))
            return true;
    return python && slice_equal(ecosystem, SLICE("PyPI"));
}

struct error *store_age_of(struct store *store, const struct store_status *status,
                           const struct inventory *inventory, struct arena *arena,
                           struct store_age *age)
{
    bool python = holds_python(inventory);
    *age = (struct store_age){.date = status->built};
    for (size_t i = 0; i < status->feed_count; i++) {
        const struct store_feed *feed = &status->feeds[i];
        slice base = slice_first(feed->ecosystem, slice_find(feed->ecosystem, ':')), checked;
        if (!judges(feed->ecosystem, inventory, python, arena))
            continue;
        TRY(store_note_read(store, arena, arena_format(arena, "checked %.*s", SLICE_ARG(base)),
                            &checked));
        slice date = slice_compare(checked, feed->imported) > 0 ? checked : feed->imported;
        if (age->feed.len == 0 || slice_compare(date, age->date) < 0) {
            age->feed = feed->ecosystem;
            age->date = date;
        }
    }
    age->hours = hours_since(age->date);
    return NULL;
}
