#include "secret/git_names.h"
#include "base/limits.h"

enum {
    FIRST_ROOM = 64,   /* a power of two */
    SLOTS_TRIED = 64,  /* ids that a tree makes up may all want the same place */
    FOLDERS_MOST = 64, /* in each other */
    NAME_MOST = 255,   /* bytes, as of a file */
};

/* -- ids ------------------------------------------------------------------------------------------
 */

void git_hash_open(struct git_hash *hash, size_t id_bytes)
{
    hash->method = EVP_MD_fetch(NULL, id_bytes == GIT_SHA256 ? "SHA256" : "SHA1", NULL);
    hash->context = EVP_MD_CTX_new();
    if (!hash->method || !hash->context)
        memory_exhausted();
}

void git_hash_close(struct git_hash *hash)
{
    EVP_MD_CTX_free(hash->context);
    EVP_MD_free(hash->method);
}

void git_hash_begin(struct git_hash *hash, enum git_type type, uint64_t size)
{
    static const char *const words[] = {
        [GIT_COMMIT] = "commit", [GIT_TREE] = "tree", [GIT_BLOB] = "blob", [GIT_TAG] = "tag"};
    char header[GIT_HEADER_MOST];
    int length = snprintf(header, sizeof(header), "%s %llu", words[type], (unsigned long long)size);
    if (!EVP_DigestInit_ex(hash->context, hash->method, NULL))
        memory_exhausted();
    git_hash_add(hash, slice_make(header, (size_t)length + 1));
}

void git_hash_add(struct git_hash *hash, slice content)
{
    if (!EVP_DigestUpdate(hash->context, content.ptr, content.len))
        memory_exhausted();
}

void git_hash_end(struct git_hash *hash, unsigned char id[GIT_SHA256])
{
    if (!EVP_DigestFinal_ex(hash->context, id, NULL))
        memory_exhausted();
}

/* -- names ----------------------------------------------------------------------------------------
 */

void git_names_open(struct git_names *names)
{
    *names = (struct git_names){0};
}

void git_names_close(struct git_names *names)
{
    free(names->names);
    free(names->slots);
    buffer_free(&names->texts);
}

/* The slot of the id, or the one that it would have; NULL where neither is near. */
static uint32_t *find_slot(const struct git_names *names, const unsigned char *id)
{
    uint32_t at;
    memcpy(&at, id, sizeof(at));
    for (size_t tried = 0; names->room && tried < SLOTS_TRIED; tried++, at++) {
        uint32_t *slot = &names->slots[at & (2 * names->room - 1)];
        if (*slot == GIT_NONE || memcmp(names->names[*slot].id, id, GIT_ID_KEPT) == 0)
            return slot;
    }
    return NULL;
}

/* Twice as many, of which each has two slots. */
static void grow(struct git_names *names)
{
    names->room = names->room ? 2 * names->room : FIRST_ROOM;
    names->names = memory_resize(names->names, names->room * sizeof(*names->names));
    free(names->slots);
    names->slots = memory_alloc(2 * names->room * sizeof(*names->slots));
    memset(names->slots, 0xff, 2 * names->room * sizeof(*names->slots));
    for (size_t i = 0; i < names->count; i++) {
        uint32_t *slot = find_slot(names, names->names[i].id);
        if (slot)
            *slot = (uint32_t)i;
    }
}

/* The number of the id's name; GIT_NONE where there are too many. */
static uint32_t put(struct git_names *names, const unsigned char *id)
{
    if (names->count == names->room && names->room < LIMIT_GIT_NAMES)
        grow(names);
    uint32_t *slot = find_slot(names, id);
    if (!slot)
        return GIT_NONE;
    if (*slot == GIT_NONE) {
        if (names->count == LIMIT_GIT_NAMES)
            return GIT_NONE;
        struct git_name *name = &names->names[names->count];
        memcpy(name->id, id, GIT_ID_KEPT);
        name->text = name->parent = GIT_NONE;
        *slot = (uint32_t)names->count++;
    }
    return *slot;
}

static void add_name(struct git_names *names, uint32_t parent, const unsigned char *id, slice text)
{
    uint32_t at = put(names, id);
    if (at == GIT_NONE || at == parent || names->names[at].text != GIT_NONE ||
        names->texts.len > LIMIT_GIT_NAME_BYTES)
        return;
    names->names[at].text = (uint32_t)names->texts.len;
    names->names[at].parent = parent;
    buffer_add(&names->texts, slice_first(text, NAME_MOST));
    buffer_add_byte(&names->texts, '\0');
}

void git_names_add_tree(struct git_names *names, const unsigned char *id, slice tree,
                        size_t id_bytes)
{
    uint32_t self = put(names, id);
    while (self != GIT_NONE && tree.len) {
        slice mode, text, rest;
        if (!slice_split(tree, ' ', &mode, &rest) || !slice_split(rest, '\0', &text, &rest) ||
            rest.len < id_bytes)
            return;
        add_name(names, self, (const unsigned char *)rest.ptr, text);
        tree = slice_from(rest, id_bytes);
    }
}

slice git_names_path(const struct git_names *names, const unsigned char *id, struct arena *arena)
{
    uint32_t texts[FOLDERS_MOST];
    size_t count = 0, length = 0;
    const uint32_t *slot = find_slot(names, id);
    uint32_t at = slot ? *slot : GIT_NONE;
    while (at != GIT_NONE && names->names[at].text != GIT_NONE && count < FOLDERS_MOST &&
           length < LIMIT_PATH_BYTES / 2) {
        texts[count] = names->names[at].text;
        length += strlen(names->texts.bytes + texts[count++]);
        at = names->names[at].parent;
    }
    CLEANUP_BUFFER struct buffer path = {0};
    while (count-- > 0) {
        if (path.len)
            buffer_add_byte(&path, '/');
        buffer_text(&path, names->texts.bytes + texts[count]);
    }
    return arena_copy(arena, buffer_slice(&path));
}
