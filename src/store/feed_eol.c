/*
 * End-of-life dates of distributions and runtimes, as endoflife.date has them:
 * {product: {releases: [{releaseCycle, eol, eoes, …}]}}; eol and eoes are a date or true or false.
 */
#include "store/feed.h"

#include "base/limits.h"

static slice date_of(const json_t *release, const char *member)
{
    const json_t *value = json_object_get(release, member);
    if (json_is_boolean(value))
        return json_is_true(value) ? SLICE("true") : SLICE("false");
    slice date = slice_first(feed_json_slice(value), sizeof("2024-01-31") - 1);
    for (size_t i = 0; i < date.len; i++)
        if (i == 4 || i == 7 ? date.ptr[i] != '-' : !byte_is_digit(date.ptr[i]))
            return SLICE_EMPTY;
    return date.len == sizeof("2024-01-31") - 1 ? date : SLICE_EMPTY;
}

/* The table has no date of its own: the newest release in it says how old it is at most. */
static slice newest_release(const json_t *root)
{
    const char *product;
    json_t *about;
    slice newest = SLICE_EMPTY;
    json_object_foreach((json_t *)root, product, about)
    {
        const json_t *releases = json_object_get(about, "releases");
        for (size_t i = 0; i < json_array_size(releases); i++) {
            slice date = date_of(json_array_get(releases, i), "latestReleaseDate");
            if (slice_compare(date, newest) > 0)
                newest = date;
        }
    }
    return newest;
}

static struct error *import_product(struct feed_import *import,
                                    const struct feed_document *document, slice product,
                                    const json_t *releases)
{
    for (size_t i = 0; i < json_array_size(releases); i++) {
        const json_t *release = json_array_get(releases, i);
        slice name = feed_json_text(release, "releaseCycle");
        if (name.len == 0 || name.len > LIMIT_ADVISORY_ID_BYTES ||
            product.len > LIMIT_ADVISORY_ID_BYTES) {
            TRY(feed_skip(import, document,
                          error_make(ERROR_INPUT, "a release of %.*s has no name",
                                     SLICE_ARG(slice_first(product, 80)))));
            continue;
        }
        import->read++;
        TRY(writer_end_of_life(&import->writer, product, name, date_of(release, "eol"),
                               date_of(release, "eoes")));
    }
    return NULL;
}

static struct error *import_eol(struct feed_import *import, const struct feed_document *document,
                                const json_t *root)
{
    const char *product;
    json_t *about;
    bool take;
    TRY(writer_begin_table(&import->writer, TABLE_EOL, document->source, newest_release(root),
                           &take));
    json_object_foreach((json_t *)root, product, about)
    {
        TRY(import_product(import, document, slice_from_text(product),
                           json_object_get(about, "releases")));
    }
    return NULL;
}

/* Every member is a product with releases that have a cycle. */
static bool recognise_eol(const json_t *root)
{
    const char *product;
    json_t *about;
    if (json_object_size(root) == 0)
        return false;
    json_object_foreach((json_t *)root, product, about)
    {
        const json_t *releases = json_object_get(about, "releases");
        if (!json_is_array(releases) ||
            (json_array_size(releases) &&
             !json_object_get(json_array_get(releases, 0), "releaseCycle")))
            return false;
    }
    return true;
}

const struct document_kind document_eol = {"end-of-life table", recognise_eol, import_eol};
