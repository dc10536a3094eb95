/* Images: config, history, platforms, paths, and archives as they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tarkit.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/history.h"
#include "source/sources.h"

#include <sys/mman.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- history --------------------------------------------------------------------------------- */

static void test_instructions(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        /* the legacy builder */
        {"/bin/sh -c #(nop) ADD file:abc in / ", "ADD file:abc in /"},
        {"/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"},
        {"/bin/sh -c #(nop)CMD", "CMD"},
        {"/bin/sh -c apt-get update", "RUN apt-get update"},
        {"/bin/bash -c make", "RUN make"},
        {"/bin/bash -o pipefail -c a | b", "RUN a | b"},
        {"|1 A=b /bin/sh -c make A", "RUN make A"},
        {"|2 A=b C=d e /bin/sh -c make", "RUN make"},
        {"|0 /bin/sh -c make", "RUN make"},
        /* BuildKit */
        {"RUN /bin/sh -c make # buildkit", "RUN make"},
        {"RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"},
        {"RUN |1 A=b /bin/bash -o pipefail -c make # buildkit", "RUN make"},
        {"RUN make # buildkit", "RUN make"},
        {"COPY a b # buildkit", "COPY a b"},
        {"ENV A=b", "ENV A=b"},
        {"CMD [\"sh\"]", "CMD [\"sh\"]"},
        {"RUN /bin/sh -c echo '# buildkit' > x # buildkit", "RUN echo '# buildkit' > x"},
        /* others: as they are */
        {"bazel build ...", "bazel build ..."},
        {"debuerreotype 0.15", "debuerreotype 0.15"},
        {"  apko  ", "apko"},
        {"|no shell at all", "|no shell at all"},
        {"cmd /S /C dir", "cmd /S /C dir"},
        {"/bin/sh", "/bin/sh"},
        {"/bin/shx -c a", "/bin/shx -c a"},
        {"RUNNING", "RUNNING"},
        {"", ""},
        {" ", ""},
        {"# buildkit", ""},
        {"|", "|"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice found = history_instruction(slice_from_text(rows[i][0]), &arena);
        if (!slice_equal(found, slice_from_text(rows[i][1])))
            fail_msg("\"%s\" became \"%.*s\"", rows[i][0], SLICE_ARG(found));
    }
}

/* --- config ---------------------------------------------------------------------------------- */

#define HEX64(digit)                                                                               \
    digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit      \
        digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit  \
            digit digit digit digit digit digit digit digit digit digit digit digit digit digit    \
                digit digit digit digit digit digit digit digit digit digit digit digit digit      \
                    digit digit digit digit digit digit digit
#define ID(digit) "\"sha256:" HEX64(digit) "\""
#define FROM(text) "{\"created_by\":\"" text "\"}"
#define EMPTY(text) "{\"created_by\":\"" text "\",\"empty_layer\":true}"

