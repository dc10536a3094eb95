#include "secret/scanner.h"
#include "secret/base64_runs.h"
#include "secret/matcher.h"
#include "base/limits.h"

enum {
    SEAM_MOST = SECRET_REACH, /* REACH_MOST in rules/compile.py */
    SEAM_LEAST = 512,
    HELD = 64 * 1024, /* small files are looked through in one go */
};

/* A stretch of bytes that lies in memory as one. */
struct region {
    slice bytes;
    uint64_t offset; /* of its first byte */
    uint64_t line;   /* that its first byte stands in */
    uint64_t column; /* of its first byte, from 1 */
    uint64_t from;   /* candidates that end up to here were looked at before */
    uint64_t until;  /* those that end behind it are looked at later, with what follows */
};

/* Whether a rule is for the file at hand: seen when it is first asked. */
enum use { USE_UNKNOWN, USE_YES, USE_NO };

struct secret_text {
    struct secret_scanner *scanner;
    enum secret_mode mode;
    slice path;
    unsigned char *uses; /* for each rule, an enum use */
    secret_found *found;
    void *context;
    size_t seam; /* bytes that a match in this mode, with what is near it, may take */
    char *held;  /* HELD + 2 × SEAM_MOST: what is to be looked through with what follows */
    size_t held_count;
    uint64_t offset; /* of the first byte held */
    uint64_t line, column;
    uint64_t looked; /* candidates that end up to here were looked at */
    uint64_t *next;  /* for each rule: no match that begins before it is to be looked for again */
    const struct region *region;
    uint64_t tries; /* of expressions, before it */
    bool incomplete, decoded;
    uint64_t counted, counted_line,
        counted_column; /* of the region, as far as lines were counted */
};

struct secret_scanner {
    const struct secret_rule *const *rules;
    size_t count;
    struct secret_database *database;
    struct secret_matcher *matcher;
    size_t seams[SECRET_BYTES + 1]; /* of each mode */
    struct secret_text text, inner, whole;
    const char *too_much; /* the id of a rule that asked for more than it may; or NULL */
};

static void text_new(struct secret_scanner *scanner, struct secret_text *text, bool held)
{
    *text = (struct secret_text){.scanner = scanner};
    text->next = memory_alloc((scanner->count + 1) * sizeof(*text->next));
    text->uses = memory_alloc(scanner->count + 1);
    text->held = held ? memory_alloc(HELD + 2 * SEAM_MOST) : NULL;
}

static void text_free(struct secret_text *text)
{
    free(text->next);
    free(text->uses);
    free(text->held);
}

static size_t seam_of(const struct secret_rule *const *rules, size_t count, enum secret_mode mode)
{
    size_t seam = SEAM_LEAST;
    for (size_t i = 0; i < count; i++)
        if ((mode == SECRET_TEXT || rules[i]->bytes) && rules[i]->reach + SEAM_LEAST > seam)
            seam = rules[i]->reach + SEAM_LEAST;
    return seam < SEAM_MOST ? seam : SEAM_MOST;
}

struct secret_scanner *secret_scanner_new(const struct secret_rule *const *rules, size_t count,
                                          struct secret_database *database)
{
    struct secret_scanner *scanner = memory_alloc(sizeof(*scanner));
    *scanner = (struct secret_scanner){.rules = rules, .count = count, .database = database};
    scanner->matcher = secret_matcher_new(rules, count);
    for (int mode = 0; mode <= SECRET_BYTES; mode++)
        scanner->seams[mode] = seam_of(rules, count, mode);
    text_new(scanner, &scanner->text, true);
    text_new(scanner, &scanner->whole, false);
    text_new(scanner, &scanner->inner, false);
    scanner->inner.decoded = true;
    return scanner;
}

void secret_scanner_free(struct secret_scanner *scanner)
{
    if (!scanner)
        return;
    text_free(&scanner->text);
    text_free(&scanner->whole);
    text_free(&scanner->inner);
    secret_matcher_free(scanner->matcher);
    secret_database_free(scanner->database);
    free(scanner);
}

struct secret_matcher *secret_scanner_matcher(struct secret_scanner *scanner)
{
    return scanner->matcher;
}

const char *secret_scanner_too_much(struct secret_scanner *scanner)
{
    const char *rule = scanner->too_much;
    scanner->too_much = NULL;
    return rule;
}

/* -- lines ----------------------------------------------------------------------------------------
 */

static size_t count_lines(slice bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.len; i++)
        count += bytes.ptr[i] == '\n';
    return count;
}

/* Moves a place in lines and columns over bytes. */
static void pass_over(slice bytes, uint64_t *line, uint64_t *column)
{
    size_t last = slice_find_last(bytes, '\n');
    *line += count_lines(bytes);
    *column = last == SIZE_MAX ? *column + bytes.len : bytes.len - last;
}

