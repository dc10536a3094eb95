/*
 * A vector is read by the table of its version: each metric with its values, and for base metrics
 * what each value weighs. Scores are computed in integers, as fractions with a fixed denominator,
 * so that none is rounded the wrong way because a sum came out as 4.0000000001.
 *
 * The order of metrics is not looked at. 3.x leaves it free, and feeds make use of that; 4.0
 * demands the one of its table, but a vector in another order means the same, and to leave a
 * vulnerability without a score for it would help nobody.
 */
#include "match/cvss.h"
#include "match/cvss_v4_table.h"

#define VALUES_MAX 4
#define METRICS_MAX 32
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct metric {
    slice name;
    slice values;            /* with a space between each two */
    int weights[VALUES_MAX]; /* of a base metric, in the order of its values */
};

struct generation {
    enum cvss_version version;
    slice prefix;
    const struct metric *metrics; /* base metrics first */
    size_t metric_count;
    size_t base_count;
    int (*score_tenths)(const int *weights);
};

/* Version 2.0. Weights in thousandths. */

enum { V2_AV, V2_AC, V2_AU, V2_C, V2_I, V2_A, V2_BASE_COUNT };

static const struct metric v2_metrics[] = {
    [V2_AV] = {SLICE("AV"), SLICE("L A N"), {395, 646, 1000}},
    [V2_AC] = {SLICE("AC"), SLICE("H M L"), {350, 610, 710}},
    [V2_AU] = {SLICE("Au"), SLICE("M S N"), {450, 560, 704}},
    [V2_C] = {SLICE("C"), SLICE("N P C"), {0, 275, 660}},
    [V2_I] = {SLICE("I"), SLICE("N P C"), {0, 275, 660}},
    [V2_A] = {SLICE("A"), SLICE("N P C"), {0, 275, 660}},
    {SLICE("E"), SLICE("U POC F H ND"), {0}},
    {SLICE("RL"), SLICE("OF TF W U ND"), {0}},
    {SLICE("RC"), SLICE("UC UR C ND"), {0}},
    {SLICE("CDP"), SLICE("N L LM MH H ND"), {0}},
    {SLICE("TD"), SLICE("N L M H ND"), {0}},
    {SLICE("CR"), SLICE("L M H ND"), {0}},
    {SLICE("IR"), SLICE("L M H ND"), {0}},
    {SLICE("AR"), SLICE("L M H ND"), {0}},
};

static int v2_score_tenths(const int *weights)
{
    const int64_t billion = 1000000000;
    const int64_t tenth = 100000 * billion; /* of 10^15 */

    int64_t untouched = (int64_t)(1000 - weights[V2_C]) * (1000 - weights[V2_I]) *
                        (1000 - weights[V2_A]); /* of 10^9 */
    if (untouched == billion)
        return 0;                                  /* f(Impact) */
    int64_t impact = 1041 * (billion - untouched); /* 10.41 × …, of 10^11 */
    int64_t exploitability =
        20 * (int64_t)weights[V2_AV] * weights[V2_AC] * weights[V2_AU]; /* of 10^9 */

    /* (0.6 × impact + 0.4 × exploitability - 1.5) × 1.176, rounded to the nearest tenth. */
    int64_t sum = 6 * impact + 400 * exploitability - 1500 * billion; /* of 10^12 */
    int64_t score = sum * 1176;
    return score <= 0 ? 0 : (int)((score + tenth / 2) / tenth);
}

/* Versions 3.0 and 3.1. Weights in hundredths. */

enum { V3_AV, V3_AC, V3_PR, V3_UI, V3_S, V3_C, V3_I, V3_A, V3_BASE_COUNT };

enum { SCOPE_UNCHANGED, SCOPE_CHANGED };

