/* Handing an entry's bytes to the analyzers that ask for it, each the way it wants them. */
#include "layer/walk_internal.h"
#include "analyze/analyzer.h"
#include "base/file.h"
#include "base/limits.h"

#include <sys/mman.h>

enum { MAX_INTERESTS = 32 };

struct interest {
    struct want want;
    struct analysis analysis;
    bool failed;
};

struct reading {
    struct interest interests[MAX_INTERESTS + 1]; /* the puller's beyond the others' */
    size_t count;
    uint64_t gather;         /* bytes to have at once: the largest of WANT_FIRST and WANT_WHOLE */
    bool streamed;           /* someone wants all of it as it comes */
    bool offered, taken;     /* to look for secrets in, with others who do (claims.h) */
    struct interest *puller; /* or NULL */
};

/* Whether it is for this worker to look for secrets in. */
static bool take(struct walk *walk, struct reading *reading, const struct entry *entry)
{
    const struct walk_options *options = walk->options;
    if (!reading->offered)
        reading->taken =
            !options->claims ||
            (walk->unique_paths ? claims_take_path(options->claims, entry->path, options->helper)
                                : claims_take(options->claims, walk->record->statistics.entries,
                                              entry->path, options->helper));
    reading->offered = true;
    return reading->taken;
}

static void add_interest(struct walk *walk, struct reading *reading,
                         const struct analyzer *analyzer, const struct entry *entry, slice path,
                         bool dormant)
{
    if (analyzer->for_secrets ? !walk->options->secrets || reading->puller : walk->options->helper)
        return;
    struct want want = analyzer->wants(path, entry);
    if (want.kind == WANT_NOTHING || (analyzer->for_secrets && !take(walk, reading, entry)))
        return;
    if (want.kind != WANT_PULL && reading->count - (reading->puller != NULL) == MAX_INTERESTS) {
        walk_problem(walk, entry->path, SLICE("too many links lead to it to follow them all"));
        return;
    }
    struct interest *interest = &reading->interests[reading->count++];
    *interest = (struct interest){
        .want = want,
        .analysis = {.analyzer = analyzer,
                     .entry = entry,
                     .path = path,
                     .dormant = dormant,
                     .record = walk->record,
                     .arena = walk->arena,
                     .scratch = &walk->scratch,
                     .secrets = walk->options->secrets,
                     .spill = &walk->spill},
    };
    uint64_t bytes = want.kind == WANT_WHOLE ? entry->size : want.count;
    if (want.kind == WANT_STREAM)
        reading->streamed = true;
    else if (want.kind == WANT_PULL)
        reading->puller = interest;
    else if (want.kind != WANT_HEADER && bytes > reading->gather)
        reading->gather = bytes < entry->size ? bytes : entry->size;
}

static void add_interests(struct walk *walk, struct reading *reading, const struct entry *entry,
                          slice path, bool dormant)
{
    for (size_t i = 0; i < analyzer_count; i++)
        add_interest(walk, reading, analyzers[i], entry, path, dormant);
}

/* Under the names that links give it, too. */
static void find_interests(struct walk *walk, struct reading *reading, const struct entry *entry)
{
    reading->count = 0;
    reading->gather = 0;
    reading->streamed = reading->offered = false;
    reading->puller = NULL;
    add_interests(walk, reading, entry, entry->path, false);
    for (size_t i = 0; i < walk->options->redirect_count; i++) {
        const struct redirect *redirect = &walk->options->redirects[i];
        if (!slice_starts(entry->path, redirect->from))
            continue;
        slice below = slice_from(entry->path, redirect->from.len);
        if (redirect->folder ? below.len > 0 && below.ptr[0] == '/' : below.len == 0)
            add_interests(
                walk, reading, entry,
                arena_format(&walk->scratch, "%.*s%.*s", SLICE_ARG(redirect->as), SLICE_ARG(below)),
                redirect->hard);
    }
}

/* A problem of one file for one analyzer: said, and the walk goes on. */
static void tell(struct walk *walk, struct interest *interest, struct error *error)
{
    CLEANUP_ERROR struct error *own = error;
    if (!own)
        return;
    interest->failed = true;
    walk_file_problem(
        walk, interest->analysis.entry->path,
        arena_format(&walk->scratch, "%s: %s", interest->analysis.analyzer->name, own->message));
}

