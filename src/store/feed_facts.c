/*
 * A facts file: what a store knows but for prose, as lines of text under zstd. It is read line by
 * line. Since plimsoll wrote it, one line that is wrong makes the whole file wrong.
 */
#include "store/feed.h"

#include "base/limits.h"

#include <errno.h>
#include <zstd.h>

/* --- lines of a zstd file --------------------------------------------------------------------- */

struct line_reader {
    int file;
    slice path;
    ZSTD_DCtx *unpacker;
    char *packed;
    ZSTD_inBuffer input;
    char *bytes;
    size_t start, end, room;
    uint64_t unpacked, number;
    bool at_end; /* of the file */
    bool in_frame;
};

static struct error *refuse(const struct line_reader *lines, const char *why)
{
    return error_make(ERROR_INPUT,
                      "the facts file %.*s is damaged at line %ju (%s): fetch it again",
                      SLICE_ARG(lines->path), (uintmax_t)lines->number, why);
}

static struct error *fill_input(struct line_reader *lines)
{
    ssize_t got;
    do
        got = read(lines->file, lines->packed, ZSTD_DStreamInSize());
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno("cannot read %.*s", SLICE_ARG(lines->path));
    lines->at_end = got == 0;
    lines->input = (ZSTD_inBuffer){lines->packed, (size_t)got, 0};
    return NULL;
}

