#include "secret/redact.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SHOWN_FROM = 20, SHOWN = 4, PREFIX_MOST = 12, FINGERPRINT_BYTES = 16 };

static slice fingerprint_key = {"plimsoll", 8};

void secret_fingerprint_key(slice key)
{
    fingerprint_key = key;
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

slice secret_fingerprint(const struct secret_rule *rule, slice secret, struct arena *arena)
{
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char text[2 * FINGERPRINT_BYTES + 1];
    slice input = arena_format(arena, "%s:%.*s", rule->id, SLICE_ARG(secret));
    if (!HMAC(EVP_sha256(), fingerprint_key.ptr, (int)fingerprint_key.len,
              (const unsigned char *)input.ptr, input.len, code, &size))
        return SLICE_EMPTY;
    memset((char *)(uintptr_t)input.ptr, 0, input.len); /* it held the secret */
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", code[i]);
    return arena_copy(arena, slice_make(text, 2 * FINGERPRINT_BYTES));
}