/* Back to a place that was counted before: the lines between are taken off again. */
static void count_back(struct secret_text *text, size_t start)
{
    const struct region *region = text->region;
    slice between = slice_make(region->bytes.ptr + start, text->counted - start);
    size_t lines = count_lines(between);
    text->counted_line -= lines;
    text->counted_column -= between.len;
    if (lines) {
        size_t line = slice_find_last(slice_first(region->bytes, start), '\n');
        text->counted_column = line == SIZE_MAX ? region->column + start : start - line;
    }
    text->counted = start;
}

static void set_place(struct secret_text *text, struct secret_hit *hit, size_t start)
{
    const struct region *region = text->region;
    if (text->mode == SECRET_BYTES)
        return;
    if (start < text->counted)
        count_back(text, start);
    pass_over(slice_make(region->bytes.ptr + text->counted, start - text->counted),
              &text->counted_line, &text->counted_column);
    text->counted = start;
    hit->line = text->counted_line;
    hit->column = text->counted_column;
}

static void set_line_around(const struct region *region, struct secret_hit *hit, size_t start,
                            size_t end)
{
    enum { MOST = 2048 };
    size_t from = start > MOST ? start - MOST : 0;
    slice before = slice_make(region->bytes.ptr + from, start - from);
    slice after = slice_first(slice_from(region->bytes, end), MOST);
    size_t line = slice_find_last(before, '\n');
    hit->line_before = line == SIZE_MAX ? before : slice_from(before, line + 1);
    hit->line_after = slice_first(after, slice_find(after, '\n'));
}

/* -- one region -----------------------------------------------------------------------------------
 */

static void tell(struct secret_text *text, size_t rule, const struct secret_match *match)
{
    const struct region *region = text->region;
    struct secret_hit hit = {
        .rule = text->scanner->rules[rule],
        .rule_index = rule,
        .secret = slice_make(region->bytes.ptr + match->secret_start,
                             match->secret_end - match->secret_start),
        .start = region->offset + match->secret_start,
        .end = region->offset + match->secret_end,
    };
    /* A key of many lines stands where it says that it begins. */
    bool lines = slice_find(hit.secret, '\n') != SIZE_MAX;
    set_place(text, &hit, lines ? match->start : match->secret_start);
    set_line_around(region, &hit, match->secret_start, match->secret_end);
    text->found(text->context, &hit);
}

/* A budget that was passed: the first rule that did so is told of. */
static void give_up(struct secret_text *text, size_t rule)
{
    text->incomplete = true;
    if (!text->scanner->too_much)
        text->scanner->too_much = text->scanner->rules[rule]->id;
}

static bool is_used(struct secret_text *text, size_t rule)
{
    if (!text->scanner->rules[rule]->path)
        return true;
    if (text->uses[rule] == USE_UNKNOWN)
        text->uses[rule] =
            secret_matcher_is_for(text->scanner->matcher, rule, text->path) ? USE_YES : USE_NO;
    return text->uses[rule] == USE_YES;
}

static void on_candidate(void *context, size_t rule, size_t end)
{
    struct secret_text *text = context;
    const struct region *region = text->region;
    uint64_t at = region->offset + end;
    size_t first, last;
    if (at <= region->from || at > region->until || !is_used(text, rule))
        return;
    secret_matcher_window(text->scanner->rules[rule], end, &first, &last);
    if (text->next[rule] > region->offset + first)
        first = (size_t)(text->next[rule] - region->offset);
    while (first < last) {
        struct secret_match match;
        if (secret_matcher_tries(text->scanner->matcher) - text->tries >=
            LIMIT_SECRET_LOOKS + at / SECRET_BYTES_A_LOOK) {
            give_up(text, rule);
            return;
        }
        enum secret_look_result result = secret_matcher_look(
            text->scanner->matcher, rule, text->mode, region->bytes, first, last, &match);
        if (result == SECRET_TOO_MUCH)
            give_up(text, rule);
        if (result == SECRET_HOLDS)
            tell(text, rule, &match);
        if (result == SECRET_NOTHING || result == SECRET_TOO_MUCH)
            first = last;
        else
            first = result == SECRET_HOLDS && match.secret_end > match.start ? match.secret_end
                                                                             : match.start + 1;
    }
    if (region->offset + first > text->next[rule])
        text->next[rule] = region->offset + first;
}

struct encoded {
    struct secret_text *outer;
    size_t start, end; /* of the encoded text in the region: four letters for three bytes */
};

static void on_encoded_hit(void *context, const struct secret_hit *hit)
{
    const struct encoded *encoded = context;
    struct secret_text *outer = encoded->outer;
    struct secret_hit told = *hit;
    /* Two in one run stand beside each other, as they do in what is decoded. */
    told.start = outer->region->offset + encoded->start + hit->start * 4 / 3;
    told.end = outer->region->offset + encoded->start + hit->end * 4 / 3;
    set_place(outer, &told, encoded->start);
    set_line_around(outer->region, &told, encoded->start, encoded->end);
    outer->found(outer->context, &told);
}

static bool scan_whole(struct secret_text *text, enum secret_mode mode, slice path, slice bytes,
                       secret_found *found, void *context);