static void give_pieces(struct walk *walk, struct reading *reading, slice piece)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct interest *interest = &reading->interests[i];
        if (interest->want.kind == WANT_STREAM && !interest->failed)
            tell(walk, interest, interest->analysis.analyzer->piece(&interest->analysis, piece));
    }
}

static void give_whole(struct walk *walk, struct reading *reading, slice gathered)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct interest *interest = &reading->interests[i];
        slice bytes = SLICE_EMPTY;
        if (interest->failed || interest->want.kind == WANT_PULL)
            continue;
        if (interest->want.kind == WANT_WHOLE)
            bytes = gathered;
        else if (interest->want.kind == WANT_FIRST)
            bytes = slice_first(gathered, interest->want.count);
        tell(walk, interest, interest->analysis.analyzer->read(&interest->analysis, bytes));
    }
}

/* The entry's content, of which the others get their part while one pulls it. */
struct pulled {
    struct walk *walk;
    struct reading *reading;
    const struct content *content;
    slice gathered;
    bool broken; /* the content failed: then the layer did, and says so in its own words: */
    enum error_kind kind;
    slice words;
};

static struct error *note_broken(struct pulled *pulled, struct error *error)
{
    pulled->broken = error != NULL;
    if (error) {
        pulled->kind = error->kind;
        pulled->words = arena_copy(&pulled->walk->scratch, slice_from_text(error->message));
    }
    return error;
}

static struct error *next_pulled(void *context, slice *piece)
{
    struct pulled *pulled = context;
    struct reading *reading = pulled->reading;
    TRY(note_broken(pulled, pulled->content->next(pulled->content->context, piece)));
    give_pieces(pulled->walk, reading, *piece);
    if (piece->len && pulled->gathered.len < reading->gather) {
        buffer_add(&pulled->walk->gathered,
                   slice_first(*piece, (size_t)reading->gather - pulled->gathered.len));
        pulled->gathered = buffer_slice(&pulled->walk->gathered);
    }
    return NULL;
}

/* Only where nobody else asks for what is passed over. */
static struct error *skip_pulled(void *context, uint64_t count)
{
    struct pulled *pulled = context;
    const struct content *content = pulled->content;
    return note_broken(pulled, content->pass_over(content->context, count));
}

static struct error *let_pull(struct pulled *pulled)
{
    struct interest *puller = pulled->reading->puller;
    bool alone = !pulled->reading->streamed && pulled->reading->gather == 0;
    bool skips = alone && pulled->content->pass_over;
    struct content content = {next_pulled, pulled, skips ? skip_pulled : NULL};
    CLEANUP_STREAM struct stream *stream = stream_from_content(&content);
    struct error *error = puller->analysis.analyzer->pull(&puller->analysis, stream);
    if (error && pulled->broken) {
        error_free(error);
        return error_make(pulled->kind, "%.*s", SLICE_ARG(pulled->words));
    }
    tell(pulled->walk, puller, error);
    return NULL;
}

/* What one pulls; what the others want beyond that is read on. */
static struct error *read_pulled(struct walk *walk, struct reading *reading,
                                 const struct content *content)
{
    struct pulled pulled = {.walk = walk, .reading = reading, .content = content};
    slice piece = {"", 1};
    walk->gathered.len = 0;
    TRY(let_pull(&pulled));
    while (piece.len && (reading->streamed || pulled.gathered.len < reading->gather))
        TRY(next_pulled(&pulled, &piece));
    give_whole(walk, reading, pulled.gathered);
    return NULL;
}

