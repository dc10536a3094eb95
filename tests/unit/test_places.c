/* Where a name is looked for: containers/storage, an engine's export, overlay folders, mirrors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "serverkit.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/progress.h"
#include "layer/walk.h"
#include "source/engine.h"
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define END "Connection: close\r\n\r\n"

static char folder[] = "/tmp/plimsoll-places-XXXXXX";

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_folders(const char *path)
{
    char whole[4096];
    snprintf(whole, sizeof(whole), "%s/%s", folder, path);
    for (char *at = whole + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        assert_true(mkdir(whole, 0700) == 0 || errno == EEXIST);
        *at = '/';
    }
}

static void write_file(const char *path, const char *text)
{
    char whole[4096];
    make_folders(path);
    snprintf(whole, sizeof(whole), "%s/%s", folder, path);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int open_handles(void)
{
    int next = dup(STDERR_FILENO);
    close(next);
    return next;
}

static void assert_says(const struct error *error, const char *part)
{
    assert_non_null(error);
    if (!strstr(error->message, part))
        fail_msg("%s", error->message);
}

/* --- containers/storage ---------------------------------------------------------------------- */

#define DIFF "sha256:0000000000000000000000000000000000000000000000000000000000000000"

/* A storage with one image, whose layers are those of `layers` from `top` on. */
static void make_storage(const char *architecture, size_t count, const char *top,
                         const char *layers)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer config = {0};
    char conf[4096];
    unsigned char name[256];
    buffer_format(&config, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[",
                  architecture);
    for (size_t i = 0; i < count; i++)
        buffer_format(&config, "%s\"" DIFF "\"", i ? "," : "");
    buffer_text(&config, "]}}");
    buffer_add_byte(&config, '\0');
    slice text = slice_make(config.bytes, config.len - 1);
    slice digest = digest_of(text, &arena);
    EVP_EncodeBlock(name, (const unsigned char *)digest.ptr, (int)digest.len);
    slice id = slice_from(digest, 7);
    write_file(arena_format(&arena, "s/overlay-images/%.*s/=%s", SLICE_ARG(id), name).ptr,
               config.bytes);
    write_file("s/overlay-images/images.json",
               arena_format(&arena,
                            "[{\"id\":\"%.*s\",\"names\":[\"localhost/app:1\",7],"
                            "\"layer\":\"%s\"}]",
                            SLICE_ARG(id), top)
                   .ptr);
    write_file("s/overlay-layers/layers.json", layers);
    snprintf(conf, sizeof(conf), "[storage]\n graphroot = \"%s/s\"\n", folder);
    write_file("storage.conf", conf);
    snprintf(conf, sizeof(conf), "%s/storage.conf", folder);
    setenv("CONTAINERS_STORAGE_CONF", conf, 1);
    snprintf(conf, sizeof(conf), "unix://%s/no.sock", folder);
    setenv("CONTAINER_HOST", conf, 1);
}

static struct error *open_podman(const char *platform, struct arena *arena, struct image **image)
{
    struct source_options options = {.platform = slice_from_text(platform)};
    bool absent;
    *image = image_new(arena, "app:1");
    struct error *error = podman_open(*image, SLICE("app:1"), &options, arena, &absent);
    if (error)
        image_close(*image);
    return error;
}

static void test_storage(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct image *image;
    int handles = open_handles();
    make_storage("amd64", 2, "b", "[{\"id\":\"a\"},{\"id\":\"b\",\"parent\":\"a\"}]");
    make_folders("s/overlay/a/diff/");
    make_folders("s/overlay/b/diff/");
    CLEANUP_ERROR struct error *error = open_podman("", &arena, &image);
    assert_null(error);
    assert_int_equal(image->layer_count, 2);
    image_close(image);
    assert_int_equal(open_handles(), handles);
    /* what was opened before it showed that it is another's is closed again */
    CLEANUP_ERROR struct error *other = open_podman("linux/s390x", &arena, &image);
    assert_says(other, "not for linux/s390x");
    assert_int_equal(open_handles(), handles);
}

/* A layer's id is a name in the storage's folder, not a way out of it. */
static void test_storage_ids(void **state)
{
    (void)state;
    static const char *const layers[] = {"..",   ".",   "../..",    "a/../../x",
                                         "/etc", "a b", "a\\u0000", "a.b"};
    make_folders("s/diff/");
    make_folders("s/overlay/a.b/diff/");
    make_folders("diff/");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct image *image;
        char list[256];
        snprintf(list, sizeof(list), "[{\"id\":\"%s\"}]", layers[i]);
        make_storage("amd64", 1, layers[i], list);
        CLEANUP_ERROR struct error *error = open_podman("", &arena, &image);
        assert_says(error, "is not in its storage");
    }
}

