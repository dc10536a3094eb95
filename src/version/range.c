/*
 * Whether a version lies in an affected range: the algorithm of the OSV schema ("Evaluation"),
 * without sorting. The schema sorts the events and walks over those that the installed version has
 * reached; all that the walk leaves behind is what the last of them says. So it is enough to look
 * for the greatest version among the events reached, in one pass, in whatever order they come.
 *
 * The schema does not say what comes first when one version is both introduced and an end (fixed,
 * or last affected). Taken together they change nothing here: introduced 1, fixed 1 is an empty
 * stretch, and of [1, 2) and [2, 3) the second goes on where the first ends. Any other order gets
 * one of the two wrong.
 *
 * What is not a version of the scheme:
 *   - An installed version that is not valid is before all valid ones (version.h). It lies in every
 *     stretch that begins at "0" and in no other; whoever matches sees from scheme->valid that this
 *     is a guess and has to say so.
 *   - An event that is not valid may only make more versions affected, never fewer: an introduced
 *     one is taken for "0", an end or limit for none, unless it is, byte for byte, what is
 *     installed.
 */
#include "version/version.h"

/*
 * So many versions in a row, each introduced and ended at once, are looked through before the range
 * counts as affected. No advisory has more than one or two; without an end, a hostile one would
 * take a pass over all events for each event.
 */
#define CHANGELESS_VERSIONS_MAX 8

/* What the events at one version say together; `event` is one of them, NULL when there are none. */
struct border {
    const struct range_event *event;
    bool introduces;
    bool ends;
    slice fix; /* empty: it ends without one */
};

static bool begins_at_start(const struct version_scheme *scheme, const struct range_event *event)
{
    return event->kind == RANGE_INTRODUCED &&
           (slice_equal(event->version, SLICE("0")) || !scheme->valid(event->version));
}

/* Whether an event bears on stretches of versions, and its version can be trusted. */
static bool says_something(const struct version_scheme *scheme, slice installed,
                           const struct range_event *event)
{
    if (event->kind == RANGE_LIMIT)
        return false;
    return event->kind == RANGE_INTRODUCED || scheme->valid(event->version) ||
           slice_equal(installed, event->version);
}

static bool is_reached(const struct version_scheme *scheme, slice installed,
                       const struct range_event *event)
{
    if (begins_at_start(scheme, event))
        return true;
    int order = scheme->compare_bound(installed, event->version);
    return event->kind == RANGE_LAST_AFFECTED ? order > 0 : order >= 0;
}

static int compare_events(const struct version_scheme *scheme, const struct range_event *a,
                          const struct range_event *b)
{
    bool a_start = begins_at_start(scheme, a);
    bool b_start = begins_at_start(scheme, b);
    if (a_start || b_start)
        return b_start - a_start;
    return scheme->compare(a->version, b->version);
}

static void add_to_border(struct border *border, const struct range_event *event)
{
    border->event = event;
    if (event->kind == RANGE_INTRODUCED)
        border->introduces = true;
    else
        border->ends = true;
    if (event->kind == RANGE_FIXED)
        border->fix = event->version;
}

/*
 * The border nearest to the installed version: of those it has reached, the greatest that is less
 * than `beyond`; of those that it has not, the least that is greater. NULL: there is no such bound.
 */
static struct border nearest_border(const struct version_scheme *scheme, slice installed,
                                    const struct affected_range *range, bool reached,
                                    const struct range_event *beyond)
{
    const int nearer = reached ? 1 : -1; /* the sign of an order that is towards `installed` */
    struct border nearest = {.fix = SLICE_EMPTY};
    for (size_t i = 0; i < range->event_count; i++) {
        const struct range_event *event = &range->events[i];
        if (!says_something(scheme, installed, event) ||
            is_reached(scheme, installed, event) != reached)
            continue;
        if (beyond && compare_events(scheme, event, beyond) * nearer >= 0)
            continue;
        int order = nearest.event ? compare_events(scheme, event, nearest.event) * nearer : 1;
        if (order > 0)
            nearest = (struct border){.fix = SLICE_EMPTY};
        if (order >= 0)
            add_to_border(&nearest, event);
    }
    return nearest;
}

static bool is_affected(const struct version_scheme *scheme, slice installed,
                        const struct affected_range *range)
{
    const struct range_event *beyond = NULL;
    for (size_t i = 0; i < CHANGELESS_VERSIONS_MAX; i++) {
        struct border border = nearest_border(scheme, installed, range, true, beyond);
        if (border.event == NULL)
            return false;
        if (border.introduces != border.ends)
            return border.introduces;
        beyond = border.event;
    }
    return true;
}

/* The fix with which the stretch ends that the installed version lies in; empty without one. */
static slice ending_fix(const struct version_scheme *scheme, slice installed,
                        const struct affected_range *range)
{
    const struct range_event *beyond = NULL;
    for (size_t i = 0; i < CHANGELESS_VERSIONS_MAX; i++) {
        struct border border = nearest_border(scheme, installed, range, false, beyond);
        if (border.event == NULL)
            break;
        if (border.ends && !border.introduces)
            return border.fix;
        beyond = border.event;
    }
    return SLICE_EMPTY;
}

/* Of several limits the one that reaches furthest counts. */
static bool is_before_limits(const struct version_scheme *scheme, slice installed,
                             const struct affected_range *range)
{
    bool limited = false;
    for (size_t i = 0; i < range->event_count; i++) {
        const struct range_event *event = &range->events[i];
        if (event->kind != RANGE_LIMIT)
            continue;
        if (!scheme->valid(event->version) || scheme->compare_bound(installed, event->version) < 0)
            return true;
        limited = true;
    }
    return !limited;
}

bool version_in_range(const struct version_scheme *scheme, slice installed,
                      const struct affected_range *range, slice *fixed)
{
    bool affected =
        is_before_limits(scheme, installed, range) && is_affected(scheme, installed, range);
    if (fixed)
        *fixed = affected ? ending_fix(scheme, installed, range) : SLICE_EMPTY;
    return affected;
}

bool version_in_list(const struct version_scheme *scheme, slice installed, const slice *versions,
                     size_t version_count)
{
    for (size_t i = 0; i < version_count; i++)
        if (scheme->compare_bound(installed, versions[i]) == 0)
            return true;
    return false;
}
