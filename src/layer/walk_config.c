/* Secrets in an image's config (OCI image specification, config.md) and in its history. */
#include "layer/walk.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "secret/finder.h"
#include "secret/redact.h"

#include <unistd.h>

struct config_walk {
    struct secret_scanner *scanner;
    struct arena *arena;
    struct record *record;
};

/* Build arguments stand before a command with spaces between them; rules for files of variables
 * want each in a line of its own. */
static slice one_a_line(slice text, struct arena *arena)
{
    slice copy = arena_copy(arena, text);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] == ' ')
            ((char *)(uintptr_t)copy.ptr)[i] = '\n';
    return copy;
}

/* -- where secrets stand in a text ----------------------------------------------------------------
 */

struct masking {
    slice text;
    bool *hidden; /* for each byte */
    bool any;
};

static void on_hit(void *context, const struct secret_hit *hit)
{
    struct masking *masking = context;
    for (uint64_t i = hit->start; i < hit->end && i < masking->text.len; i++)
        masking->hidden[i] = true;
    masking->any = true;
}

static struct masking masking_of(struct config_walk *walk, slice text)
{
    struct masking masking = {text, arena_array(walk->arena, text.len + 1, 1), false};
    slice place = SLICE("history:");
    secret_scan(walk->scanner, SECRET_TEXT, place, text, on_hit, &masking);
    secret_scan(walk->scanner, SECRET_TEXT, place, one_a_line(text, walk->arena), on_hit, &masking);
    return masking;
}

/* -- whose value a secret is ----------------------------------------------------------------------
 */

enum naming {
    NAMES_NOTHING,
    NAMES_WHOLE, /* the text is NAME=VALUE */
    NAMES_WORDS, /* words in it may be: "ENV NAME=VALUE", "|1 NAME=VALUE /bin/sh -c make" */
};

static bool is_name_byte(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c) || c == '_' || c == '.' || c == '-';
}

/* Whether it may be shown: what holds a secret itself is no name. */
static bool is_name(const struct masking *masking, size_t start, size_t end)
{
    if (end <= start || end - start > LIMIT_SECRET_VARIABLE_BYTES ||
        (!byte_is_alpha(masking->text.ptr[start]) && masking->text.ptr[start] != '_'))
        return false;
    for (size_t i = start; i < end; i++)
        if (!is_name_byte(masking->text.ptr[i]) || masking->hidden[i])
            return false;
    return true;
}

/* The variable whose value stands at `at`; empty where that is not easily told. */
static slice variable_at(const struct masking *masking, enum naming naming, size_t at)
{
    slice text = masking->text;
    size_t start = 0, end;
    if (naming == NAMES_WHOLE)
        at = text.len; /* a name in which the secret itself stood would be hidden */
    if (naming == NAMES_NOTHING || at > text.len)
        return SLICE_EMPTY;
    if (naming == NAMES_WORDS)
        start = at;
    while (start > 0 && !byte_is_space(text.ptr[start - 1]) && text.ptr[start - 1] != ';')
        start--;
    while (start < at && (text.ptr[start] == '"' || text.ptr[start] == '\''))
        start++;
    for (end = start; end < at && text.ptr[end] != '=';)
        end++;
    return end < at && is_name(masking, start, end)
               ? slice_first(slice_from(text, start), end - start)
               : SLICE_EMPTY;
}

/* -- looking at texts -----------------------------------------------------------------------------
 */

static bool is_known(const struct list *list, size_t from, const struct secret *secret)
{
    const struct secret *secrets = list->items;
    for (size_t i = from; i < list->count; i++)
        if (slice_equal(secrets[i].fingerprint, secret->fingerprint) &&
            slice_equal(secrets[i].variable, secret->variable))
            return true;
    return false;
}

/* As it is, and once more with each word in a line of its own; both under the same place. */
static struct error *look_at(struct config_walk *walk, slice text, slice path, uint64_t layer,
                             enum naming naming)
{
    struct list *secrets = &walk->record->secrets;
    size_t before = secrets->count;
    const slice forms[] = {text, one_a_line(text, walk->arena)}; /* bytes stay where they are */
    struct list found[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        const struct secret_finds into = {walk->arena, &found[i], &walk->record->unopened, NULL};
        TRY(secret_find_in_text(walk->scanner, forms[i], path, &into));
    }
    if (found[0].count + found[1].count == 0)
        return NULL;
    struct masking masking = masking_of(walk, text);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < found[i].count; j++) {
            struct secret secret = ((struct secret *)found[i].items)[j];
            secret.variable =
                arena_copy(walk->arena, variable_at(&masking, naming, (size_t)secret.offset));
            secret.layer = layer;
            secret.line = secret.column = 0;
            if (i == 0 || !is_known(secrets, before, &secret))
                *(struct secret *)list_add(secrets, walk->arena, sizeof(secret)) = secret;
        }
    return NULL;
}

static slice text_of(const json_t *value)
{
    return json_slice(value);
}

