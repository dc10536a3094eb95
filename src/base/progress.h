/*
 * Progress and remarks on stderr. Progress is one line that is drawn over itself, only on a
 * terminal, only for work that takes longer than a blink. Remarks are lines; --quiet silences both,
 * --verbose adds details.
 */
#ifndef PLIMSOLL_BASE_PROGRESS_H
#define PLIMSOLL_BASE_PROGRESS_H

#include "base/slice.h"

void progress_setup(bool quiet, bool verbose);
bool progress_is_verbose(void);

/* Redraws the line; `total` 0 when it is not known. */
void progress_show(const char *what, uint64_t done, uint64_t total);
/* Clears the line. Called before anything else is written to the terminal. */
void progress_clear(void);

/* "plimsoll: …" unless quiet. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, only with --verbose. */
void remark_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
