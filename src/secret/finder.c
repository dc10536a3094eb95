#include "secret/finder.h"
#include "secret/matcher.h"
#include "secret/redact.h"
#include "secret/zip_tail.h"
#include "archive/content_stream.h"
#include "base/limits.h"

enum { ROOM = LIMIT_SECRETS_PER_FILE * 4 }; /* for those that are not settled yet */

/* Found in the text at hand. */
struct pending {
    struct secret secret;
    size_t rule;
    uint64_t start, end;
    bool dropped; /* a surer rule says the same */
    bool copy;    /* of one that is told, and only counted */
};

/* Who wrote the line says so himself. */
static bool is_allowed_inline(const struct secret_hit *hit)
{
    static const char *const marks[] = {"plimsoll:allow", "gitleaks:allow", "trufflehog:ignore"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (slice_contains(hit->line_before, slice_from_text(marks[i])) ||
            slice_contains(hit->line_after, slice_from_text(marks[i])))
            return true;
    return false;
}

static slice why_allowed(const struct secret_look *look, const struct secret_hit *hit)
{
    if (is_allowed_inline(hit))
        return SLICE("allowed by a remark in its line");
    const char *id = secret_matcher_allowed_by(secret_scanner_matcher(look->scanner),
                                               hit->rule_index, look->path, hit->secret);
    return id ? arena_format(look->arena, "allowed by %s of --secret-config", id) : SLICE_EMPTY;
}

/* Rules that come first are the surer ones. */
static bool loses_to(const struct pending *a, const struct pending *b)
{
    bool overlap = a->start < b->end && b->start < a->end;
    if (!overlap)
        return false;
    return a->rule != b->rule ? a->rule > b->rule : a->start > b->start;
}

static void drop_losers(struct pending *hits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && !hits[i].dropped; j++)
            hits[i].dropped = i != j && !hits[j].dropped && loses_to(&hits[i], &hits[j]);
}

/* The first of those that are the same secret, when there are `most` of them. */
static struct pending *first_of(struct pending *hits, size_t count, const struct pending *one,
                                size_t most)
{
    struct pending *first = NULL;
    size_t copies = 0;
    for (size_t i = 0; i < count; i++)
        if (!hits[i].dropped && slice_equal(hits[i].secret.fingerprint, one->secret.fingerprint)) {
            first = first ? first : &hits[i];
            copies++;
        }
    return copies >= most ? first : NULL;
}

/* Copies of one secret do not crowd out another one: they are counted. The last few stay, since
 * what overlaps with them may be still to come. */
static void count_copies(struct list *list)
{
    enum { COPIES = 20, RECENT = 16 };
    struct pending *hits = list->items;
    size_t kept = 0;
    drop_losers(hits, list->count);
    for (size_t i = 0; i < list->count; i++) {
        bool settled = i + RECENT < list->count;
        struct pending *first =
            settled && !hits[i].dropped ? first_of(hits, kept, &hits[i], COPIES) : NULL;
        if (first)
            first->secret.more += 1 + hits[i].secret.more;
        else if (!hits[i].dropped || !settled)
            hits[kept++] = hits[i];
    }
    list->count = kept;
}

static bool has_room(struct secret_look *look)
{
    if (look->hits->count < ROOM)
        return true;
    if (!look->crowded)
        count_copies(look->hits);
    look->crowded = look->hits->count > ROOM / 2;
    return look->hits->count < ROOM;
}

void secret_look_add(struct secret_look *look, const struct secret_hit *hit, uint64_t cell)
{
    if (!has_room(look)) {
        ((struct pending *)look->hits->items)[look->hits->count - 1].secret.more++;
        return;
    }
    struct pending *pending = list_add(look->hits, look->arena, sizeof(*pending));
    *pending = (struct pending){
        .rule = hit->rule_index,
        .start = hit->start,
        .end = hit->end,
        .secret =
            {
                .rule = slice_from_text(hit->rule->id),
                .file = look->file,
                .path = look->path,
                .match = secret_redacted(hit->rule, hit->secret, look->arena),
                .fingerprint = secret_fingerprint(hit->rule, hit->secret, look->arena),
                .line = hit->line,
                .column = hit->column,
                .cell = cell,
                .offset = hit->start,
                .allowed = why_allowed(look, hit),
                .identity = secret_identity(hit->secret, look->arena),
                .variable = arena_copy(look->arena, hit->name),
            },
    };
}

void secret_look_add_new(struct secret_look *look, const struct secret_hit *hit, uint64_t cell,
                         size_t known)
{
    const struct pending *hits = look->hits->items;
    for (size_t i = 0; i < known; i++)
        if (hits[i].rule == hit->rule_index && hit->start < hits[i].end && hits[i].start < hit->end)
            return;
    /* Those of the first look that were too many to be kept are not counted once more. */
    if (look->hits->count < ROOM)
        secret_look_add(look, hit, cell);
}

void secret_look_hit(void *context, const struct secret_hit *hit)
{
    secret_look_add(context, hit, 0);
}

