#include "cli/build_context.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

const char *const context_advice[] = {
    [REMEDY_LINE] = "",
    [REMEDY_DOCKERFILE] = "the builder reads it in any case, so no line leaves it out. Move the "
                          "value out of ENV and ARG: RUN --mount=type=secret hands it to the one "
                          "command that needs it, and to nobody else",
    [REMEDY_IGNORE_FILE] = "the builder reads it in any case, so no line leaves it out. Take the "
                           "value out of it",
    [REMEDY_NAME] = "no line can name it, since its name has a line end in it. Give it another "
                    "name, or leave out its folder",
};

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* The path below a folder, by the folder that it is really in; empty where it is outside. */
static slice path_below(const char *folder, const char *path, struct arena *arena)
{
    slice name = slice_basename(slice_from_text(path)),
          above = slice_dirname(slice_from_text(path));
    if (above.len == 0)
        above = path[0] == '/' ? SLICE("/") : SLICE(".");
    CLEANUP_FREE char *real_folder = realpath(folder, NULL);
    CLEANUP_FREE char *real_above = realpath(arena_text(arena, above), NULL);
    if (!real_folder || !real_above)
        return SLICE_EMPTY;
    slice root = slice_from_text(real_folder), place = slice_from_text(real_above);
    root.len -= slice_equal(root, SLICE("/"));
    place.len -= slice_equal(place, SLICE("/"));
    slice rest = slice_from(place, root.len);
    if (!slice_starts(place, root) || (rest.len && rest.ptr[0] != '/'))
        return SLICE_EMPTY;
    rest = slice_from(rest, 1);
    return arena_format(arena, "%.*s%s%.*s", SLICE_ARG(rest), rest.len ? "/" : "", SLICE_ARG(name));
}

/* A link is followed within its folder alone, as builders do: what they are sent is all there is.
 * A repository that someone else wrote cannot have another file read that way. */
static bool is_there(const char *path, const char *folder, struct arena *arena)
{
    if (!is_link(path))
        return exists(path);
    CLEANUP_FREE char *real = realpath(path, NULL);
    if (real && path_below(folder, real, arena).len)
        return true;
    remark("%s is a link that leads nowhere in its folder: builders do not follow it", path);
    return false;
}

static void find_below(slice below[2], const struct build_context *context, const char *path)
{
    CLEANUP_FREE char *real = realpath(path, NULL);
    below[0] = path_below(context->folder, path, context->arena);
    if (real)
        below[1] = path_below(context->folder, real, context->arena);
}

static struct error *find_dockerfile(struct build_context *context, const char *given)
{
    static const char *const names[] = {"Dockerfile", "dockerfile", "Containerfile"};
    context->dockerfile_given = given != NULL;
    context->dockerfile = given;
    if (given && !exists(given))
        return error_errno("--dockerfile: cannot open %s", given);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !context->dockerfile; i++) {
        const char *path = arena_format(context->arena, "%s/%s", context->folder, names[i]).ptr;
        if (exists(path))
            context->dockerfile = path;
    }
    if (context->dockerfile)
        find_below(context->dockerfile_below, context, context->dockerfile);
    return NULL;
}

/* Where there is no Dockerfile, or it is spelled small, builders look for that of "Dockerfile". */
static const char *own_ignore_path(const struct build_context *context)
{
    slice path = slice_from_text(context->dockerfile ? context->dockerfile : "");
    if (context->dockerfile_given || slice_ends(path, SLICE("/Containerfile")))
        return arena_format(context->arena, "%.*s.dockerignore", SLICE_ARG(path)).ptr;
    return arena_format(context->arena, "%s/Dockerfile.dockerignore", context->folder).ptr;
}

static struct error *read_ignore(struct build_context *context)
{
    const char *own = own_ignore_path(context);
    slice beside = slice_dirname(slice_from_text(own));
    const char *folder =
        beside.len ? arena_text(context->arena, beside) : (own[0] == '/' ? "/" : ".");
    bool there = is_there(own, folder, context->arena);
    context->ignore_path = own;
    if (!there) {
        context->ignore_path =
            arena_format(context->arena, "%s/.dockerignore", context->folder).ptr;
        there = is_there(context->ignore_path, context->folder, context->arena);
    }
    find_below(context->ignore_below, context, context->ignore_path);
    if (there)
        TRY(file_read_whole(context->arena, AT_FDCWD, context->ignore_path,
                            LIMIT_DOCKERIGNORE_BYTES, &context->ignore_text));
    return dockerignore_read(&context->ignore, context->ignore_path, context->ignore_text,
                             context->arena);
}