/* Unpacks on behind what is there; what was handed out is dropped. */
static struct error *unpack_more(struct line_reader *lines)
{
    if (lines->start) {
        memmove(lines->bytes, lines->bytes + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
    }
    if (lines->end > LIMIT_ADVISORY_BYTES || lines->unpacked > LIMIT_FEED_BYTES)
        return refuse(lines, "it passes the limit on a line or on a feed");
    if (lines->room - lines->end < ZSTD_DStreamOutSize()) {
        lines->room = lines->room * 2 + ZSTD_DStreamOutSize();
        lines->bytes = memory_resize(lines->bytes, lines->room);
    }
    if (lines->input.pos == lines->input.size)
        TRY(fill_input(lines));
    ZSTD_outBuffer output = {lines->bytes + lines->end, lines->room - lines->end, 0};
    size_t code = ZSTD_decompressStream(lines->unpacker, &output, &lines->input);
    if (ZSTD_isError(code))
        return refuse(lines, ZSTD_getErrorName(code));
    /* Without input the answer is about a frame that has not begun. */
    if (lines->input.size)
        lines->in_frame = code != 0;
    lines->end += output.pos;
    lines->unpacked += output.pos;
    if (output.pos && lines->at_end)
        lines->at_end = false;
    return NULL;
}

static struct error *next_line(struct line_reader *lines, slice *line, bool *more)
{
    for (;;) {
        slice left = slice_make(lines->bytes + lines->start, lines->end - lines->start);
        size_t end = slice_find(left, '\n');
        *more = end != SIZE_MAX;
        if (*more) {
            *line = slice_first(left, end);
            lines->start += end + 1;
            lines->number++;
            return NULL;
        }
        if (lines->at_end) {
            bool whole = left.len == 0 && !lines->in_frame;
            return whole ? NULL : refuse(lines, "it is cut");
        }
        TRY(unpack_more(lines));
    }
}

/* --- fields ------------------------------------------------------------------------------------
 */

/* Undoes the escapes; false for one that is not known. The text is only copied if it has any. */
static bool unescape(struct arena *arena, slice field, slice *text)
{
    static const char codes[] = "stnpb", meant[] = " \t\n|\\";
    *text = field;
    if (slice_find(field, '\\') == SIZE_MAX)
        return true;
    char *plain = arena_text(arena, field);
    size_t length = 0;
    for (size_t i = 0; i < field.len; i++) {
        char byte = field.ptr[i];
        if (byte == '\\') {
            const char *code = ++i < field.len ? strchr(codes, field.ptr[i]) : NULL;
            if (!code || !*code)
                return false;
            byte = meant[code - codes];
        }
        plain[length++] = byte;
    }
    *text = slice_make(plain, length);
    return true;
}

/* A list of texts with blanks between them. */
static bool pull_list(struct arena *arena, slice field, const slice **texts, size_t *count)
{
    struct list list = {0};
    slice part;
    bool right = true;
    while (field.len && right && slice_pull(&field, ' ', &part))
        right = list.count < LIMIT_ADVISORY_VERSIONS &&
                unescape(arena, part, list_add(&list, arena, sizeof(slice)));
    *texts = list.items;
    *count = list.count;
    return right;
}

/* "+0 -1.2|+2.0 -2.1": each event a sign and its version, ranges apart by a bar. */
static bool pull_range(struct arena *arena, slice field, struct affected_range *range)
{
    static const char signs[] = "+-=^";
    struct list events = {0};
    slice part;
    while (field.len && slice_pull(&field, ' ', &part)) {
        const char *sign = part.len ? memchr(signs, part.ptr[0], sizeof(signs) - 1) : NULL;
        struct range_event *event = list_add(&events, arena, sizeof(*event));
        if (!sign || events.count > LIMIT_RANGE_EVENTS ||
            !unescape(arena, slice_from(part, 1), &event->version) || event->version.len == 0 ||
            event->version.len > LIMIT_VERSION_BYTES)
            return false;
        event->kind = (enum range_event_kind)(sign - signs);
    }
    range->events = events.items;
    range->event_count = events.count;
    return true;
}

static bool pull_ranges(struct arena *arena, slice field, struct affected_body *body)
{
    struct list ranges = {0};
    slice part;
    while (field.len && slice_pull(&field, '|', &part))
        if (!pull_range(arena, part, list_add(&ranges, arena, sizeof(struct affected_range))))
            return false;
    body->ranges = ranges.items;
    body->range_count = ranges.count;
    return true;
}

/* --- what the lines say ------------------------------------------------------------------------
 */

struct facts {
    struct feed_import *import;
    struct line_reader *lines;
    struct arena arena; /* of the advisory or CVE at hand */
    slice base;
    struct feed_advisory advisory;
    struct list packages; /* struct feed_package */
    struct list words;    /* struct severity_word */
    slice cve;
    int64_t last_cve; /* EPSS lines count on from it */
    struct arena base_arena;
};

/* Hands on the advisory or CVE record that is complete. */
static struct error *finish(struct facts *facts)
{
    struct error *error = NULL;
    if (facts->advisory.id.len) {
        facts->advisory.base = facts->base;
        facts->advisory.packages = facts->packages.items;
        facts->advisory.package_count = facts->packages.count;
        facts->advisory.body.words = facts->words.items;
        facts->advisory.body.word_count = facts->words.count;
        feed_look_for_erratum(&facts->advisory);
        facts->advisory.harmless = false;
        error = writer_add(&facts->import->writer, &facts->advisory);
    } else if (facts->cve.len) {
        error =
            writer_cve(&facts->import->writer, facts->cve, facts->words.items, facts->words.count);
    }
    facts->advisory = (struct feed_advisory){0};
    facts->cve = SLICE_EMPTY;
    facts->packages = facts->words = (struct list){0};
    arena_free(&facts->arena);
    return error;
}

enum { MOST_FIELDS = 6 };

struct fields {
    slice field[MOST_FIELDS];
};

static struct error *line_built(struct facts *facts, struct fields *fields)
{
    struct feed_import *import = facts->import;
    if (slice_compare(fields->field[1], import->facts_built) > 0)
        import->facts_built = arena_copy(import->arena, fields->field[1]);
    return NULL;
}

static struct error *line_feed(struct facts *facts, struct fields *fields)
{
    struct arena *arena = &facts->arena;
    struct store_feed feed = {.imported = facts->import->facts_built};
    if (!unescape(arena, fields->field[1], &feed.ecosystem) ||
        !unescape(arena, fields->field[2], &feed.source) ||
        !slice_to_u64(fields->field[3], &feed.entries) || feed.entries > INT64_MAX ||
        !unescape(arena, fields->field[4], &feed.newest))
        return refuse(facts->lines, "a feed's line is malformed");
    return writer_facts_feed(&facts->import->writer, &feed);
}

static struct error *line_base(struct facts *facts, struct fields *fields)
{
    arena_free(&facts->base_arena);
    if (!unescape(&facts->base_arena, fields->field[1], &facts->base) || facts->base.len == 0)
        return refuse(facts->lines, "a base has no name");
    facts->base = arena_copy(&facts->base_arena, facts->base);
    return NULL;
}

static struct error *line_advisory(struct facts *facts, struct fields *fields)
{
    struct feed_advisory *advisory = &facts->advisory;
    struct advisory_body *body = &advisory->body;
    struct arena *arena = &facts->arena;
    for (size_t i = 1; i < MOST_FIELDS; i++)
        fields->field[i] = arena_copy(arena, fields->field[i]);
    if (facts->base.len == 0 || !unescape(arena, fields->field[1], &advisory->id) ||
        advisory->id.len == 0 || advisory->id.len > LIMIT_ADVISORY_ID_BYTES ||
        !pull_list(arena, fields->field[2], &body->aliases, &body->alias_count) ||
        !pull_list(arena, fields->field[3], &body->upstream, &body->upstream_count) ||
        !pull_list(arena, fields->field[4], &body->related, &body->related_count))
        return refuse(facts->lines, "an advisory's line is malformed");
    advisory->fingerprint = slice_hash(advisory->id);
    facts->import->read++;
    return NULL;
}

static struct error *line_packages(struct facts *facts, struct fields *fields)
{
    struct arena *arena = &facts->arena;
    struct feed_package shared = {0};
    const slice *names;
    size_t count;
    for (size_t i = 1; i < MOST_FIELDS; i++)
        fields->field[i] = arena_copy(arena, fields->field[i]);
    /* The name of a package may be empty: the advisory is of none. */
    bool none = fields->field[5].len == 0;
    if (facts->advisory.id.len == 0 || !unescape(arena, fields->field[1], &shared.ecosystem) ||
        shared.ecosystem.len == 0 || !pull_ranges(arena, fields->field[2], &shared.body) ||
        !pull_list(arena, fields->field[3], &shared.body.versions, &shared.body.version_count) ||
        !unescape(arena, fields->field[4], &shared.body.urgency) ||
        !pull_list(arena, fields->field[5], &names, &count) ||
        facts->packages.count + count > LIMIT_ADVISORY_PACKAGES)
        return refuse(facts->lines, "a line of packages is malformed");
    for (size_t i = 0; i < (none ? 1 : count); i++) {
        struct feed_package *package = list_add(&facts->packages, arena, sizeof(*package));
        *package = shared;
        package->name = none ? SLICE_EMPTY : names[i];
        if (package->name.len > LIMIT_PACKAGE_NAME_BYTES)
            return refuse(facts->lines, "a package's name is too long");
    }
    return NULL;
}

static struct error *line_word(struct facts *facts, struct fields *fields)
{
    struct severity_word *word = list_add(&facts->words, &facts->arena, sizeof(*word));
    if ((facts->advisory.id.len == 0 && facts->cve.len == 0) ||
        facts->words.count > 2 * LIMIT_SEVERITY_WORDS ||
        !unescape(&facts->arena, arena_copy(&facts->arena, fields->field[1]), &word->source) ||
        !unescape(&facts->arena, arena_copy(&facts->arena, fields->field[2]), &word->vector) ||
        !unescape(&facts->arena, arena_copy(&facts->arena, fields->field[3]), &word->word))
        return refuse(facts->lines, "a line of a severity is malformed");
    return NULL;
}

/* A CVE's number, written as how much further it is than the last one. */
static struct error *pull_cve(struct facts *facts, slice field, int64_t *number)
{
    uint64_t step;
    if (!slice_to_u64(field, &step) || step > INT64_MAX / 2)
        return refuse(facts->lines, "a CVE's number is malformed");
    facts->last_cve += (int64_t)step;
    *number = facts->last_cve;
    return cve_text(&facts->arena, *number).len
               ? NULL
               : refuse(facts->lines, "a CVE's number is too large");
}

/* Starts the numbers anew for the next kind of line. */
static struct error *line_section(struct facts *facts, struct fields *fields)
{
    (void)fields;
    facts->last_cve = 0;
    return NULL;
}

static struct error *line_cve(struct facts *facts, struct fields *fields)
{
    int64_t number = 0;
    TRY(pull_cve(facts, fields->field[1], &number));
    facts->cve = cve_text(&facts->arena, number);
    facts->import->read++;
    return NULL;
}

static struct error *line_epss(struct facts *facts, struct fields *fields)
{
    int64_t number = 0;
    uint64_t probability, percentile;
    TRY(pull_cve(facts, fields->field[1], &number));
    if (!slice_to_u64(fields->field[2], &probability) || probability > 100000 ||
        !slice_to_u64(fields->field[3], &percentile) || percentile > 100000)
        return refuse(facts->lines, "an EPSS line is malformed");
    facts->import->read++;
    return writer_epss(&facts->import->writer, number, (int64_t)probability * 10000,
                       (int64_t)percentile * 10000);
}

static struct error *line_kev(struct facts *facts, struct fields *fields)
{
    int64_t number = 0;
    TRY(pull_cve(facts, fields->field[1], &number));
    facts->import->read++;
    return writer_kev(&facts->import->writer, number, fields->field[2]);
}

static struct error *line_end_of_life(struct facts *facts, struct fields *fields)
{
    slice text[4];
    for (size_t i = 0; i < 4; i++)
        if (!unescape(&facts->arena, fields->field[i + 1], &text[i]))
            return refuse(facts->lines, "an end-of-life line is malformed");
    facts->import->read++;
    return writer_end_of_life(&facts->import->writer, text[0], text[1], text[2], text[3]);
}

static const struct {
    slice name;
    bool goes_on; /* with the advisory or CVE of the lines before */
    struct error *(*read)(struct facts *facts, struct fields *fields);
} line_kinds[] = {
    {SLICE("p"), true, line_packages},   {SLICE("a"), false, line_advisory},
    {SLICE("w"), true, line_word},       {SLICE("e"), false, line_epss},
    {SLICE("c"), false, line_cve},       {SLICE("k"), false, line_kev},
    {SLICE("b"), false, line_base},      {SLICE("l"), false, line_end_of_life},
    {SLICE("s"), false, line_section},   {SLICE("feed"), false, line_feed},
    {SLICE("built"), false, line_built},
};

static struct error *import_line(struct facts *facts, slice line)
{
    struct fields fields;
    size_t count = 0;
    for (size_t i = 0; i < MOST_FIELDS; i++)
        fields.field[i] = SLICE_EMPTY;
    while (count < MOST_FIELDS && slice_pull(&line, '\t', &fields.field[count]))
        count++;
    for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++)
        if (slice_equal(line_kinds[i].name, fields.field[0])) {
            if (!line_kinds[i].goes_on)
                TRY(finish(facts));
            return line_kinds[i].read(facts, &fields);
        }
    return refuse(facts->lines, "a line of an unknown kind");
}