void secret_look_keep(struct secret_look *look, const struct secret *found)
{
    struct arena *arena = look->into->arena;
    struct secret *kept = list_add(look->into->secrets, arena, sizeof(*kept));
    *kept = *found;
    if (!slice_equal(look->kept_path, found->path))
        look->kept_path = arena_copy(arena, found->path);
    kept->path = look->kept_path;
    /* The member of an archive begins with the file's path. */
    kept->file = slice_first(kept->path, found->file.len);
    kept->match = arena_copy(arena, found->match);
    kept->fingerprint = arena_copy(arena, found->fingerprint);
    kept->allowed = arena_copy(arena, found->allowed);
    kept->identity = arena_copy(arena, found->identity);
    kept->variable = arena_copy(arena, found->variable);
}

/* Those that are told: the first of each secret, and copies while there is room for them. */
static void choose(struct pending *hits, size_t count)
{
    size_t firsts = 0, copies = 0;
    for (size_t i = 0; i < count; i++) {
        hits[i].copy = !hits[i].dropped && first_of(hits, i, &hits[i], 1);
        firsts += !hits[i].dropped && !hits[i].copy;
    }
    for (size_t i = 0; i < count; i++)
        if (hits[i].copy && firsts + copies < LIMIT_SECRETS_PER_FILE) {
            hits[i].copy = false;
            copies++;
        }
}

void secret_look_settle(struct secret_look *look)
{
    struct pending *hits = look->hits->items;
    const struct list *found = look->into->secrets;
    size_t told = 0, more = 0;
    drop_losers(hits, look->hits->count);
    if (look->hits->count > LIMIT_SECRETS_PER_FILE)
        choose(hits, look->hits->count);
    for (size_t i = 0; i < look->hits->count; i++) {
        if (hits[i].dropped)
            continue;
        if (hits[i].copy || told == LIMIT_SECRETS_PER_FILE ||
            found->count >= LIMIT_SECRETS_PER_LAYER) {
            more += 1 + hits[i].secret.more;
            continue;
        }
        told++;
        secret_look_keep(look, &hits[i].secret);
    }
    if (more && found->count)
        ((struct secret *)found->items)[found->count - 1].more += more;
    look->hits->count = 0;
    look->crowded = false;
}

struct error *secret_look_plain(struct secret_look *look, struct stream *stream,
                                enum secret_mode mode, uint64_t most)
{
    return secret_look_plain_from(look, SLICE_EMPTY, stream, mode, most);
}

struct error *secret_look_plain_from(struct secret_look *look, slice before, struct stream *stream,
                                     enum secret_mode mode, uint64_t most)
{
    struct secret_text *text =
        secret_text_start(look->scanner, mode, look->path, secret_look_hit, look);
    struct error *error = NULL;
    struct zip_tail tail = {0};
    secret_text_add(text, before);
    zip_tail_add(&tail, before);
    for (uint64_t read = 0; read < most;) {
        slice window;
        error = stream_some(stream, &window);
        if (error || window.len == 0)
            break;
        secret_text_add(text, window);
        zip_tail_add(&tail, window);
        stream_take(stream, window.len);
        read += window.len;
    }
    look->incomplete |= !secret_text_end(text);
    secret_look_settle(look);
    if (!error && most == UINT64_MAX)
        zip_tail_tell(&tail, look);
    return error;
}

/* One damage may show in several places, as of a tar and of the gzip in which it ends too early:
 * the first is told. */
static void add_unopened(struct secret_look *look, slice path, slice why)
{
    struct list *list = look->into->unopened;
    const struct unopened *last =
        list->count ? (struct unopened *)list->items + list->count - 1 : NULL;
    slice damaged = SLICE("damaged: ");
    if (last && slice_starts(last->why, damaged) && slice_starts(why, damaged) &&
        slice_equal(last->path, path))
        return;
    unopened_add(list, look->into->arena, path, why);
}

void secret_look_unopened(struct secret_look *look, const char *why)
{
    add_unopened(look, look->path, slice_from_text(why));
}

static slice path_of(const struct secret_look *look, slice name, struct arena *arena)
{
    return arena_format(arena, "%.*s!%.*s", SLICE_ARG(look->path),
                        SLICE_ARG(slice_first(name, LIMIT_PATH_BYTES)));
}

void secret_look_unopened_member(struct secret_look *look, slice name, const char *why)
{
    CLEANUP_ARENA struct arena own = {0};
    slice path = name.len ? path_of(look, name, &own) : look->path;
    add_unopened(look, path, slice_from_text(why));
}

bool secret_look_may_open(const struct secret_look *look)
{
    return look->depth < LIMIT_SECRET_ARCHIVE_DEPTH;
}

struct error *secret_look_too_deep(struct secret_look *look, struct stream *stream)
{
    secret_look_unopened(look, "deeper in other archives than LIMIT_SECRET_ARCHIVE_DEPTH");
    return secret_look_plain(look, stream, SECRET_BYTES, UINT64_MAX);
}

