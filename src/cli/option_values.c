#include "cli/option_values.h"

/* "1073741824", "1048576K", "1024M", "1G", "1GiB", all the same */
struct error *set_cache_size(struct options *options, const char *value)
{
    static const char units[] = "KMGT";
    slice digits = slice_from_text(value);
    uint64_t size;
    if (slice_ends(digits, SLICE("iB")))
        digits.len -= 2;
    slice last = slice_from(digits, digits.len ? digits.len - 1 : 0);
    const char *unit =
        last.len && byte_is_alpha(*last.ptr) ? strchr(units, *last.ptr & ~0x20) : NULL;
    if (unit)
        digits.len--;
    bool understood = slice_to_u64(digits, &size) && (unit || digits.len == strlen(value));
    for (const char *at = units; understood && unit && at <= unit; at++)
        understood = !__builtin_mul_overflow(size, 1024, &size);
    if (!understood)
        return error_make(ERROR_USAGE,
                          "--cache-size: \"%s\" is no size; write bytes, or a number with K, M, G "
                          "or T, as 500M or 2G",
                          value);
    options->cache_size = size;
    return NULL;
}

/* "5d", "12h", "2w", "1d12h" */
struct error *set_db_max_age(struct options *options, const char *value)
{
    static const char letters[] = "wdhm";
    static const uint64_t seconds[] = {7 * 24 * 60 * 60, 24 * 60 * 60, 60 * 60, 60};
    slice rest = slice_from_text(value);
    uint64_t sum = 0;
    bool understood = rest.len > 0;
    while (rest.len && understood) {
        size_t digits = 0;
        uint64_t count;
        while (digits < rest.len && byte_is_digit(rest.ptr[digits]))
            digits++;
        const char *unit = digits < rest.len ? strchr(letters, rest.ptr[digits]) : NULL;
        understood =
            unit && *unit && slice_to_u64(slice_first(rest, digits), &count) && count <= 100000;
        sum += understood ? count * seconds[unit - letters] : 0;
        rest = slice_from(rest, digits + 1);
    }
    if (!understood || sum == 0)
        return error_make(ERROR_USAGE, "--db-max-age: \"%s\" is no age; write 12h, 5d or 2w",
                          value);
    options->db_max_age = (int64_t)sum;
    return NULL;
}

/* "5m", "1h30m", "90s", "500ms", "90" (seconds): as Go writes a duration. */
struct error *set_timeout(struct options *options, const char *value)
{
    static const struct {
        const char *name;
        uint64_t milliseconds;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"", 1000}};
    slice rest = slice_from_text(value);
    uint64_t sum = 0;
    while (rest.len) {
        size_t digits = 0, letters = 0, unit = 0;
        uint64_t count;
        while (digits < rest.len && byte_is_digit(rest.ptr[digits]))
            digits++;
        while (digits + letters < rest.len && byte_is_alpha(rest.ptr[digits + letters]))
            letters++;
        slice name = slice_first(slice_from(rest, digits), letters);
        while (unit < 5 && !slice_equal(name, slice_from_text(units[unit].name)))
            unit++;
        if (!slice_to_u64(slice_first(rest, digits), &count) || unit == 5 || count > 1000000)
            return error_make(ERROR_USAGE, "--timeout: \"%s\" is no time; write 90s, 5m or 1h30m",
                              value);
        sum += count * units[unit].milliseconds;
        rest = slice_from(rest, digits + letters);
    }
    options->timeout_ms = (int64_t)sum;
    return NULL;
}
