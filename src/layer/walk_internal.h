/* What walk.c, walk_analyze.c, walk_folder.c and walk_lazy.c share: the state of one walk. */
#ifndef PLIMSOLL_LAYER_WALK_INTERNAL_H
#define PLIMSOLL_LAYER_WALK_INTERNAL_H

#include "archive/content_stream.h"
#include "archive/entry.h"
#include "archive/spool.h"
#include "layer/walk.h"

struct walk {
    const struct walk_options *options;
    struct arena *arena; /* the record's */
    struct record *record;
    struct arena scratch; /* of the entry at hand */
    struct spill spill;   /* the file for what is larger than memory, while an entry is read */
    struct buffer gathered;
    struct buffer file_hashes, folder_hashes;
    bool unique_paths; /* no two entries have the same: a folder's, in an order that may change */
    bool whiteouts;    /* names beginning ".wh." take away; not so in a root file system */
};

/* One entry: notes what it takes away or adds, and lets the analyzers read it. */
MUST_CHECK struct error *walk_entry(struct walk *walk, const struct entry *entry,
                                    const struct content *content);

/* Hands an entry to those analyzers that ask for it. */
MUST_CHECK struct error *walk_analyze(struct walk *walk, const struct entry *entry,
                                      const struct content *content);

/* How many of an entry's first bytes walk_entry will ask for. */
uint64_t walk_bytes_wanted(struct walk *walk, const struct entry *entry);

/* Whether a name takes away what lower layers have. */
bool walk_is_whiteout(const struct walk *walk, slice path);

/* Tells of an entry whose path or link climbs above the root (see path_normalize). */
void walk_odd_path(struct walk *walk, slice path);
void walk_problem(struct walk *walk, slice path, slice message);
/* The same of what only this worker has read; the others a helper leaves to the first worker. */
void walk_file_problem(struct walk *walk, slice path, slice message);
void walk_begin(struct walk *walk, const struct walk_options *options, struct arena *arena,
                struct record *record);
/* Sorts the path sets into the record and frees what the walk holds. */
void walk_end(struct walk *walk);

#endif
