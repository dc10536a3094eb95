/* What several workers found in one layer, as one record: the same as one worker's. */
#include "layer/record.h"
#include "base/limits.h"

#include <stdlib.h>

/* The first so many are listed of a layer, as when one worker comes to that number. */
static void cut_secrets(struct list *secrets)
{
    struct secret *items = secrets->items;
    for (size_t i = LIMIT_SECRETS_PER_LAYER; i < secrets->count; i++)
        items[LIMIT_SECRETS_PER_LAYER - 1].more += 1 + items[i].more;
    if (secrets->count > LIMIT_SECRETS_PER_LAYER)
        secrets->count = LIMIT_SECRETS_PER_LAYER;
}

/* Both lists are in the order of entries, and each entry's secrets are all in one of them. */
static void merge_secrets(struct record *record, const struct record *helper, struct arena *arena)
{
    struct list merged = {0};
    const struct secret *a = record->secrets.items, *b = helper->secrets.items;
    size_t a_left = record->secrets.count, b_left = helper->secrets.count;
    while (a_left || b_left) {
        bool from_a = b_left == 0 || (a_left && a->entry <= b->entry);
        *(struct secret *)list_add(&merged, arena, sizeof(*a)) = from_a ? *a++ : *b++;
        a_left -= from_a;
        b_left -= !from_a;
    }
    cut_secrets(&merged);
    record->secrets = merged;
}

static int compare_problems(const void *one, const void *other)
{
    const struct problem *a = one, *b = other;
    int order = slice_compare(a->path, b->path);
    return order ? order : slice_compare(a->message, b->message);
}

void record_sort_problems(struct record *record)
{
    struct problem *problems = record->problems.items;
    size_t kept = 0;
    if (record->problems.count == 0)
        return;
    qsort(problems, record->problems.count, sizeof(*problems), compare_problems);
    for (size_t i = 1; i < record->problems.count; i++)
        if (compare_problems(&problems[kept], &problems[i]) != 0)
            problems[++kept] = problems[i];
    record->problems.count = kept + 1;
}

static void add_problems(struct record *record, const struct record *helper, struct arena *arena)
{
    const struct problem *added = helper->problems.items;
    for (size_t i = 0; i < helper->problems.count; i++)
        *(struct problem *)list_add(&record->problems, arena, sizeof(*added)) = added[i];
    record_sort_problems(record);
}

void record_add_helper(struct record *record, const struct record *helper, struct arena *arena)
{
    struct record_statistics *sum = &record->statistics;
    const struct record_statistics *more = &helper->statistics;
    if (helper->secrets.count)
        merge_secrets(record, helper, arena);
    if (helper->problems.count)
        add_problems(record, helper, arena);
    if (helper->unopened.count)
        unopened_join(&record->unopened, &helper->unopened, arena);
    unopened_sort(&record->unopened);
    sum->bytes_read += more->bytes_read;
    sum->entries_read += more->entries_read;
    sum->cpu_microseconds += more->cpu_microseconds;
    if (more->peak_memory > sum->peak_memory)
        sum->peak_memory = more->peak_memory;
}
