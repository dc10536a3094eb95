/*
 * Passwords as people choose them: words and names with digits and signs ("hunter2Prod99"), which
 * no measure of randomness tells from an identifier. For values beside a name that says password.
 */
#ifndef PLIMSOLL_SECRET_CHOSEN_H
#define PLIMSOLL_SECRET_CHOSEN_H

#include "base/slice.h"

/* Whether a value is one of the words that examples and defaults are made of ("changeit",
 * "postgres12"), with nothing but digits and "!" behind it. */
bool secret_is_default(slice value);

/* Whether a value is a URL, a mail address, a date or a version ("1:4.13+dfsg1-1"), random as it
 * may look. */
bool secret_is_of_other_form(slice value);

/* Whether little is left of a value without the words that examples and defaults are made of,
 * digits and signs written for letters among them: "MyStr0ngP@ssw0rd1". */
bool secret_is_common(slice value);

/*
 * Whether a value may be such a password. It is none when it is a path, an address, a number or an
 * identifier ("scram-sha-256"), and when it has neither digit nor sign. Of one that is not common.
 */
bool secret_is_chosen(slice value);

#endif