struct error *build_context_open(struct build_context *context, const char *folder,
                                 const char *dockerfile, struct arena *arena)
{
    *context = (struct build_context){.arena = arena, .folder = folder};
    TRY(find_dockerfile(context, dockerfile));
    return read_ignore(context);
}

static bool is_either(slice path, const slice below[2])
{
    return slice_equal(path, below[0]) || slice_equal(path, below[1]);
}

static enum context_remedy remedy_of(const struct build_context *context, slice path)
{
    /* Without a name given the builder chooses: docker Dockerfile, podman Containerfile. */
    if (is_either(path, context->dockerfile_below) ||
        (!context->dockerfile_given && slice_equal(path, SLICE("Containerfile"))))
        return REMEDY_DOCKERFILE;
    return is_either(path, context->ignore_below) ? REMEDY_IGNORE_FILE : REMEDY_LINE;
}

struct error *build_context_sends(struct build_context *context, slice path, bool *sends)
{
    bool out = false;
    if (remedy_of(context, path) == REMEDY_LINE)
        TRY(dockerignore_leaves_out(&context->ignore, path, &out));
    *sends = !out;
    return NULL;
}

size_t build_context_add_file(struct build_context *context, slice path, bool outside)
{
    const struct context_file *files = context->files.items;
    for (size_t i = context->files.count; i-- > 0;)
        if (slice_equal(files[i].path, path) && files[i].outside == outside)
            return i;
    *(struct context_file *)list_add(&context->files, context->arena, sizeof(*files)) =
        (struct context_file){path, outside,
                              outside ? REMEDY_DOCKERFILE : remedy_of(context, path)};
    return context->files.count - 1;
}

/* Adds the line for a path, once; false where there can be none. */
static bool add_line(struct build_context *context, slice path)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const slice *lines = context->lines.items;
    if (!dockerignore_add_line(&text, path))
        return false;
    for (size_t i = 0; i < context->lines.count; i++)
        if (slice_equal(lines[i], buffer_slice(&text)))
            return true;
    *(slice *)list_add(&context->lines, context->arena, sizeof(slice)) =
        arena_copy(context->arena, buffer_slice(&text));
    return true;
}

static void add_lines_to(const struct build_context *context, struct buffer *text)
{
    const slice *lines = context->lines.items;
    buffer_add(text, context->ignore_text);
    if (text->len && text->bytes[text->len - 1] != '\n')
        buffer_add_byte(text, '\n');
    buffer_text(text, "# secrets (plimsoll context)\n");
    for (size_t i = 0; i < context->lines.count; i++) {
        buffer_add(text, lines[i]);
        buffer_add_byte(text, '\n');
    }
}

/* What is left out has to be so for clients of every age. */
static struct error *is_left_out(struct dockerignore *ignore, slice path, bool *out)
{
    TRY(dockerignore_leaves_out(ignore, path, out));
    if (*out)
        TRY(dockerignore_leaves_out_stepwise(ignore, path, out));
    return NULL;
}

/* Looks whether the lines so far leave the files out. One that is sent all the same is given a line
 * of its own where it may have none yet. */
static struct error *try_lines(struct build_context *context, bool alone)
{
    CLEANUP_BUFFER struct buffer text = {0};
    struct dockerignore ignore;
    struct context_file *files = context->files.items;
    add_lines_to(context, &text);
    TRY(dockerignore_read(&ignore, context->ignore_path, buffer_slice(&text), context->arena));
    for (size_t i = 0; i < context->files.count; i++) {
        bool out = true;
        if (files[i].remedy == REMEDY_LINE)
            TRY(is_left_out(&ignore, files[i].path, &out));
        if (!out && (!alone || !add_line(context, files[i].path)))
            files[i].remedy = REMEDY_NAME;
    }
    return NULL;
}

struct error *build_context_find_lines(struct build_context *context)
{
    struct context_file *files = context->files.items;
    for (size_t i = 0; i < context->files.count; i++) {
        bool of_git = slice_starts(files[i].path, SLICE(".git/"));
        if (files[i].remedy == REMEDY_LINE &&
            !add_line(context, of_git ? SLICE(".git") : files[i].path))
            files[i].remedy = REMEDY_NAME;
    }
    /* Where a line before takes back a file in .git, clients that go step by step need its name. */
    TRY(try_lines(context, true));
    return try_lines(context, false);
}

struct error *build_context_write(const struct build_context *context)
{
    CLEANUP_BUFFER struct buffer text = {0};
    if (is_link(context->ignore_path))
        return error_make(ERROR_INPUT,
                          "%s is a link: add the lines to the file that it leads to, or put a file "
                          "in its place",
                          context->ignore_path);
    add_lines_to(context, &text);
    return file_replace(context->ignore_path, buffer_slice(&text));
}
