/* CISA's Known Exploited Vulnerabilities, the JSON catalogue: which CVEs, and since when. */
#include "store/feed.h"

#include "base/limits.h"

static struct error *import_entry(struct feed_import *import, const struct feed_document *document,
                                  const json_t *entry)
{
    slice id = feed_json_text(entry, "cveID");
    int64_t number;
    if (!cve_number(id, &number))
        return feed_skip(import, document,
                         error_make(ERROR_INPUT, "an entry of the KEV list has no CVE id"));
    import->read++;
    return writer_kev(&import->writer, number,
                      slice_first(feed_json_text(entry, "dateAdded"), sizeof("2024-01-31") - 1));
}

static struct error *import_kev(struct feed_import *import, const struct feed_document *document,
                                const json_t *root)
{
    const json_t *entries = json_object_get(root, "vulnerabilities");
    slice released = slice_first(feed_json_text(root, "dateReleased"), 40);
    bool take;
    if (json_array_size(entries) == 0)
        return feed_skip(import, document, error_make(ERROR_INPUT, "the KEV list is empty"));
    TRY(writer_begin_table(&import->writer, TABLE_KEV, document->source, released, &take));
    if (!take) {
        import->read++;
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(entries); i++)
        TRY(import_entry(import, document, json_array_get(entries, i)));
    return NULL;
}

static bool recognise_kev(const json_t *root)
{
    return json_is_array(json_object_get(root, "vulnerabilities")) &&
           json_is_string(json_object_get(root, "catalogVersion"));
}

const struct document_kind document_kev = {"KEV list", recognise_kev, import_kev};