static const struct metric v3_metrics[] = {
    [V3_AV] = {SLICE("AV"), SLICE("N A L P"), {85, 62, 55, 20}},
    [V3_AC] = {SLICE("AC"), SLICE("L H"), {77, 44}},
    [V3_PR] = {SLICE("PR"), SLICE("N L H"), {0, 1, 2}}, /* places in v3_privileges */
    [V3_UI] = {SLICE("UI"), SLICE("N R"), {85, 62}},
    [V3_S] = {SLICE("S"), SLICE("U C"), {SCOPE_UNCHANGED, SCOPE_CHANGED}},
    [V3_C] = {SLICE("C"), SLICE("H L N"), {56, 22, 0}},
    [V3_I] = {SLICE("I"), SLICE("H L N"), {56, 22, 0}},
    [V3_A] = {SLICE("A"), SLICE("H L N"), {56, 22, 0}},
    {SLICE("E"), SLICE("X H F P U"), {0}},
    {SLICE("RL"), SLICE("X U W T O"), {0}},
    {SLICE("RC"), SLICE("X C R U"), {0}},
    {SLICE("CR"), SLICE("X H M L"), {0}},
    {SLICE("IR"), SLICE("X H M L"), {0}},
    {SLICE("AR"), SLICE("X H M L"), {0}},
    {SLICE("MAV"), SLICE("X N A L P"), {0}},
    {SLICE("MAC"), SLICE("X L H"), {0}},
    {SLICE("MPR"), SLICE("X N L H"), {0}},
    {SLICE("MUI"), SLICE("X N R"), {0}},
    {SLICE("MS"), SLICE("X U C"), {0}},
    {SLICE("MC"), SLICE("X H L N"), {0}},
    {SLICE("MI"), SLICE("X H L N"), {0}},
    {SLICE("MA"), SLICE("X H L N"), {0}},
};

/* They weigh more when the scope changes. */
static const int v3_privileges[][3] = {
    [SCOPE_UNCHANGED] = {85, 62, 27},
    [SCOPE_CHANGED] = {85, 68, 50},
};

/* Impact of a base impact in millionths, in units of 10^-10. */
static int64_t v3_impact(int64_t base, int scope)
{
    if (scope == SCOPE_UNCHANGED)
        return 642 * base * 100;
    /* 7.52 × (base - 0.029) - 3.25 × (base - 0.02)^15; what is cut off the power is below 10^-7. */
    int64_t power = 1000000000;
    for (int i = 0; i < 15; i++)
        power = power * (base - 20000) / 1000000;
    return 752 * (base - 29000) * 100 - 325 * power / 10;
}

/*
 * 3.0 rounds up to the next tenth, 3.1 does so after rounding to five places (Appendix A), which
 * takes care of floating point. On exact numbers both give the same for every base vector there is.
 */
static int v3_score_tenths(const int *weights)
{
    const int64_t tenth = 100000000000; /* of 10^12 */

    int scope = weights[V3_S];
    int64_t base =
        1000000 - (int64_t)(100 - weights[V3_C]) * (100 - weights[V3_I]) * (100 - weights[V3_A]);
    if (base == 0)
        return 0;
    int64_t exploitability = 822 * (int64_t)weights[V3_AV] * weights[V3_AC] *
                             v3_privileges[scope][weights[V3_PR]] * weights[V3_UI];
    int64_t sum = v3_impact(base, scope) + exploitability; /* of 10^10 */
    int64_t score = sum * (scope == SCOPE_CHANGED ? 108 : 100);
    int64_t tenths = (score + tenth - 1) / tenth;
    return tenths > 100 ? 100 : (int)tenths;
}

/* Version 4.0. Weights are the steps below the most severe value. */

enum { V4_AV, V4_AC, V4_AT, V4_PR, V4_UI, V4_VC, V4_VI, V4_VA, V4_SC, V4_SI, V4_SA, V4_BASE_COUNT };

static const struct metric v4_metrics[] = {
    [V4_AV] = {SLICE("AV"), SLICE("N A L P"), {0, 1, 2, 3}},
    [V4_AC] = {SLICE("AC"), SLICE("L H"), {0, 1}},
    [V4_AT] = {SLICE("AT"), SLICE("N P"), {0, 1}},
    [V4_PR] = {SLICE("PR"), SLICE("N L H"), {0, 1, 2}},
    [V4_UI] = {SLICE("UI"), SLICE("N P A"), {0, 1, 2}},
    [V4_VC] = {SLICE("VC"), SLICE("H L N"), {0, 1, 2}},
    [V4_VI] = {SLICE("VI"), SLICE("H L N"), {0, 1, 2}},
    [V4_VA] = {SLICE("VA"), SLICE("H L N"), {0, 1, 2}},
    [V4_SC] = {SLICE("SC"), SLICE("H L N"), {0, 1, 2}},
    [V4_SI] = {SLICE("SI"), SLICE("H L N"), {0, 1, 2}},
    [V4_SA] = {SLICE("SA"), SLICE("H L N"), {0, 1, 2}},
    {SLICE("E"), SLICE("X A P U"), {0}},
    {SLICE("CR"), SLICE("X H M L"), {0}},
    {SLICE("IR"), SLICE("X H M L"), {0}},
    {SLICE("AR"), SLICE("X H M L"), {0}},
    {SLICE("MAV"), SLICE("X N A L P"), {0}},
    {SLICE("MAC"), SLICE("X L H"), {0}},
    {SLICE("MAT"), SLICE("X N P"), {0}},
    {SLICE("MPR"), SLICE("X N L H"), {0}},
    {SLICE("MUI"), SLICE("X N P A"), {0}},
    {SLICE("MVC"), SLICE("X H L N"), {0}},
    {SLICE("MVI"), SLICE("X H L N"), {0}},
    {SLICE("MVA"), SLICE("X H L N"), {0}},
    {SLICE("MSC"), SLICE("X H L N"), {0}},
    {SLICE("MSI"), SLICE("X S H L N"), {0}},
    {SLICE("MSA"), SLICE("X S H L N"), {0}},
    {SLICE("S"), SLICE("X N P"), {0}},
    {SLICE("AU"), SLICE("X N Y"), {0}},
    {SLICE("R"), SLICE("X A U I"), {0}},
    {SLICE("V"), SLICE("X D C"), {0}},
    {SLICE("RE"), SLICE("X L M H"), {0}},
    {SLICE("U"), SLICE("X Clear Green Amber Red"), {0}},
};

