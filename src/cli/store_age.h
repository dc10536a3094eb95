/* How old the advisories are that judge an image: for --db-max-age. */
#ifndef PLIMSOLL_CLI_STORE_AGE_H
#define PLIMSOLL_CLI_STORE_AGE_H

#include "inventory/inventory.h"
#include "store/store.h"

struct store_age {
    slice feed; /* the oldest of the feeds that judge the image; empty: no feed does */
    slice
        date; /* when it was fetched, or last found to be unchanged; else when the store was made */
    uint64_t hours;
};

MUST_CHECK struct error *store_age_of(struct store *store, const struct store_status *status,
                                      const struct inventory *inventory, struct arena *arena,
                                      struct store_age *age);

/* Hours since a date, or a date and time, as ISO 8601 has them; 0 for what is none, or to come. */
uint64_t hours_since(slice date);

#endif
