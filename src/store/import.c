/*
 * An import: the feeds that the paths lead to, into a copy of the store that takes its place. Facts
 * come first, as if the store had held them already; then all other feeds side by side.
 */
#include "store/import.h"

#include "base/limits.h"
#include "store/beside.h"
#include "store/feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* The kinds of files, by their first bytes. To add one: a file with its two functions, a line here.
 */
static const struct file_kind *const kinds[] = {
    &file_zip,
    &file_json,
    &file_epss,
    &file_facts,
};

enum { HEAD_BYTES = 4096 };

/* Files in a folder that may be feeds; everything else in one is passed over. */
static const slice feed_endings[] = {
    SLICE(".json"), SLICE(".jsonl"), SLICE(".ndjson"), SLICE(".zip"),
    SLICE(".csv"),  SLICE(".gz"),    SLICE(".zst"),
};

/* Lists that publishers lay beside their feeds, and that say nothing that the feeds do not. */
static const slice side_files[] = {
    SLICE("modified_id.csv"),
    SLICE("delta.json"),
    SLICE("deltaLog.json"),
    SLICE("ecosystems.txt"),
};

/* A file to import. Those of one folder that hold documents make one group. */
struct input {
    slice path;   /* ends in NUL */
    slice source; /* "PyPI/all.zip" */
    slice folder; /* the name of the folder that it lies in */
    slice root;   /* the name of the folder that the user named; empty: the user named the file */
    bool alone;   /* the user named the file itself */
    const struct file_kind *kind; /* NULL: none that is known */
    int fetched;                  /* the open file; -1: `path` is opened */
    size_t number;                /* among what was fetched */
};

struct inputs {
    struct arena *arena;
    struct list list;                    /* struct input */
    const struct import_source *sources; /* what was fetched, or has not changed; or NULL */
    size_t source_count;
    size_t failed; /* the number of the one that is not what it should be */
};

/* --- what there is to import ------------------------------------------------------------------ */

static struct error *read_head(int file, slice path, struct arena *arena, slice *head)
{
    char *bytes = arena_alloc(arena, HEAD_BYTES);
    ssize_t got;
    do
        got = pread(file, bytes, HEAD_BYTES, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno("cannot read %.*s", SLICE_ARG(path));
    *head = slice_make(bytes, (size_t)got);
    return NULL;
}

static const struct file_kind *kind_of(slice head)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i]->recognise(head))
            return kinds[i];
    return NULL;
}

static struct error *find_kind(slice path, const struct file_kind **kind)
{
    CLEANUP_ARENA struct arena scratch = {0};
    CLEANUP_CLOSE int file = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    slice head;
    *kind = NULL;
    if (file < 0)
        return error_errno("cannot open the feed %.*s", SLICE_ARG(path));
    TRY(read_head(file, path, &scratch, &head));
    *kind = kind_of(head);
    return NULL;
}

/* The last two parts of a path: "PyPI/all.zip" says what "all.zip" does not. */
static slice short_name(struct arena *arena, slice path)
{
    slice name = slice_basename(path), folder = slice_basename(slice_dirname(path));
    if (folder.len == 0 || slice_equal(folder, SLICE(".")) || slice_equal(folder, SLICE("..")))
        return name;
    return arena_format(arena, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(name));
}

static struct error *add_file(struct inputs *inputs, slice path, slice root)
{
    const struct file_kind *kind;
    TRY(find_kind(path, &kind));
    if (inputs->list.count == LIMIT_FEED_ENTRIES)
        return error_make(ERROR_LIMIT, "%.*s holds more than %d files (limit on feed entries)",
                          SLICE_ARG(root), LIMIT_FEED_ENTRIES);
    struct input *input = list_add(&inputs->list, inputs->arena, sizeof(*input));
    *input = (struct input){
        .path = path,
        .source = short_name(inputs->arena, path),
        .root = root,
        .folder = slice_basename(slice_dirname(path)),
        .alone = root.len == 0,
        .kind = kind,
        .fetched = -1,
    };
    return NULL;
}