static const struct {
    const char *ids, *history; /* NULL: there is none */
    const char *instructions;  /* one behind the other in brackets */
    int base;                  /* layers that are guessed to be the base's; -1: no guess */
} configs[] = {
    {"", "[]", "", -1},
    {ID("1"), NULL, "[]", -1},
    {ID("1"), "null", "[]", -1},
    {ID("1"), "{}", "[]", -1},
    {ID("1"), "[]", "[]", -1},
    {ID("1"), "[" FROM("ADD a /") "]", "[ADD a /]", -1},
    {ID("1"), "[{\"comment\":\"from a tool\"}]", "[from a tool]", -1},
    {ID("1"), "[{\"created_by\":7}]", "[]", -1},
    {ID("1"), "[{}]", "[]", -1},
    /* B8: empty_layer alone tells */
    {ID("1") "," ID("2") "," ID("3"),
     "[" FROM("ADD a /") "," EMPTY("RUN true") "," FROM("RUN b") "," EMPTY("RUN c") "," EMPTY(
         "ENV A=b") "," FROM("COPY d /") "]",
     "[ADD a /][RUN b][COPY d /]", -1},
    {ID("1"), "[{\"created_by\":\"RUN a\",\"empty_layer\":false}]", "[RUN a]", -1},
    {ID("1"), "[{\"created_by\":\"RUN a\",\"empty_layer\":\"true\"}]", "[RUN a]", -1},
    /* Counts that do not agree: nothing is known, and nothing shifted. */
    {ID("1") "," ID("2"), "[" FROM("ADD a /") "]", "[][]", -1},
    {ID("1"), "[" FROM("ADD a /") "," FROM("RUN b") "]", "[]", -1},
    {ID("1"), "[" EMPTY("ADD a /") "]", "[]", -1},
    {ID("1") "," ID("2"), "[" FROM("ADD a /") "," EMPTY("CMD sh") "," FROM("b") "," FROM("c") "]",
     "[][]", -1},
    /* The guess: up to the last CMD or ENTRYPOINT that has layers behind it. */
    {ID("1") "," ID("2"), "[" FROM("ADD a /") "," EMPTY("CMD [sh]") "," FROM("RUN b") "]",
     "[ADD a /][RUN b]", 1},
    {ID("1") "," ID("2") "," ID("3"),
     "[" FROM("a") "," EMPTY("CMD x") "," FROM("b") "," EMPTY("ENTRYPOINT y") "," FROM(
         "c") "," EMPTY("CMD z") "]",
     "[a][b][c]", 2},
    {ID("1"), "[" FROM("a") "," EMPTY("CMD x") "]", "[a]", -1},
    {ID("1"), "[" EMPTY("CMD x") "," FROM("a") "]", "[a]", -1},
};

static void make_config(struct buffer *text, const char *ids, const char *history)
{
    buffer_format(
        text, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[%s]}", ids);
    if (history)
        buffer_format(text, ",\"history\":%s", history);
    buffer_add_byte(text, '}');
}

static void test_configs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(configs); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_BUFFER struct buffer found = {0};
        struct image image = {.guessed_base_layers = SIZE_MAX};
        make_config(&text, configs[i].ids, configs[i].history);
        CLEANUP_ERROR struct error *error = config_read(&image, buffer_slice(&text), &arena);
        if (error)
            fail_msg("row %zu: %s", i, error->message);
        for (size_t j = 0; j < image.layer_count; j++) {
            char id[72] = "sha256:";
            memset(id + 7, '1' + (int)j, 64);
            assert_true(slice_equal(image.layers[j].diff_id, slice_make(id, 71)));
            assert_int_equal(image.layers[j].index, j);
            buffer_format(&found, "[%.*s]", SLICE_ARG(image.layers[j].instruction));
        }
        size_t base = configs[i].base < 0 ? SIZE_MAX : (size_t)configs[i].base;
        if (!slice_equal(buffer_slice(&found), slice_from_text(configs[i].instructions)) ||
            image.guessed_base_layers != base)
            fail_msg("row %zu: %.*s, base %zd", i, SLICE_ARG(buffer_slice(&found)),
                     (ssize_t)image.guessed_base_layers);
        assert_true(slice_equal(image.platform, SLICE("linux/amd64")));
    }
}

static struct error *read_config(slice text, size_t *layers)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct image image = {.guessed_base_layers = SIZE_MAX};
    struct error *error = config_read(&image, text, &arena);
    *layers = image.layer_count;
    return error;
}

