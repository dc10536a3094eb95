/* Reading VEX documents: the table of forms, files and folders, and what the forms share. */
#include "policy/vex_forms.h"
#include "base/file.h"
#include "base/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A document that says what it is goes before one that is known by its content. */
static const struct vex_form *const forms[] = {
    &vex_cyclonedx,
    &vex_csaf,
    &vex_openvex,
};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

struct error *vex_wrong(const struct vex_reading *reading, const char *format, ...)
{
    va_list arguments;
    char text[512];
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return error_make(ERROR_INPUT, "%s: %s", reading->file, text);
}

struct vex_statement *vex_begin(struct vex_reading *reading, size_t number, enum vex_status status)
{
    struct vex_statement *statement = ARENA_NEW(reading->arena, struct vex_statement);
    statement->file = reading->file;
    statement->document = reading->vex->documents.count - 1;
    statement->number = number;
    statement->status = status;
    statement->moment = INT64_MIN;
    return statement;
}

void vex_add_name(struct vex_reading *reading, struct vex_statement *statement, slice name)
{
    const slice *names = statement->names.items;
    for (size_t i = 0; i < statement->names.count; i++)
        if (slice_equal(names[i], name))
            return;
    if (name.len)
        *(slice *)list_add(&statement->names, reading->arena, sizeof(slice)) = name;
}

void vex_end(struct vex_reading *reading, struct vex_statement *statement)
{
    struct vex *vex = reading->vex;
    const slice *names = statement->names.items;
    if (statement->names.count == 0 || statement->scopes.count == 0) {
        reading->document->passed_over++;
        return;
    }
    reading->document->statements++;
    *(struct vex_statement **)list_add(&vex->statements, vex->arena, sizeof(statement)) = statement;
    for (size_t i = 0; i < statement->names.count; i++) {
        struct list *list = map_get(&vex->by_name, names[i]);
        if (!list) {
            list = ARENA_NEW(vex->arena, struct list);
            map_put(&vex->by_name, names[i], list);
        }
        *(struct vex_statement **)list_add(list, vex->arena, sizeof(statement)) = statement;
    }
}

struct error *vex_add_scope(struct vex_reading *reading, struct vex_statement *statement,
                            const struct vex_thing *product, const struct vex_thing *part)
{
    if (reading->vex->scopes++ >= LIMIT_VEX_SCOPES)
        return error_make(ERROR_LIMIT,
                          "%s: all statements together are about more products than the limit of "
                          "%d",
                          reading->file, LIMIT_VEX_SCOPES);
    *(struct vex_scope *)list_add(&statement->scopes, reading->arena, sizeof(struct vex_scope)) =
        (struct vex_scope){product, part};
    return NULL;
}

void vex_identify(struct vex_reading *reading, struct vex_thing *thing, slice identifier)
{
    struct purl purl;
    if (identifier.len == 0)
        return;
    *(slice *)list_add(&thing->identifiers, reading->arena, sizeof(slice)) = identifier;
    if (purl_parse(&purl, identifier, reading->arena))
        *(struct purl *)list_add(&thing->purls, reading->arena, sizeof(purl)) = purl;
}

slice vex_join(struct vex_reading *reading, slice text, slice more)
{
    more = slice_trim(more);
    if (text.len == 0 || more.len == 0)
        return text.len ? text : more;
    return arena_format(reading->arena, "%.*s; %.*s", SLICE_ARG(text), SLICE_ARG(more));
}

/* -- moments -------------------------------------------------------------------------------------
 */

/* Pulls a number of so many digits, and the byte behind it when one is wanted. */
static bool pull_digits(slice *rest, size_t count, const char *separators, int64_t *number)
{
    uint64_t value;
    if (!slice_to_u64(slice_first(*rest, count), &value) || rest->len < count)
        return false;
    *number = (int64_t)value;
    *rest = slice_from(*rest, count);
    if (!*separators)
        return true;
    if (rest->len == 0 || !strchr(separators, rest->ptr[0]))
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* ".123456789"; digits beyond nanoseconds do not count. */
static int64_t pull_fraction(slice *rest)
{
    int64_t nanoseconds = 0, unit = 100000000;
    if (!slice_starts(*rest, SLICE(".")))
        return 0;
    *rest = slice_from(*rest, 1);
    for (; rest->len && byte_is_digit(rest->ptr[0]); *rest = slice_from(*rest, 1), unit /= 10)
        nanoseconds += (rest->ptr[0] - '0') * unit;
    return nanoseconds;
}

int64_t vex_moment(slice text)
{
    slice rest = text;
    int64_t year, month, day, hour, minute, second, hours = 0, minutes = 0;
    if (!pull_digits(&rest, 4, "-", &year) || !pull_digits(&rest, 2, "-", &month) ||
        !pull_digits(&rest, 2, "Tt ", &day) || !pull_digits(&rest, 2, ":", &hour) ||
        !pull_digits(&rest, 2, ":", &minute) || !pull_digits(&rest, 2, "", &second))
        return INT64_MIN;
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31)
        return INT64_MIN;
    int64_t nanoseconds = pull_fraction(&rest);
    int64_t sign = slice_starts(rest, SLICE("-")) ? -1 : 1;
    if (slice_starts(rest, SLICE("+")) || sign < 0) {
        rest = slice_from(rest, 1);
        if (!pull_digits(&rest, 2, ":", &hours) || !pull_digits(&rest, 2, "", &minutes))
            return INT64_MIN;
    } else if (!slice_equal_nocase(rest, SLICE("Z")))
        return INT64_MIN;
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
                      sign * (hours * 3600 + minutes * 60);
    return seconds * 1000000000 + nanoseconds;
}

