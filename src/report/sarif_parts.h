/* What the files that write SARIF share: text, and places in the image. */
#ifndef PLIMSOLL_REPORT_SARIF_PARTS_H
#define PLIMSOLL_REPORT_SARIF_PARTS_H

#include "base/json_write.h"
#include "report/report.h"

/* A member that is a message of plain text. */
void sarif_put_message(struct json_writer *json, struct arena *arena, const char *key, slice text);

/* Whether paths are from the root of a file system. Those of a plain folder are a checkout's:
 * GitHub shows the lines of its files. */
bool sarif_is_rooted(const struct report *report);

/* A result's locations: the first file in which the component was found. */
void sarif_put_component_place(struct json_writer *json, const struct report *report,
                               const struct component *component);

/* A result's locations, and its relatedLocations: the first place of the secret, and the others. */
void sarif_put_secret_places(struct json_writer *json, const struct report *report,
                             const struct image_secret *found);

#endif
