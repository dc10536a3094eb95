/* What several workers found in one layer, as one record. */
#include "layer/record.h"
#include "base/limits.h"

#include <stdlib.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_secrets(const void *one, const void *other)
{
    const struct secret *a = one, *b = other;
    int order = slice_compare(a->file, b->file);
    order = order ? order : slice_compare(a->path, b->path);
    order = order ? order : compare_numbers(a->cell, b->cell);
    order = order ? order : compare_numbers(a->line, b->line);
    order = order ? order : compare_numbers(a->column, b->column);
    order = order ? order : slice_compare(a->rule, b->rule);
    return order ? order : slice_compare(a->fingerprint, b->fingerprint);
}

void record_sort_secrets(struct record *record)
{
    if (record->secrets.count)
        qsort(record->secrets.items, record->secrets.count, sizeof(struct secret), compare_secrets);
}

/* As if one had found them all: no more than a layer's are listed. */
static void cut_secrets(struct list *secrets)
{
    struct secret *items = secrets->items;
    for (size_t i = LIMIT_SECRETS_PER_LAYER; i < secrets->count; i++)
        items[LIMIT_SECRETS_PER_LAYER - 1].more += 1 + items[i].more;
    if (secrets->count > LIMIT_SECRETS_PER_LAYER)
        secrets->count = LIMIT_SECRETS_PER_LAYER;
}

static void add_secrets(struct record *record, const struct record *helper, struct arena *arena)
{
    const struct secret *secrets = helper->secrets.items;
    for (size_t i = 0; i < helper->secrets.count; i++)
        *(struct secret *)list_add(&record->secrets, arena, sizeof(*secrets)) = secrets[i];
    record_sort_secrets(record);
    cut_secrets(&record->secrets);
}

static uint64_t problem_hash(const struct problem *problem)
{
    return slice_hash(problem->path) * 31 + slice_hash(problem->message);
}

/* Both walked all of it, so what is wrong with a layer itself both have noticed. */
static void add_problems(struct record *record, const struct record *helper, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer hashes = {0};
    const struct problem *known = record->problems.items, *added = helper->problems.items;
    for (size_t i = 0; i < record->problems.count; i++) {
        uint64_t hash = problem_hash(&known[i]);
        buffer_add(&hashes, slice_make(&hash, sizeof(hash)));
    }
    struct path_set set = path_set_make(arena, buffer_slice(&hashes));
    for (size_t i = 0; i < helper->problems.count; i++)
        if (!path_set_has(&set, problem_hash(&added[i])))
            *(struct problem *)list_add(&record->problems, arena, sizeof(*added)) = added[i];
}

void record_add_helper(struct record *record, const struct record *helper, struct arena *arena)
{
    struct record_statistics *sum = &record->statistics;
    const struct record_statistics *more = &helper->statistics;
    if (helper->secrets.count)
        add_secrets(record, helper, arena);
    if (helper->problems.count)
        add_problems(record, helper, arena);
    sum->bytes_read += more->bytes_read;
    sum->entries_read += more->entries_read;
    sum->cpu_microseconds += more->cpu_microseconds;
    if (more->peak_memory > sum->peak_memory)
        sum->peak_memory = more->peak_memory;
}
