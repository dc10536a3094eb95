/*
 * Ids of git's objects, and the names that trees give to them: an id alone tells nobody which file
 * it was. A name is a help to whoever reads the report; where there are too many they are left out.
 */
#ifndef PLIMSOLL_SECRET_GIT_NAMES_H
#define PLIMSOLL_SECRET_GIT_NAMES_H

#include "secret/git_index.h"
#include "base/buffer.h"

#include <openssl/evp.h>

/* -- ids -- */

struct git_hash {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

/* SHA-1 or SHA-256 by the bytes of an id. */
void git_hash_open(struct git_hash *hash, size_t id_bytes);
void git_hash_close(struct git_hash *hash);
/* The object's header is part of what its id is computed of. */
void git_hash_begin(struct git_hash *hash, enum git_type type, uint64_t size);
void git_hash_add(struct git_hash *hash, slice content);
void git_hash_end(struct git_hash *hash, unsigned char id[GIT_SHA256]);

/* -- names -- */

struct git_name {
    unsigned char id[GIT_ID_KEPT];
    uint32_t text;   /* where in `texts` it stands, or GIT_NONE: it has none */
    uint32_t parent; /* the tree that has it, or GIT_NONE */
};

struct git_names {
    struct git_name *names;
    uint32_t *slots; /* by id, two for each that there is room for; GIT_NONE: free */
    size_t count, room;
    struct buffer texts; /* each ends in a NUL */
};

void git_names_open(struct git_names *names);
void git_names_close(struct git_names *names);

/* What a tree says of its entries, each of which has an id of `id_bytes`. */
void git_names_add_tree(struct git_names *names, const unsigned char *id, slice tree,
                        size_t id_bytes);

/* The path of the object in the tree that nothing else has, in the arena; empty: it has none. */
slice git_names_path(const struct git_names *names, const unsigned char *id, struct arena *arena);

#endif
