/*
 * EPSS scores in FIRST's CSV form, plain or gzipped: a line "#model_version:…,score_date:…", a line
 * "cve,epss,percentile", then one CVE a line.
 */
#include "store/feed.h"

#include "base/limits.h"

#include <errno.h>
#include <zlib.h>

enum { LONGEST_LINE = 256, DIGITS_KEPT = 9, BILLION = 1000000000 };

/* "0.03351" in billionths; false for what is no number from 0 to 1. */
static bool read_share(slice text, int64_t *billionths)
{
    slice whole = text, fraction = SLICE_EMPTY;
    uint64_t number;
    slice_split(text, '.', &whole, &fraction);
    if (!slice_to_u64(whole, &number) || number > 1 || fraction.len > 18)
        return false;
    int64_t value = (int64_t)number, digits = 0;
    for (; digits < DIGITS_KEPT; digits++) {
        char byte = (size_t)digits < fraction.len ? fraction.ptr[digits] : '0';
        if (!byte_is_digit(byte))
            return false;
        value = value * 10 + (byte - '0');
    }
    *billionths = value;
    return value <= BILLION;
}

static struct error *import_line(struct feed_import *import, const struct feed_document *document,
                                 slice line)
{
    slice cve, rest, probability, percentile;
    int64_t number, score, place;
    if (!slice_split(line, ',', &cve, &rest) ||
        !slice_split(rest, ',', &probability, &percentile) || !cve_number(cve, &number) ||
        !read_share(probability, &score) || !read_share(percentile, &place))
        return feed_skip(import, document,
                         error_make(ERROR_INPUT, "\"%.*s\" is no line of EPSS scores",
                                    SLICE_ARG(slice_first(line, 60))));
    import->read++;
    return writer_epss(&import->writer, number, score, place);
}

/* "…,score_date:2026-08-16T00:00:00+0000": the date as other feeds write it. */
static slice score_date(struct arena *arena, slice line)
{
    slice part;
    while (slice_pull(&line, ',', &part))
        if (slice_starts(part, SLICE("score_date:")))
            return arena_format(arena, "%.*sZ",
                                SLICE_ARG(slice_first(slice_from(part, sizeof("score_date:") - 1),
                                                      sizeof("2026-08-16T00:00:00") - 1)));
    return SLICE_EMPTY;
}

static struct error *read_problem(gzFile csv, slice path)
{
    int code;
    const char *why = gzerror(csv, &code);
    if (code == Z_ERRNO)
        return error_errno("cannot read %.*s", SLICE_ARG(path));
    if (code == Z_MEM_ERROR)
        memory_exhausted();
    if (code != Z_OK && code != Z_STREAM_END)
        return error_make(ERROR_INPUT, "%.*s is damaged or cut (%s): fetch it again",
                          SLICE_ARG(path), why);
    return NULL;
}

/* A line without its end; *more is false at the file's end. */
static struct error *next_line(gzFile csv, slice path, char room[LONGEST_LINE], slice *line,
                               bool *more)
{
    *more = gzgets(csv, room, LONGEST_LINE) != NULL;
    *line = *more ? slice_trim(slice_from_text(room)) : SLICE_EMPTY;
    return *more ? NULL : read_problem(csv, path);
}

static struct error *import_lines(struct feed_import *import, gzFile csv,
                                  const struct feed_document *document)
{
    char room[LONGEST_LINE];
    slice line, newest = SLICE_EMPTY;
    bool more, take;
    uint64_t lines = 0;
    TRY(next_line(csv, document->path, room, &line, &more));
    if (slice_starts(line, SLICE("#model_version"))) {
        newest = score_date(import->arena, line);
        TRY(next_line(csv, document->path, room, &line, &more));
    }
    if (!slice_starts(line, SLICE("cve,epss,percentile")))
        return feed_skip(import, document,
                         error_make(ERROR_INPUT, "it does not begin as EPSS scores do"));
    TRY(writer_begin_table(&import->writer, TABLE_EPSS, document->source, newest, &take));
    import->read += !take;
    while (more && take) {
        TRY(next_line(csv, document->path, room, &line, &more));
        if (line.len == 0)
            continue;
        if (++lines > LIMIT_FEED_ENTRIES)
            return error_make(ERROR_LIMIT, "%.*s has more than %d lines (limit on feed entries)",
                              SLICE_ARG(document->path), LIMIT_FEED_ENTRIES);
        TRY(import_line(import, document, line));
    }
    return NULL;
}

static struct error *import_epss(struct feed_import *import, int file, slice path, slice source)
{
    int own = dup(file);
    gzFile csv = own < 0 ? NULL : gzdopen(own, "rb");
    if (!csv)
        return error_errno("cannot read %.*s", SLICE_ARG(path));
    gzbuffer(csv, 128 * 1024);
    struct feed_document document = {.source = source, .path = path};
    struct error *error = import_lines(import, csv, &document);
    gzclose(csv);
    return error;
}

/* gzip's first bytes are enough: nothing else that is known here comes in gzip. */
static bool recognise_epss(slice head)
{
    return slice_starts(head, SLICE("\x1f\x8b")) || slice_starts(head, SLICE("#model_version")) ||
           slice_starts(head, SLICE("cve,epss"));
}

const struct file_kind file_epss = {"EPSS scores", false, recognise_epss, import_epss};
