/* JSON of a feed: bounded before it is parsed, and cut into documents without holding a whole file.
 */
#include "store/feed.h"

#include "base/limits.h"

#include <errno.h>

struct error *feed_json_parse(json_t **root, slice bytes)
{
    *root = NULL;
    if (bytes.len > LIMIT_ADVISORY_BYTES)
        return error_make(ERROR_LIMIT, "it is larger than %llu MiB (limit on an advisory)",
                          LIMIT_ADVISORY_BYTES / LIMIT_MIB);
    return json_read(root, bytes, "it");
}

slice feed_json_slice(const json_t *text)
{
    if (!json_is_string(text))
        return SLICE_EMPTY;
    return json_slice(text);
}

slice feed_json_text(const json_t *object, const char *name)
{
    return feed_json_slice(json_object_get(object, name));
}

/* --- documents in a file ---------------------------------------------------------------------- */

enum { CHUNK = 256 * 1024 };

enum stream_form {
    FORM_UNKNOWN,
    FORM_ARRAY,  /* the elements of one array */
    FORM_LINES,  /* the first document ended with its line: one on each */
    FORM_VALUES, /* documents one after the other, each over several lines */
    FORM_ENDED
};

struct json_stream {
    int file;
    slice path;
    char *bytes;
    size_t start, end, room; /* what of `bytes` is not handed out yet */
    uint64_t position;
    bool at_end;
    enum stream_form form;
};

struct json_stream *json_stream_open(int file, slice path)
{
    struct json_stream *stream = memory_alloc(sizeof(*stream));
    *stream = (struct json_stream){.file = file, .path = path};
    return stream;
}

void json_stream_close(struct json_stream *stream)
{
    if (stream)
        free(stream->bytes);
    free(stream);
}

uint64_t json_stream_position(const struct json_stream *stream)
{
    return stream->position;
}

