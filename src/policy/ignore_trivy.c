/*
 * Trivy's .trivyignore: a line for each id, which is its first word; "exp:2026-12-31" among the
 * others is the date. Comments begin with "#"; one right above an entry, or behind it, is taken as
 * the reason. Ids are taken as they are: there are no patterns in this form.
 */
#include "policy/ignore_file.h"
#include "base/text.h"

struct lines {
    struct ignore_reading *reading;
    size_t number;
    slice comment; /* what stands above, or empty */
    bool open;     /* the comment goes on in the next line */
};

static struct error *wrong(const struct lines *lines, struct error *error)
{
    return error_wrap(error, "%s, line %zu", lines->reading->path, lines->number);
}

static bool next_word(slice *rest, slice *word)
{
    *rest = slice_trim(*rest);
    size_t len = 0;
    while (len < rest->len && !byte_is_space(rest->ptr[len]))
        len++;
    *word = slice_first(*rest, len);
    *rest = slice_from(*rest, len);
    return len > 0;
}

static void take_comment(struct lines *lines, slice line)
{
    while (slice_starts(line, SLICE("#")))
        line = slice_from(line, 1);
    line = slice_trim(line);
    lines->comment = lines->open && lines->comment.len && line.len
                         ? arena_format(lines->reading->arena, "%.*s %.*s",
                                        SLICE_ARG(lines->comment), SLICE_ARG(line))
                         : line;
    lines->open = true;
}

static struct error *take_entry(struct lines *lines, slice line)
{
    struct arena *arena = lines->reading->arena;
    struct exception *exception = ARENA_NEW(arena, struct exception);
    slice id, word, rest = line;
    next_word(&rest, &id);
    exception->file = lines->reading->path;
    exception->line = lines->number;
    exception->kinds = EXCEPT_FINDINGS | EXCEPT_SECRETS;
    exception->reason = lines->comment;
    if (slice_starts(id, SLICE("exp:")))
        return error_make(ERROR_INPUT, "the id comes first, then the date");
    TRY(exception_add_key(exception, FIELD_ID, WAY_EQUAL, id, arena));
    while (next_word(&rest, &word)) {
        if (slice_starts(word, SLICE("#"))) {
            exception->reason =
                slice_trim(slice_from(slice_make(word.ptr, word.len + rest.len), 1));
            break;
        }
        if (slice_starts(word, SLICE("exp:")))
            TRY(exception_set_until(exception, slice_from(word, strlen("exp:")), arena));
    }
    return exceptions_add(lines->reading->exceptions, exception, arena);
}

static bool is_text(slice text)
{
    for (size_t at = 0, length; at < text.len; at += length) {
        length = utf8_length(slice_from(text, at));
        if (length == 0 || text.ptr[at] == '\0')
            return false;
    }
    return true;
}

static struct error *read_lines(struct ignore_reading *reading, slice text)
{
    struct lines lines = {.reading = reading};
    slice rest = slice_starts(text, SLICE("\xef\xbb\xbf")) ? slice_from(text, 3) : text, line;
    if (!is_text(text))
        return error_make(ERROR_INPUT, "%s is no ignore file: it is not text in UTF-8",
                          reading->path);
    rest = arena_copy(reading->arena, rest);
    while (rest.len && slice_pull_line(&rest, &line)) {
        lines.number++;
        line = slice_trim(line);
        if (line.len == 0)
            lines.comment = SLICE_EMPTY;
        if (slice_starts(line, SLICE("#"))) {
            take_comment(&lines, line);
            continue;
        }
        lines.open = false;
        if (line.len)
            TRY(wrong(&lines, take_entry(&lines, line)));
    }
    return NULL;
}

static const char *const files[] = {".trivyignore", NULL};

const struct ignore_form ignore_trivy = {
    .name = ".trivyignore",
    .files = files,
    .word = "trivy",
    .read = read_lines,
};
