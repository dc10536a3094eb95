#include "source/history.h"

/*
 * A RUN's command behind the shell that runs it: "/bin/sh -c CMD", "/bin/bash -eo pipefail -c CMD".
 * Empty when no shell stands in front.
 */
static slice behind_shell(slice text)
{
    slice rest = text, word;
    if (!slice_starts(text, SLICE("/")) || !slice_pull(&rest, ' ', &word) ||
        !slice_ends(word, SLICE("sh")))
        return SLICE_EMPTY;
    for (int options = 0; options < 8 && slice_pull(&rest, ' ', &word); options++)
        if (slice_starts(word, SLICE("-")) && slice_ends(word, SLICE("c")))
            return slice_trim(rest);
    return SLICE_EMPTY;
}

/*
 * "|2 A=b C=d /bin/sh -c CMD": the builders' note of build arguments, whose values are nobody's
 * business. They can hold spaces, so the shell's path behind N of them is looked for.
 */
static slice without_arguments(slice text)
{
    slice rest = text, word;
    uint64_t count;
    if (!slice_starts(text, SLICE("|")) || !slice_pull(&rest, ' ', &word) ||
        !slice_to_u64(slice_from(word, 1), &count))
        return text;
    for (uint64_t skipped = 0; rest.len; skipped++) {
        if (skipped >= count && behind_shell(rest).len)
            return rest;
        if (!slice_pull(&rest, ' ', &word))
            break;
    }
    return SLICE("(a command with build arguments)");
}

slice history_instruction(slice created_by, struct arena *arena)
{
    slice text = slice_trim(created_by);
    if (slice_ends(text, SLICE("# buildkit")))
        text = slice_trim(slice_first(text, text.len - strlen("# buildkit")));
    bool run = slice_starts(text, SLICE("RUN "));
    if (run)
        text = slice_trim(slice_from(text, 4));
    slice plain = without_arguments(text);
    slice command = behind_shell(plain);
    if (slice_starts(command, SLICE("#(nop)")))
        return arena_copy(arena, slice_trim(slice_from(command, strlen("#(nop)"))));
    if (command.len == 0)
        command = plain;
    else
        run = true;
    return run ? arena_format(arena, "RUN %.*s", SLICE_ARG(command)) : arena_copy(arena, command);
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