/* Reads up to reading->gather bytes; what fits into the first piece is not copied. */
static struct error *read_into_memory(struct walk *walk, struct reading *reading,
                                      const struct content *content)
{
    slice piece, gathered = SLICE_EMPTY;
    if (reading->puller)
        return read_pulled(walk, reading, content);
    walk->gathered.len = 0;
    for (;;) {
        if (!reading->streamed && gathered.len >= reading->gather)
            break;
        TRY(content->next(content->context, &piece));
        if (piece.len == 0)
            break;
        give_pieces(walk, reading, piece);
        if (gathered.len >= reading->gather)
            continue;
        if (gathered.len == 0 && piece.len >= reading->gather && !reading->streamed) {
            gathered = slice_first(piece, (size_t)reading->gather);
            break;
        }
        buffer_add(&walk->gathered, slice_first(piece, (size_t)reading->gather - gathered.len));
        gathered = buffer_slice(&walk->gathered);
    }
    give_whole(walk, reading, gathered);
    return NULL;
}

static struct error *spill(struct walk *walk, struct reading *reading,
                           const struct content *content, uint64_t *size)
{
    slice piece;
    int fd = walk->options->spill;
    *size = 0;
    if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0)
        return error_errno("cannot empty the spill file");
    for (;;) {
        TRY(content->next(content->context, &piece));
        if (piece.len == 0)
            return NULL;
        give_pieces(walk, reading, piece);
        TRY(error_wrap(file_write_all(fd, piece), "spill file"));
        *size += piece.len;
    }
}

static void pull_from_memory(struct walk *walk, struct reading *reading, slice bytes)
{
    struct interest *puller = reading->puller;
    if (!puller)
        return;
    CLEANUP_STREAM struct stream *stream = stream_from_memory(bytes);
    tell(walk, puller, puller->analysis.analyzer->pull(&puller->analysis, stream));
}

/* What is larger than memory is written to the file that the parent opened, and mapped. */
static struct error *read_through_spill(struct walk *walk, struct reading *reading,
                                        const struct content *content)
{
    uint64_t size;
    TRY(spill(walk, reading, content, &size));
    void *mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, walk->options->spill, 0);
    if (mapped == MAP_FAILED)
        return error_errno("cannot map the spill file");
    walk->spill.used = size;
    pull_from_memory(walk, reading, slice_make(mapped, (size_t)size));
    walk->spill.used = 0;
    give_whole(walk, reading, slice_make(mapped, (size_t)size));
    munmap(mapped, (size_t)size);
    if (ftruncate(walk->options->spill, 0) < 0)
        return error_errno("cannot empty the spill file");
    return NULL;
}

/* Leaves out the wants that cannot be met, each with a word why. */
static void refuse_too_large(struct walk *walk, struct reading *reading, const struct entry *entry)
{
    bool spillable = walk->options->spill >= 0;
    if (entry->size <= LIMIT_ENTRY_MEMORY || (spillable && entry->size <= LIMIT_ENTRY_BYTES))
        return;
    reading->gather = 0;
    for (size_t i = 0; i < reading->count; i++) {
        struct interest *interest = &reading->interests[i];
        if (interest->want.kind == WANT_WHOLE)
            tell(walk, interest,
                 error_make(ERROR_LIMIT,
                            spillable ? "it has %llu bytes, more than the limit of one file"
                                      : "it has %llu bytes, and there is no temporary folder to "
                                        "keep it in ($TMPDIR)",
                            (unsigned long long)entry->size));
        else if (interest->want.kind == WANT_FIRST && interest->want.count > reading->gather)
            reading->gather = interest->want.count;
    }
}

struct error *walk_analyze(struct walk *walk, const struct entry *entry,
                           const struct content *content)
{
    struct reading reading;
    find_interests(walk, &reading, entry);
    if (reading.count == 0)
        return NULL;
    /* Of several workers the one that looks for secrets in it counts it. */
    walk->record->statistics.entries_read += !reading.offered || reading.taken;
    refuse_too_large(walk, &reading, entry);
    if (reading.gather > LIMIT_ENTRY_MEMORY)
        return read_through_spill(walk, &reading, content);
    return read_into_memory(walk, &reading, content);
}

uint64_t walk_bytes_wanted(struct walk *walk, const struct entry *entry)
{
    struct reading reading;
    if (entry->kind != ENTRY_FILE || entry->path.len == 0 || walk_is_whiteout(walk, entry->path))
        return 0;
    find_interests(walk, &reading, entry);
    refuse_too_large(walk, &reading, entry);
    return reading.streamed || reading.puller ? entry->size : reading.gather;
}
