/*
 * CVE records (CVE record format 5.x, github.com/CVEProject/cve-schema): what they say of a
 * vulnerability's severity. Their affected products are names of vendors, not of packages.
 */
#include "store/feed.h"

#include "base/limits.h"

/* Newest first. */
static const char *const cvss_members[] = {"cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"};

/* Words that some CNAs give in place of a vector, under metrics[].other. */
static const struct {
    slice type;
    const char *member;
} word_types[] = {
    {SLICE("Red Hat severity rating"), "value"},
    {SLICE("Textual description of severity"), "text"},
};

static const slice severity_words[] = {
    SLICE("critical"), SLICE("important"), SLICE("high"),
    SLICE("moderate"), SLICE("medium"),    SLICE("low"),
};

struct words {
    struct arena arena;
    struct severity_word words[LIMIT_SEVERITY_WORDS];
    size_t count;
    bool too_many;
};

static void add_word(struct words *words, slice source, slice vector, slice word)
{
    if (words->count == LIMIT_SEVERITY_WORDS || vector.len > LIMIT_ADVISORY_ID_BYTES)
        words->too_many = true;
    else
        words->words[words->count++] = (struct severity_word){source, vector, word};
}

static void add_other(struct words *words, slice source, const json_t *other)
{
    slice type = feed_json_text(other, "type");
    for (size_t i = 0; i < sizeof(word_types) / sizeof(word_types[0]); i++) {
        slice word = feed_json_text(json_object_get(other, "content"), word_types[i].member);
        if (!slice_equal(type, word_types[i].type))
            continue;
        for (size_t j = 0; j < sizeof(severity_words) / sizeof(severity_words[0]); j++)
            if (slice_equal_nocase(word, severity_words[j]))
                add_word(words, source, SLICE_EMPTY, word);
    }
}

static void add_container(struct words *words, const json_t *container)
{
    const json_t *metrics = json_object_get(container, "metrics");
    slice name = feed_json_text(json_object_get(container, "providerMetadata"), "shortName");
    slice source = arena_format(&words->arena, "CVE (%.*s)",
                                SLICE_ARG(name.len ? slice_first(name, 64) : SLICE("unnamed")));
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *metric = json_array_get(metrics, i);
        for (size_t j = 0; j < sizeof(cvss_members) / sizeof(cvss_members[0]); j++) {
            slice vector = feed_json_text(json_object_get(metric, cvss_members[j]), "vectorString");
            if (vector.len)
                add_word(words, source, vector, SLICE_EMPTY);
        }
        add_other(words, source, json_object_get(metric, "other"));
    }
}

static struct error *import_cve(struct feed_import *import, const struct feed_document *document,
                                const json_t *root)
{
    const json_t *about = json_object_get(root, "cveMetadata");
    const json_t *containers = json_object_get(root, "containers");
    const json_t *adp = json_object_get(containers, "adp");
    slice id = feed_json_text(about, "cveId");
    int64_t number;
    bool take;
    if (!cve_number(id, &number))
        return feed_skip(import, document, error_make(ERROR_INPUT, "the CVE record has no CVE id"));
    TRY(writer_begin_table(&import->writer, TABLE_CVE, document->source,
                           slice_first(feed_json_text(about, "dateUpdated"), 40), &take));
    import->read++;
    if (slice_equal(feed_json_text(about, "state"), SLICE("REJECTED")))
        return NULL;
    CLEANUP_FREE struct words *words = memory_alloc(sizeof(*words));
    *words = (struct words){0};
    add_container(words, json_object_get(containers, "cna"));
    for (size_t i = 0; i < json_array_size(adp); i++)
        add_container(words, json_array_get(adp, i));
    struct error *error =
        words->too_many ? feed_skip(import, document,
                                    error_make(ERROR_LIMIT,
                                               "it has more than %d severities, or a vector of "
                                               "more than %d bytes",
                                               LIMIT_SEVERITY_WORDS, LIMIT_ADVISORY_ID_BYTES))
                        : writer_cve(&import->writer, id, words->words, words->count);
    arena_free(&words->arena);
    return error;
}

static bool recognise_cve(const json_t *root)
{
    return slice_equal(feed_json_text(root, "dataType"), SLICE("CVE_RECORD"));
}

const struct document_kind document_cve = {"CVE record", recognise_cve, import_cve};
