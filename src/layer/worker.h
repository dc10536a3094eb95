/*
 * One layer, one worker process. The parent has opened everything; the worker is closed in before
 * it looks at the first untrusted byte, walks the layer, and hands back one layer record on a pipe.
 * Whatever happens to it, the parent goes on and knows which layer it was.
 */
#ifndef PLIMSOLL_LAYER_WORKER_H
#define PLIMSOLL_LAYER_WORKER_H

#include "archive/layer_toc.h"
#include "archive/feeder.h"
#include "layer/walk.h"

enum layer_input {
    LAYER_INPUT_RANGE,   /* bytes [offset, offset + length) of a file that can be seeked */
    LAYER_INPUT_PIPE,    /* bytes that the parent writes: worker_feed */
    LAYER_INPUT_FED,     /* bytes that a process of its own fetches: `feed` */
    LAYER_INPUT_FOLDER,  /* a root file system in a folder */
    LAYER_INPUT_OVERLAY, /* one layer in a folder, whiteouts as overlayfs has them */
    LAYER_INPUT_FILE,    /* a single file or a pipe, in which only secrets are looked for */
    LAYER_INPUT_CONFIG   /* no layer: the image's config, in which secrets are looked for */
};

/* What one worker is to do; the fds stay the caller's. */
struct layer_job {
    size_t index; /* of the layer, for messages and the test hooks */
    enum layer_input input;
    int fd;
    uint64_t offset, length;
    slice blob_digest;    /* of the bytes as stored; empty: not known */
    slice diff_id;        /* of the bytes unpacked; empty: not known */
    bool verify;          /* by those, or where they are not known just compute them */
    struct layer_toc toc; /* read by its table of contents, unless its kind is TOC_NONE */
    struct feed feed;
    int64_t deadline_ms; /* of clock_milliseconds; 0: LIMIT_SCAN_SECONDS from now */
    const struct redirect *redirects;
    size_t redirect_count;
    struct secret_scanner *secrets; /* or NULL: they are not looked for */
    struct claims *claims;          /* set by worker_run, as is … */
    bool helper;                    /* … this: see struct walk_options */
    slice name;                     /* LAYER_INPUT_FILE: its own */
    bool plain_folder;              /* LAYER_INPUT_FOLDER: no root file system */
    slice config;                   /* LAYER_INPUT_CONFIG: its JSON, and each layer's instruction */
    const slice *instructions;
    size_t instruction_count;
};

/* What came of it. Everything in the outcome lives in the arena given to worker_run. */
struct layer_outcome {
    bool complete; /* the worker ended as it should: the record is there */
    struct record record;
    slice bytes;   /* the record, serialised */
    slice failure; /* why not, for a person */
};

/* Called when a job is done, in the order in which they end, for progress. May be NULL. */
typedef void worker_progress(void *context, size_t done, size_t total);

/*
 * Runs a worker for each job, as many at once as there are cores, the largest first; outcomes stand
 * in the order of the jobs whatever order they end in. For jobs of every kind but PIPE. Cores that
 * have nothing left to do help with layers in which secrets are looked for and that can be seeked.
 */
void worker_run(const struct layer_job *jobs, size_t count, struct arena *arena,
                struct layer_outcome *outcomes, worker_progress *progress, void *context);

/* A single worker that is fed by hand, for LAYER_INPUT_PIPE. */
struct worker;
MUST_CHECK struct error *worker_start(struct worker **worker, const struct layer_job *job);
/* Writes to its input; false when it takes no more (it has ended, or hangs: worker_finish tells).
 */
bool worker_feed(struct worker *worker, slice bytes);
/* Closes its input, waits for the record; frees the worker. */
void worker_finish(struct worker *worker, struct arena *arena, struct layer_outcome *outcome);

#endif