static void test_configs_that_are_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "[]",
        "null",
        "\"text\"",
        "{",
        "{}",
        "{\"rootfs\":7}",
        "{\"rootfs\":[]}",
        "{\"rootfs\":{}}",
        "{\"rootfs\":{\"diff_ids\":null}}",
        "{\"rootfs\":{\"diff_ids\":{}}}",
        "{\"rootfs\":{\"diff_ids\":[null]}}",
        "{\"rootfs\":{\"diff_ids\":[7]}}",
        "{\"rootfs\":{\"diff_ids\":[\"\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"" HEX64("1") "\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"md5:" HEX64("1") "\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:" HEX64("A") "\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:" HEX64("1") "1\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha512:" HEX64("1") "\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\" sha256:" HEX64("1") "\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:" HEX64("1") "\\u0000\"]}}",
        "{\"rootfs\":{\"diff_ids\":[" ID("1") ",\"../../etc/passwd\"]}}",
        "{\"rootfs\":{\"diff_ids\":[" ID("1") "]}} x",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t layers;
        CLEANUP_ERROR struct error *error = read_config(slice_from_text(rows[i]), &layers);
        if (!error)
            fail_msg("taken: %s", rows[i]);
        if (error->kind != ERROR_INPUT || !strstr(error->message, "config"))
            fail_msg("%s: %s", rows[i], error->message);
    }
}

static void test_config_limits(void **state)
{
    (void)state;
    for (size_t count = LIMIT_LAYERS; count <= LIMIT_LAYERS + 1; count++) {
        CLEANUP_BUFFER struct buffer ids = {0};
        CLEANUP_BUFFER struct buffer text = {0};
        size_t layers;
        for (size_t i = 0; i < count; i++)
            buffer_text(&ids, i ? "," ID("1") : ID("1"));
        buffer_add_byte(&ids, '\0');
        make_config(&text, ids.bytes, NULL);
        CLEANUP_ERROR struct error *error = read_config(buffer_slice(&text), &layers);
        assert_int_equal(error == NULL, count <= LIMIT_LAYERS);
        if (error)
            assert_int_equal(error->kind, ERROR_LIMIT);
        else
            assert_int_equal(layers, LIMIT_LAYERS);
    }
    for (size_t depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        CLEANUP_BUFFER struct buffer text = {0};
        size_t layers;
        buffer_text(&text, "{\"rootfs\":{\"diff_ids\":[]},\"x\":");
        for (size_t i = 1; i < depth; i++)
            buffer_add_byte(&text, '[');
        for (size_t i = 1; i < depth; i++)
            buffer_add_byte(&text, ']');
        buffer_add_byte(&text, '}');
        CLEANUP_ERROR struct error *error = read_config(buffer_slice(&text), &layers);
        assert_int_equal(error == NULL, depth <= LIMIT_JSON_DEPTH);
        if (error)
            assert_int_equal(error->kind, ERROR_LIMIT);
    }
}

/* --- platforms, paths and digests ----------------------------------------------------------------
 */

