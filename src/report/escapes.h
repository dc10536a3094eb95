/*
 * Text put into forms that give some of its characters a meaning. What comes from an image or a
 * feed must be no more than text there. Control characters and the like are made visible in all of
 * them (text_add_safe), so each is one line of valid UTF-8. xml_add stands in parts.h.
 */
#ifndef PLIMSOLL_REPORT_ESCAPES_H
#define PLIMSOLL_REPORT_ESCAPES_H

#include "base/buffer.h"

/*
 * As Markdown (CommonMark and GitHub's additions): nothing in it is markup, a link, a cell's end,
 * a mention or a reference to an issue.
 */
void markdown_add(struct buffer *out, slice text);
/*
 * As a code span, the safest place there is; also in a cell of a table. Nothing for an empty text.
 */
void markdown_add_code(struct buffer *out, slice text);

/*
 * As one cell of a CSV file (RFC 4180), quoted where it must be. A spreadsheet takes what begins
 * with one of =+-@ (also in full width), tab or line end for a formula: that gets a ' in front.
 */
void csv_add(struct buffer *out, slice text);

/* As XML character data or attribute value, control characters visible. */
void xml_add_safe(struct buffer *out, slice text);

/* As what stands between the quotes of a JSON string. */
void json_add_quoted_text(struct buffer *out, slice text);

/* Prose in one line: white space, line ends too, becomes single spaces. */
slice text_fold(struct arena *arena, slice text);

/* At most `most` bytes of it, whole characters, with "…" at the end of what was cut. */
slice text_cut(struct arena *arena, slice text, size_t most);

#endif
