#include "sbom/purl.h"
#include "analyze/python_name.h"
#include "base/buffer.h"
#include "inventory/inventory.h"

static int hex_value(char c)
{
    if (byte_is_digit(c))
        return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; in lower case on demand, as the types want their names. */
static slice decode(slice text, bool lower, struct arena *arena)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%' && i + 2 < text.len && hex_value(text.ptr[i + 1]) >= 0 &&
            hex_value(text.ptr[i + 2]) >= 0) {
            byte = (char)(hex_value(text.ptr[i + 1]) * 16 + hex_value(text.ptr[i + 2]));
            i += 2;
        }
        out[len++] = lower ? byte_lower(byte) : byte;
    }
    return slice_make(out, len);
}

slice purl_decode(slice text, struct arena *arena)
{
    return decode(text, false, arena);
}

static void add_qualifier(struct purl *purl, slice key, slice value, slice *epoch,
                          struct arena *arena)
{
    if (slice_equal(key, SLICE("epoch")))
        *epoch = value;
    else if (slice_equal(key, SLICE("arch")))
        purl->arch = value;
    else if (slice_equal(key, SLICE("distro")))
        purl->distro = value;
    else if (slice_equal(key, SLICE("repository_url")))
        purl->repository_url = value;
    else if (slice_equal(key, SLICE("tag")))
        purl->tag = value;
    else
        *(struct purl_qualifier *)list_add(&purl->others, arena, sizeof(struct purl_qualifier)) =
            (struct purl_qualifier){key, value};
}

static void read_qualifiers(struct purl *purl, slice rest, struct arena *arena)
{
    slice part, key, value, epoch = SLICE_EMPTY;
    while (rest.len && slice_pull(&rest, '&', &part))
        if (slice_split(part, '=', &key, &value) && value.len)
            add_qualifier(purl, decode(key, true, arena), decode(value, false, arena), &epoch,
                          arena);
    /* rpm's form, which others use for deb as well; here the epoch is part of the version. */
    if (epoch.len && !slice_equal(epoch, SLICE("0")) && purl->version.len &&
        slice_find(purl->version, ':') == SIZE_MAX)
        purl->version =
            arena_format(arena, "%.*s:%.*s", SLICE_ARG(epoch), SLICE_ARG(purl->version));
}

bool purl_parse(struct purl *purl, slice text, struct arena *arena)
{
    slice rest = text, qualifiers = SLICE_EMPTY, subpath, path;
    *purl = (struct purl){0};
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ')
            return false;
    if (!slice_equal_nocase(slice_first(text, 4), SLICE("pkg:")))
        return false;
    rest = slice_from(text, 4);
    slice_split(rest, '#', &rest, &subpath);
    slice_split(rest, '?', &rest, &qualifiers);
    while (slice_starts(rest, SLICE("/")))
        rest = slice_from(rest, 1);
    if (!slice_split(rest, '/', &purl->type, &path) || purl->type.len == 0)
        return false;
    purl->type = decode(purl->type, true, arena);
    /* An "@" that is not encoded also begins npm's scopes. */
    size_t at = slice_find_last(path, '@'), slash = slice_find_last(path, '/');
    if (at != SIZE_MAX && at > 0 && (slash == SIZE_MAX || at > slash)) {
        purl->version = decode(slice_from(path, at + 1), false, arena);
        path = slice_first(path, at);
    }
    while (slice_ends(path, SLICE("/")))
        path.len--;
    /* Go's modules are written in lower case by the specification, by nobody else. */
    bool lower = slice_is_among(purl->type, "pypi deb apk github bitbucket oci docker composer");
    purl->name = decode(slice_basename(path), lower, arena);
    purl->space = decode(slice_dirname(path), lower || slice_is_among(purl->type, "rpm"), arena);
    if (slice_is_among(purl->type, "pypi"))
        purl->name = python_name_normalize(arena, purl->name);
    read_qualifiers(purl, qualifiers, arena);
    return purl->name.len > 0;
}

slice purl_qualifier(const struct purl *purl, const char *key)
{
    const struct purl_qualifier *others = purl->others.items;
    for (size_t i = 0; i < purl->others.count; i++)
        if (slice_equal(others[i].key, slice_from_text(key)))
            return others[i].value;
    return SLICE_EMPTY;
}

static bool is_or_is_empty(slice wanted, slice value)
{
    return wanted.len == 0 || slice_equal(wanted, value);
}

/* "debian-12" and "debian-12.5" name the same release, as one tool or another writes it. */
static bool distro_matches(slice wanted, slice distro)
{
    slice shorter = wanted.len < distro.len ? wanted : distro;
    if (wanted.len == 0 || slice_equal(wanted, distro))
        return true;
    return release_is_same(wanted, distro) && byte_is_digit(shorter.ptr[shorter.len - 1]);
}

static bool has_qualifier(const struct purl *purl, const struct purl_qualifier *wanted)
{
    const struct purl_qualifier *others = purl->others.items;
    for (size_t i = 0; i < purl->others.count; i++)
        if (slice_equal(others[i].key, wanted->key))
            return slice_equal(others[i].value, wanted->value);
    return false;
}

bool purl_matches(const struct purl *pattern, const struct purl *purl)
{
    const struct purl_qualifier *others = pattern->others.items;
    if (!slice_equal(pattern->type, purl->type) || !slice_equal(pattern->name, purl->name) ||
        !slice_equal(pattern->space, purl->space) ||
        !is_or_is_empty(pattern->version, purl->version) ||
        !is_or_is_empty(pattern->arch, purl->arch) ||
        !distro_matches(pattern->distro, purl->distro) ||
        !is_or_is_empty(pattern->repository_url, purl->repository_url) ||
        !is_or_is_empty(pattern->tag, purl->tag))
        return false;
    for (size_t i = 0; i < pattern->others.count; i++)
        if (!has_qualifier(purl, &others[i]))
            return false;
    return true;
}