/* Damage within a file is not the image's: it is told of the archive. A stream that broke is an
 * error, which whoever made the stream judges. Of all that archives of one file may have together
 * is told once, and of the file. */
struct error *secret_look_settle_damage(struct secret_look *look, struct error *error,
                                        const struct stream *stream)
{
    bool spent = *look->unpacked > LIMIT_SECRET_ARCHIVE_BYTES;
    bool is_damage = error && error->kind == ERROR_INPUT;
    bool told_here = spent
                         ? look->depth == 0 && (is_damage || (error && error->kind == ERROR_LIMIT))
                         : is_damage;
    if (!told_here || stream->broken)
        return error;
    CLEANUP_ERROR struct error *own = error;
    CLEANUP_ARENA struct arena arena = {0};
    secret_look_unopened(
        look, arena_format(&arena, "%s%s", is_damage ? "damaged: " : "", error->message).ptr);
    return NULL;
}

/* -- what lies within -----------------------------------------------------------------------------
 */

struct inside {
    struct error *(*next)(void *context, slice *piece);
    void *context;
    uint64_t *unpacked;
};

static struct error *next_inside(void *context, slice *piece)
{
    struct inside *inside = context;
    TRY(inside->next(inside->context, piece));
    *inside->unpacked += piece->len;
    if (*inside->unpacked > LIMIT_SECRET_ARCHIVE_BYTES)
        return error_make(ERROR_LIMIT,
                          "what is packed in it has more than LIMIT_SECRET_ARCHIVE_BYTES (%llu): "
                          "what follows was not looked through",
                          (unsigned long long)LIMIT_SECRET_ARCHIVE_BYTES);
    return NULL;
}

struct error *secret_look_inside(struct secret_look *look, slice name,
                                 struct error *(*next)(void *context, slice *piece), void *context)
{
    struct inside inside = {next, context, look->unpacked};
    struct content content = {next_inside, &inside, NULL};
    struct secret_look inner = *look;
    CLEANUP_ARENA struct arena own = {0};
    struct list hits = {0};
    inner.arena = &own;
    inner.hits = &hits;
    inner.crowded = false;
    inner.depth++;
    inner.size = 0;
    inner.path = name.len ? path_of(look, name, &own) : look->path;
    CLEANUP_STREAM struct stream *stream = stream_from_content(&content);
    struct error *error = secret_look_by_kind(&inner, stream);
    look->incomplete |= inner.incomplete;
    return secret_look_settle_damage(&inner, error, stream);
}

struct error *secret_look_next_of_stream(void *stream, slice *piece)
{
    TRY(stream_some(stream, piece));
    stream_take(stream, piece->len);
    return NULL;
}

struct error *secret_look_behind(struct secret_look *look, struct stream *stream)
{
    for (;;) {
        slice window;
        size_t zeros = 0;
        TRY(stream_some(stream, &window));
        while (zeros < window.len && window.ptr[zeros] == 0)
            zeros++;
        stream_take(stream, zeros);
        if (window.len == 0)
            return NULL;
        if (zeros < window.len)
            return secret_look_inside(look, SLICE_EMPTY, secret_look_next_of_stream, stream);
    }
}

/* -- a whole file ---------------------------------------------------------------------------------
 */

static struct error *look_as_text(struct secret_look *look, struct stream *stream)
{
    return secret_look_plain(look, stream, SECRET_TEXT, UINT64_MAX);
}

static struct error *find_in(struct secret_scanner *scanner, struct stream *stream, uint64_t size,
                             slice path, const struct secret_finds *into,
                             struct error *(*look_at)(struct secret_look *, struct stream *))
{
    uint64_t unpacked = 0, memory = 0;
    struct list hits = {0};
    CLEANUP_ARENA struct arena own = {0};
    struct secret_look look = {.scanner = scanner,
                               .file = path,
                               .path = path,
                               .size = size,
                               .into = into,
                               .arena = &own,
                               .unpacked = &unpacked,
                               .memory = &memory,
                               .hits = &hits};
    TRY(secret_look_settle_damage(&look, look_at(&look, stream), stream));
    const char *rule = secret_scanner_too_much(scanner);
    if (!look.incomplete)
        return NULL;
    return error_make(ERROR_LIMIT,
                      "so much in it looks like secrets (of the rule %s) that not all of it was "
                      "looked through",
                      rule ? rule : "of a file's own");
}

struct error *secret_find_in_file(struct secret_scanner *scanner, struct stream *stream,
                                  uint64_t size, slice path, const struct secret_finds *into)
{
    return find_in(scanner, stream, size, path, into, secret_look_by_kind);
}

struct error *secret_find_in_text(struct secret_scanner *scanner, slice text, slice path,
                                  const struct secret_finds *into)
{
    CLEANUP_STREAM struct stream *stream = stream_from_memory(text);
    return find_in(scanner, stream, text.len, path, into, look_as_text);
}
