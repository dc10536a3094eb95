/*
 * json_scan against jansson on whole documents. They take the same ones, but for
 *   - text that is not UTF-8, which only jansson looks at;
 *   - halves of surrogate pairs, NUL in keys, and numbers that fit no double or 64-bit integer,
 * which only jansson refuses.
 */
#undef NDEBUG
#include "base/json_read.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/text.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(slice text)
{
    while (text.len) {
        size_t length = utf8_length(text);
        if (length == 0)
            return false;
        text = slice_from(text, length);
    }
    return true;
}

/* The scan's two ways through a string, and its way through all else, into a value of jansson's. */
static json_t *scan_value(struct json_scan *scan)
{
    slice text;
    char c = json_scan_peek(scan);
    if (c == '"') {
        json_scan_string(scan, &text);
        return scan->failure ? NULL : json_stringn_nocheck(text.ptr, text.len);
    }
    if (c == '[') {
        json_t *array = json_array();
        json_scan_enter(scan, '[');
        while (json_scan_item(scan))
            json_array_append_new(array, scan_value(scan));
        return array;
    }
    if (c == '{') {
        json_t *object = json_object();
        json_scan_enter(scan, '{');
        while (json_scan_key(scan, &text))
            json_object_setn_new_nocheck(object, text.ptr, text.len, scan_value(scan));
        return object;
    }
    json_scan_skip(scan);
    return json_integer(0);
}

/* Equal but for what the scan does not tell: numbers and words. */
static void check_same(const json_t *scanned, const json_t *read)
{
    if (json_is_string(read)) {
        assert(json_is_string(scanned) && json_equal(scanned, read));
    } else if (json_is_array(read)) {
        assert(json_array_size(scanned) == json_array_size(read));
        for (size_t i = 0; i < json_array_size(read); i++)
            check_same(json_array_get(scanned, i), json_array_get(read, i));
    } else if (json_is_object(read)) {
        const char *key;
        size_t length;
        const json_t *value;
        assert(json_object_size(scanned) == json_object_size(read));
        json_object_keylen_foreach((json_t *)(uintptr_t)read, key, length, value)
            check_same(json_object_getn(scanned, key, length), value);
    } else {
        assert(json_is_integer(scanned));
    }
}

static bool is_known_difference(const char *message)
{
    static const char *const differences[] = {"invalid Unicode", "NUL byte in object key",
                                              "too big", "real number overflow"};
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
        if (strstr(message, differences[i]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_JSON json_t *read = NULL;
    CLEANUP_JSON json_t *value = NULL;
    slice text = slice_make(data, size);
    struct json_scan skipped, scanned;
    json_scan_start(&skipped, text, &arena);
    bool skips = json_scan_skip(&skipped) && json_scan_end(&skipped);
    json_scan_start(&scanned, text, &arena);
    value = scan_value(&scanned);
    bool scans = json_scan_end(&scanned);
    assert(skips == scans);
    assert(skips == (skipped.failure == NULL) && scans == (scanned.failure == NULL));
    assert(json_scan_offset(&skipped) <= size && json_scan_offset(&scanned) <= size);
    if (scans)
        assert(skipped.depth == 0 && json_depth_within(text, LIMIT_JSON_DEPTH));

    CLEANUP_ERROR struct error *error = json_read(&read, text, "it");
    if (!error) {
        assert(scans);
        check_same(value, read);
    } else if (scans && is_utf8(text)) {
        assert(is_known_difference(error->message));
    }
    return 0;
}
