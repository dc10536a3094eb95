/*
 * Looks through files for secrets and says of each what was found and what could not be opened,
 * which a report only counts.
 *
 *     secret_look DATABASE [SPILL] < PATHS
 *
 * DATABASE is the built secrets.hs; SPILL a file that archives may be kept in. Lines "found PATH",
 * "unopened PATH<tab>WHY" and "error PATH<tab>MESSAGE" are written; of each file at least "looked
 * PATH" in front of them.
 */
#include "base/file.h"
#include "base/limits.h"
#include "secret/finder.h"
#include "secret/rule_set.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static void look(struct secret_scanner *scanner, slice path, struct spill *spill)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct list found = {0}, unopened = {0};
    const struct secret_finds into = {&arena, &found, &unopened, spill};
    struct stat about;
    CLEANUP_CLOSE int fd = open(arena_text(&arena, path), O_RDONLY | O_CLOEXEC);
    printf("looked %.*s\n", SLICE_ARG(path));
    if (fd < 0 || fstat(fd, &about) < 0)
        return;
    CLEANUP_STREAM struct stream *stream = stream_from_range(fd, 0, (uint64_t)about.st_size);
    CLEANUP_ERROR struct error *error =
        secret_find_in_file(scanner, stream, (uint64_t)about.st_size, path, &into);
    const struct secret *secrets = found.items;
    for (size_t i = 0; i < found.count; i++)
        printf("found %.*s\n", SLICE_ARG(secrets[i].path));
    const struct unopened *closed = unopened.items;
    for (size_t i = 0; i < unopened.count; i++)
        printf("unopened %.*s\t%.*s\n", SLICE_ARG(closed[i].path), SLICE_ARG(closed[i].why));
    if (error)
        printf("error %.*s\t%s\n", SLICE_ARG(path), error->message);
    if (spill->used)
        printf("error %.*s\tthe spill file is still in use\n", SLICE_ARG(path));
}

int main(int count_of, char **arguments)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct secret_memory memory = {0};
    struct secret_rules set;
    struct spill spill = {.fd = -1};
    char line[LIMIT_PATH_BYTES];
    if (count_of < 2)
        return 2;
    if (count_of > 2)
        spill.fd = open(arguments[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLEANUP_ERROR struct error *error =
        file_read_whole(&arena, AT_FDCWD, arguments[1], LIMIT_GIB, &memory.built);
    secret_rules_list(&set, NULL, &arena);
    if (!error)
        error = secret_rules_open(&set, &arena, &memory);
    if (error) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin))
        look(set.scanner, slice_trim(slice_from_text(line)), &spill);
    secret_rules_close(&set);
    return 0;
}
