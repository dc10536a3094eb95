#include "policy/purl_match.h"
#include "sbom/purl.h"

static int hex_value(char c)
{
    if (byte_is_digit(c))
        return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

slice package_url_decode(slice text, struct arena *arena)
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
        out[len++] = byte;
    }
    return slice_make(out, len);
}

static slice lowered(slice text, struct arena *arena)
{
    char *out = arena_text(arena, text);
    for (size_t i = 0; i < text.len; i++)
        out[i] = byte_lower(out[i]);
    return slice_make(out, text.len);
}

static bool is_type(slice type, const char *words)
{
    slice rest = slice_from_text(words), word;
    while (rest.len && slice_pull(&rest, ' ', &word))
        if (slice_equal(type, word))
            return true;
    return false;
}

/* PEP 503: runs of "-", "_" and "." are one "-". */
static slice normal_python(slice name, struct arena *arena)
{
    char *out = arena_alloc(arena, name.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool dash = byte == '-' || byte == '_' || byte == '.';
        if (!dash || len == 0 || out[len - 1] != '-')
            out[len++] = dash ? '-' : byte;
    }
    return slice_make(out, len);
}

static void add_qualifier(struct package_url *purl, slice key, slice value, slice *epoch,
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
        *(struct package_url_qualifier *)list_add(&purl->others, arena,
                                                  sizeof(struct package_url_qualifier)) =
            (struct package_url_qualifier){key, value};
}

static void read_qualifiers(struct package_url *purl, slice rest, struct arena *arena)
{
    slice part, key, value, epoch = SLICE_EMPTY;
    while (rest.len && slice_pull(&rest, '&', &part))
        if (slice_split(part, '=', &key, &value) && value.len)
            add_qualifier(purl, lowered(package_url_decode(key, arena), arena),
                          package_url_decode(value, arena), &epoch, arena);
    /* rpm's form, which others use for deb as well; here the epoch is part of the version. */
    if (epoch.len && !slice_equal(epoch, SLICE("0")) && purl->version.len &&
        slice_find(purl->version, ':') == SIZE_MAX)
        purl->version =
            arena_format(arena, "%.*s:%.*s", SLICE_ARG(epoch), SLICE_ARG(purl->version));
}

bool package_url_parse(struct package_url *url, slice text, struct arena *arena)
{
    struct purl parts;
    *url = (struct package_url){0};
    if (!slice_equal_nocase(slice_first(text, 4), SLICE("pkg:")) ||
        !purl_parse(&parts, arena_format(arena, "pkg:%.*s", SLICE_ARG(slice_from(text, 4))), arena))
        return false;
    bool lower = is_type(parts.type, "pypi deb apk github bitbucket oci docker golang composer");
    url->type = parts.type;
    url->version = parts.version;
    url->name = lower ? lowered(parts.name, arena) : parts.name;
    url->space = lower || is_type(parts.type, "rpm") ? lowered(parts.space, arena) : parts.space;
    if (is_type(parts.type, "pypi"))
        url->name = normal_python(url->name, arena);
    read_qualifiers(url, parts.qualifiers, arena);
    return true;
}

static bool is_or_is_empty(slice wanted, slice value)
{
    return wanted.len == 0 || slice_equal(wanted, value);
}

/* "debian-12" and "debian-12.5" name the same release, as one tool or another writes it. */
static bool distro_matches(slice wanted, slice distro)
{
    slice shorter = wanted.len < distro.len ? wanted : distro;
    slice longer = wanted.len < distro.len ? distro : wanted;
    if (wanted.len == 0 || slice_equal(wanted, distro))
        return true;
    return shorter.len && slice_starts(longer, shorter) && longer.ptr[shorter.len] == '.' &&
           byte_is_digit(shorter.ptr[shorter.len - 1]);
}

static bool has_qualifier(const struct package_url *purl,
                          const struct package_url_qualifier *wanted)
{
    const struct package_url_qualifier *others = purl->others.items;
    for (size_t i = 0; i < purl->others.count; i++)
        if (slice_equal(others[i].key, wanted->key))
            return slice_equal(others[i].value, wanted->value);
    return false;
}

bool package_url_matches(const struct package_url *pattern, const struct package_url *purl)
{
    const struct package_url_qualifier *others = pattern->others.items;
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