/* Reads on behind what is there; what was handed out is dropped. */
static struct error *read_more(struct json_stream *stream)
{
    if (stream->start) {
        memmove(stream->bytes, stream->bytes + stream->start, stream->end - stream->start);
        stream->end -= stream->start;
        stream->start = 0;
    }
    if (stream->end > LIMIT_ADVISORY_BYTES)
        return error_make(ERROR_LIMIT,
                          "%.*s holds a JSON document larger than %llu MiB (limit on an advisory)",
                          SLICE_ARG(stream->path), LIMIT_ADVISORY_BYTES / LIMIT_MIB);
    if (stream->room - stream->end < CHUNK) {
        stream->room = stream->room * 2 + CHUNK;
        stream->bytes = memory_resize(stream->bytes, stream->room);
    }
    ssize_t got;
    do
        got = read(stream->file, stream->bytes + stream->end, stream->room - stream->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno("cannot read %.*s", SLICE_ARG(stream->path));
    stream->at_end = got == 0;
    stream->end += (size_t)got;
    stream->position += (uint64_t)got;
    return NULL;
}

/* Steps over white space, and in an array over commas; *more is false at the file's end. */
static struct error *skip_space(struct json_stream *stream, bool *more)
{
    for (;;) {
        while (stream->start < stream->end &&
               (byte_is_space(stream->bytes[stream->start]) ||
                (stream->form == FORM_ARRAY && stream->bytes[stream->start] == ',')))
            stream->start++;
        *more = stream->start < stream->end;
        if (*more || stream->at_end)
            return NULL;
        TRY(read_more(stream));
    }
}

/* How far the scan for a document's end has come. */
struct scan {
    size_t at; /* from stream->start */
    size_t depth;
    bool in_string;
    bool escaped;
};

/* True when the document that starts at stream->start ends before scan->at. */
static bool scan_on(const struct json_stream *stream, struct scan *scan)
{
    for (; stream->start + scan->at < stream->end; scan->at++) {
        char byte = stream->bytes[stream->start + scan->at];
        if (scan->in_string) {
            scan->in_string = scan->escaped || byte != '"';
            scan->escaped = !scan->escaped && byte == '\\';
        } else if (byte == '"') {
            scan->in_string = true;
        } else if (byte == '{' || byte == '[') {
            scan->depth++;
        } else if (byte == '}' || byte == ']') {
            /* The bracket of the array itself ends an element that is not a document. */
            if (scan->depth == 0)
                return true;
            if (--scan->depth == 0) {
                scan->at++;
                return true;
            }
        } else if (scan->depth == 0 && (byte == ',' || byte_is_space(byte))) {
            return true;
        }
    }
    return false;
}

/* To the end of the line, or of the file. */
static bool line_on(const struct json_stream *stream, struct scan *scan)
{
    size_t rest = stream->end - stream->start - scan->at;
    const char *end = memchr(stream->bytes + stream->start + scan->at, '\n', rest);
    scan->at = end ? (size_t)(end - stream->bytes) - stream->start : scan->at + rest;
    return end != NULL;
}

static struct error *cut_document(struct json_stream *stream, slice *bytes)
{
    struct scan scan = {0};
    for (;;) {
        bool whole = stream->form == FORM_LINES ? line_on(stream, &scan) : scan_on(stream, &scan);
        if (whole || stream->at_end)
            break;
        TRY(read_more(stream));
    }
    /* A stray bracket is a document of its own, or the stream would stand still. */
    if (scan.at == 0)
        scan.at = 1;
    *bytes = slice_make(stream->bytes + stream->start, scan.at);
    stream->start += scan.at;
    return NULL;
}

static void find_form(struct json_stream *stream, slice first)
{
    bool one_line = slice_find(first, '\n') == SIZE_MAX;
    slice rest = slice_make(stream->bytes + stream->start, stream->end - stream->start);
    stream->form = one_line && rest.len && (rest.ptr[0] == '\n' || rest.ptr[0] == '\r')
                       ? FORM_LINES
                       : FORM_VALUES;
}

struct error *json_stream_next(struct json_stream *stream, slice *bytes, bool *more)
{
    *bytes = SLICE_EMPTY;
    TRY(skip_space(stream, more));
    if (!*more || stream->form == FORM_ENDED) {
        *more = false;
        return NULL;
    }
    char first = stream->bytes[stream->start];
    if (stream->form == FORM_UNKNOWN && first == '[') {
        stream->form = FORM_ARRAY;
        stream->start++;
        return json_stream_next(stream, bytes, more);
    }
    if (stream->form == FORM_ARRAY && first == ']') {
        stream->form = FORM_ENDED;
        *more = false;
        return NULL;
    }
    TRY(cut_document(stream, bytes));
    if (stream->form == FORM_UNKNOWN)
        find_form(stream, *bytes);
    return NULL;
}

/* --- dates ------------------------------------------------------------------------------------ */

static bool pull_digits(slice *rest, size_t count, char end, int64_t *value)
{
    uint64_t number;
    if (rest->len < count || !slice_to_u64(slice_first(*rest, count), &number))
        return false;
    *value = (int64_t)number;
    *rest = slice_from(*rest, count);
    if (!end)
        return true;
    if (rest->len == 0 || rest->ptr[0] != end)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/* Days from 1970-01-01, of the Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t pull_fraction(slice rest)
{
    int64_t micros = 0, unit = 100000;
    if (rest.len == 0 || rest.ptr[0] != '.')
        return 0;
    for (size_t i = 1; i < rest.len && byte_is_digit(rest.ptr[i]); i++, unit /= 10)
        micros += (rest.ptr[i] - '0') * unit;
    return micros;
}

/* OSV asks for UTC with a Z; an offset is not looked at. */
int64_t feed_time(slice text)
{
    int64_t year, month, day, hour, minute, second;
    if (!pull_digits(&text, 4, '-', &year) || !pull_digits(&text, 2, '-', &month) ||
        !pull_digits(&text, 2, 'T', &day) || !pull_digits(&text, 2, ':', &hour) ||
        !pull_digits(&text, 2, ':', &minute) || !pull_digits(&text, 2, 0, &second))
        return 0;
    /* Go writes year 1 where it has no date. */
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    int64_t seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return seconds * 1000000 + pull_fraction(text);
}
