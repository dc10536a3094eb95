#include "source/reference.h"
#include "base/digest.h"

enum { LONGEST_REPOSITORY = 255, LONGEST_TAG = 128 };

static bool is_lower_or_digit(char c)
{
    return byte_is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Lower case letters and digits, with single separators (".", "_", "__", any "-") between. */
static bool is_component(slice part)
{
    if (part.len == 0 || !is_lower_or_digit(part.ptr[0]) ||
        !is_lower_or_digit(part.ptr[part.len - 1]))
        return false;
    for (size_t i = 1; i < part.len; i++) {
        char c = part.ptr[i], before = part.ptr[i - 1];
        if (is_lower_or_digit(c))
            continue;
        bool doubled = c == '_' && before == '_' && part.ptr[i - 2] != '_';
        if (c != '.' && c != '_' && c != '-')
            return false;
        if (!is_lower_or_digit(before) && !doubled && !(c == '-' && before == '-'))
            return false;
    }
    return true;
}

static bool is_repository(slice path)
{
    slice part, rest = path;
    if (path.len == 0 || path.len > LONGEST_REPOSITORY || slice_ends(path, SLICE("/")))
        return false;
    while (slice_pull(&rest, '/', &part))
        if (!is_component(part))
            return false;
    return true;
}

static bool is_tag(slice tag)
{
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.ptr[i];
        bool word = byte_is_digit(c) || byte_is_alpha(c) || c == '_';
        if (!word && (i == 0 || (c != '.' && c != '-')))
            return false;
    }
    return tag.len > 0 && tag.len <= LONGEST_TAG;
}

static bool is_digits(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_digit(text.ptr[i]))
            return false;
    return text.len > 0;
}

/* Letters and digits, with dashes between. */
static bool is_label(slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        bool inside = i > 0 && i + 1 < label.len && label.ptr[i] == '-';
        if (!inside && !byte_is_digit(label.ptr[i]) && !byte_is_alpha(label.ptr[i]))
            return false;
    }
    return label.len > 0;
}

/* Hex digits and colons in brackets. */
static bool is_address_in_brackets(slice text)
{
    for (size_t i = 1; i + 1 < text.len; i++)
        if (!byte_is_digit(text.ptr[i]) && text.ptr[i] != ':' &&
            (byte_lower(text.ptr[i]) < 'a' || byte_lower(text.ptr[i]) > 'f'))
            return false;
    return text.len > 2 && text.ptr[0] == '[' && slice_ends(text, SLICE("]"));
}

/* The host without its port; *port is empty where there is none. */
static slice without_port(slice host, slice *port)
{
    size_t colon = slice_find_last(host, ':');
    *port = SLICE_EMPTY;
    if (colon >= host.len || slice_ends(host, SLICE("]")))
        return host;
    *port = slice_from(host, colon + 1);
    return slice_first(host, colon);
}

/* A name or an address with or without a port: nothing that a URL reads otherwise. */
static bool is_host(slice host)
{
    slice port, label, name = without_port(host, &port);
    if (name.len < host.len && !is_digits(port))
        return false;
    if (is_address_in_brackets(name))
        return true;
    while (slice_pull(&name, '.', &label))
        if (!is_label(label))
            return false;
    return true;
}

static bool looks_like_host(slice part)
{
    bool upper = false;
    for (size_t i = 0; i < part.len; i++)
        upper |= part.ptr[i] >= 'A' && part.ptr[i] <= 'Z';
    return upper || slice_contains(part, SLICE(".")) || slice_contains(part, SLICE(":")) ||
           slice_equal(part, SLICE("localhost"));
}

static void split_registry(struct reference *reference, slice name, struct arena *arena)
{
    slice host, path;
    if (slice_split(name, '/', &host, &path) && looks_like_host(host)) {
        reference->registry = host;
        reference->repository = path;
    } else {
        reference->registry = SLICE("docker.io");
        reference->repository = name;
    }
    if (slice_equal(reference->registry, SLICE("index.docker.io")) ||
        slice_equal(reference->registry, SLICE("registry-1.docker.io")))
        reference->registry = SLICE("docker.io");
    if (slice_equal(reference->registry, SLICE("docker.io")) &&
        !slice_contains(reference->repository, SLICE("/")))
        reference->repository =
            arena_format(arena, "library/%.*s", SLICE_ARG(reference->repository));
}

struct error *reference_parse(struct reference *reference, slice text, struct arena *arena)
{
    slice name = text, digest, tag;
    *reference = (struct reference){SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    if (slice_find(text, '\0') < text.len)
        return error_make(ERROR_USAGE, "an image name with a NUL byte is none");
    /* As Docker: whoever means an image by its id does not ask a registry for it. */
    if (text.len == 64 && digest_valid(arena_format(arena, "sha256:%.*s", SLICE_ARG(text))))
        return error_make(ERROR_USAGE, "\"%.*s\" is no image name, but an id of one",
                          SLICE_ARG(text));
    if (slice_split(text, '@', &name, &digest)) {
        if (!digest_valid(digest))
            return error_make(ERROR_USAGE,
                              "\"%.*s\" is no image name: after \"@\" comes a digest "
                              "(sha256: and 64 hex digits)",
                              SLICE_ARG(text));
        reference->digest = digest;
    }
    size_t colon = slice_find_last(name, ':'), slash = slice_find_last(name, '/');
    if (colon < name.len && (slash >= name.len || colon > slash)) {
        tag = slice_from(name, colon + 1);
        name = slice_first(name, colon);
        if (!is_tag(tag))
            return error_make(ERROR_USAGE, "\"%.*s\" is no image name: \"%.*s\" is no tag",
                              SLICE_ARG(text), SLICE_ARG(tag));
        reference->tag = tag;
    } else if (reference->digest.len == 0) {
        reference->tag = SLICE("latest");
    }
    split_registry(reference, name, arena);
    if (!is_host(reference->registry) || !is_repository(reference->repository))
        return error_make(ERROR_USAGE,
                          "\"%.*s\" is no image name: it is written [REGISTRY/]REPOSITORY[:TAG] in "
                          "lower case letters, digits and . _ -",
                          SLICE_ARG(text));
    return NULL;
}

slice reference_text(const struct reference *reference, struct arena *arena)
{
    return arena_format(arena, "%.*s/%.*s%s%.*s%s%.*s", SLICE_ARG(reference->registry),
                        SLICE_ARG(reference->repository), reference->tag.len ? ":" : "",
                        SLICE_ARG(reference->tag), reference->digest.len ? "@" : "",
                        SLICE_ARG(reference->digest));
}

/* 127.0.0.0/8; "127.example.com" is any machine. */
static bool is_loopback_address(slice host)
{
    slice part;
    unsigned parts = 0;
    bool starts = slice_starts(host, SLICE("127."));
    for (; slice_pull(&host, '.', &part); parts++)
        if (!is_digits(part) || part.len > 3)
            return false;
    return starts && parts == 4;
}

bool reference_is_loopback(slice registry)
{
    slice port, host = without_port(registry, &port);
    return slice_equal(host, SLICE("localhost")) || slice_ends(host, SLICE(".localhost")) ||
           is_loopback_address(host) || slice_equal(host, SLICE("[::1]"));
}
