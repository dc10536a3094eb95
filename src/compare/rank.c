/* Ranking sides, to choose a base image: one measure after the other, until one tells. */
#include "compare/compare.h"
#include "base/text.h"

struct candidate {
    const struct comparison *comparison;
    size_t index;
};

static const struct side *side_of(const struct candidate *candidate)
{
    return &candidate->comparison->sides[candidate->index];
}

static const struct side_counts *counts_of(const struct candidate *candidate)
{
    return &candidate->comparison->counts[candidate->index];
}

/* Measures: the smaller is the better. */

static uint64_t errors_of(const struct candidate *one)
{
    return side_of(one)->errors.count > 0;
}

static uint64_t unjudged_of(const struct candidate *one)
{
    return side_of(one)->unjudged.count > 0 && !one->comparison->gates.allow_unjudged;
}

#define SEVERITY_MEASURE(name, severity)                                                           \
    static uint64_t name(const struct candidate *one)                                              \
    {                                                                                              \
        return counts_of(one)->by_severity[severity];                                              \
    }
SEVERITY_MEASURE(criticals_of, SEVERITY_CRITICAL)
SEVERITY_MEASURE(highs_of, SEVERITY_HIGH)
SEVERITY_MEASURE(mediums_of, SEVERITY_MEDIUM)
SEVERITY_MEASURE(lows_of, SEVERITY_LOW)

/* Of as many findings the better are those that an upgrade takes away. */
static uint64_t unfixable_of(const struct candidate *one)
{
    return counts_of(one)->all - counts_of(one)->fixable;
}

static uint64_t exploited_of(const struct candidate *one)
{
    return counts_of(one)->exploited;
}

static uint64_t secrets_of(const struct candidate *one)
{
    return counts_of(one)->secrets;
}

static uint64_t size_of(const struct candidate *one)
{
    return side_of(one)->size;
}

static uint64_t packages_of(const struct candidate *one)
{
    return side_of(one)->packages.count;
}

static uint64_t end_of_life_of(const struct candidate *one)
{
    return compare_is_end_of_life(side_of(one), one->comparison->today);
}

/* The day as a number that falls; the day that nobody knows is the oldest. */
static uint64_t age_of(const struct candidate *one)
{
    slice day = side_of(one)->created;
    uint64_t number = 0;
    for (size_t i = 0; i < day.len; i++)
        if (byte_is_digit(day.ptr[i]))
            number = number * 10 + (uint64_t)(day.ptr[i] - '0');
    return 99999999 - number;
}

enum words { WORDS_COUNT, WORDS_ALONE, WORDS_SIZE };

static const struct {
    uint64_t (*of)(const struct candidate *one);
    enum words words;
    const char *text; /* of what it is the number; or why, whole */
} measures[] = {
    {errors_of, WORDS_ALONE, "it could be read whole, and the next could not"},
    {unjudged_of, WORDS_ALONE, "all in it could be judged, and not all in the next"},
    {criticals_of, WORDS_COUNT, "CRITICAL findings"},
    {highs_of, WORDS_COUNT, "HIGH findings"},
    {mediums_of, WORDS_COUNT, "MEDIUM findings"},
    {lows_of, WORDS_COUNT, "LOW findings"},
    {unfixable_of, WORDS_COUNT, "findings that no upgrade takes away"},
    {exploited_of, WORDS_COUNT, "findings that are exploited"},
    {secrets_of, WORDS_COUNT, "secrets"},
    {size_of, WORDS_SIZE, ""},
    {packages_of, WORDS_COUNT, "packages"},
    {end_of_life_of, WORDS_ALONE,
     "its distribution still gets updates, and that of the next "
     "does not"},
    {age_of, WORDS_ALONE, "it was made later than the next"},
};
enum { CRITICALS = 2, MEASURES = sizeof(measures) / sizeof(measures[0]) };

/* The first measure that tells the two apart; MEASURES when none does. */
static size_t telling_measure(const struct candidate *a, const struct candidate *b)
{
    size_t i = 0;
    while (i < MEASURES && measures[i].of(a) == measures[i].of(b))
        i++;
    return i;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    size_t measure = telling_measure(a, b);
    if (measure < MEASURES)
        return measures[measure].of(a) < measures[measure].of(b) ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index; /* as they were given */
}

static slice reason_of(struct arena *arena, const struct candidate *first,
                       const struct candidate *next)
{
    size_t measure = telling_measure(first, next);
    if (side_of(first)->errors.count)
        return SLICE("none of them could be read whole");
    if (measure == MEASURES)
        return SLICE("it was given before the next, which is as good");
    uint64_t best = measures[measure].of(first), other = measures[measure].of(next);
    if (measures[measure].words == WORDS_ALONE)
        return arena_format(arena, "%s", measures[measure].text);
    if (measures[measure].words == WORDS_SIZE)
        return arena_format(arena,
                            "it is smaller than the next (%.*s against %.*s), and is "
                            "level with it in what counts before",
                            SLICE_ARG(text_size(arena, best)), SLICE_ARG(text_size(arena, other)));
    return arena_format(arena, "it has fewer %s than the next (%llu against %llu)%s",
                        measures[measure].text, (unsigned long long)best, (unsigned long long)other,
                        measure > CRITICALS ? ", and is level with it in what counts before" : "");
}

void compare_rank(struct comparison *comparison)
{
    size_t count = comparison->side_count;
    struct candidate *candidates =
        arena_array(comparison->arena, count + 1, sizeof(struct candidate));
    comparison->ranking = arena_array(comparison->arena, count + 1, sizeof(size_t));
    for (size_t i = 0; i < count; i++)
        candidates[i] = (struct candidate){comparison, i};
    qsort(candidates, count, sizeof(struct candidate), compare_candidates);
    for (size_t i = 0; i < count; i++)
        comparison->ranking[i] = candidates[i].index;
    comparison->reason = reason_of(comparison->arena, &candidates[0], &candidates[1]);
}
