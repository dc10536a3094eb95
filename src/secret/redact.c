#include "secret/redact.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SHOWN_FROM = 20, SHOWN = 4, PREFIX_MOST = 12, HASH_BYTES = 16 };

static slice hash_key = {"plimsoll", 8};

void secret_fingerprint_key(slice key)
{
    hash_key = key;
}

static bool is_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    return true;
}

slice secret_redacted(const struct secret_rule *rule, slice secret, struct arena *arena)
{
    slice prefix = slice_first(slice_from_text(rule->prefix), PREFIX_MOST);
    if (!slice_starts(secret, prefix))
        prefix = SLICE_EMPTY;
    slice trimmed = slice_trim(secret);
    slice last = slice_from(trimmed, trimmed.len > SHOWN ? trimmed.len - SHOWN : 0);
    if (trimmed.len < SHOWN_FROM + prefix.len || !is_plain(last))
        last = SLICE_EMPTY;
    return arena_format(arena, "%.*s…%.*s", SLICE_ARG(prefix), SLICE_ARG(last));
}

/* HMAC-SHA-256, cut; false where the library fails. */
static bool hash_keyed(slice input, unsigned char digest[HASH_BYTES])
{
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), hash_key.ptr, (int)hash_key.len, (const unsigned char *)input.ptr,
              input.len, code, &size))
        return false;
    memcpy(digest, code, HASH_BYTES);
    return true;
}

slice secret_fingerprint(const struct secret_rule *rule, slice secret, struct arena *arena)
{
    unsigned char digest[HASH_BYTES];
    char text[2 * HASH_BYTES + 1];
    slice input = arena_format(arena, "%s:%.*s", rule->id, SLICE_ARG(secret));
    bool hashed = hash_keyed(input, digest);
    memset((char *)(uintptr_t)input.ptr, 0, input.len); /* it held the secret */
    if (!hashed)
        return SLICE_EMPTY;
    for (size_t i = 0; i < HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return arena_copy(arena, slice_make(text, 2 * HASH_BYTES));
}

/* Where the backslashes that begin at `at` end, with the letter of an escaped line end. */
static size_t escape_end(slice text, size_t at, bool *escapes)
{
    size_t end = at;
    while (end < text.len && text.ptr[end] == '\\')
        end++;
    char letter = end < text.len ? text.ptr[end] : 0;
    *escapes = end > at && (letter == 'n' || letter == 'r' || letter == 't');
    return *escapes ? end + 1 : end;
}

slice secret_identity(slice secret, struct arena *arena)
{
    unsigned char digest[HASH_BYTES];
    char *input = arena_alloc(arena, secret.len + 1);
    size_t length = 1; /* a NUL comes first, as in no rule's id: so it is no fingerprint */
    for (size_t at = 0, end; at < secret.len; at = end) {
        bool escapes;
        end = escape_end(secret, at, &escapes);
        if (end == at)
            end++;
        for (size_t i = at; i < end && !escapes; i++)
            if (!byte_is_space(secret.ptr[i]))
                input[length++] = secret.ptr[i];
    }
    bool hashed = hash_keyed(slice_make(input, length), digest);
    memset(input, 0, length);
    return hashed ? arena_copy(arena, slice_make(digest, HASH_BYTES)) : SLICE_EMPTY;
}