/* The sets of metrics whose levels make a macrovector. EQ5 and EQ6 belong to other metrics. */
enum { V4_EQ1, V4_EQ2, V4_EQ3_EQ6, V4_EQ4, V4_SET_COUNT };

/*
 * A level of a set: how many steps its most severe vectors are below the top, how many steps
 * it is deep (section 8.2, "highest severity vectors" and "depth"), and the levels next below.
 * Where a level has several most severe vectors they are the same number of steps down, so it does
 * not matter from which one the distance is counted.
 */
struct v4_level {
    int top;
    int depth;
    int lower[2]; /* -1: none */
};

#define V4_LEVELS_MAX 5

/* Without threat and environmental metrics EQ4 is never 0, and EQ3 and EQ6 are 00, 10 or 21. */
static const struct v4_level v4_levels[V4_SET_COUNT][V4_LEVELS_MAX] = {
    [V4_EQ1] = {{0, 1, {1, -1}}, {1, 4, {2, -1}}, {3, 5, {-1, -1}}},
    [V4_EQ2] = {{0, 1, {1, -1}}, {1, 2, {-1, -1}}},
    [V4_EQ3_EQ6] = {[0] = {0, 7, {1, 2}}, [2] = {1, 8, {3, -1}}, [4] = {3, 10, {-1, -1}}},
    [V4_EQ4] = {[1] = {0, 5, {2, -1}}, [2] = {3, 4, {-1, -1}}},
};

/* A multiple of all depths, so that the shares of a depth are whole numbers. */
#define V4_SHARES 840

/* The levels of the sets, and in `steps` how far each is below the top (Tables 24 to 29). */
static void v4_macrovector(const int *weights, int level[V4_SET_COUNT], int steps[V4_SET_COUNT])
{
    const int *w = weights;

    bool any_open = w[V4_AV] == 0 || w[V4_PR] == 0 || w[V4_UI] == 0;
    steps[V4_EQ1] = w[V4_AV] + w[V4_PR] + w[V4_UI];
    level[V4_EQ1] = steps[V4_EQ1] == 0 ? 0 : any_open && w[V4_AV] != 3 ? 1 : 2;

    steps[V4_EQ2] = w[V4_AC] + w[V4_AT];
    level[V4_EQ2] = steps[V4_EQ2] == 0 ? 0 : 1;

    bool any_high = w[V4_VC] == 0 || w[V4_VI] == 0 || w[V4_VA] == 0;
    steps[V4_EQ3_EQ6] = w[V4_VC] + w[V4_VI] + w[V4_VA];
    level[V4_EQ3_EQ6] = w[V4_VC] == 0 && w[V4_VI] == 0 ? 0 : any_high ? 2 : 4;

    steps[V4_EQ4] = w[V4_SC] + w[V4_SI] + w[V4_SA];
    level[V4_EQ4] = w[V4_SC] == 0 || w[V4_SI] == 0 || w[V4_SA] == 0 ? 1 : 2;
}

static int v4_table(const int level[V4_SET_COUNT])
{
    return cvss_v4_table[level[V4_EQ1]][level[V4_EQ2]][level[V4_EQ3_EQ6]][level[V4_EQ4]][0];
}

