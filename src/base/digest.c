#include "base/digest.h"

#include <openssl/evp.h>

static const struct algorithm {
    const char *name;
    size_t hex_digits;
    const EVP_MD *(*method)(void);
} algorithms[] = {
    {"sha256", 64, EVP_sha256},
    {"sha512", 128, EVP_sha512},
};

struct digest {
    EVP_MD_CTX *context;
    const struct algorithm *algorithm;
};

static const struct algorithm *find_algorithm(slice text)
{
    slice name, hex;
    if (!slice_split(text, ':', &name, &hex))
        return NULL;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (slice_equal(name, slice_from_text(algorithms[i].name)) &&
            hex.len == algorithms[i].hex_digits)
            return &algorithms[i];
    return NULL;
}

bool digest_valid(slice text)
{
    if (!find_algorithm(text))
        return false;
    slice hex = slice_from(text, slice_find(text, ':') + 1);
    for (size_t i = 0; i < hex.len; i++)
        if (!byte_is_digit(hex.ptr[i]) && !(hex.ptr[i] >= 'a' && hex.ptr[i] <= 'f'))
            return false;
    return true;
}

void digest_prepare(void)
{
    static bool done;
    if (!done)
        digest_free(digest_start(SLICE_EMPTY));
    done = true;
}

struct digest *digest_start(slice expected)
{
    struct digest *digest = memory_alloc(sizeof(*digest));
    digest->algorithm = expected.len ? find_algorithm(expected) : &algorithms[0];
    digest->context = EVP_MD_CTX_new();
    if (!digest->algorithm || !digest->context ||
        !EVP_DigestInit_ex(digest->context, digest->algorithm->method(), NULL))
        memory_exhausted();
    return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t count)
{
    if (!EVP_DigestUpdate(digest->context, bytes, count))
        memory_exhausted();
}

slice digest_finish(struct digest *digest, struct arena *arena)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    if (!EVP_DigestFinal_ex(digest->context, raw, &count))
        memory_exhausted();
    for (unsigned int i = 0; i < count; i++) {
        hex[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    slice text = arena_format(arena, "%s:%.*s", digest->algorithm->name, (int)(2 * count), hex);
    digest_free(digest);
    return text;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

slice digest_of(slice bytes, struct arena *arena)
{
    static const char any[] =
        "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    struct digest *digest = digest_start(slice_from_text(any));
    digest_add(digest, bytes.ptr, bytes.len);
    return digest_finish(digest, arena);
}

static slice digest_like(slice bytes, slice expected, struct arena *arena)
{
    struct digest *digest = digest_start(expected);
    digest_add(digest, bytes.ptr, bytes.len);
    return digest_finish(digest, arena);
}

bool digest_matches(slice bytes, slice expected)
{
    CLEANUP_ARENA struct arena arena = {0};
    return slice_equal(digest_like(bytes, expected, &arena), expected);
}

struct error *digest_check(slice bytes, slice expected, const char *what)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice found = digest_like(bytes, expected, &arena);
    if (slice_equal(found, expected))
        return NULL;
    return error_make(
        ERROR_INPUT,
        "%s has the digest %.*s, but %.*s was named: it was changed or damaged on its "
        "way; fetch the image again",
        what, SLICE_ARG(found), SLICE_ARG(expected));
}
