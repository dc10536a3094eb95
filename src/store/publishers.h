/*
 * Who publishes which feed, and where: one table (publishers.c). `db update` goes by it.
 *
 * To add a feed: its line there. A mirror has the same paths below its own address.
 */
#ifndef PLIMSOLL_STORE_PUBLISHERS_H
#define PLIMSOLL_STORE_PUBLISHERS_H

#include "base/memory.h"

struct publisher {
    const char *name;
    const char *address; /* what stands before the path */
    const char *file;
    bool by_ecosystem; /* the file lies in a folder of the ecosystem's name */
};

/* A feed that can be fetched. */
struct publication {
    slice name; /* as the store calls it: "PyPI", "Debian:12", "epss" */
    slice path; /* below an address: "PyPI/all.zip" */
    const struct publisher *publisher;
};

/* The feed that a word means, without regard to case; false when there is none of that name. */
bool publication_named(slice word, struct arena *arena, struct publication *publication);
/* What `db update` fetches when it is told nothing: of struct publication. */
struct list publications_by_default(struct arena *arena);
/* All names, with blanks and commas, for a message. */
slice publication_names(struct arena *arena);

/* The path as a URL has it: "Rocky%20Linux/all.zip" (RFC 3986, 2.3). */
slice publication_url_path(const struct publication *publication, struct arena *arena);

#endif