static bool may_be_feed(slice name)
{
    for (size_t i = 0; i < sizeof(side_files) / sizeof(side_files[0]); i++)
        if (slice_equal(name, side_files[i]))
            return false;
    for (size_t i = 0; i < sizeof(feed_endings) / sizeof(feed_endings[0]); i++)
        if (slice_ends(name, feed_endings[i]))
            return true;
    return false;
}

static struct error *add_folder(struct inputs *inputs, slice path, slice root, unsigned depth);

static struct error *add_member(struct inputs *inputs, slice folder, slice name, slice root,
                                unsigned depth)
{
    struct stat status;
    slice path = arena_format(inputs->arena, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(name));
    if (lstat(path.ptr, &status) != 0)
        return error_errno("cannot look at %.*s", SLICE_ARG(path));
    if (S_ISDIR(status.st_mode))
        return add_folder(inputs, path, root, depth + 1);
    /* A link to a file is followed, one to a folder is not: it may lead back. */
    if (S_ISLNK(status.st_mode) && stat(path.ptr, &status) != 0)
        return NULL;
    if (!S_ISREG(status.st_mode) || !may_be_feed(name))
        return NULL;
    return add_file(inputs, path, root);
}

static void cleanup_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static struct error *add_folder(struct inputs *inputs, slice path, slice root, unsigned depth)
{
    if (depth > LIMIT_FEED_FOLDER_DEPTH)
        return error_make(ERROR_LIMIT,
                          "%.*s lies deeper than %d folders (limit on folders of feeds)",
                          SLICE_ARG(path), LIMIT_FEED_FOLDER_DEPTH);
    __attribute__((cleanup(cleanup_directory))) DIR *directory = opendir(path.ptr);
    if (!directory)
        return error_errno("cannot open the folder %.*s", SLICE_ARG(path));
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return error_errno("cannot read the folder %.*s", SLICE_ARG(path));
        if (!entry)
            return NULL;
        /* Hidden ones are of version control and of editors. */
        if (entry->d_name[0] != '.')
            TRY(add_member(inputs, path, slice_from_text(entry->d_name), root, depth));
    }
}

/* By folder, then by name: documents of one folder come together, and the order given is no matter.
 */
static int compare_inputs(const void *a, const void *b)
{
    const struct input *left = a, *right = b;
    int order = slice_compare(slice_dirname(left->path), slice_dirname(right->path));
    return order ? order : slice_compare(left->path, right->path);
}

static struct error *find_inputs(struct inputs *inputs, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        slice path = arena_copy(inputs->arena, slice_from_text(paths[i]));
        if (stat(paths[i], &status) != 0)
            return error_errno("cannot open the feed %s", paths[i]);
        while (path.len > 1 && path.ptr[path.len - 1] == '/')
            path = arena_copy(inputs->arena, slice_first(path, path.len - 1));
        size_t before = inputs->list.count;
        TRY(S_ISDIR(status.st_mode) ? add_folder(inputs, path, slice_basename(path), 0)
                                    : add_file(inputs, path, SLICE_EMPTY));
        if (inputs->list.count == before)
            return error_make(
                ERROR_INPUT,
                "the folder %s holds no feed: OSV, CVE, KEV and end-of-life feeds are "
                ".json or .zip, EPSS scores .csv or .csv.gz, facts .zst",
                paths[i]);
    }
    if (inputs->list.count)
        qsort(inputs->list.items, inputs->list.count, sizeof(struct input), compare_inputs);
    return NULL;
}

/* The forms in which publishers hand out feeds, by the ending of the name. */
static const struct {
    slice ending;
    const struct file_kind *kind;
    const char *name;
} fetched_forms[] = {
    {SLICE(".zip"), &file_zip, "zip file"},
    {SLICE(".csv.gz"), &file_epss, "list of EPSS scores"},
    {SLICE(".json"), &file_json, "JSON"},
};

