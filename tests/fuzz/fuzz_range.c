/*
 * Input: a line with the first letter of a scheme, one with the installed version, then one for
 * each event, the first letter of its kind before its version ("i0", "f1.2.3", "a1.2", "l*").
 */
#include "order.h"

/* Fewer than src/version/range.c looks through before it gives up. */
#define EVENTS_MAX 8

static const char event_letters[] = {[RANGE_INTRODUCED] = 'i',
                                     [RANGE_FIXED] = 'f',
                                     [RANGE_LAST_AFFECTED] = 'a',
                                     [RANGE_LIMIT] = 'l'};

static const struct version_scheme *read_scheme(slice *rest)
{
    static const char *const names[] = {"semver", "pep440", "dpkg"};
    slice letter = next_line(rest);
    for (size_t i = 0; i < 3; i++)
        if (letter.len && letter.ptr[0] == names[i][0])
            return version_scheme_named(slice_from_text(names[i]));
    return version_scheme_named(SLICE("semver"));
}

static size_t read_events(slice rest, struct range_event events[EVENTS_MAX])
{
    size_t count = 0;
    slice line;
    while (count < EVENTS_MAX && slice_pull(&rest, '\n', &line))
        for (int kind = RANGE_INTRODUCED; kind <= RANGE_LIMIT; kind++)
            if (line.len && line.ptr[0] == event_letters[kind])
                events[count++] =
                    (struct range_event){(enum range_event_kind)kind, slice_from(line, 1)};
    return count;
}

static bool is_start(const struct version_scheme *scheme, const struct range_event *event)
{
    return event->kind == RANGE_INTRODUCED &&
           (slice_equal(event->version, SLICE("0")) || !scheme->valid(event->version));
}

static int compare_events(const struct version_scheme *scheme, const struct range_event *a,
                          const struct range_event *b)
{
    if (is_start(scheme, a) || is_start(scheme, b))
        return is_start(scheme, b) - is_start(scheme, a);
    return scheme->compare(a->version, b->version);
}

static bool counts(const struct version_scheme *scheme, slice installed,
                   const struct range_event *event)
{
    if (event->kind == RANGE_LIMIT)
        return false;
    if (is_start(scheme, event))
        return true;
    if (!scheme->valid(event->version) && !slice_equal(event->version, installed))
        return false;
    int order = scheme->compare_bound(installed, event->version);
    return event->kind == RANGE_LAST_AFFECTED ? order > 0 : order >= 0;
}

/* The walk of the OSV schema: sorted, one version after the other, from the first. */
static bool walk(const struct version_scheme *scheme, slice installed,
                 const struct range_event *events, size_t count)
{
    struct range_event sorted[EVENTS_MAX];
    size_t reached = 0;
    for (size_t i = 0; i < count; i++) {
        if (!counts(scheme, installed, &events[i]))
            continue;
        size_t at = reached++;
        for (; at > 0 && compare_events(scheme, &sorted[at - 1], &events[i]) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = events[i];
    }
    bool affected = false;
    for (size_t i = 0, next; i < reached; i = next) {
        bool introduces = false, ends = false;
        for (next = i; next < reached && compare_events(scheme, &sorted[i], &sorted[next]) == 0;
             next++) {
            introduces |= sorted[next].kind == RANGE_INTRODUCED;
            ends |= sorted[next].kind != RANGE_INTRODUCED;
        }
        if (introduces != ends)
            affected = introduces;
    }
    return affected;
}

static bool is_before_limits(const struct version_scheme *scheme, slice installed,
                             const struct range_event *events, size_t count)
{
    bool limited = false;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != RANGE_LIMIT)
            continue;
        limited = true;
        if (!scheme->valid(events[i].version) ||
            scheme->compare_bound(installed, events[i].version) < 0)
            return true;
    }
    return !limited;
}

/* The fix is one of the events, after the installed version, and itself not affected. */
static void check_fix(const struct version_scheme *scheme, slice installed,
                      const struct affected_range *range, slice fixed)
{
    bool found = false;
    for (size_t i = 0; i < range->event_count; i++)
        found |= range->events[i].kind == RANGE_FIXED &&
                 range->events[i].version.ptr == fixed.ptr && fixed.len != 0;
    assert(found);
    assert(scheme->valid(fixed) && scheme->compare_bound(installed, fixed) < 0);
    assert(!version_in_range(scheme, fixed, range, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice rest = slice_make(data, size);
    const struct version_scheme *scheme = read_scheme(&rest);
    slice installed = next_line(&rest);
    struct range_event events[EVENTS_MAX], turned[EVENTS_MAX];
    size_t count = read_events(rest, events);
    for (size_t i = 0; i < count; i++)
        turned[i] = events[count - 1 - i];
    const struct affected_range range = {events, count}, other = {turned, count};

    slice fixed, other_fixed;
    bool affected = version_in_range(scheme, installed, &range, &fixed);
    assert(affected == (is_before_limits(scheme, installed, events, count) &&
                        walk(scheme, installed, events, count)));
    assert(affected == version_in_range(scheme, installed, &other, &other_fixed));
    assert(scheme->compare(fixed, other_fixed) == 0);
    assert(affected || fixed.len == 0);
    if (fixed.len)
        check_fix(scheme, installed, &range, fixed);
    return 0;
}