static void test_platforms(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *platform;
        bool matches;
    } rows[] = {
        {"linux/amd64", "linux/amd64", true},
        {"linux/amd64", "linux/arm64", false},
        {"linux/amd64", "windows/amd64", false},
        {"linux/amd64", "linux/amd64/v3", true},
        {"linux/arm64", "linux/arm64/v8", true},
        {"linux/arm64/v8", "linux/arm64", true},
        {"linux/arm64/v8", "linux/arm64/v8", true},
        {"linux/arm64/v9", "linux/arm64", false},
        {"linux/arm", "linux/arm/v7", true},
        {"linux/arm/v7", "linux/arm/v6", false},
        {"linux/arm/v7", "linux/arm", false},
        {"linux/arm", "linux/arm64", false},
        {"linux/arm64", "linux/arm", false},
        {"linux", "linux/amd64", false},
        {"linux/amd64", "", false},
        {"linux/amd64", "linux/", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (platform_matches(slice_from_text(rows[i].wanted), slice_from_text(rows[i].platform)) !=
            rows[i].matches)
            fail_msg("%s, %s", rows[i].wanted, rows[i].platform);
    slice host = platform_of_host();
    assert_true(slice_starts(host, SLICE("linux/")) && platform_matches(host, host));

    static const char *const texts[][2] = {
        {"{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux/amd64"},
        {"{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}", "linux/arm/v7"},
        {"{\"architecture\":\"amd64\"}", "/amd64"},
        {"{\"variant\":\"v7\"}", ""},
        {"{}", ""},
        {"[]", ""},
        {"{\"os\":7,\"architecture\":null}", ""},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_JSON json_t *config = NULL;
        assert_null(json_read(&config, slice_from_text(texts[i][0]), "it"));
        assert_true(slice_equal(config_platform(config, &arena), slice_from_text(texts[i][1])));
    }
    CLEANUP_ARENA struct arena arena = {0};
    assert_int_equal(config_platform(NULL, &arena).len, 0);
}

/* All paths of up to six of these parts, against a plain way of putting them together. */
static void test_paths(void **state)
{
    (void)state;
    static const char *const parts[] = {"", ".", "..", "a", "...", ".b"};
    enum { PARTS = COUNT(parts), DEPTH = 6 };
    for (size_t depth = 1, count = PARTS; depth <= DEPTH; depth++, count *= PARTS) {
        for (size_t number = 0; number < count; number++) {
            CLEANUP_ARENA struct arena arena = {0};
            char path[64] = "", expected[64] = "";
            bool inside = true;
            size_t rest = number;
            for (size_t i = 0; i < depth; i++, rest /= PARTS) {
                const char *part = parts[rest % PARTS];
                if (i)
                    strcat(path, "/");
                strcat(path, part);
                if (strcmp(part, "..") == 0) {
                    char *slash = strrchr(expected, '/');
                    inside = inside && expected[0];
                    *(slash ? slash : expected) = '\0';
                } else if (strcmp(part, "") != 0 && strcmp(part, ".") != 0) {
                    if (expected[0])
                        strcat(expected, "/");
                    strcat(expected, part);
                }
            }
            slice normal, again;
            if (path_normalize(&arena, slice_from_text(path), &normal) != inside ||
                !slice_equal(normal, slice_from_text(expected)))
                fail_msg("%s became %.*s", path, SLICE_ARG(normal));
            assert_true(path_normalize(&arena, normal, &again) && slice_equal(normal, again));
        }
    }
    CLEANUP_ARENA struct arena arena = {0};
    slice normal;
    assert_true(path_normalize(&arena, SLICE("a\0/../b"), &normal));
    assert_true(slice_equal(normal, SLICE("b")));
    assert_true(path_normalize(&arena, (slice){NULL, 0}, &normal) && normal.len == 0);
}

static void test_blob_paths(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    static const slice digest = SLICE("sha256:" HEX64("a"));
    slice path = blob_path(&arena, digest);
    assert_true(slice_equal(path, SLICE("blobs/sha256/" HEX64("a"))));
    assert_true(slice_equal(blob_digest(&arena, path), digest));
    static const char *const none[] = {"",
                                       "blobs",
                                       "blobs/sha256",
                                       "blobs/sha256/a",
                                       "x/blobs/sha256/" HEX64("a"),
                                       "blobs/md5/" HEX64("a"),
                                       "blobs/sha256/" HEX64("a") "/layer.tar",
                                       "blobs/sha256/" HEX64("A"),
                                       HEX64("a") "/layer.tar"};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(blob_digest(&arena, slice_from_text(none[i])).len, 0);
}

/* --- archives -------------------------------------------------------------------------------- */

#define BLOB(digit) "blobs/sha256/" HEX64(digit)
#define DESCRIPTOR(digit, more) "{\"digest\":" ID(digit) more "}"

static const char config[] =
    "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":"
    "[" ID("1") "," ID("2") "]}}";
static const char manifest[] = "{\"config\":" DESCRIPTOR("a", "") ",\"layers\":[" DESCRIPTOR(
    "b", "") "," DESCRIPTOR("c", "") "]}";

/* The members but for those that a row gives itself. */
static struct error *open_image(const char *docker, const char *index, const char *more,
                                const struct source_options *options, struct arena *arena,
                                struct image **image)
{
    CLEANUP_BUFFER struct buffer tar = {0};
    char path[64];
    CLEANUP_CLOSE int fd = memfd_create("image", 0);
    tarkit_add_file(&tar, BLOB("a"), slice_from_text(config));
    tarkit_add_file(&tar, BLOB("b"), SLICE("layer 0"));
    tarkit_add_file(&tar, BLOB("c"), SLICE("layer 1"));
    tarkit_add_file(&tar, BLOB("d"), slice_from_text(manifest));
    if (docker)
        tarkit_add_file(&tar, "manifest.json", slice_from_text(docker));
    if (index)
        tarkit_add_file(&tar, "./index.json", slice_from_text(index));
    if (more)
        tarkit_add_file(&tar, BLOB("e"), slice_from_text(more));
    tarkit_end(&tar);
    assert_true(fd >= 0 && write(fd, tar.bytes, tar.len) == (ssize_t)tar.len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return source_open(image, arena, path, options);
}

#define ENTRY(tags, layers)                                                                        \
    "{\"Config\":\"" BLOB("a") "\",\"RepoTags\":" tags ",\"Layers\":[" layers "]}"
#define BOTH "\"" BLOB("b") "\",\"./" BLOB("c") "\""
#define INDEX(descriptors) "{\"manifests\":[" descriptors "]}"
#define PLATFORM(os, architecture)                                                                 \
    ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" architecture "\"}"
#define NESTED ",\"mediaType\":\"application/vnd.oci.image.index.v1+json\""
#define ATTESTATION                                                                                \
    ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}" PLATFORM(          \
        "unknown", "unknown")
#define NAMED(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"

static const struct {
    const char *what, *docker, *index, *more, *select, *platform;
    const char *refused; /* a part of the message; NULL: it opens */
} archives[] = {
    {"docker", "[" ENTRY("null", BOTH) "]", NULL, NULL, "", "", NULL},
    {"by tag", "[" ENTRY("[\"app:1\"]", BOTH) "]", NULL, NULL, "app:1", "", NULL},
    {"by tag, latest", "[" ENTRY("[\"docker.io/library/app:latest\"]", BOTH) "]", NULL, NULL, "app",
     "", NULL},
    {"by another tag", "[" ENTRY("[\"app:1\"]", BOTH) "]", NULL, NULL, "app:2", "", "app:1"},
    {"a part of a tag is none", "[" ENTRY("[\"app:10\"]", BOTH) "]", NULL, NULL, "app:1", "",
     "no image app:1"},
    {"the same config twice", "[" ENTRY("[\"a\"]", BOTH) "," ENTRY("[\"b\"]", BOTH) "]", NULL, NULL,
     "", "", NULL},
    {"two images", "[" ENTRY("[\"a\"]", BOTH) ",{\"Config\":\"x\",\"RepoTags\":[\"b\"]}]", NULL,
     NULL, "", "", "several images"},
    {"another platform", "[" ENTRY("null", BOTH) "]", NULL, NULL, "", "linux/arm64", "linux/amd64"},
    {"this platform", "[" ENTRY("null", BOTH) "]", NULL, NULL, "", "linux/amd64", NULL},
    {"a layer too few", "[" ENTRY("null", "\"" BLOB("b") "\"") "]", NULL, NULL, "", "", "1 layers"},
    {"a layer too many", "[" ENTRY("null", BOTH "," BOTH) "]", NULL, NULL, "", "", "4 layers"},
    {"a layer that is no path", "[" ENTRY("null", "7,8") "]", NULL, NULL, "", "", "no path"},
    {"no image in it", "[]", NULL, NULL, "", "", "no image"},
    {"not a list", "{}", NULL, NULL, "", "", "list"},
    {"not JSON", "[", NULL, NULL, "", "", "JSON"},
    {"an entry without a config", "[{}]", NULL, NULL, "", "", "config"},
    {"a config outside", "[{\"Config\":\"../../etc/passwd\"}]", NULL, NULL, "", "", "outside"},
    {"a config that is not there", "[{\"Config\":\"x.json\"}]", NULL, NULL, "", "", "x.json"},
    {"neither kind", NULL, NULL, NULL, "", "", "no image in it"},

    {"OCI", NULL, INDEX(DESCRIPTOR("d", "")), NULL, "", "", NULL},
    {"OCI in an index in it", NULL, INDEX(DESCRIPTOR("e", NESTED)), INDEX(DESCRIPTOR("d", "")), "",
     "", NULL},
    {"OCI, an index that holds itself", NULL, INDEX(DESCRIPTOR("e", NESTED)),
     INDEX(DESCRIPTOR("e", NESTED)), "", "", "deep"},
    {"OCI by name", NULL, INDEX(DESCRIPTOR("d", NAMED("v1"))), NULL, "v1", "", NULL},
    {"OCI by another name", NULL, INDEX(DESCRIPTOR("d", NAMED("v1"))), NULL, "v2", "", "v1"},
    {"B46: the image beside an attestation", NULL,
     INDEX(DESCRIPTOR("d", PLATFORM("linux", "amd64")) "," DESCRIPTOR("e", ATTESTATION)), "{}", "",
     "", NULL},
    {"attestations only", NULL, INDEX(DESCRIPTOR("e", ATTESTATION)), "{}", "", "", "attestations"},
    {"B47: the one that is there is not the one asked for", NULL,
     INDEX(DESCRIPTOR("d", PLATFORM("linux", "amd64"))), NULL, "", "linux/arm64", "linux/amd64"},
    {"B48: the platform whose blobs are there", NULL,
     INDEX(DESCRIPTOR("d", PLATFORM("linux", "amd64")) "," DESCRIPTOR("f",
                                                                      PLATFORM("linux", "arm64"))),
     NULL, "", "", NULL},
    {"B48: those asked for may not be missing", NULL,
     INDEX(DESCRIPTOR("d", PLATFORM("linux", "amd64")) "," DESCRIPTOR("f",
                                                                      PLATFORM("linux", "arm64"))),
     NULL, "", "linux/arm64", "missing"},
    {"an index that claims a platform its config does not have", NULL,
     INDEX(DESCRIPTOR("d", PLATFORM("linux", "arm64"))), NULL, "", "linux/arm64", "linux/amd64"},
    {"a manifest without layers", NULL, INDEX(DESCRIPTOR("e", "")), "{\"config\":{}}", "", "",
     "no layers"},
    {"a digest that is none", NULL, "{\"manifests\":[{\"digest\":\"sha256:../../x\"}]}", NULL, "",
     "", "digest"},
    {"an index without manifests", NULL, "{}", NULL, "", "", "no manifests"},
    {"an empty index", NULL, INDEX(""), NULL, "", "", "no image"},
};

static void test_archives(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(archives); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct image *image = NULL;
        const struct source_options options = {.select = slice_from_text(archives[i].select),
                                               .platform = slice_from_text(archives[i].platform)};
        CLEANUP_ERROR struct error *error = open_image(archives[i].docker, archives[i].index,
                                                       archives[i].more, &options, &arena, &image);
        const char *refused = archives[i].refused;
        if (refused ? !error || !strstr(error->message, refused) : error != NULL) {
            print_error("%s: %s\n", archives[i].what, error ? error->message : "taken");
            wrong++;
        }
        if (error)
            continue;
        assert_int_equal(image->layer_count, 2);
        for (size_t j = 0; j < 2; j++) {
            assert_non_null(image->layers[j].member);
            assert_int_equal(image->layers[j].size, strlen("layer 0"));
        }
        assert_true(slice_equal(image->layers[0].digest, SLICE("sha256:" HEX64("b"))));
        assert_true(slice_equal(image->layers[1].digest, SLICE("sha256:" HEX64("c"))));
        image_close(image);
    }
    assert_int_equal(wrong, 0);
}