/* What a proxy or a log-in page sends in a feed's place shows in its first bytes. */
static struct error *check_form(const struct import_source *source, const struct file_kind **kind)
{
    CLEANUP_ARENA struct arena scratch = {0};
    slice head;
    TRY(read_head(source->file, source->about.address, &scratch, &head));
    *kind = kind_of(head);
    for (size_t i = 0; i < sizeof(fetched_forms) / sizeof(fetched_forms[0]); i++)
        if (slice_ends(source->name, fetched_forms[i].ending) && *kind != fetched_forms[i].kind)
            return error_make(ERROR_INPUT, "%.*s is no %s: it begins \"%.*s\"",
                              SLICE_ARG(source->about.address), fetched_forms[i].name,
                              SLICE_ARG(slice_trim(slice_first(head, 40))));
    return NULL;
}

static struct error *find_fetched(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->source_count; i++) {
        const struct import_source *source = &inputs->sources[i];
        const struct file_kind *kind;
        if (source->file < 0)
            continue;
        inputs->failed = i;
        TRY(check_form(source, &kind));
        struct input *input = list_add(&inputs->list, inputs->arena, sizeof(*input));
        *input = (struct input){
            .path = arena_copy(inputs->arena, source->about.address),
            .source = source->name,
            .folder = slice_dirname(source->name),
            .alone = true,
            .kind = kind,
            .fetched = source->file,
            .number = i,
        };
    }
    inputs->failed = SIZE_MAX;
    if (inputs->list.count)
        qsort(inputs->list.items, inputs->list.count, sizeof(struct input), compare_inputs);
    return NULL;
}

/* --- importing it ----------------------------------------------------------------------------- */

static struct error *unknown_feed(const struct input *input)
{
    return error_make(ERROR_INPUT,
                      "%.*s is no feed that is known here: give OSV advisories (zip or JSON), CVE "
                      "records, EPSS scores (csv, csv.gz), the KEV list, end-of-life dates or a "
                      "facts file",
                      SLICE_ARG(input->path));
}

static struct error *import_file(struct feed_import *import, const struct input *input,
                                 slice source)
{
    struct feed_document document = {.source = source, .path = input->path};
    if (!input->kind)
        return input->alone
                   ? unknown_feed(input)
                   : feed_skip(import, &document,
                               error_make(ERROR_INPUT, "it is no feed that is known here"));
    bool fetched = input->fetched >= 0;
    CLEANUP_CLOSE int file =
        fetched ? dup(input->fetched) : open(input->path.ptr, O_RDONLY | O_CLOEXEC);
    if (file < 0 || (fetched && lseek(file, 0, SEEK_SET) != 0))
        return error_errno("cannot open the feed %.*s", SLICE_ARG(input->path));
    uint64_t skipped = import->skipped;
    import->read = 0;
    import->alone = input->alone;
    import->fetched = fetched;
    import->at = fetched ? input->number : SIZE_MAX;
    TRY(input->kind->import(import, file, input->path, source));
    import->total_read += import->read;
    if (import->read || (!input->alone && input->kind == &file_json))
        return NULL;
    if (import->skipped == skipped)
        return error_make(ERROR_INPUT, "the feed %.*s is empty: fetch it again",
                          SLICE_ARG(input->path));
    return error_make(ERROR_INPUT, "nothing in the feed %.*s could be read; the first of it: %.*s",
                      SLICE_ARG(input->path), SLICE_ARG(import->skipped_why));
}

/* Loose documents of one folder are one group; every other file is one of its own. */
static bool same_group(const struct input *a, const struct input *b)
{
    return a->kind == &file_json && b->kind == &file_json && !a->alone && !b->alone &&
           slice_equal(slice_dirname(a->path), slice_dirname(b->path));
}

static struct error *import_group(struct feed_import *import, const struct input *inputs,
                                  size_t count)
{
    bool facts = inputs->kind && inputs->kind->is_facts;
    slice source = count > 1 ? inputs->root : inputs->source;
    TRY(writer_begin_group(&import->writer, facts ? GROUP_FACTS : GROUP_PUBLISHED, source,
                           inputs->folder));
    for (size_t i = 0; i < count; i++)
        TRY(import_file(import, &inputs[i], source));
    return writer_end_group(&import->writer);
}