/* The score of the macrovector that is one level lower in `set`, the higher of two; -1: none. */
static int v4_lower_score(const int level[V4_SET_COUNT], int set)
{
    int score = -1;
    for (int i = 0; i < 2; i++) {
        int lower[V4_SET_COUNT];
        memcpy(lower, level, sizeof(lower));
        lower[set] = v4_levels[set][level[set]].lower[i];
        if (lower[set] >= 0 && v4_table(lower) > score)
            score = v4_table(lower);
    }
    return score;
}

/*
 * The table's score, less the mean over the sets of how far the vector has gone on the way to the
 * macrovector below. EQ5 counts as a set that has not gone any way: its base level has one vector.
 */
static int v4_score_tenths(const int *weights)
{
    int level[V4_SET_COUNT], steps[V4_SET_COUNT];
    v4_macrovector(weights, level, steps);
    if (steps[V4_EQ3_EQ6] == 6 && steps[V4_EQ4] == 6) /* no impact on any system */
        return 0;

    int highest = v4_table(level);
    int way = 0;  /* of V4_SHARES */
    int sets = 1; /* EQ5 */
    for (int set = 0; set < V4_SET_COUNT; set++) {
        const struct v4_level *at = &v4_levels[set][level[set]];
        int lower = v4_lower_score(level, set);
        if (lower < 0)
            continue;
        way += (highest - lower) * (steps[set] - at->top) * (V4_SHARES / at->depth);
        sets++;
    }
    int whole = V4_SHARES * sets;
    return (highest * whole - way + whole / 2) / whole;
}

static const struct generation generations[] = {
    {CVSS_4_0, SLICE("CVSS:4.0/"), v4_metrics, COUNT(v4_metrics), V4_BASE_COUNT, v4_score_tenths},
    {CVSS_3_1, SLICE("CVSS:3.1/"), v3_metrics, COUNT(v3_metrics), V3_BASE_COUNT, v3_score_tenths},
    {CVSS_3_0, SLICE("CVSS:3.0/"), v3_metrics, COUNT(v3_metrics), V3_BASE_COUNT, v3_score_tenths},
    {CVSS_2_0, SLICE_EMPTY, v2_metrics, COUNT(v2_metrics), V2_BASE_COUNT, v2_score_tenths},
};

_Static_assert(COUNT(v2_metrics) <= METRICS_MAX && COUNT(v3_metrics) <= METRICS_MAX &&
                   COUNT(v4_metrics) <= METRICS_MAX,
               "more metrics than the set of those seen has bits");

/* Place of the metric "NAME:VALUE" in its table, and of its value; false when there is none. */
static bool find_metric(const struct generation *generation, slice field, size_t *metric,
                        size_t *value)
{
    slice name, wanted;
    if (!slice_split(field, ':', &name, &wanted))
        return false;
    for (*metric = 0; *metric < generation->metric_count; ++*metric)
        if (slice_equal(generation->metrics[*metric].name, name))
            break;
    if (*metric == generation->metric_count)
        return false;
    slice values = generation->metrics[*metric].values;
    slice candidate;
    for (*value = 0; slice_pull(&values, ' ', &candidate); ++*value)
        if (slice_equal(candidate, wanted))
            return true;
    return false;
}

/* The weights of the base metrics of a vector without its prefix. */
static bool read_metrics(const struct generation *generation, slice vector, int *weights)
{
    uint32_t seen = 0;
    slice field;
    while (slice_pull(&vector, '/', &field)) {
        size_t metric, value;
        if (!find_metric(generation, field, &metric, &value) || seen & UINT32_C(1) << metric)
            return false;
        seen |= UINT32_C(1) << metric;
        if (metric < generation->base_count)
            weights[metric] = generation->metrics[metric].weights[value];
    }
    uint32_t base = (UINT32_C(1) << generation->base_count) - 1;
    return (seen & base) == base;
}

bool cvss_parse(slice vector, struct cvss *cvss)
{
    if (vector.len == 0)
        return false;
    const struct generation *generation = generations;
    while (!slice_starts(vector, generation->prefix))
        generation++; /* the last one has no prefix */
    slice metrics = slice_from(vector, generation->prefix.len);
    if (generation->version == CVSS_2_0 && slice_starts(metrics, SLICE("(")) &&
        slice_ends(metrics, SLICE(")")))
        metrics = slice_first(slice_from(metrics, 1), metrics.len - 2);

    int weights[METRICS_MAX] = {0};
    if (!read_metrics(generation, metrics, weights))
        return false;
    *cvss = (struct cvss){generation->version, generation->score_tenths(weights)};
    return true;
}
