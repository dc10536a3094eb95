#include "policy/target.h"
#include "base/buffer.h"
#include "base/error.h"
#include "source/reference.h"

static void add_name(struct target *target, slice name, struct arena *arena)
{
    const slice *names = target->names.items;
    for (size_t i = 0; i < target->names.count; i++)
        if (slice_equal(names[i], name))
            return;
    if (name.len)
        *(slice *)list_add(&target->names, arena, sizeof(slice)) = name;
}

/* "docker.io/library/app" is also "library/app" and "app"; others have one short form at most. */
static void add_short_forms(struct target *target, const struct reference *reference,
                            struct arena *arena)
{
    slice path = reference->repository, tag = reference->tag;
    bool hub = slice_equal(reference->registry, SLICE("docker.io"));
    if (!hub || tag.len == 0)
        return;
    add_name(target, arena_format(arena, "%.*s:%.*s", SLICE_ARG(path), SLICE_ARG(tag)), arena);
    if (slice_starts(path, SLICE("library/")))
        add_name(target,
                 arena_format(arena, "%.*s:%.*s", SLICE_ARG(slice_basename(path)), SLICE_ARG(tag)),
                 arena);
}

static void add_reference(struct target *target, slice text, struct arena *arena)
{
    struct reference reference;
    CLEANUP_ERROR struct error *error = reference_parse(&reference, text, arena);
    if (error)
        return; /* the path of a file, as a rule */
    *(struct reference *)list_add(&target->references, arena, sizeof(reference)) = reference;
    add_name(target, reference_text(&reference, arena), arena);
    add_short_forms(target, &reference, arena);
}

static void add_qualifiers(struct buffer *out, const struct image *image,
                           const struct reference *reference)
{
    slice rest = image->platform, system, architecture;
    char separator = '?';
    if (slice_split(rest, '/', &system, &architecture)) {
        slice_split(architecture, '/', &architecture, &rest);
        buffer_text(out, "?arch=");
        buffer_add_percent(out, architecture, ".-_~");
        separator = '&';
    }
    if (!reference)
        return;
    buffer_format(out, "%crepository_url=", separator);
    buffer_add_percent(out, reference->registry, ".-_~");
    buffer_add_byte(out, '/');
    buffer_add_percent(out, reference->repository, ".-_~/");
    if (reference->tag.len) {
        buffer_text(out, "&tag=");
        buffer_add_percent(out, reference->tag, ".-_~");
    }
}

static slice lower_name(slice path, struct arena *arena)
{
    return arena_lower(arena, slice_basename(path));
}

/* purl type definitions, oci: the name is the last part of the repository, the version a digest. */
static slice purl_of(const struct target *target, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer out = {0};
    const struct image *image = target->image;
    const struct reference *reference = target->references.count ? target->references.items : NULL;
    bool is_image = image->root_folder < 0;
    buffer_text(&out, is_image ? "pkg:oci/" : "pkg:generic/");
    slice name = lower_name(reference && is_image ? reference->repository : image->name, arena);
    buffer_add_percent(&out, name.len ? name : SLICE("image"), ".-_~");
    if (is_image && image->digest.len) {
        buffer_add_byte(&out, '@');
        buffer_add_percent(&out, image->digest, ".-_~");
    }
    if (is_image)
        add_qualifiers(&out, image, reference);
    return arena_copy(arena, buffer_slice(&out));
}

void target_make(struct target *target, const struct image *image, struct arena *arena)
{
    const slice *tags = image->tags.items;
    *target = (struct target){.image = image};
    add_name(target, image->name, arena);
    for (size_t i = 0; i < image->tags.count; i++) {
        add_name(target, tags[i], arena);
        add_reference(target, tags[i], arena);
    }
    add_name(target, image->digest, arena);
    add_name(target, image->config_digest, arena);
    if (image->root_folder < 0)
        add_reference(target, image->name, arena);
    target->purl = purl_of(target, arena);
    purl_parse(&target->parsed, target->purl, arena);
}

static bool is_digest_of(const struct target *target, slice digest)
{
    return digest.len && (slice_equal(digest, target->image->digest) ||
                          slice_equal(digest, target->image->config_digest));
}

bool target_is_called(const struct target *target, slice name)
{
    const slice *names = target->names.items;
    for (size_t i = 0; i < target->names.count; i++)
        if (slice_equal(names[i], name))
            return true;
    slice before, digest;
    return slice_split(name, '@', &before, &digest) && is_digest_of(target, digest);
}

/* Docker's own registry has several names. */
static slice without_hub(slice url)
{
    static const char *const hubs[] = {"docker.io/", "index.docker.io/", "registry-1.docker.io/"};
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < 2; i++)
        if (slice_starts(url, slice_from_text(schemes[i])))
            url = slice_from(url, strlen(schemes[i]));
    while (slice_ends(url, SLICE("/")))
        url.len--;
    for (size_t i = 0; i < 3; i++)
        if (slice_starts(url, slice_from_text(hubs[i])))
            url = slice_from(url, strlen(hubs[i]));
    return slice_starts(url, SLICE("library/")) ? slice_from(url, strlen("library/")) : url;
}

/* With the name at its end, as the type's definition has it, or without. */
static bool is_repository(const struct reference *reference, slice url)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice whole = arena_format(&arena, "%.*s/%.*s", SLICE_ARG(reference->registry),
                               SLICE_ARG(reference->repository));
    return slice_equal(without_hub(whole), without_hub(url)) ||
           (slice_contains(url, SLICE("/")) && slice_equal(slice_dirname(whole), url));
}

static bool is_reference(const struct reference *reference, const struct purl *purl)
{
    slice version = purl->version;
    CLEANUP_ARENA struct arena arena = {0};
    if (!slice_equal(lower_name(reference->repository, &arena), purl->name))
        return false;
    if (purl->repository_url.len && !is_repository(reference, purl->repository_url))
        return false;
    if (purl->tag.len && !slice_equal(purl->tag, reference->tag))
        return false;
    if (purl->space.len && !slice_equal(purl->space, slice_dirname(reference->repository)))
        return false;
    return version.len == 0 || slice_equal(version, reference->tag);
}

static bool is_architecture(const struct target *target, slice arch)
{
    slice system, rest, platform = target->image->platform;
    if (arch.len == 0 || !slice_split(platform, '/', &system, &rest))
        return true;
    slice_split(rest, '/', &rest, &system);
    return slice_equal(arch, rest);
}

bool target_is_purl(const struct target *target, const struct purl *purl)
{
    const struct reference *references = target->references.items;
    bool of_image =
        slice_equal(purl->type, SLICE("oci")) || slice_equal(purl->type, SLICE("docker"));
    if (!of_image)
        return slice_equal(target->parsed.type, SLICE("generic")) &&
               purl_matches(purl, &target->parsed);
    if (target->image->root_folder >= 0 || !is_architecture(target, purl->arch))
        return false;
    if (is_digest_of(target, purl->version))
        return true;
    for (size_t i = 0; i < target->references.count; i++)
        if (is_reference(&references[i], purl))
            return true;
    /* An archive without a tag: by its file's name, as its own package URL has it. */
    return target->references.count == 0 && purl_matches(purl, &target->parsed);
}
