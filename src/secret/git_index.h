/*
 * Which objects a git pack has, where each lies in it, and which of them are deltas of which
 * (gitformat-pack). Everything is unpacked once for it, since nothing else tells where an object
 * ends; nothing is kept of it but a few numbers for each.
 */
#ifndef PLIMSOLL_SECRET_GIT_INDEX_H
#define PLIMSOLL_SECRET_GIT_INDEX_H

#include "secret/git_unpack.h"

enum git_type {
    GIT_UNKNOWN,
    GIT_COMMIT,
    GIT_TREE,
    GIT_BLOB,
    GIT_TAG,
    GIT_OFFSET_DELTA = 6,
    GIT_ID_DELTA,
};

enum {
    GIT_PACK_HEADER = 12,
    GIT_HEADER_MOST = 64, /* bytes of an object's header, and more */
    GIT_SHA1 = 20,        /* bytes of an id */
    GIT_SHA256 = 32,
    GIT_ID_KEPT = 20, /* of which so many are enough to tell them apart */
};

#define GIT_NONE UINT32_MAX

/* Why a delta was not put together. */
enum git_left { GIT_LEFT_NO_BASE, GIT_LEFT_LARGE, GIT_LEFT_MUCH, GIT_LEFT_DAMAGED, GIT_LEFT_COUNT };

/* What stands before an object's zlib stream. */
struct git_header {
    enum git_type type;
    uint64_t size;   /* unpacked; of a delta, its own */
    uint64_t back;   /* GIT_OFFSET_DELTA: so many bytes before it the base begins */
    slice base;      /* GIT_ID_DELTA: the base's id */
    unsigned length; /* of the header */
};

/* Reads it from the front of the bytes; ids have `id_bytes`. False when it is cut or none. */
bool git_header_read(slice bytes, size_t id_bytes, struct git_header *header);

struct git_object {
    uint32_t offset;         /* in the pack, whose part in the spool is smaller than 4 GiB */
    uint32_t size;           /* unpacked, of a delta its own; UINT32_MAX: that or more */
    uint32_t base;           /* which object it is a delta of, or GIT_NONE */
    uint32_t child, sibling; /* the first of its deltas, the next of the same base, or GIT_NONE */
    uint8_t stored;          /* enum git_type, as the pack has it */
    uint8_t type;            /* of a delta: what it is put together to, as far as that is known */
    uint8_t header;          /* bytes before its zlib stream */
    bool has_deltas : 1;     /* by their offset */
    bool made : 1;           /* its content was at hand */
    uint8_t left : 3;        /* enum git_left: why it was not */
};

/* A delta whose base is named by its id. */
struct git_awaited {
    unsigned char base[GIT_ID_KEPT];
    uint32_t object;
};

struct git_index {
    struct git_object *objects; /* in the order in which they lie there */
    size_t count;
    struct git_awaited *awaited; /* in the order of ids */
    size_t awaited_count, awaited_room;
    size_t id_bytes; /* GIT_SHA1 or GIT_SHA256 */
    uint64_t end;    /* where the last object that could be read whole ends */
};

/*
 * Reads the objects of which the pack says that it has `announced`, up to the first that is damaged
 * or cut, or LIMIT_SECRET_ARCHIVE_MEMBERS. All of it is freed by git_index_free, also after an
 * error.
 */
MUST_CHECK struct error *git_index_make(struct git_index *index, struct git_unpack *unpack,
                                        uint32_t announced);
void git_index_free(struct git_index *index);

/* Where an object's zlib stream begins, and where the next object does. */
uint64_t git_index_start(const struct git_index *index, uint32_t object);
uint64_t git_index_end(const struct git_index *index, uint32_t object);

/* Makes the deltas that wait for the id its children. */
void git_index_attach(struct git_index *index, uint32_t object, const unsigned char *id);

#endif