static void on_run(void *context, size_t start, size_t end, slice decoded)
{
    struct secret_text *text = context;
    struct encoded encoded = {text, start, end};
    uint64_t at = text->region->offset + end;
    if (at <= text->region->from || at > text->region->until)
        return;
    if (!scan_whole(&text->scanner->inner, SECRET_TEXT, text->path, decoded, on_encoded_hit,
                    &encoded))
        text->incomplete = true;
}

static void scan_region(struct secret_text *text, const struct region *region)
{
    secret_matcher_begin(text->scanner->matcher);
    text->region = region;
    text->counted = 0;
    text->counted_line = region->line;
    text->counted_column = region->column;
    if (!secret_database_scan(text->scanner->database, text->mode, region->bytes, on_candidate,
                              text))
        text->incomplete = true;
    if (text->mode == SECRET_TEXT && !text->decoded)
        base64_runs(region->bytes, on_run, text);
    text->looked = region->until;
}

static void begin(struct secret_text *text, enum secret_mode mode, slice path, secret_found *found,
                  void *context)
{
    text->mode = mode;
    text->path = path;
    text->seam = text->scanner->seams[mode];
    text->found = found;
    text->context = context;
    text->held_count = 0;
    text->offset = text->looked = 0;
    text->line = text->column = 1;
    text->tries = secret_matcher_tries(text->scanner->matcher);
    text->incomplete = false;
    memset(text->next, 0, text->scanner->count * sizeof(*text->next));
    memset(text->uses, USE_UNKNOWN, text->scanner->count);
}

static bool scan_whole(struct secret_text *text, enum secret_mode mode, slice path, slice bytes,
                       secret_found *found, void *context)
{
    begin(text, mode, path, found, context);
    struct region region = {.bytes = bytes, .line = 1, .column = 1, .until = UINT64_MAX};
    scan_region(text, &region);
    return !text->incomplete;
}

bool secret_scan(struct secret_scanner *scanner, enum secret_mode mode, slice path, slice bytes,
                 secret_found *found, void *context)
{
    return scan_whole(&scanner->whole, mode, path, bytes, found, context);
}

/* -- pieces ---------------------------------------------------------------------------------------
 */

struct secret_text *secret_text_start(struct secret_scanner *scanner, enum secret_mode mode,
                                      slice path, secret_found *found, void *context)
{
    begin(&scanner->text, mode, path, found, context);
    return &scanner->text;
}

/* What is held, up to a seam before its end; all of it at the end of the text. */
static void scan_held(struct secret_text *text, bool last)
{
    struct region region = {
        .bytes = slice_make(text->held, text->held_count),
        .offset = text->offset,
        .line = text->line,
        .column = text->column,
        .from = text->looked,
        .until = last ? UINT64_MAX : text->offset + text->held_count - text->seam,
    };
    scan_region(text, &region);
}

/* Lets go of the first bytes that are held. */
static void drop(struct secret_text *text, size_t count)
{
    if (text->mode == SECRET_TEXT)
        pass_over(slice_make(text->held, count), &text->line, &text->column);
    memmove(text->held, text->held + count, text->held_count - count);
    text->held_count -= count;
    text->offset += count;
}

static void hold(struct secret_text *text, slice bytes)
{
    memcpy(text->held + text->held_count, bytes.ptr, bytes.len);
    text->held_count += bytes.len;
}

/* A piece that is worth looking through where it lies: what is held is looked through with its
 * start, and its end is held for what follows. */
static void scan_in_place(struct secret_text *text, slice piece)
{
    size_t before = text->held_count;
    if (before) {
        hold(text, slice_first(piece, 2 * text->seam));
        scan_held(text, false);
        text->held_count = before;
        drop(text, before);
    }
    struct region region = {
        .bytes = piece,
        .offset = text->offset,
        .line = text->line,
        .column = text->column,
        .from = text->looked,
        .until = text->offset + piece.len - text->seam,
    };
    scan_region(text, &region);
    size_t let_go = piece.len - 2 * text->seam;
    if (text->mode == SECRET_TEXT)
        pass_over(slice_first(piece, let_go), &text->line, &text->column);
    text->offset += let_go;
    hold(text, slice_from(piece, let_go));
}

void secret_text_add(struct secret_text *text, slice piece)
{
    while (piece.len) {
        if (piece.len + text->held_count > HELD && piece.len >= HELD / 2) {
            scan_in_place(text, piece);
            return;
        }
        slice part = slice_first(piece, HELD - text->held_count);
        hold(text, part);
        piece = slice_from(piece, part.len);
        if (text->held_count == HELD && piece.len) {
            scan_held(text, false);
            drop(text, HELD - 2 * text->seam);
        }
    }
}

void secret_text_gap(struct secret_text *text, uint64_t count)
{
    scan_held(text, true);
    drop(text, text->held_count);
    text->offset += count;
    text->looked = text->offset;
}

bool secret_text_end(struct secret_text *text)
{
    scan_held(text, true);
    return !text->incomplete;
}