static const char *blob_name(struct arena *arena, size_t number, bool digest)
{
    return arena_format(arena, "%s%064zu", digest ? "sha256:" : "blobs/sha256/", number).ptr;
}

/* An index in an index, up to the limit and once more. */
static void test_index_depth(void **state)
{
    (void)state;
    for (size_t depth = LIMIT_INDEX_DEPTH; depth <= LIMIT_INDEX_DEPTH + 1; depth++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer tar = {0};
        CLEANUP_CLOSE int fd = memfd_create("image", 0);
        char path[64];
        struct image *image;
        tarkit_add_file(&tar, BLOB("a"), slice_from_text(config));
        tarkit_add_file(&tar, BLOB("b"), SLICE("layer 0"));
        tarkit_add_file(&tar, BLOB("c"), SLICE("layer 1"));
        tarkit_add_file(&tar, BLOB("d"), slice_from_text(manifest));
        for (size_t i = 0; i < depth; i++)
            tarkit_add_file(&tar, i ? blob_name(&arena, i, false) : "index.json",
                            arena_format(&arena, INDEX("{\"digest\":\"%s\"" NESTED "}"),
                                         blob_name(&arena, i + 1, true)));
        tarkit_add_file(&tar, blob_name(&arena, depth, false), SLICE(INDEX(DESCRIPTOR("d", ""))));
        assert_true(write(fd, tar.bytes, tar.len) == (ssize_t)tar.len);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        CLEANUP_ERROR struct error *error =
            source_open(&image, &arena, path, &(struct source_options){0});
        assert_int_equal(error == NULL, depth <= LIMIT_INDEX_DEPTH);
        if (error)
            assert_int_equal(error->kind, ERROR_LIMIT);
        else
            image_close(image);
    }
}

