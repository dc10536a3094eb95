#include "source/history.h"

/* Builders' shells in front of a RUN's command. */
static slice without_shell(slice text)
{
    static const char *const shells[] = {"/bin/sh -c ", "/bin/bash -c ", "/bin/ash -c ",
                                         "/bin/bash -o pipefail -c "};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (slice_starts(text, slice_from_text(shells[i])))
            return slice_trim(slice_from(text, strlen(shells[i])));
    return text;
}

/* "|2 A=b C=d /bin/sh -c cmd": the legacy builder's and BuildKit's note of build arguments. */
static slice without_arguments(slice text)
{
    if (text.len == 0 || text.ptr[0] != '|')
        return text;
    static const char *const marks[] = {"/bin/sh -c ", "/bin/bash -c ", "/bin/bash -o"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *at = memmem(text.ptr, text.len, marks[i], strlen(marks[i]));
        if (at)
            return slice_from(text, (size_t)(at - text.ptr));
    }
    return text;
}

slice history_instruction(slice created_by, struct arena *arena)
{
    slice text = slice_trim(created_by);
    if (slice_ends(text, SLICE("# buildkit")))
        text = slice_trim(slice_first(text, text.len - strlen("# buildkit")));
    if (slice_starts(text, SLICE("RUN "))) {
        slice command = without_shell(without_arguments(slice_trim(slice_from(text, 4))));
        return arena_format(arena, "RUN %.*s", SLICE_ARG(command));
    }
    slice command = without_shell(without_arguments(text));
    if (command.ptr == text.ptr)
        return arena_copy(arena, text);
    if (slice_starts(command, SLICE("#(nop)")))
        return arena_copy(arena, slice_trim(slice_from(command, strlen("#(nop)"))));
    return arena_format(arena, "RUN %.*s", SLICE_ARG(command));
}

static bool is_empty_layer(const json_t *entry)
{
    return json_is_true(json_object_get(entry, "empty_layer"));
}

static size_t count_layers(const json_t *history)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(history); i++)
        count += !is_empty_layer(json_array_get(history, i));
    return count;
}

/*
 * Base images end in a CMD or ENTRYPOINT, and what is built on them goes on after it: the layers up
 * to the last such line that has layers behind it. Only a guess: a multi-stage or squashed image
 * looks alike.
 */
static void guess_base(struct image *image, const json_t *history, struct arena *arena)
{
    size_t layers = 0, guess = SIZE_MAX;
    for (size_t i = 0; i < json_array_size(history); i++) {
        const json_t *entry = json_array_get(history, i);
        slice line = history_instruction(json_get_slice(entry, "created_by", arena), arena);
        if (!is_empty_layer(entry))
            layers++;
        else if ((slice_starts(line, SLICE("CMD")) || slice_starts(line, SLICE("ENTRYPOINT"))) &&
                 layers > 0 && layers < image->layer_count)
            guess = layers;
    }
    image->guessed_base_layers = guess;
}

void history_apply(struct image *image, const json_t *history, struct arena *arena)
{
    size_t layer = 0;
    if (!json_is_array(history) || count_layers(history) != image->layer_count)
        return;
    for (size_t i = 0; i < json_array_size(history); i++) {
        const json_t *entry = json_array_get(history, i);
        if (is_empty_layer(entry))
            continue;
        slice text = json_get_slice(entry, "created_by", arena);
        if (text.len == 0)
            text = json_get_slice(entry, "comment", arena);
        image->layers[layer++].instruction = history_instruction(text, arena);
    }
    guess_base(image, history, arena);
}