static struct error *import_lines(struct facts *facts)
{
    slice line;
    bool more;
    TRY(next_line(facts->lines, &line, &more));
    if (!more || !slice_starts(line, SLICE("plimsoll facts ")))
        return error_make(ERROR_INPUT, "%.*s is no facts file", SLICE_ARG(facts->lines->path));
    if (!slice_equal(line, SLICE(FACTS_MAGIC)))
        return error_make(
            ERROR_INPUT,
            "the facts file %.*s is of another form (%.*s; this plimsoll reads " FACTS_MAGIC
            "): use the one that came with this plimsoll",
            SLICE_ARG(facts->lines->path), SLICE_ARG(slice_first(line, 40)));
    for (;;) {
        TRY(next_line(facts->lines, &line, &more));
        if (!more)
            return finish(facts);
        TRY(import_line(facts, line));
    }
}

static struct error *import_facts(struct feed_import *import, int file, slice path, slice source)
{
    (void)source; /* facts name their sources themselves */
    struct line_reader lines = {.file = file, .path = path};
    struct facts facts = {.import = import, .lines = &lines};
    lines.unpacker = ZSTD_createDCtx();
    if (!lines.unpacker)
        memory_exhausted();
    ZSTD_DCtx_setParameter(lines.unpacker, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG);
    lines.packed = memory_alloc(ZSTD_DStreamInSize());
    lines.room = ZSTD_DStreamOutSize();
    lines.bytes = memory_alloc(lines.room);
    struct error *error = import_lines(&facts);
    ZSTD_freeDCtx(lines.unpacker);
    free(lines.packed);
    free(lines.bytes);
    arena_free(&facts.arena);
    arena_free(&facts.base_arena);
    return error;
}

static bool recognise_facts(slice head)
{
    return slice_starts(head, SLICE("\x28\xb5\x2f\xfd"));
}

const struct file_kind file_facts = {"facts", true, recognise_facts, import_facts};