/* A list of words, or one string: ENV's entries each by itself, a command as one line (`joined`).
 */
static struct error *look_at_list(struct config_walk *walk, const json_t *config, const char *key,
                                  bool joined, enum naming naming)
{
    CLEANUP_BUFFER struct buffer line = {0};
    const json_t *list = json_object_get(config, key);
    slice path = arena_format(walk->arena, "config:%s", key);
    if (json_is_string(list))
        return look_at(walk, text_of(list), path, 0, NAMES_WORDS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        slice word = text_of(json_array_get(list, i));
        if (!json_is_string(json_array_get(list, i)))
            continue;
        if (!joined)
            TRY(look_at(walk, word, path, 0, naming));
        buffer_add(&line, word);
        buffer_add_byte(&line, ' ');
    }
    return joined && line.len ? look_at(walk, buffer_slice(&line), path, 0, naming) : NULL;
}

static struct error *look_at_labels(struct config_walk *walk, const json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(config, "Labels"), key, value)
    {
        if (json_is_string(value))
            TRY(look_at(walk, arena_format(walk->arena, "%s=%.*s", key, SLICE_ARG(text_of(value))),
                        SLICE("config:Labels"), 0, NAMES_NOTHING));
    }
    return NULL;
}

static struct error *look_at_history(struct config_walk *walk, const json_t *history)
{
    uint64_t layers = 0;
    for (size_t i = 0; i < json_array_size(history); i++) {
        const json_t *entry = json_array_get(history, i);
        static const char *const keys[] = {"created_by", "comment", "author"};
        bool made_layer = !json_is_true(json_object_get(entry, "empty_layer"));
        layers += made_layer;
        slice path = arena_format(walk->arena, "history:%zu", i);
        for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            const json_t *text = json_object_get(entry, keys[j]);
            if (json_is_string(text))
                TRY(look_at(walk, text_of(text), path, made_layer ? layers : 0, NAMES_WORDS));
        }
    }
    return NULL;
}

/* -- instructions without their secrets -----------------------------------------------------------
 */

static void mask(struct config_walk *walk, slice text, uint64_t layer)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct masking masking = masking_of(walk, text);
    if (!masking.any)
        return;
    for (size_t i = 0; i < text.len; i++)
        if (!masking.hidden[i])
            buffer_add_byte(&out, text.ptr[i]);
        else if (i == 0 || !masking.hidden[i - 1])
            buffer_text(&out, "…");
    struct masked_text *masked = list_add(&walk->record->masked, walk->arena, sizeof(*masked));
    *masked = (struct masked_text){layer, arena_copy(walk->arena, buffer_slice(&out))};
}

/* Of a file; 0 of a pipe. */
static uint64_t bytes_left(int fd)
{
    off_t at = lseek(fd, 0, SEEK_CUR), end = lseek(fd, 0, SEEK_END);
    return at >= 0 && end > at && lseek(fd, at, SEEK_SET) == at ? (uint64_t)(end - at) : 0;
}

struct error *walk_single_file(int fd, slice name, const struct walk_options *options,
                               struct arena *arena, struct record *record)
{
    uint64_t size = bytes_left(fd);
    CLEANUP_STREAM struct stream *stream = stream_from_pipe(fd, 0);
    struct spill spill = {.fd = options->spill};
    const struct secret_finds into = {arena, &record->secrets, &record->unopened, &spill};
    if (!options->secrets)
        return NULL;
    record->statistics.entries = record->statistics.entries_read = 1;
    struct error *error = secret_find_in_file(options->secrets, stream, size, name, &into);
    record->statistics.bytes_read = record->statistics.bytes_unpacked = stream->bytes_in;
    return error;
}

struct error *walk_config(slice text, const slice *instructions, size_t count,
                          const struct walk_options *options, struct arena *arena,
                          struct record *record)
{
    struct config_walk walk = {options->secrets, arena, record};
    CLEANUP_JSON json_t *document = NULL;
    if (!options->secrets)
        return NULL;
    TRY(json_read_secret(&document, text, "the image's config"));
    const json_t *config = json_object_get(document, "config");
    const json_t *health = json_object_get(config, "Healthcheck");
    TRY(look_at_list(&walk, config, "Env", false, NAMES_WHOLE));
    TRY(look_at_labels(&walk, config));
    TRY(look_at_list(&walk, config, "Entrypoint", true, NAMES_WORDS));
    TRY(look_at_list(&walk, config, "Cmd", true, NAMES_WORDS));
    TRY(look_at_list(&walk, config, "Shell", true, NAMES_WORDS));
    TRY(look_at_list(&walk, config, "OnBuild", false, NAMES_WORDS));
    TRY(look_at_list(&walk, health, "Test", true, NAMES_WORDS));
    TRY(look_at_history(&walk, json_object_get(document, "history")));
    for (size_t i = 0; i < count; i++)
        mask(&walk, instructions[i], i);
    return NULL;
}
