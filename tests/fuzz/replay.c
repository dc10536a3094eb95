/*
 * Runs a fuzz target over files, without a fuzzer: the files given, and all in the folders given.
 * None at all is a failure, so that a corpus that is not found does not pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static void fail(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

static void replay_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) < 0)
        fail(path);
    /* Of its very size, so that a sanitizer sees what is read behind it. */
    uint8_t *data = malloc((size_t)info.st_size);
    if (!data || fread(data, 1, (size_t)info.st_size, file) != (size_t)info.st_size)
        fail(path);
    fclose(file);
    if (LLVMFuzzerTestOneInput(data, (size_t)info.st_size) != 0)
        fail(path);
    free(data);
    replayed++;
}

static void replay_folder(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        fail(path);
    for (int i = 0; i < count; i++) {
        char *below = NULL;
        if (names[i]->d_name[0] != '.') {
            if (asprintf(&below, "%s/%s", path, names[i]->d_name) < 0)
                fail(path);
            replay_file(below);
        }
        free(below);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    struct stat info;
    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &info) < 0)
            fail(argv[i]);
        if (S_ISDIR(info.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%zu inputs\n", replayed);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
