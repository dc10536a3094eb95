/* How bad a finding is: severity, score, exploitation. */
#include "match/internal.h"
#include "match/cvss.h"

/* FIRST's qualitative scale (CVSS 3.1 section 5, 4.0 section 6); NVD's for 2.0. */
static enum severity severity_of_score(const struct cvss *cvss)
{
    int tenths = cvss->score_tenths;
    if (tenths == 0)
        return SEVERITY_NEGLIGIBLE;
    if (tenths < 40)
        return SEVERITY_LOW;
    if (tenths < 70)
        return SEVERITY_MEDIUM;
    if (tenths < 90 || cvss->version == CVSS_2_0)
        return SEVERITY_HIGH;
    return SEVERITY_CRITICAL;
}

/* Of the vectors that the first source to have one gives, the one of the newest CVSS version. */
static bool take_vector(struct finding *finding, const struct severity_word *words, size_t count)
{
    struct cvss best = {0}, cvss;
    const struct severity_word *source = NULL;
    for (size_t i = 0; i < count; i++) {
        if (source && !slice_equal(words[i].source, source->source))
            continue;
        if (words[i].vector.len == 0 || !cvss_parse(words[i].vector, &cvss) ||
            cvss.version <= best.version)
            continue;
        best = cvss;
        source = &words[i];
    }
    if (!source)
        return false;
    finding->severity = severity_of_score(&best);
    finding->score_tenths = best.score_tenths;
    finding->vector = source->vector;
    finding->severity_source = source->source;
    return true;
}

static bool take_word(struct finding *finding, const struct severity_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].word.len && severity_by_word(words[i].word, &finding->severity)) {
            finding->severity_source = words[i].source;
            return true;
        }
    return false;
}

/* The finding's ids in the order in which their word counts: matched advisories, CVE, aliases. */
static slice *ids_in_order(struct matcher *matcher, const struct finding *finding, size_t *count)
{
    size_t sources = finding->sources.count, aliases = finding->aliases.count;
    slice *ids = arena_array(matcher->arena, sources + aliases + 1, sizeof(slice));
    *count = 0;
    for (size_t i = 0; i < sources; i++)
        ids[(*count)++] = ((const struct finding_source *)finding->sources.items)[i].id;
    ids[(*count)++] = finding->id;
    for (size_t i = 0; i < aliases; i++)
        ids[(*count)++] = ((const slice *)finding->aliases.items)[i];
    return ids;
}

static struct error *find_severity(struct matcher *matcher, struct finding *finding,
                                   const slice *ids, size_t count)
{
    struct list all = {0}; /* words of every id, for when no vector is found */
    for (size_t i = 0; i < count; i++) {
        const struct severity_word *words;
        size_t word_count;
        TRY(store_severities(matcher->store, matcher->arena, ids[i], &words, &word_count));
        if (take_vector(finding, words, word_count))
            return NULL;
        for (size_t j = 0; j < word_count; j++)
            *(struct severity_word *)list_add(&all, matcher->arena, sizeof(*words)) = words[j];
    }
    take_word(finding, all.items, all.count);
    return NULL;
}

static void find_exploitation(struct matcher *matcher, struct finding *finding, const slice *ids,
                              size_t count)
{
    double probability, percentile;
    finding->epss = finding->epss_percentile = -1;
    for (size_t i = 0; i < count; i++) {
        if (!slice_starts(ids[i], SLICE("CVE-")))
            continue;
        if (store_epss(matcher->store, ids[i], &probability, &percentile) &&
            probability > finding->epss) {
            finding->epss = probability;
            finding->epss_percentile = percentile;
        }
        finding->kev |= store_kev(matcher->store, matcher->arena, ids[i], NULL);
    }
}

struct error *rate_finding(struct matcher *matcher, struct finding *finding, slice urgency)
{
    enum severity own;
    size_t count;
    const slice *ids = ids_in_order(matcher, finding, &count);
    finding->severity = SEVERITY_UNKNOWN;
    finding->score_tenths = -1;
    TRY(find_severity(matcher, finding, ids, count));
    find_exploitation(matcher, finding, ids, count);
    if (!severity_by_word(urgency, &own))
        return NULL;
    /* The distribution's "unimportant" is a judgement of its own build and goes before a score; its
     * other words count where there is none. */
    if (own == SEVERITY_NEGLIGIBLE || finding->severity == SEVERITY_UNKNOWN) {
        finding->severity = own;
        finding->severity_source = matcher->distribution_ecosystem;
    }
    return NULL;
}