static struct error *import_phase(struct feed_import *import, const struct inputs *inputs,
                                  bool facts, bool *any)
{
    const struct input *all = inputs->list.items;
    *any = false;
    for (size_t from = 0, to; from < inputs->list.count; from = to) {
        for (to = from + 1; to < inputs->list.count && same_group(&all[from], &all[to]);)
            to++;
        if ((all[from].kind && all[from].kind->is_facts) != facts)
            continue;
        if (!*any)
            TRY(writer_begin_phase(&import->writer));
        *any = true;
        TRY(import_group(import, all + from, to - from));
    }
    return *any ? writer_end_phase(&import->writer) : NULL;
}

/* --- what was fetched --------------------------------------------------------------------------
 */

static struct error *was_written(const struct database *database, slice feed, bool *written)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    TRY(database_prepare(database, &statement,
                         "SELECT 1 FROM temp.written WHERE ecosystem = ?1"
                         " OR substr(ecosystem, 1, length(?1) + 1) = ?1 || ':'"));
    bind_text(statement, 1, feed);
    return database_row(database, statement, written);
}

/*
 * What has not changed was asked before the store was locked. Where it was imported by hand or
 * removed since, the answer is of a feed that this store has not got.
 */
static struct error *check_unchanged(struct feed_import *import, const struct database *database,
                                     const struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->source_count; i++) {
        const struct import_source *source = &inputs->sources[i];
        bool there = true;
        if (source->file < 0)
            TRY(fetched_is_there(database, &source->about, &there));
        if (there)
            continue;
        import->at = i;
        return error_make(ERROR_INPUT, "the store no longer has what came from %.*s",
                          SLICE_ARG(source->about.address));
    }
    return NULL;
}

/* An address that leads to another feed than it should must not pass for this one. */
static struct error *note_fetched(struct feed_import *import, const struct database *database,
                                  const struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->source_count; i++) {
        const struct import_source *source = &inputs->sources[i];
        bool written = source->file < 0;
        if (!written)
            TRY(was_written(database, source->about.feed, &written));
        import->at = i;
        if (!written)
            return error_make(ERROR_INPUT, "%.*s holds nothing of %.*s",
                              SLICE_ARG(source->about.address), SLICE_ARG(source->about.feed));
        import->at = SIZE_MAX;
        TRY(fetched_write(database, &source->about, import->writer.now));
    }
    return NULL;
}

/* --- the new store ---------------------------------------------------------------------------- */

static slice time_now(struct arena *arena)
{
    struct tm parts;
    time_t now = time(NULL);
    char text[sizeof("2026-08-21T12:56:10Z")];
    gmtime_r(&now, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return arena_copy(arena, slice_from_text(text));
}

static struct error *write_meta(struct feed_import *import, bool other_feeds)
{
    slice built = import->writer.now;
    if (import->options->built)
        built = slice_from_text(import->options->built);
    else if (!other_feeds && import->facts_built.len)
        built = import->facts_built;
    TRY(writer_meta(&import->writer, SLICE("built"), built));
    if (import->options->starter)
        TRY(writer_meta(&import->writer, SLICE("starter"), SLICE("1")));
    return NULL;
}

/* Ecosystems that nothing is of any more; and the pages in the order in which they are looked up.
 */
static struct error *tidy(const struct database *database)
{
    return database_run(database,
                        "DELETE FROM ecosystem WHERE id NOT IN (SELECT ecosystem FROM affected)"
                        " AND id NOT IN (SELECT base FROM advisory);"
                        "VACUUM;");
}

static struct error *list_feeds(struct feed_import *import, struct database *database,
                                struct import_result *result)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    struct list feeds = {0};
    bool row = false;
    TRY(database_prepare(database, &statement,
                         "SELECT ecosystem, source, entries, newest, imported FROM feed"
                         " WHERE ecosystem IN (SELECT ecosystem FROM temp.written)"
                         " ORDER BY ecosystem"));
    TRY(database_row(database, statement, &row));
    while (row) {
        struct store_feed *feed = list_add(&feeds, import->arena, sizeof(*feed));
        feed->ecosystem = arena_copy(import->arena, column_bytes(statement, 0));
        feed->source = arena_copy(import->arena, column_bytes(statement, 1));
        feed->entries = (uint64_t)sqlite3_column_int64(statement, 2);
        feed->newest = arena_copy(import->arena, column_bytes(statement, 3));
        feed->imported = arena_copy(import->arena, column_bytes(statement, 4));
        TRY(database_row(database, statement, &row));
    }
    result->feeds = feeds.items;
    result->feed_count = feeds.count;
    result->skipped = import->skipped;
    result->skipped_why = import->skipped_why;
    return NULL;
}