int64_t vex_moment_of(const json_t *object, const char *const *members, int64_t otherwise)
{
    for (; *members; members++) {
        const json_t *member = json_object_get(object, *members);
        int64_t moment = json_is_string(member) ? vex_moment(json_slice(member)) : INT64_MIN;
        if (moment != INT64_MIN)
            return moment;
    }
    return otherwise;
}

/* -- documents -----------------------------------------------------------------------------------
 */

/* An in-toto statement holds the document as its predicate. */
static const json_t *unwrapped(const json_t *root)
{
    const json_t *predicate = json_object_get(root, "predicate");
    return json_is_object(predicate) && json_is_string(json_object_get(root, "predicateType"))
               ? predicate
               : root;
}

struct error *vex_parse(struct vex *vex, const char *file, slice text)
{
    CLEANUP_JSON json_t *whole = NULL;
    TRY(json_read(&whole, text, file));
    const json_t *root = unwrapped(whole);
    vex->by_name.arena = vex->arena;
    for (size_t i = 0; i < FORMS; i++) {
        if (!forms[i]->recognise(root))
            continue;
        struct vex_document *document =
            list_add(&vex->documents, vex->arena, sizeof(struct vex_document));
        *document = (struct vex_document){.file = file, .form = forms[i]->name};
        struct vex_reading reading = {vex, document, file, vex->arena};
        return forms[i]->read(&reading, root);
    }
    return error_make(
        ERROR_INPUT, "%s is no VEX document: it is neither OpenVEX, nor CycloneDX, nor CSAF", file);
}

static struct error *read_file(struct vex *vex, const char *path)
{
    CLEANUP_ARENA struct arena text_arena = {0};
    slice text;
    TRY(error_wrap(file_read_whole(&text_arena, AT_FDCWD, path, LIMIT_VEX_BYTES, &text),
                   "the VEX document"));
    return error_wrap(vex_parse(vex, path, text), "the VEX document");
}

static bool is_document(slice name)
{
    static const char *const endings[] = {".json", ".vex", ".csaf"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (slice_ends(name, slice_from_text(endings[i])))
            return true;
    return false;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not as the locale has it */
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

struct folder {
    struct vex *vex;
    size_t files;
};

static struct error *read_folder(struct folder *folder, const char *path, unsigned depth);

static struct error *read_entry(struct folder *folder, const char *path, unsigned depth)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return error_errno("cannot open %s", path);
    if (S_ISDIR(info.st_mode))
        return read_folder(folder, path, depth + 1);
    if (!is_document(slice_from_text(path)))
        return NULL;
    if (folder->files++ == LIMIT_VEX_FILES)
        return error_make(ERROR_LIMIT, "%s: there are more VEX documents than the limit of %d",
                          path, LIMIT_VEX_FILES);
    return read_file(folder->vex, path);
}

static struct error *read_folder(struct folder *folder, const char *path, unsigned depth)
{
    struct dirent **names;
    struct error *error = NULL;
    if (depth > LIMIT_VEX_FOLDER_DEPTH)
        return error_make(ERROR_LIMIT, "%s lies deeper than the limit of %d folders", path,
                          LIMIT_VEX_FOLDER_DEPTH);
    int count = scandir(path, &names, is_shown, compare_names);
    if (count < 0)
        return error_errno("cannot read the folder %s", path);
    for (int i = 0; i < count; i++) {
        slice below = arena_format(folder->vex->arena, "%s/%s", path, names[i]->d_name);
        if (!error)
            error = read_entry(folder, below.ptr, depth);
        free(names[i]);
    }
    free(names);
    return error;
}

struct error *vex_read(struct vex *vex, const char *path)
{
    struct stat info;
    struct folder folder = {.vex = vex};
    if (stat(path, &info) < 0)
        return error_errno("the VEX document: cannot open %s", path);
    if (!S_ISDIR(info.st_mode))
        return read_file(vex, path);
    TRY(read_folder(&folder, path, 0));
    return folder.files ? NULL
                        : error_make(ERROR_INPUT,
                                     "there is no VEX document in the folder %s (*.json, *.vex, "
                                     "*.csaf)",
                                     path);
}