static void test_storage_chains(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "[]",
        "[{\"id\":\"b\",\"parent\":\"b\"}]",
        "[{\"id\":\"b\",\"parent\":\"c\"}]",
        "[1,null,[],{\"id\":7}]",
        "[{\"id\":\"b\",\"parent\":\"a\"},{\"id\":\"a\",\"parent\":\"b\"}]",
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct image *image;
        make_storage("amd64", 1, "b", lists[i]);
        CLEANUP_ERROR struct error *error = open_podman("", &arena, &image);
        assert_says(error, "is not in its storage");
    }
}

/* --- an engine's export ---------------------------------------------------------------------- */

struct memory {
    struct arena arena;
    slice key;
};

static bool get(void *context, slice key, struct arena *arena, slice *bytes)
{
    struct memory *memory = context;
    (void)arena;
    (void)bytes;
    memory->key = arena_copy(&memory->arena, key);
    return false;
}

static void put(void *context, slice key, slice bytes)
{
    (void)context;
    (void)key;
    (void)bytes;
}

/* What one engine says an id has is not taken for what another has under it. */
static void test_export_keys(void **state)
{
    (void)state;
    struct memory memories[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct server server;
        struct engine engine;
        struct source_memory memory = {get, put, &memories[i]};
        struct source_options options = {.memory = &memory};
        struct image *image = image_new(&arena, "app");
        server_start(&server);
        server_add_long(&server, "HTTP/1.1 200 OK\r\n" END, "no tar", 1000);
        slice address = arena_format(&arena, "tcp://%s", server.base + strlen("http://"));
        CLEANUP_ERROR struct error *error =
            engine_address(&engine, "Docker", address, NULL, &options, &arena);
        assert_null(error);
        error =
            engine_export(&engine, image, SLICE("app"), slice_from_text(DIFF), &options, &arena);
        assert_non_null(error);
        image_close(image);
        server_stop(&server);
    }
    assert_true(memories[0].key.len && memories[1].key.len);
    assert_false(slice_equal(memories[0].key, memories[1].key));
    arena_free(&memories[0].arena);
    arena_free(&memories[1].arena);
}

/* --- overlay folders ------------------------------------------------------------------------- */

/* How many lower files the layer hides, with that attribute on its one folder. */
static size_t whiteouts_with(const char *attribute, const char *value)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct record record = {0};
    struct walk_options options = {.spill = -1};
    char path[4096];
    make_folders("layer/etc/");
    snprintf(path, sizeof(path), "%s/layer/etc", folder);
    if (setxattr(path, attribute, value, strlen(value), 0) < 0)
        return SIZE_MAX; /* not to be had here */
    snprintf(path, sizeof(path), "%s/layer", folder);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_ERROR struct error *error = walk_overlay(fd, &options, &arena, &record);
    assert_null(error);
    snprintf(path, sizeof(path), "%s/layer/etc", folder);
    assert_return_code(removexattr(path, attribute), errno);
    return record.whiteouts.count;
}

static void assert_hides(const char *attribute, const char *value, size_t count)
{
    size_t found = whiteouts_with(attribute, value);
    if (found != count && found != SIZE_MAX)
        fail_msg("%s=%s hides %zu", attribute, value, found);
}

/* An image's tar can carry attributes of "user.", which overlayfs passes over for root. */
static void test_opaque(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    assert_hides("user.overlay.opaque", "y", root ? 0 : 1);
    assert_hides("trusted.overlay.opaque", "y", 1);
    assert_hides("trusted.overlay.opaque", "x", 0);
    assert_hides("user.overlay.opaque", "x", 0);
}

/* --- mirrors --------------------------------------------------------------------------------- */

/* The user and password in a mirror's address are for it alone. */
static void test_mirror_with_password(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct server mirror;
    char said[8192] = "";
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    bool absent;
    assert_non_null(file);
    server_start(&mirror);
    server_add(&mirror, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n" END);
    const char *mirrors =
        arena_format(&arena, "127.0.0.1:1=http://user:s3cret@%s/", mirror.base + strlen("http://"))
            .ptr;
    struct source_options options = {.mirrors = mirrors,
                                     .http.deadline_ms = clock_milliseconds() + 600000};
    struct image *image = image_new(&arena, "x");
    progress_setup(false, true);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    CLEANUP_ERROR struct error *error =
        registry_open(image, SLICE("127.0.0.1:1/app:1"), &options, &arena, &absent);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    size_t length = fread(said, 1, sizeof(said) - 1, file);
    fclose(file);
    assert_non_null(error);
    assert_true(length > 0);
    if (!strstr(said, "is passed over") || strstr(said, "s3cret") ||
        strstr(error->message, "s3cret"))
        fail_msg("%s%s", said, error->message);
    assert_non_null(strstr(server_request(&mirror, 0), "GET /v2/app/manifests/1 "));
    image_close(image);
    server_stop(&mirror);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_storage),        IN_FOLDER(test_storage_ids),
        IN_FOLDER(test_storage_chains), IN_FOLDER(test_export_keys),
        IN_FOLDER(test_opaque),         IN_FOLDER(test_mirror_with_password),
    };
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
