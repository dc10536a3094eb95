/* An image's config, and the instructions of its history. */
#undef NDEBUG
#include "base/digest.h"
#include "base/limits.h"
#include "source/history.h"
#include "source/sources.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_image(const struct image *image)
{
    size_t layers = image->layer_count;
    assert(layers <= LIMIT_LAYERS);
    for (size_t i = 0; i < layers; i++)
        assert(image->layers[i].index == i && digest_valid(image->layers[i].diff_id));
    size_t guess = image->guessed_base_layers;
    assert(guess == SIZE_MAX || (guess > 0 && guess < layers));
}

/* The line is a part of what it was made of, behind "RUN " or not; or says that it is left out. */
static void check_instruction(slice text, struct arena *arena)
{
    slice line = history_instruction(text, arena);
    slice part = slice_starts(line, SLICE("RUN ")) ? slice_from(line, 4) : line;
    assert(slice_contains(text, line) || slice_contains(text, part) ||
           slice_equal(part, SLICE("(a command with build arguments)")));
    assert(slice_equal(slice_trim(line), line) || slice_find(text, '\0') != SIZE_MAX ||
           slice_equal(line, SLICE("RUN ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice input = slice_make(data, size);
    struct image image = {.guessed_base_layers = SIZE_MAX};
    check_instruction(input, &arena);
    CLEANUP_ERROR struct error *error = config_read(&image, input, &arena);
    if (error)
        assert(error->message[0] && error->kind != ERROR_USAGE);
    else
        check_image(&image);
    return 0;
}