static struct error *fill(struct feed_import *import, struct database *database,
                          const struct inputs *inputs, struct import_result *result)
{
    bool facts, other_feeds;
    TRY(check_unchanged(import, database, inputs));
    TRY(import_phase(import, inputs, true, &facts));
    TRY(import_phase(import, inputs, false, &other_feeds));
    import->at = SIZE_MAX;
    if (import->total_read == 0 && inputs->list.count)
        return error_make(ERROR_INPUT, "none of the feeds could be read; the first of them: %.*s",
                          SLICE_ARG(import->skipped_why));
    TRY(fetched_forget_written(database));
    TRY(note_fetched(import, database, inputs));
    TRY(write_meta(import, other_feeds || inputs->sources));
    return list_feeds(import, database, result);
}

static struct error *write_store(struct feed_import *import, const struct beside *beside,
                                 const char *store_path, const struct inputs *inputs,
                                 struct import_result *result)
{
    struct database database;
    struct error *error = database_open_beside(&database, beside->beside, store_path);
    if (!error)
        error = writer_open(&import->writer, &database, time_now(import->arena),
                            import->options->facts_only);
    if (!error)
        error = fill(import, &database, inputs, result);
    writer_close(&import->writer);
    if (!error && inputs->list.count)
        error = tidy(&database);
    database_close(&database);
    return error;
}

static struct error *import_inputs(const char *store_path, const struct inputs *inputs,
                                   const struct import_options *options, struct arena *arena,
                                   struct import_result *result)
{
    struct feed_import import = {.options = options, .arena = arena, .at = SIZE_MAX};
    struct beside beside;
    struct error *error = beside_begin(&beside, store_path);
    if (!error)
        error = beside_copy(&beside, options->begin_with);
    if (!error)
        error = write_store(&import, &beside, store_path, inputs, result);
    if (!error)
        error = beside_commit(&beside);
    beside_end(&beside);
    /* A disk that is full is no feed's fault. */
    result->failed = error && error->kind != ERROR_SYSTEM ? import.at : SIZE_MAX;
    return error;
}

struct error *store_import(const char *store_path, const char *const *paths, size_t path_count,
                           const struct import_options *options, struct arena *arena,
                           struct import_result *result)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct inputs inputs = {.arena = &scratch};
    *result = (struct import_result){.failed = SIZE_MAX};
    if (path_count == 0)
        return error_make(ERROR_USAGE, "no feed was given: name files or folders to import");
    TRY(find_inputs(&inputs, paths, path_count));
    return error_wrap(import_inputs(store_path, &inputs, options, arena, result),
                      "cannot import into %s", store_path);
}

struct error *store_import_fetched(const char *store_path, const struct import_source *sources,
                                   size_t count, const struct import_options *options,
                                   struct arena *arena, struct import_result *result)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct inputs inputs = {
        .arena = &scratch, .sources = sources, .source_count = count, .failed = SIZE_MAX};
    *result = (struct import_result){.failed = SIZE_MAX};
    struct error *error = find_fetched(&inputs);
    if (error) {
        result->failed = inputs.failed;
        return error;
    }
    return import_inputs(store_path, &inputs, options, arena, result);
}
