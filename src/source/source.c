#include "source/source.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* The first that recognises a bundle opens it. Docker's archives since 25 are OCI layouts too, and
 * their manifest.json names the images that were saved: it goes first. */
static const struct source_kind *const kinds[] = {
    &source_docker_archive,
    &source_oci_layout,
};

struct error *source_open_bundle(struct image *image, const struct source_options *options,
                                 struct arena *arena)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool is;
        TRY(kinds[i]->recognise(image->bundle, &is));
        if (is)
            return kinds[i]->open(image, image->bundle, options, arena);
    }
    return error_make(ERROR_INPUT,
                      "there is no image in it: neither manifest.json (docker save) nor index.json "
                      "(OCI layout). For a folder or unpacked tar of a root file system use "
                      "`plimsoll rootfs DIR`");
}

struct image *image_new(struct arena *arena, const char *name)
{
    struct image *image = ARENA_NEW(arena, struct image);
    image->name = arena_copy(arena, slice_from_text(name));
    image->guessed_base_layers = SIZE_MAX;
    image->root_folder = -1;
    return image;
}

struct error *source_open(struct image **image, struct arena *arena, const char *path,
                          const struct source_options *options)
{
    *image = image_new(arena, path);
    if (options->select.len)
        (*image)->name = arena_copy(arena, options->select);
    struct bundle_options bundle = {.visitor = options->stream, .memory = options->memory};
    struct error *error = bundle_open(&(*image)->bundle, arena, path, &bundle);
    if (!error)
        error = error_wrap(source_open_bundle(*image, options, arena), "%s", path);
    if (error)
        image_close(*image);
    return error;
}

static void set_root(struct image *image, struct arena *arena, int fd, enum root_kind kind)
{
    image->root_folder = fd;
    image->root_kind = kind;
    image->layer_count = 1;
    image->layers = ARENA_NEW(arena, struct image_layer);
    image->layers[0].folder = -1;
}

struct error *source_open_folder(struct image **image, struct arena *arena, const char *path)
{
    *image = image_new(arena, path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR
                   ? error_make(ERROR_INPUT,
                                "%s is not a folder; for an image in a file use `plimsoll image "
                                "--input FILE`",
                                path)
                   : error_errno("cannot open the folder %s", path);
    set_root(*image, arena, fd, ROOT_FILE_SYSTEM);
    return NULL;
}

struct error *source_open_plain(struct image **image, struct arena *arena, const char *path)
{
    struct stat info;
    bool is_stdin = strcmp(path, "-") == 0;
    *image = image_new(arena, is_stdin ? "stdin" : path);
    int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0)
        return error_errno("cannot open %s", path);
    set_root(*image, arena, fd, S_ISDIR(info.st_mode) ? ROOT_FOLDER : ROOT_FILE);
    return NULL;
}

void image_close(struct image *image)
{
    bundle_close(image->bundle);
    for (size_t i = 0; i < image->layer_count; i++)
        if (image->layers[i].folder >= 0 && image->layers[i].folder != image->root_folder)
            close(image->layers[i].folder);
    if (image->root_folder >= 0)
        close(image->root_folder);
    image->root_folder = -1;
}

struct error *source_mark_base(struct image *image, const struct image *base)
{
    for (size_t i = 0; i < base->layer_count; i++)
        if (i >= image->layer_count ||
            !slice_equal(image->layers[i].diff_id, base->layers[i].diff_id))
            return error_make(ERROR_INPUT,
                              "%.*s is not built on %.*s: their layer %zu is not the same",
                              SLICE_ARG(image->name), SLICE_ARG(base->name), i);
    for (size_t i = 0; i < image->layer_count; i++)
        image->layers[i].base = i < base->layer_count ? BASE_YES : BASE_NO;
    return NULL;
}

/* Go's names of architectures, which images use, for what uname says. */
slice platform_of_host(void)
{
    static const struct {
        const char *machine, *platform;
    } machines[] = {
        {"x86_64", "linux/amd64"},    {"aarch64", "linux/arm64"},   {"armv7l", "linux/arm/v7"},
        {"i686", "linux/386"},        {"ppc64le", "linux/ppc64le"}, {"s390x", "linux/s390x"},
        {"riscv64", "linux/riscv64"},
    };
    struct utsname name;
    if (uname(&name) == 0)
        for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
            if (strcmp(name.machine, machines[i].machine) == 0)
                return slice_from_text(machines[i].platform);
    return SLICE("linux/amd64");
}

bool platform_matches(slice wanted, slice platform)
{
    slice part[2][3] = {{SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY},
                        {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY}};
    slice rest[2] = {wanted, platform};
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < 3; i++)
            if (!slice_pull(&rest[side], '/', &part[side][i]))
                break;
        if (slice_equal(part[side][1], SLICE("arm64")) && slice_equal(part[side][2], SLICE("v8")))
            part[side][2] = SLICE_EMPTY;
    }
    return slice_equal(part[0][0], part[1][0]) && slice_equal(part[0][1], part[1][1]) &&
           (part[0][2].len == 0 || slice_equal(part[0][2], part[1][2]));
}

void source_note_tags(struct image *image, const json_t *names, struct arena *arena)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        if (json_is_string(name))
            *(slice *)list_add(&image->tags, arena, sizeof(slice)) =
                arena_copy(arena, json_slice(name));
    }
}

struct error *source_check_socket(const char *path)
{
    if (access(path, R_OK | W_OK) == 0)
        return NULL;
    if (errno == ENOENT || errno == ENOTDIR)
        return error_make(ERROR_INPUT, "there is no socket %s", path);
    return error_errno("the socket %s cannot be used", path);
}

struct error *source_require(struct bundle *bundle, slice path, const char *what,
                             const struct bundle_member **member)
{
    TRY(bundle_find(bundle, path, member));
    if (*member)
        return NULL;
    return error_make(ERROR_INPUT,
                      "%s is not there: %.*s is missing. It was left out or cut away on its way; "
                      "save the image again",
                      what, SLICE_ARG(path));
}

/* Without what Docker would fill in by itself in front, and without a tag that is the default. */
static slice short_name(slice name)
{
    static const char *const prefixes[] = {"index.docker.io/", "docker.io/", "library/",
                                           "localhost/"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (slice_starts(name, slice_from_text(prefixes[i])))
            name = slice_from(name, strlen(prefixes[i]));
    if (slice_ends(name, SLICE(":latest")))
        name = slice_first(name, name.len - strlen(":latest"));
    return name;
}

bool source_name_matches(slice wanted, slice name)
{
    return name.len &&
           (slice_equal(wanted, name) || slice_equal(short_name(wanted), short_name(name)));
}

struct error *source_find_layer(struct bundle *bundle, slice path, struct arena *arena,
                                struct image_layer *layer)
{
    TRY(bundle_find(bundle, path, &layer->member));
    if (layer->member)
        layer->size = layer->member->size;
    else
        layer->problem =
            arena_format(arena,
                         "%.*s is missing: it was left out or cut away on its way; save "
                         "the image again",
                         SLICE_ARG(path));
    return NULL;
}

slice blob_path(struct arena *arena, slice digest)
{
    slice algorithm = SLICE_EMPTY, hex = SLICE_EMPTY;
    slice_split(digest, ':', &algorithm, &hex);
    return arena_format(arena, "blobs/%.*s/%.*s", SLICE_ARG(algorithm), SLICE_ARG(hex));
}
