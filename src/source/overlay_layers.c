#include "source/overlay_layers.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>

static void close_folders(struct image *image)
{
    for (size_t i = 0; i < image->layer_count; i++) {
        if (image->layers[i].folder >= 0)
            close(image->layers[i].folder);
        image->layers[i].folder = -1;
    }
}

struct error *overlay_layers_open(struct image *image, const char *path, slice digest,
                                  const slice *folders, size_t count, struct arena *arena)
{
    slice text;
    TRY(file_read_whole(arena, AT_FDCWD, path, LIMIT_CONFIG_BYTES, &text));
    TRY(digest_check(text, digest, path));
    TRY(config_read(image, text, arena));
    if (image->layer_count != count)
        return error_make(ERROR_INPUT, "there are %zu folders for %zu layers", count,
                          image->layer_count);
    for (size_t i = 0; i < count; i++) {
        const char *folder = arena_text(arena, folders[count - 1 - i]);
        image->layers[i].folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (image->layers[i].folder < 0) {
            struct error *error = error_errno("cannot open %s", folder);
            close_folders(image);
            return error;
        }
    }
    image->digest = image->config_digest = digest;
    return NULL;
}
