#include "cli/exceptions.h"
#include "base/progress.h"
#include "policy/ignore_file.h"

static struct error *as_usage(struct error *error, const char *option)
{
    if (error)
        error->kind = ERROR_USAGE;
    return error_wrap(error, "--%s", option);
}

struct error *exceptions_load(struct scan_exceptions *loaded, const struct options *options,
                              struct arena *arena)
{
    *loaded = (struct scan_exceptions){.vex = {.arena = arena}};
    for (size_t i = 0; i < options->ignore_files.count; i++)
        TRY(as_usage(ignore_file_read(&loaded->exceptions, options->ignore_files.items[i], arena),
                     "ignorefile"));
    for (size_t i = 0; i < options->vex.count; i++)
        TRY(as_usage(vex_read(&loaded->vex, options->vex.items[i]), "vex"));
    if (options->ignore_files.count == 0)
        loaded->failure = ignore_files_find(&loaded->exceptions, arena);
    return NULL;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static size_t entries_of(const struct exceptions *exceptions, const char *file)
{
    size_t count = 0, found = 0;
    for (int state = 0; state <= EXCEPTION_SKIPPED; state++)
        count += exceptions_count(exceptions, file, (enum exception_state)state, &found);
    return count;
}

/* "app.yaml: 2 of 3 exceptions took effect, on 5 findings" */
static void remark_file(const struct exceptions *exceptions, const char *file)
{
    size_t found = 0, all = entries_of(exceptions, file);
    size_t applied = exceptions_count(exceptions, file, EXCEPTION_APPLIED, &found);
    if (all)
        remark("%s: %zu of %zu exception%s took effect, on %zu finding%s", file, applied, all,
               plural(all), found, plural(found));
}

static void remark_entry(const struct exception *entry)
{
    if (entry->state == EXCEPTION_EXPIRED)
        remark("%s:%zu: the exception for %.*s has run out (%.*s) and hides nothing any more; it "
               "is for %zu finding%s",
               entry->file, entry->line, SLICE_ARG(entry->what), SLICE_ARG(entry->until),
               entry->findings, plural(entry->findings));
    if (entry->state == EXCEPTION_UNUSED)
        remark("%s:%zu: the exception for %.*s is for nothing that was found", entry->file,
               entry->line, SLICE_ARG(entry->what));
}

/* Many entries that are for other images are one line, not hundreds. */
enum { MOST_UNUSED_TOLD = 10 };

static void remark_entries(const struct exceptions *exceptions)
{
    struct exception *const *entries = exceptions->entries.items;
    size_t unused = 0;
    for (size_t i = 0; i < exceptions->entries.count; i++) {
        unused += entries[i]->state == EXCEPTION_UNUSED;
        if (entries[i]->state != EXCEPTION_UNUSED || unused <= MOST_UNUSED_TOLD)
            remark_entry(entries[i]);
    }
    if (unused > MOST_UNUSED_TOLD)
        remark("%zu more exceptions are for nothing that was found", unused - MOST_UNUSED_TOLD);
}

static void remark_document(const struct vex_document *document)
{
    remark("%s: %s, %zu statement%s; %zu finding%s spoken of, %zu not affected or fixed",
           document->file, document->form, document->statements, plural(document->statements),
           document->findings, plural(document->findings), document->hidden);
    if (document->passed_over)
        remark("%s: %zu statement%s passed over, which name no product or a range of versions",
               document->file, document->passed_over, plural(document->passed_over));
}

/* Of a folder of thousands only those that say something of this image. */
enum { MOST_DOCUMENTS_TOLD = 10 };

static void remark_vex(const struct vex *vex)
{
    const struct vex_document *documents = vex->documents.items;
    size_t silent = 0;
    for (size_t i = 0; i < vex->documents.count; i++) {
        if (documents[i].findings || vex->documents.count <= MOST_DOCUMENTS_TOLD)
            remark_document(&documents[i]);
        else
            silent++;
    }
    if (silent)
        remark("%zu more VEX documents say nothing of what was found", silent);
}

void exceptions_use(struct scan_exceptions *loaded, const struct exception_scan *scan,
                    struct arena *arena)
{
    const char *const *files = loaded->exceptions.files.items;
    vex_apply(&loaded->vex, scan->target, scan->result);
    exceptions_apply(&loaded->exceptions, scan, arena);
    for (size_t i = 0; i < loaded->exceptions.files.count; i++)
        remark_file(&loaded->exceptions, files[i]);
    remark_entries(&loaded->exceptions);
    remark_vex(&loaded->vex);
}
