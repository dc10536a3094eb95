/* Archives within an image's files: zip (wheels, jars, eggs), tar, gzip and zstd. */
#include "secret/kinds.h"
#include "archive/content_stream.h"
#include "archive/tar.h"
#include "archive/zip_stream.h"
#include "base/limits.h"

static bool may_open(const struct secret_look *look)
{
    return look->depth < LIMIT_SECRET_ARCHIVE_DEPTH;
}

static struct error *too_many(void)
{
    return error_make(ERROR_LIMIT, "an archive in it has more than %d members",
                      LIMIT_SECRET_ARCHIVE_MEMBERS);
}

/* -- zip ------------------------------------------------------------------------------------------
 */

static bool is_zip(const struct secret_look *look, slice head)
{
    return may_open(look) && slice_starts(head, SLICE("PK\3\4"));
}

static struct error *look_at_members(struct secret_look *look, struct zip_stream *zip)
{
    for (size_t count = 0;; count++) {
        const struct zip_member *member;
        TRY(zip_stream_next(zip, &member));
        if (!member)
            return NULL;
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return too_many();
        if (!member->encrypted)
            TRY(secret_look_inside(look, member->name, zip_stream_read, zip));
    }
}

static struct error *look_at_zip(struct secret_look *look, struct stream *stream)
{
    struct zip_stream *zip = zip_stream_open(stream);
    struct error *error = look_at_members(look, zip);
    zip_stream_close(zip);
    return error;
}

/* -- tar ------------------------------------------------------------------------------------------
 */

static bool is_tar(const struct secret_look *look, slice head)
{
    enum { MAGIC_AT = 257 };
    return may_open(look) && slice_starts(slice_from(head, MAGIC_AT), SLICE("ustar"));
}

static struct error *next_of_tar(void *context, slice *piece)
{
    return tar_read(context, piece);
}

static struct error *look_at_entries(struct secret_look *look, struct tar *tar)
{
    for (size_t count = 0;; count++) {
        const struct entry *entry;
        TRY(tar_next(tar, &entry));
        if (!entry)
            return NULL;
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return too_many();
        if (entry->kind == ENTRY_FILE && entry->size)
            TRY(secret_look_inside(look, entry->path, next_of_tar, tar));
    }
}

static struct error *look_at_tar(struct secret_look *look, struct stream *stream)
{
    struct tar tar;
    tar_start(&tar, stream);
    struct error *error = look_at_entries(look, &tar);
    tar_free(&tar);
    return error;
}

/* -- gzip and zstd --------------------------------------------------------------------------------
 */

static bool is_compressed(const struct secret_look *look, slice head)
{
    return may_open(look) && (slice_starts(head, SLICE("\x1f\x8b\x08")) ||
                              slice_starts(head, SLICE("\x28\xb5\x2f\xfd")));
}

/* As content of another stream: shown and taken at once; it stays until the next call. */
static struct error *next_of_stream(void *context, slice *piece)
{
    TRY(stream_some(context, piece));
    stream_take(context, piece->len);
    return NULL;
}

static struct error *look_at_compressed(struct secret_look *look, struct stream *stream)
{
    struct content content = {next_of_stream, stream, NULL};
    struct stream *packed = stream_from_content(&content);
    CLEANUP_STREAM struct stream *unpacked = NULL;
    const char *name;
    TRY(stream_unpack(&unpacked, packed, &name));
    return secret_look_inside(look, SLICE_EMPTY, next_of_stream, unpacked);
}

const struct secret_kind secret_kind_zip = {"zip", is_zip, look_at_zip};
const struct secret_kind secret_kind_tar = {"tar", is_tar, look_at_tar};
const struct secret_kind secret_kind_compressed = {"compressed", is_compressed, look_at_compressed};
