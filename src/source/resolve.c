/* From what stands on the command line to an image: source_open_name of source/source.h. */
#include "base/buffer.h"
#include "source/places.h"
#include "source/sources.h"

#include <errno.h>
#include <sys/stat.h>

/* The places, in the order in which a name is looked for. */
static const struct place {
    const char *name;
    const char *other_names[3]; /* as other tools call it */
    place_open *open;
} places[] = {
    {"docker", {"docker-daemon"}, docker_open},
    {"podman", {"containers-storage"}, podman_open},
    {"containerd", {NULL}, containerd_open},
    {"registry", {"remote", "docker-registry"}, registry_open},
};
enum { PLACE_COUNT = sizeof(places) / sizeof(places[0]) };

/* What says that a file or folder follows. */
static const char *const file_words[] = {"docker-archive:", "oci-archive:", "oci-dir:", "oci:"};

const char *source_without_word(const char *text)
{
    for (size_t i = 0; i < sizeof(file_words) / sizeof(file_words[0]); i++)
        if (slice_starts(slice_from_text(text), slice_from_text(file_words[i])) &&
            access(text, F_OK) < 0)
            return text + strlen(file_words[i]);
    return text;
}

static const struct place *place_named(slice name)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (slice_equal(name, slice_from_text(places[i].name)))
            return &places[i];
        for (size_t j = 0; j < 3 && places[i].other_names[j]; j++)
            if (slice_equal(name, slice_from_text(places[i].other_names[j])))
                return &places[i];
    }
    return NULL;
}

/* What can only have been meant as a path, though nothing is there. */
static bool looks_like_path(slice name)
{
    static const char *const endings[] = {".tar", ".tar.gz", ".tgz", ".tar.zst", ".gz", ".zst"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (slice_ends(name, slice_from_text(endings[i])))
            return true;
    return slice_starts(name, SLICE("/")) || slice_starts(name, SLICE("./")) ||
           slice_starts(name, SLICE("../"));
}

static struct error *open_file(struct image **image, struct arena *arena, const char *path,
                               const struct source_options *options)
{
    if (access(path, F_OK) < 0)
        return error_make(ERROR_INPUT, "there is no file or folder %s", path);
    return source_open(image, arena, path, options);
}

static struct error *open_place(struct image **image, struct arena *arena,
                                const struct place *place, slice name,
                                const struct source_options *options, bool *absent)
{
    *image = image_new(arena, arena_text(arena, name));
    struct error *error = place->open(*image, name, options, arena, absent);
    if (error)
        image_close(*image);
    return error;
}

/* The next place of "docker,podman,…"; an error when there is none of that name. */
static struct error *next_place(slice *order, const struct place **place)
{
    slice name;
    *place = NULL;
    while (slice_pull(order, ',', &name)) {
        name = slice_trim(name);
        if (name.len == 0)
            continue;
        *place = place_named(name);
        if (!*place)
            return error_make(ERROR_USAGE,
                              "--image-src: there is no place \"%.*s\"; there is docker, podman, "
                              "containerd, registry",
                              SLICE_ARG(name));
        return NULL;
    }
    return NULL;
}

static struct error *search(struct image **image, struct arena *arena, slice name,
                            const struct source_options *options)
{
    CLEANUP_BUFFER struct buffer answers = {0};
    slice order = options->order ? slice_from_text(options->order)
                                 : SLICE("docker,podman,containerd,registry");
    for (;;) {
        const struct place *place;
        bool absent;
        TRY(next_place(&order, &place));
        if (!place)
            break;
        struct error *error = open_place(image, arena, place, name, options, &absent);
        if (!error)
            return NULL;
        buffer_format(&answers, "%s%s: %s", answers.len ? "; " : "", place->name, error->message);
        error_free(error);
        /* There, but not to be read: another image of that name elsewhere is not what was meant. */
        if (!absent)
            break;
    }
    return error_make(ERROR_INPUT, "cannot get \"%.*s\". %.*s", SLICE_ARG(name),
                      SLICE_ARG(buffer_slice(&answers)));
}

/* docker://…, as skopeo writes it */
static const char *without_slashes(const char *text)
{
    return slice_starts(slice_from_text(text), SLICE("//")) ? text + strlen("//") : text;
}

/* Words of Syft and Grype for what plimsoll does not read. */
static struct error *check_word(slice word)
{
    static const struct {
        const char *word, *instead;
    } words[] = {
        {"singularity", "convert it: `skopeo` and `apptainer` write OCI archives"},
        {"file", "`plimsoll secret FILE` looks for secrets in one file"},
        {"purl", "name an image, a file or a folder"},
        {"pkg", "name an image, a file or a folder"},
        {"cpes", "name an image, a file or a folder"},
        {"cpe", "name an image, a file or a folder"},
        {"zarf", "unpack it, and name the images in it"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_equal(word, slice_from_text(words[i].word)))
            return error_make(ERROR_USAGE, "\"%s:\" is nothing that plimsoll scans; %s",
                              words[i].word, words[i].instead);
    return NULL;
}

struct error *source_open_name(struct image **image, struct arena *arena, const char *text,
                               const struct source_options *options)
{
    slice name = slice_from_text(text), word, rest;
    const char *path = source_without_word(text);
    bool absent;
    if (access(text, F_OK) == 0)
        return source_open(image, arena, text, options);
    if (path != text)
        return open_file(image, arena, without_slashes(path), options);
    if (slice_split(name, ':', &word, &rest)) {
        const struct place *place = place_named(word);
        const char *named = without_slashes(rest.ptr); /* ends where the text does */
        TRY(check_word(word));
        if (slice_equal(word, SLICE("dir")))
            return source_open_folder(image, arena, named);
        if (place)
            return error_wrap(
                open_place(image, arena, place, slice_from_text(named), options, &absent), "%s",
                place->name);
    }
    if (looks_like_path(name))
        return open_file(image, arena, text, options);
    return search(image, arena, name, options);
}
