/*
 * What .dockerignore leaves out, for the tests that compare with moby's patternmatcher
 * (tests/tools/patternmatcher, which takes and gives the same). Each line of stdin is a file and
 * paths, in hexadecimal with a space between them. For each there is a line of stdout: "refused",
 * or for each path "1" where it is left out, "0" where not and "!" where that is an error, and the
 * same once more as older clients go through folders.
 */
#include "policy/dockerignore.h"

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static slice from_hex(slice hex, struct arena *arena)
{
    char *bytes = arena_alloc(arena, hex.len / 2 + 1);
    for (size_t i = 0; i < hex.len / 2; i++)
        bytes[i] = (char)(digit(hex.ptr[2 * i]) << 4 | digit(hex.ptr[2 * i + 1]));
    return slice_make(bytes, hex.len / 2);
}

static void print_answer(struct error *error, bool out)
{
    putchar(error ? '!' : '0' + out);
    error_free(error);
}

static void answer(slice line)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct dockerignore ignore;
    slice field;
    if (!slice_pull(&line, ' ', &field))
        return;
    CLEANUP_ERROR struct error *error =
        dockerignore_read(&ignore, ".dockerignore", from_hex(field, &arena), &arena);
    while (!error && slice_pull(&line, ' ', &field)) {
        slice path = from_hex(field, &arena);
        bool out = false;
        struct error *failure = dockerignore_leaves_out(&ignore, path, &out);
        print_answer(failure, out);
        failure = dockerignore_leaves_out_stepwise(&ignore, path, &out);
        print_answer(failure, out);
    }
    puts(error ? "refused" : "");
}

int main(void)
{
    CLEANUP_FREE char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0)
        answer(slice_make(line, (size_t)length - (line[length - 1] == '\n')));
    return 0;
}
