/* A file in which secrets are looked for, of the kind that its first byte chooses; and the checks
 * of values. Whatever it is: it ends, and what is found is told in full, but never the secret. */
#undef NDEBUG
#include "base/limits.h"
#include "secret/checks.h"
#include "secret/finder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct secret_scanner *scanner(void)
{
    static const char *const ids[] = {"github-personal-token",
                                      "aws-access-key",
                                      "private-key",
                                      "jwt",
                                      "docker-auth",
                                      "generic-password",
                                      "gcp-service-account",
                                      "generic-api-key",
                                      "generic-password-env",
                                      "kubernetes-secret",
                                      "ssh-private-key",
                                      "pgp-private-key",
                                      "npm-auth",
                                      "putty-private-key"};
    static const struct secret_rule *rules[sizeof(ids) / sizeof(ids[0])];
    static struct secret_scanner *made;
    struct secret_database *database;
    size_t count = 0;
    if (made)
        return made;
    for (size_t i = 0; i < secret_rule_count; i++)
        for (size_t j = 0; j < sizeof(ids) / sizeof(ids[0]); j++)
            if (strcmp(secret_rules[i].id, ids[j]) == 0)
                rules[count++] = &secret_rules[i];
    assert(count == sizeof(ids) / sizeof(ids[0]));
    assert(!secret_database_make(&database, rules, count, true));
    made = secret_scanner_new(rules, count, database);
    return made;
}

static void check_value(slice value)
{
    static const char all[] =
        "mixed random digits-apart github-crc jwt base64-json base64-bytes:32 "
        "private-key aws-key password chosen-password entropy:3.5";
    slice rest = SLICE(all), word;
    char decoded[64];
    secret_is_placeholder(value);
    size_t count = secret_decode_base64(value, decoded, sizeof(decoded));
    assert(count == SIZE_MAX || count <= sizeof(decoded));
    while (rest.len && slice_pull(&rest, ' ', &word)) {
        CLEANUP_ARENA struct arena arena = {0};
        const char *one = arena_text(&arena, word);
        assert(secret_checks_known(one));
        secret_checks_hold(one, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {
        "a.txt",  "a.ipynb", "repo/.git/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcd",
        "a.pack", "a.zip",   "a.tar.gz",
        "a.onnx", "a.so",    "a.yaml"};
    CLEANUP_ARENA struct arena arena = {0};
    struct list found = {0}, unopened = {0};
    struct spill spill = {.fd = -1};
    const struct secret_finds into = {&arena, &found, &unopened, &spill};
    if (size == 0)
        return 0;
    slice bytes = slice_make(data + 1, size - 1);
    check_value(slice_first(bytes, 300));
    CLEANUP_STREAM struct stream *stream = stream_from_memory(bytes);
    slice path = slice_from_text(paths[data[0] % (sizeof(paths) / sizeof(paths[0]))]);
    /* More than there is, so that small inputs have what is passed over, too. */
    uint64_t file_size = slice_ends(path, SLICE(".so")) ? 1 << 30 : bytes.len;
    CLEANUP_ERROR struct error *error =
        secret_find_in_file(scanner(), stream, file_size, path, &into);
    assert(!error || error->message[0]);
    const struct secret *secrets = found.items;
    for (size_t i = 0; i < found.count; i++) {
        assert(secrets[i].rule.len && secrets[i].fingerprint.len == 32 && secrets[i].match.len);
        assert(secrets[i].match.len <= 24);
        assert(slice_starts(secrets[i].path, path) && slice_equal(secrets[i].file, path));
    }
    return 0;
}
