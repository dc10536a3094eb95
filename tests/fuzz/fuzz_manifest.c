/*
 * docker-archive and OCI layout, opened from a tar in memory.
 *
 * Input: the members with a NUL byte between them: manifest.json, index.json, and the blobs that
 * are named a…a, b…b and so on; an empty one is left out. The first byte chooses the options.
 */
#undef NDEBUG
#include "base/buffer.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/source.h"
#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, BLOBS = 6 };

static void add_member(struct buffer *tar, const char *name, slice content)
{
    char block[BLOCK] = {0};
    unsigned sum = 0;
    snprintf(block, 100, "%s", name);
    snprintf(block + 100, 8, "%07o", 0644);
    snprintf(block + 124, 12, "%011zo", content.len);
    memset(block + 148, ' ', 8);
    block[156] = '0';
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 7, "%06o", sum);
    buffer_add(tar, slice_make(block, BLOCK));
    buffer_add(tar, content);
    static const char zeros[BLOCK];
    buffer_add(tar, slice_make(zeros, (BLOCK - content.len % BLOCK) % BLOCK));
}

static void make_tar(slice input, struct buffer *tar)
{
    static const char zeros[2 * BLOCK];
    slice part;
    add_member(tar, "oci-layout", SLICE("{\"imageLayoutVersion\":\"1.0.0\"}"));
    for (int i = -2; i < BLOBS && slice_pull(&input, '\0', &part); i++) {
        char name[100];
        if (i == -2)
            snprintf(name, sizeof(name), "manifest.json");
        else if (i == -1)
            snprintf(name, sizeof(name), "index.json");
        else
            snprintf(name, sizeof(name), "blobs/sha256/%064d", 0);
        if (i >= 0)
            memset(name + strlen("blobs/sha256/"), 'a' + i, 64);
        if (part.len)
            add_member(tar, name, part);
    }
    buffer_add(tar, slice_make(zeros, sizeof(zeros)));
}

/* One file for all inputs, by its path under /proc. */
static const char *put_into_memory(slice bytes)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0)
        fd = memfd_create("fuzz", 0);
    assert(fd >= 0 && ftruncate(fd, 0) == 0);
    assert(pwrite(fd, bytes.ptr, bytes.len, 0) == (ssize_t)bytes.len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

/* Of an image that opens every layer has a diff ID, and its bytes or a word why not. */
static void check_image(const struct image *image, const struct source_options *options)
{
    assert(image->layer_count <= LIMIT_LAYERS);
    assert(image->digest.len == 0 || digest_valid(image->digest));
    assert(!options->platform.len || platform_matches(options->platform, image->platform));
    assert(image->guessed_base_layers == SIZE_MAX ||
           image->guessed_base_layers < image->layer_count);
    for (size_t i = 0; i < image->layer_count; i++) {
        const struct image_layer *layer = &image->layers[i];
        assert(layer->index == i && digest_valid(layer->diff_id));
        assert(layer->member ? layer->member->size == layer->size : layer->problem.len > 0);
        assert(layer->digest.len == 0 || digest_valid(layer->digest));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer tar = {0};
    struct image *image;
    slice input = slice_make(data, size);
    unsigned choice = size ? data[0] : 0;
    struct source_options options = {
        .platform = choice & 1 ? SLICE("linux/arm64") : SLICE_EMPTY,
        .select = choice & 2 ? SLICE("app:1") : SLICE_EMPTY,
        .verify = choice & 4,
    };
    make_tar(slice_from(input, 1), &tar);
    CLEANUP_ERROR struct error *error =
        source_open(&image, &arena, put_into_memory(buffer_slice(&tar)), &options);
    if (error) {
        assert(error->message[0] && error->kind != ERROR_USAGE);
        return 0;
    }
    check_image(image, &options);
    image_close(image);
    return 0;
}
