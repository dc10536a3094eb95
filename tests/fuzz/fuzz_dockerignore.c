/* .dockerignore: the path of a file up to the first NUL, then the text. Whatever the text says, the
 * line that is offered for the file leaves it out when it stands at the end. */
#undef NDEBUG
#include "archive/entry.h"
#include "policy/dockerignore.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_left_out(slice text, slice path, bool *both)
{
    struct dockerignore ignore;
    bool out = false, stepwise = false;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_ERROR struct error *error = dockerignore_read(&ignore, "x", text, &arena);
    if (!error)
        error = dockerignore_leaves_out(&ignore, path, &out);
    if (!error)
        error = dockerignore_leaves_out_stepwise(&ignore, path, &stepwise);
    if (error)
        assert(error->message[0] == 'x' && error->kind != ERROR_USAGE);
    *both = out && stepwise;
    return !error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer text = {0};
    slice given, before, path;
    bool out;
    if (!slice_split(slice_make(data, size), '\0', &given, &before) ||
        !path_normalize(&arena, given, &path) || path.len == 0)
        return 0;
    if (!is_left_out(before, path, &out))
        return 0;
    buffer_add(&text, before);
    buffer_add_byte(&text, '\n');
    bool has_line = dockerignore_add_line(&text, path);
    assert(has_line == (slice_find(path, '\n') == SIZE_MAX));
    if (has_line && is_left_out(buffer_slice(&text), path, &out))
        assert(out);
    return 0;
}
