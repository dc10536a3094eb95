/*
 * What a person is shown of a comparison, without a form yet: sentences and tables of cells. The
 * writers for people (table, Markdown, HTML) each give it their form and escape every text: cells
 * and sentences hold what the images hold.
 */
#ifndef PLIMSOLL_COMPARE_PAGE_H
#define PLIMSOLL_COMPARE_PAGE_H

#include "compare/compare.h"

enum { PAGE_COLUMNS = 13 };

struct page_row {
    slice cells[PAGE_COLUMNS];
    int severity; /* -1: of none */
};

struct page_table {
    slice title; /* empty: none */
    size_t columns;
    const char *heads[PAGE_COLUMNS];
    const char *alignment; /* a letter a column: l, r */
    struct list rows;      /* of struct page_row */
    bool is_long;          /* a writer may show only the first PAGE_ROWS */
    bool is_minor;         /* may be folded away */
};

enum { PAGE_ROWS = 40 };

struct page {
    struct arena *arena;
    struct list sides;  /* of slice: what each side is, a sentence each */
    struct list errors; /* of slice */
    struct list tables; /* of struct page_table */
    struct list notes;  /* of slice */
    slice summary;      /* one sentence */
    slice verdict;      /* empty: no gate was asked for, and all could be read */
};

struct page page_of(const struct comparison *comparison);

#endif
