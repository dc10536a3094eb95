/* URLs in metadata, which can hold what nobody else should read. */
#ifndef PLIMSOLL_ANALYZE_URL_H
#define PLIMSOLL_ANALYZE_URL_H

#include "base/memory.h"

/*
 * Without user name and password (RFC 3986, 3.2.1), and without the token that Anaconda's servers
 * take in the path ("/t/TOKEN/"). In the arena.
 */
slice url_without_credentials(slice url, struct arena *arena);

#endif
