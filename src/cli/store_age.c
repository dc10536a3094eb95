#include "cli/store_age.h"
#include "match/distribution.h"

#include <time.h>

int64_t date_seconds(slice date)
{
    struct tm parts = {0};
    char text[32] = "";
    memcpy(text, date.ptr, date.len < sizeof(text) - 1 ? date.len : sizeof(text) - 1);
    if (strptime(text, "%Y-%m-%dT%H:%M:%S", &parts))
        return timegm(&parts);
    parts = (struct tm){0};
    return strptime(text, "%Y-%m-%d", &parts) ? timegm(&parts) : -1;
}

static bool has_type(const struct inventory *inventory, slice type)
{
    struct component *const *components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++)
        if (slice_equal(components[i]->type, type))
            return true;
    return false;
}

/* The ecosystems that speak of what is in the image, as match looks them up. */
static size_t list_judges(const struct inventory *inventory, struct arena *arena, slice names[3])
{
    const struct distribution *distribution = distribution_find(&inventory->os);
    size_t count = 0;
    if (distribution && has_type(inventory, slice_from_text(distribution->package_type)))
        count = distribution_ecosystems(distribution, &inventory->os, arena, names);
    if (has_type(inventory, SLICE("pypi")))
        names[count++] = SLICE("PyPI");
    return count;
}

static bool is_listed(const slice *names, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

/* "3 days", "5 hours" */
static slice in_words(int64_t seconds, struct arena *arena)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{24 * 60 * 60, "day"}, {60 * 60, "hour"}, {60, "minute"}};
    size_t unit = 0;
    while (unit < 2 && seconds < 2 * units[unit].seconds)
        unit++;
    long long count = (long long)(seconds / units[unit].seconds);
    return arena_format(arena, "%lld %s%s", count, units[unit].name, count == 1 ? "" : "s");
}

slice store_too_old(const struct store_status *store, const struct inventory *inventory,
                    int64_t most_seconds, struct arena *arena)
{
    slice names[3], oldest_name = SLICE_EMPTY;
    size_t count = list_judges(inventory, arena, names);
    int64_t oldest = date_seconds(store->built), now = time(NULL);
    for (size_t i = 0; i < store->feed_count; i++) {
        const struct store_feed *feed = &store->feeds[i];
        bool checked = slice_compare(feed->checked, feed->imported) > 0;
        int64_t date = date_seconds(checked ? feed->checked : feed->imported);
        if (!is_listed(names, count, feed->ecosystem) || date >= oldest)
            continue;
        oldest = date;
        oldest_name = feed->ecosystem;
    }
    if (oldest >= 0 && now - oldest <= most_seconds)
        return SLICE_EMPTY;
    slice what = oldest_name.len ? arena_format(arena, "what the advisory store has of %.*s",
                                                SLICE_ARG(oldest_name))
                                 : SLICE("the advisory store");
    slice age = oldest < 0
                    ? SLICE("of unknown age")
                    : arena_format(arena, "%.*s old", SLICE_ARG(in_words(now - oldest, arena)));
    return arena_format(arena,
                        "%.*s is %.*s, and --db-max-age allows %.*s: `plimsoll db update` "
                        "fetches what is new",
                        SLICE_ARG(what), SLICE_ARG(age), SLICE_ARG(in_words(most_seconds, arena)));
}
