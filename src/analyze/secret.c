/* Secrets, in files of any name: the looking is in src/secret. */
#include "analyze/analyzer.h"
#include "analyze/analyzers.h"
#include "secret/finder.h"

static struct want wants(slice path, const struct entry *entry)
{
    (void)path;
    return (struct want){.kind =
                             entry->kind == ENTRY_FILE && entry->size ? WANT_PULL : WANT_NOTHING};
}

static struct error *pull(struct analysis *analysis, struct stream *stream)
{
    struct record *record = analysis->record;
    const struct secret_finds into = {analysis->arena, &record->secrets, &record->unopened,
                                      analysis->spill};
    size_t before = record->secrets.count;
    struct error *error = secret_find_in_file(analysis->secrets, stream, analysis->entry->size,
                                              analysis->entry->path, &into);
    struct secret *secrets = record->secrets.items;
    for (size_t i = before; i < record->secrets.count; i++) {
        secrets[i].entry = record->statistics.entries;
        secrets[i].modified = analysis->entry->modified;
    }
    return error;
}

const struct analyzer analyzer_secret = {
    .name = "secret",
    .version = 6,
    .wants = wants,
    .pull = pull,
    .everywhere = true,
    .for_secrets = true,
};