/* With --verify on, bytes that are not those of their digest are not believed. */
static void test_digests_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *docker, *index;
    } rows[] = {{"[" ENTRY("null", BOTH) "]", NULL}, {NULL, INDEX(DESCRIPTOR("d", ""))}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct image *image;
        const struct source_options options = {.verify = true};
        CLEANUP_ERROR struct error *error =
            open_image(rows[i].docker, rows[i].index, NULL, &options, &arena, &image);
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_INPUT);
        assert_non_null(strstr(error->message, "digest"));
    }
}

static struct image image_of(struct arena *arena, const char *ids)
{
    struct image image = {.name = slice_from_text(ids), .layer_count = strlen(ids)};
    image.layers = arena_array(arena, image.layer_count + 1, sizeof(struct image_layer));
    for (size_t i = 0; i < image.layer_count; i++)
        image.layers[i].diff_id = slice_make(ids + i, 1);
    return image;
}

static void test_mark_base(void **state)
{
    (void)state;
    static const struct {
        const char *image, *base;
        int layers; /* -1: not built on it */
    } rows[] = {
        {"abc", "ab", 2}, {"abc", "abc", 3}, {"abc", "", 0}, {"abc", "abcd", -1},
        {"abc", "b", -1}, {"abc", "ac", -1}, {"", "a", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct image image = image_of(&arena, rows[i].image);
        struct image base = image_of(&arena, rows[i].base);
        CLEANUP_ERROR struct error *error = source_mark_base(&image, &base);
        assert_int_equal(error == NULL, rows[i].layers >= 0);
        for (size_t j = 0; j < image.layer_count; j++)
            assert_int_equal(image.layers[j].base, error                        ? BASE_UNKNOWN
                                                   : j < (size_t)rows[i].layers ? BASE_YES
                                                                                : BASE_NO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_configs),
        cmocka_unit_test(test_configs_that_are_none),
        cmocka_unit_test(test_config_limits),
        cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_blob_paths),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_index_depth),
        cmocka_unit_test(test_digests_are_checked),
        cmocka_unit_test(test_mark_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
