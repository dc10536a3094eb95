/*
 * From layers to components: stacks of small layers, built as tars and walked, and what is in the
 * image that they make.
 *
 * A stack is text, a line an entry, "---" between layers:
 *     py FOLDER NAME VERSION        FOLDER/METADATA
 *     deb NAME VERSION, …           var/lib/dpkg/status
 *     conda ENV NAME VERSION FILE,… ENV/conda-meta/NAME.json
 *     f PATH TEXT                   a file ('|' in TEXT ends a line)
 *     d PATH    l PATH TARGET    h PATH TARGET
 *     w PATH                        a whiteout of PATH    o PATH   an opaque mark in PATH
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tarkit.h"
#include "inventory/internal.h"
#include "inventory/tree.h"

#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_LAYERS = 60 };

struct stack {
    struct arena arena;
    struct buffer tars[MAX_LAYERS];
    size_t count;
    struct inventory inventory;
};

static const char *word(struct stack *stack, slice *rest)
{
    slice part = SLICE_EMPTY;
    slice_pull(rest, ' ', &part);
    return arena_text(&stack->arena, part);
}

static void add_text(struct stack *stack, struct buffer *tar, const char *path, slice content)
{
    char *copy = arena_text(&stack->arena, content);
    for (size_t i = 0; i < content.len; i++)
        copy[i] = copy[i] == '|' ? '\n' : copy[i];
    tarkit_add_file(tar, path, slice_make(copy, content.len));
}

static void add_packages(struct stack *stack, struct buffer *tar, slice rest)
{
    CLEANUP_BUFFER struct buffer text = {0};
    slice package, name, version;
    while (slice_pull(&rest, ',', &package))
        if (slice_split(slice_trim(package), ' ', &name, &version))
            buffer_format(&text, "Package: %.*s|Status: install ok installed|Version: %.*s||",
                          SLICE_ARG(name), SLICE_ARG(version));
    add_text(stack, tar, "var/lib/dpkg/status", buffer_slice(&text));
}

static void add_conda(struct stack *stack, struct buffer *tar, slice rest)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const char *environment = word(stack, &rest), *name = word(stack, &rest),
               *version = word(stack, &rest);
    slice file, files = rest.ptr ? rest : SLICE_EMPTY;
    buffer_format(&text, "{\"name\":\"%s\",\"version\":\"%s\",\"files\":[", name, version);
    for (bool first = true; files.len && slice_pull(&files, ',', &file); first = false)
        buffer_format(&text, "%s\"%.*s\"", first ? "" : ",", SLICE_ARG(file));
    buffer_text(&text, "]}");
    add_text(stack, tar,
             arena_format(&stack->arena, "%s/conda-meta/%s.json", environment, name).ptr,
             buffer_slice(&text));
}

static void add_entry(struct stack *stack, struct buffer *tar, slice line)
{
    struct arena *arena = &stack->arena;
    slice rest = line;
    const char *kind = word(stack, &rest);
    if (strcmp(kind, "deb") == 0) {
        add_packages(stack, tar, rest);
    } else if (strcmp(kind, "conda") == 0) {
        add_conda(stack, tar, rest);
    } else if (strcmp(kind, "py") == 0) {
        const char *folder = word(stack, &rest), *name = word(stack, &rest);
        add_text(stack, tar, arena_format(arena, "%s/METADATA", folder).ptr,
                 arena_format(arena, "Name: %s|Version: %s|", name, word(stack, &rest)));
    } else {
        const char *path = word(stack, &rest);
        slice whole = slice_from_text(path), folder = slice_dirname(whole);
        const char *slash = folder.len ? "/" : "";
        if (*kind == 'f')
            add_text(stack, tar, path, rest.ptr ? rest : SLICE_EMPTY);
        else if (*kind == 'd')
            tarkit_add_folder(tar, path);
        else if (*kind == 'l' || *kind == 'h')
            tarkit_add_link(tar, path, *kind == 'l' ? '2' : '1', word(stack, &rest));
        else if (*kind == 'w')
            add_text(stack, tar,
                     arena_format(arena, "%.*s%s.wh.%.*s", SLICE_ARG(folder), slash,
                                  SLICE_ARG(slice_basename(whole)))
                         .ptr,
                     SLICE_EMPTY);
        else if (*kind == 'o')
            add_text(stack, tar,
                     arena_format(arena, "%s%s.wh..wh..opq", path, *path ? "/" : "").ptr,
                     SLICE_EMPTY);
        else
            fail_msg("what is this: %.*s", SLICE_ARG(line));
    }
}

static void parse(struct stack *stack, const char *text)
{
    slice line, rest = slice_from_text(text);
    *stack = (struct stack){.count = 1};
    while (slice_pull_line(&rest, &line)) {
        if (slice_equal(line, SLICE("---")))
            assert_true(++stack->count <= MAX_LAYERS);
        else
            add_entry(stack, &stack->tars[stack->count - 1], line);
    }
}

static void walk(struct stack *stack, const struct list *redirects, struct layer_outcome *outcomes)
{
    struct walk_options options = {
        .redirects = redirects->items, .redirect_count = redirects->count, .spill = -1};
    for (size_t i = 0; i < stack->count; i++) {
        bool end_marked;
        struct stream *stream = stream_from_memory(buffer_slice(&stack->tars[i]));
        CLEANUP_ERROR struct error *error =
            walk_tar(stream, &options, &stack->arena, &outcomes[i].record, &end_marked);
        stream_close(stream);
        if (error)
            fail_msg("layer %zu: %s", i, error->message);
        outcomes[i].complete = true;
    }
}

/* As a scan does it: again while links lead to files that were not read. */
static void build(struct stack *stack)
{
    struct image image = {.layer_count = stack->count,
                          .layers =
                              arena_array(&stack->arena, stack->count, sizeof(struct image_layer))};
    struct list known = {0};
    for (size_t before = SIZE_MAX, round = 0; known.count != before && round < 5; round++) {
        struct layer_outcome *outcomes =
            arena_array(&stack->arena, stack->count, sizeof(*outcomes));
        walk(stack, &known, outcomes);
        inventory_build(&stack->inventory, &stack->arena, &image, outcomes);
        before = known.count;
        const struct redirect *wanted = stack->inventory.redirects.items;
        for (size_t i = 0; i < stack->inventory.redirects.count; i++) {
            const struct redirect *have = known.items;
            size_t at = 0;
            while (at < known.count && !(slice_equal(have[at].from, wanted[i].from) &&
                                         slice_equal(have[at].as, wanted[i].as)))
                at++;
            if (at == known.count)
                *(struct redirect *)list_add(&known, &stack->arena, sizeof(*wanted)) = wanted[i];
        }
    }
}

static void describe_component(const struct component *component, struct buffer *text)
{
    buffer_format(text, "%.*s %.*s %.*s @%zu", SLICE_ARG(component->type),
                  SLICE_ARG(component->name), SLICE_ARG(component->version), component->layer);
    const slice *locations = component->locations.items;
    for (size_t i = 0; i < component->locations.count; i++)
        buffer_format(text, " %.*s", SLICE_ARG(locations[i]));
    const struct identity *held = component->contains.items;
    for (size_t i = 0; i < component->contains.count; i++)
        buffer_format(text, " holds %.*s=%.*s", SLICE_ARG(held[i].name),
                      SLICE_ARG(held[i].version));
    if (component->owner)
        buffer_format(text, " of %.*s%s", SLICE_ARG(component->owner->name),
                      component->owner_is_vendor ? " (vendor)" : "");
    buffer_add_byte(text, '\n');
}

static void describe(const struct inventory *inventory, struct buffer *text)
{
    struct component **components = inventory->components.items;
    for (size_t i = 0; i < inventory->components.count; i++)
        describe_component(components[i], text);
    const struct inventory_problem *problems = inventory->problems.items;
    for (size_t i = 0; i < inventory->problems.count; i++)
        buffer_format(text, "problem @%zu %.*s\n", problems[i].layer, SLICE_ARG(problems[i].path));
}

static void stack_free(struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        buffer_free(&stack->tars[i]);
    arena_free(&stack->arena);
}

#define DPKG_STATUS "var/lib/dpkg/status"
#define DEBS "usr/lib/python3/dist-packages/x-1.dist-info"
#define X1 "opt/x-1.dist-info"
#define X2 "opt/x-2.dist-info"

static const struct {
    const char *what, *stack, *expected;
} stacks[] = {
    {"nothing", "", ""},
    {"one of each", "py " X1 " x 1\ndeb a 1\nconda e n 3 bin/n\nf e/bin/n",
     "conda n 3 @0 e/conda-meta/n.json\ndeb a 1 @0 " DPKG_STATUS "\npypi x 1 @0 " X1 "/METADATA\n"},

    /* whiteouts */
    {"whiteout of a folder", "py " X1 " x 1\n---\nw " X1, ""},
    {"whiteout of a file", "py " X1 " x 1\n---\nw " X1 "/METADATA", ""},
    {"whiteout of a folder above", "py " X1 " x 1\n---\nw opt", ""},
    {"whiteout of another", "py " X1 " x 1\n---\nw opt/x-1.dist", "pypi x 1 @0 " X1 "/METADATA\n"},
    {"opaque folder", "py " X1 " x 1\n---\no opt", ""},
    {"opaque root", "py " X1 " x 1\ndeb a 1\n---\no ", ""},
    {"opaque folder beside", "py " X1 " x 1\n---\no srv", "pypi x 1 @0 " X1 "/METADATA\n"},
    {"whiteout in the same layer takes nothing of it", "py " X1 " x 1\nw " X1,
     "pypi x 1 @0 " X1 "/METADATA\n"},
    {"B4: a new file before the opaque mark of its folder",
     "py " X1 " x 1\n---\npy " X2 " x 2\no opt", "pypi x 2 @1 " X2 "/METADATA\n"},
    {"B4: a new file behind it", "py " X1 " x 1\n---\no opt\npy " X2 " x 2",
     "pypi x 2 @1 " X2 "/METADATA\n"},
    {"B4: whiteout beside a new file of that name", "py " X1 " x 1\n---\npy " X1 " x 2\nw " X1,
     "pypi x 2 @1 " X1 "/METADATA\n"},
    {"whiteout of what is not there", "---\nw " X1 "\n---\npy " X1 " x 1",
     "pypi x 1 @2 " X1 "/METADATA\n"},
    {"whiteout two layers up", "py " X1 " x 1\n---\nf other\n---\nw " X1, ""},

    /* what takes the place of what */
    {"B7: written over in place", "py " X1 " x 1\n---\npy " X1 " x 2",
     "pypi x 2 @1 " X1 "/METADATA\n"},
    {"a file in the place of the folder", "py " X1 " x 1\n---\nf " X1, ""},
    {"a file in the place of a folder above", "py " X1 " x 1\n---\nf opt", ""},
    {"a symlink in the place of a folder", "py " X1 " x 1\n---\nl opt srv", ""},
    {"a folder over the folder", "py " X1 " x 1\n---\nd opt\nd " X1,
     "pypi x 1 @0 " X1 "/METADATA\n"},
    {"a folder in the place of the file", "py " X1 " x 1\n---\nd " X1 "/METADATA", ""},
    {"a folder in the place of a file, and a file in it", "f opt\n---\nd opt\npy " X1 " x 1",
     "pypi x 1 @1 " X1 "/METADATA\n"},
    {"written over with what cannot be read", "deb a 1\n---\nf " DPKG_STATUS " nonsense",
     "problem @1 " DPKG_STATUS "\n"},

    /* origins */
    {"B9: the database is rewritten", "deb musl 1, busybox 2\n---\ndeb musl 1, busybox 2, curl 3",
     "deb busybox 2 @0 " DPKG_STATUS "\ndeb curl 3 @1 " DPKG_STATUS "\ndeb musl 1 @0 " DPKG_STATUS
     "\n"},
    {"upgraded", "deb a 1\n---\ndeb a 2\n---\ndeb a 2, b 1",
     "deb a 2 @1 " DPKG_STATUS "\ndeb b 1 @2 " DPKG_STATUS "\n"},
    {"back to an older version", "deb a 1\n---\ndeb a 2\n---\ndeb a 1",
     "deb a 1 @2 " DPKG_STATUS "\n"},
    {"removed and put back: from where it was put back", "deb a 1\n---\ndeb b 1\n---\ndeb a 1",
     "deb a 1 @2 " DPKG_STATUS "\n"},
    {"the database removed and put back", "deb a 1\n---\nw " DPKG_STATUS "\n---\ndeb a 1",
     "deb a 1 @2 " DPKG_STATUS "\n"},
    {"removed and put back in one layer", "py " X1 " x 1\n---\nw " X1 "\npy " X1 " x 1",
     "pypi x 1 @1 " X1 "/METADATA\n"},
    {"made opaque and put back in one layer", "py " X1 " x 1\n---\no opt\npy " X1 " x 1",
     "pypi x 1 @1 " X1 "/METADATA\n"},
    {"overwritten with other things and put back",
     "py " X1 " x 1\n---\nl " X1 "/METADATA /none\n---\npy " X1 " x 1",
     "pypi x 1 @2 " X1 "/METADATA\n"},
    {"rewritten with the same", "py " X1 " x 1\n---\npy " X1 " x 1",
     "pypi x 1 @0 " X1 "/METADATA\n"},
    {"the same package in two places", "py " X1 " x 1\npy srv/x-1.dist-info x 1",
     "pypi x 1 @0 " X1 "/METADATA srv/x-1.dist-info/METADATA\n"},
    {"in two places, from two layers", "py " X1 " x 1\n---\npy srv/x-1.dist-info x 1",
     "pypi x 1 @0 " X1 "/METADATA\npypi x 1 @1 srv/x-1.dist-info/METADATA\n"},

    /* links */
    {"an entry below a symlinked folder", "l lib usr/lib\n---\npy lib/x-1.dist-info x 1",
     "pypi x 1 @1 usr/lib/x-1.dist-info/METADATA\n"},
    {"written over by its other name",
     "l lib usr/lib\npy usr/lib/x-1.dist-info x 1\n---\npy lib/x-1.dist-info x 2",
     "pypi x 2 @1 usr/lib/x-1.dist-info/METADATA\n"},
    {"taken away by its other name",
     "l lib usr/lib\npy usr/lib/x-1.dist-info x 1\n---\nw lib/x-1.dist-info", ""},
    {"the symlink is gone when the entry comes",
     "l lib usr/lib\n---\nw lib\n---\npy lib/x-1.dist-info x 1",
     "pypi x 1 @2 lib/x-1.dist-info/METADATA\n"},
    {"the symlink comes after the entry", "py lib/x-1.dist-info x 1\n---\nl usr/lib ../lib",
     "pypi x 1 @0 lib/x-1.dist-info/METADATA\n"},
    {"a database behind a symlink",
     "l " DPKG_STATUS " /srv/status\nf srv/status Package: a|Version: 1|",
     "deb a 1 @0 srv/status\n"},
    {"a database behind a symlinked folder",
     "l var/lib/dpkg ../../srv/dpkg\nf srv/dpkg/status Package: a|Version: 1|",
     "deb a 1 @0 srv/dpkg/status\n"},
    {"a database folder behind a symlink",
     "l var/lib/dpkg/status.d /srv/d\nf srv/d/a Package: a|Version: 1|", "deb a 1 @0 srv/d/a\n"},
    {"metadata behind a symlink", "l " X1 "/METADATA ../../srv/m\nf srv/m Name: x|Version: 1|",
     "pypi x 1 @0 srv/m\n"},
    {"a symlink to nowhere", "l " X1 "/METADATA /none", ""},
    {"links in a circle", "l " DPKG_STATUS " /a\nl a /b\nl b /a", "problem @0 " DPKG_STATUS "\n"},
    {"a hard link in the same layer", "f srv/m Name: x|Version: 1|\nh opt/x-1.egg-info srv/m",
     "pypi x 1 @0 opt/x-1.egg-info\n"},
    {"a hard link to a file that was read", "py " X1 " x 1\nh opt/y-1.egg-info " X1 "/METADATA",
     "pypi x 1 @0 " X1 "/METADATA opt/y-1.egg-info\n"},
    {"a hard link to an earlier layer", "py " X1 " x 1\n---\nh srv/x-1.egg-info " X1 "/METADATA",
     "pypi x 1 @0 " X1 "/METADATA\npypi x 1 @1 srv/x-1.egg-info\n"},
    {"the file behind a hard link is removed, the link stays",
     "py " X1 " x 1\nh srv/x-1.egg-info " X1 "/METADATA\n---\nw " X1,
     "pypi x 1 @0 srv/x-1.egg-info\n"},
    {"the hard link is removed, the file stays",
     "py " X1 " x 1\nh srv/x-1.egg-info " X1 "/METADATA\n---\nw srv/x-1.egg-info",
     "pypi x 1 @0 " X1 "/METADATA\n"},
    {"a hard link to nowhere", "h opt/x-1.egg-info none", "problem @0 opt/x-1.egg-info\n"},

    /* conda */
    {"conda owns its distribution",
     "conda e numpy 1 lib/site-packages/numpy-1.dist-info/METADATA\n"
     "py e/lib/site-packages/numpy-1.dist-info numpy 1",
     "conda numpy 1 @0 e/conda-meta/numpy.json holds numpy=1\n"},
    {"pip replaced it",
     "conda e numpy 1 lib/site-packages/numpy-1.dist-info/METADATA\n"
     "py e/lib/site-packages/numpy-1.dist-info numpy 1\n---\n"
     "w e/lib/site-packages/numpy-1.dist-info\npy e/lib/site-packages/numpy-2.dist-info numpy 2",
     "pypi numpy 2 @1 e/lib/site-packages/numpy-2.dist-info/METADATA\n"},
    {"files that are all gone", "conda e n 3 bin/n,bin/m\nf e/bin/n\nf e/bin/m\n---\nw e/bin", ""},
    {"one file that is left", "conda e n 3 bin/n,bin/m\nf e/bin/n\nf e/bin/m\n---\nw e/bin/n",
     "conda n 3 @0 e/conda-meta/n.json\n"},
    {"a package without files", "conda e meta 1 ", "conda meta 1 @0 e/conda-meta/meta.json\n"},
    {"an environment at the root", "conda . n 3 bin/n\nf bin/n",
     "conda n 3 @0 conda-meta/n.json\n"},
    {"below a symlinked folder, written by that name",
     "l opt data/opt\n---\nconda opt/e n 3 bin/n\nf opt/e/bin/n",
     "conda n 3 @1 data/opt/e/conda-meta/n.json\n"},
    {"below a symlinked folder, written by the real name",
     "l opt data/opt\n---\nconda data/opt/e n 3 bin/n\nf data/opt/e/bin/n",
     "conda n 3 @1 data/opt/e/conda-meta/n.json\n"},
    {"its record is gone", "conda e n 3 bin/n\nf e/bin/n\n---\nw e/conda-meta/n.json", ""},

    /* a distribution's own */
    {"Debian owns it",
     "f " DPKG_STATUS " Package: python3-x|Version: 1-2|Maintainer: A <a@lists.debian.org>|\n"
     "f var/lib/dpkg/info/python3-x.list /.|/usr/lib/x-1.egg-info/PKG-INFO|\n"
     "f usr/lib/x-1.egg-info/PKG-INFO Name: x|Version: 1|",
     "deb python3-x 1-2 @0 " DPKG_STATUS " holds x=1\n"
     "pypi x 1 @0 usr/lib/x-1.egg-info/PKG-INFO of python3-x\n"},
    {"a vendor owns it",
     "f " DPKG_STATUS " Package: tool|Version: 1|Maintainer: B <b@example.org>|\n"
     "f var/lib/dpkg/info/tool.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb tool 1 @0 " DPKG_STATUS " holds x=1\npypi x 1 @0 " DEBS "/METADATA of tool (vendor)\n"},
    {"one who looks like Debian does not own it as Debian",
     "f " DPKG_STATUS " Package: tool|Version: 1|Maintainer: B <b@notdebian.org>|\n"
     "f var/lib/dpkg/info/tool.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb tool 1 @0 " DPKG_STATUS " holds x=1\npypi x 1 @0 " DEBS "/METADATA of tool (vendor)\n"},
    {"nor does one with Debian in the front",
     "f " DPKG_STATUS " Package: tool|Version: 1|Maintainer: B <b@debian.org.example.net>|\n"
     "f var/lib/dpkg/info/tool.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb tool 1 @0 " DPKG_STATUS " holds x=1\npypi x 1 @0 " DEBS "/METADATA of tool (vendor)\n"},
    {"nor one without an address",
     "f " DPKG_STATUS " Package: tool|Version: 1|Maintainer: Debian|\n"
     "f var/lib/dpkg/info/tool.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb tool 1 @0 " DPKG_STATUS " holds x=1\npypi x 1 @0 " DEBS "/METADATA of tool (vendor)\n"},
    {"a team of Debian does",
     "f " DPKG_STATUS " Package: tool|Version: 1|Maintainer: D <d@lists.debian.org>|\n"
     "f var/lib/dpkg/info/tool.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb tool 1 @0 " DPKG_STATUS " holds x=1\npypi x 1 @0 " DEBS "/METADATA of tool\n"},
    {"B15: lists by architecture",
     "f " DPKG_STATUS " Package: l|Version: 1|Architecture: amd64|Maintainer: <a@debian.org>||"
     "Package: l|Version: 1|Architecture: i386|Maintainer: <a@debian.org>|\n"
     "f var/lib/dpkg/info/l:i386.list /" DEBS "/METADATA|\npy " DEBS " x 1",
     "deb l 1 @0 " DPKG_STATUS "\ndeb l 1 @0 " DPKG_STATUS " holds x=1\n"
     "pypi x 1 @0 " DEBS "/METADATA of l\n"},
    {"a list without a package owns nothing",
     "deb a 1\nf var/lib/dpkg/info/gone.list /opt/x-1.dist-info/METADATA|\npy " X1 " x 1",
     "deb a 1 @0 " DPKG_STATUS "\npypi x 1 @0 " X1 "/METADATA\n"},
    {"distroless: checksums beside the stanza",
     "f var/lib/dpkg/status.d/px Package: python3-x|Version: 1|Maintainer: <a@debian.org>|\n"
     "f var/lib/dpkg/status.d/px.md5sums 0  " DEBS "/METADATA|\npy " DEBS " x 1",
     "deb python3-x 1 @0 var/lib/dpkg/status.d/px holds x=1\n"
     "pypi x 1 @0 " DEBS "/METADATA of python3-x\n"},

    {"where no package of the distribution puts things, it is a vendor's",
     "f var/lib/dpkg/status.d/px Package: python3-x|Version: 1|Maintainer: <a@debian.org>|\n"
     "f var/lib/dpkg/status.d/px.md5sums 0  opt/x-1.dist-info/METADATA|\npy " X1 " x 1",
     "deb python3-x 1 @0 var/lib/dpkg/status.d/px holds x=1\n"
     "pypi x 1 @0 " X1 "/METADATA of python3-x (vendor)\n"},
    {"what a later layer wrote over is no longer the deb's",
     "f var/lib/dpkg/status.d/px Package: python3-x|Version: 1|Maintainer: <a@debian.org>|\n"
     "f var/lib/dpkg/status.d/px.md5sums 0  " DEBS "/METADATA|\npy " DEBS " x 2\n---\n"
     "py " DEBS " x 1",
     "deb python3-x 1 @0 var/lib/dpkg/status.d/px\npypi x 1 @1 " DEBS "/METADATA\n"},

    /* Python */
    {"one of METADATA and PKG-INFO", "py " X1 " x 1\nf " X1 "/PKG-INFO Name: x|Version: 1|",
     "pypi x 1 @0 " X1 "/METADATA\n"},
    {"a vendored copy is what its holder contains",
     "py l/site-packages/pip-1.dist-info pip 1\n"
     "f l/site-packages/pip-1.dist-info/RECORD pip/_vendor/idna-3.dist-info/METADATA,,|\n"
     "py l/site-packages/pip/_vendor/idna-3.dist-info idna 3",
     "pypi pip 1 @0 l/site-packages/pip-1.dist-info/METADATA holds idna=3\n"},
    {"a copy that no RECORD lists was put there by someone else",
     "py l/site-packages/pip-1.dist-info pip 1\n"
     "py l/site-packages/pip/_vendor/idna-3.dist-info idna 3",
     "pypi idna 3 @0 l/site-packages/pip/_vendor/idna-3.dist-info/METADATA\n"
     "pypi pip 1 @0 l/site-packages/pip-1.dist-info/METADATA\n"},
    {"a PKG-INFO that hides METADATA is told beside it",
     "f " X1 "/PKG-INFO Name: zzz|Version: 1|\npy " X1 " x 2",
     "pypi x 2 @0 " X1 "/METADATA\npypi zzz 1 @0 " X1 "/PKG-INFO\n"},
    {"a vendored copy without a holder stands for itself",
     "py l/site-packages/odd/_vendor/idna-3.dist-info idna 3",
     "pypi idna 3 @0 l/site-packages/odd/_vendor/idna-3.dist-info/METADATA\n"},
};

static void test_stacks(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(stacks); i++) {
        struct stack stack;
        CLEANUP_BUFFER struct buffer text = {0};
        parse(&stack, stacks[i].stack);
        build(&stack);
        describe(&stack.inventory, &text);
        if (!slice_equal(buffer_slice(&text), slice_from_text(stacks[i].expected))) {
            print_error("%s\n  is      %.*s  should be %s\n", stacks[i].what,
                        SLICE_ARG(buffer_slice(&text)), stacks[i].expected);
            wrong++;
        }
        stack_free(&stack);
    }
    assert_int_equal(wrong, 0);
}

/* An empty layer between any two changes nothing but the numbers of the layers behind it. */
static void test_empty_layers_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stacks); i++) {
        CLEANUP_BUFFER struct buffer spread = {0};
        CLEANUP_BUFFER struct buffer text = {0};
        struct stack stack;
        slice line, rest = slice_from_text(stacks[i].stack);
        while (slice_pull_line(&rest, &line))
            buffer_format(&spread, "%.*s\n%s", SLICE_ARG(line),
                          slice_equal(line, SLICE("---")) ? "---\n" : "");
        buffer_add_byte(&spread, '\0');
        parse(&stack, spread.bytes);
        build(&stack);
        struct component **components = stack.inventory.components.items;
        for (size_t j = 0; j < stack.inventory.components.count; j++) {
            assert_int_equal(components[j]->layer % 2, 0);
            components[j]->layer /= 2;
        }
        struct inventory_problem *problems = stack.inventory.problems.items;
        for (size_t j = 0; j < stack.inventory.problems.count; j++)
            problems[j].layer /= 2;
        describe(&stack.inventory, &text);
        struct stack plain;
        CLEANUP_BUFFER struct buffer plain_text = {0};
        parse(&plain, stacks[i].stack);
        build(&plain);
        describe(&plain.inventory, &plain_text);
        if (!slice_equal(buffer_slice(&text), buffer_slice(&plain_text)))
            fail_msg("%s: %.*s", stacks[i].what, SLICE_ARG(buffer_slice(&text)));
        stack_free(&stack);
        stack_free(&plain);
    }
}

/* Two packages whose names differ behind a NUL only are two. */
static void test_names_with_nul(void **state)
{
    (void)state;
    static const slice status =
        SLICE("Package: zlib1g\0\nStatus: install ok installed\nVersion: 1\n\n"
              "Package: zlib1g\nStatus: install ok installed\nVersion: 1\n");
    struct stack stack = {.count = 2};
    tarkit_add_file(&stack.tars[0], DPKG_STATUS, status);
    tarkit_add_file(&stack.tars[1], DPKG_STATUS, slice_from(status, 58));
    build(&stack);
    struct component **components = stack.inventory.components.items;
    assert_int_equal(stack.inventory.components.count, 1);
    assert_true(slice_equal(components[0]->name, SLICE("zlib1g")));
    stack.count = 1;
    build(&stack);
    components = stack.inventory.components.items;
    assert_int_equal(stack.inventory.components.count, 2);
    assert_int_equal(components[0]->name.len + components[1]->name.len, 13);
    assert_false(slice_equal(components[0]->ref, components[1]->ref));
    stack.count = 2;
    stack_free(&stack);
}

static void test_os(void **state)
{
    (void)state;
    static const struct {
        const char *stack, *id, *version, *name;
    } rows[] = {
        {"f etc/os-release ID=debian|VERSION_ID=\"12\"|PRETTY_NAME=\"Debian 12\"|", "debian", "12",
         "Debian 12"},
        {"f etc/os-release ID=a|\nf usr/lib/os-release ID=b|", "a", "", ""},
        {"f usr/lib/os-release ID=b|NAME='The B'|", "b", "", "The B"},
        {"l etc/os-release ../usr/lib/os-release\nf usr/lib/os-release ID=b|VERSION_ID=1|", "b",
         "1", ""},
        {"l etc/os-release ../srv/release\nf srv/release ID=c|", "c", "", ""},
        {"f etc/os-release ID=a|\n---\nf etc/os-release ID=b|", "b", "", ""},
        {"f etc/os-release ID=a|\nf usr/lib/os-release ID=b|\n---\nw etc/os-release", "b", "", ""},
        {"f etc/os-release NAME=x|", "linux", "", "x"},
        {"f etc/os-release # nothing|ID|=|", NULL, "", ""},
        {"f etc/os-release.d ID=a|", NULL, "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stack stack;
        parse(&stack, rows[i].stack);
        build(&stack);
        const struct os *os = &stack.inventory.os;
        if (os->found != (rows[i].id != NULL) ||
            (rows[i].id && !slice_equal(os->id, slice_from_text(rows[i].id))) ||
            !slice_equal(os->version_id, slice_from_text(rows[i].version)) ||
            !slice_equal(os->name, slice_from_text(rows[i].name)))
            fail_msg("%s: %.*s %.*s %.*s", rows[i].stack, SLICE_ARG(os->id),
                     SLICE_ARG(os->version_id), SLICE_ARG(os->name));
        stack_free(&stack);
    }
}

/* A layer that could not be read is told of, and the others count. */
static void test_layers_that_failed(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct stack stack;
    parse(&stack, "py " X1 " x 1\n---\nf other\n---\npy " X2 " x 2");
    struct image image = {.layer_count = 3,
                          .layers = arena_array(&arena, 3, sizeof(struct image_layer))};
    struct layer_outcome outcomes[3] = {0};
    walk(&stack, &(struct list){0}, outcomes);
    outcomes[1].complete = false;
    outcomes[1].failure = SLICE("it was killed");
    inventory_build(&stack.inventory, &stack.arena, &image, outcomes);
    assert_int_equal(stack.inventory.components.count, 2);
    assert_int_equal(stack.inventory.problems.count, 1);
    const struct inventory_problem *problem = stack.inventory.problems.items;
    assert_int_equal(problem->layer, 1);
    assert_true(slice_contains(problem->message, SLICE("it was killed")));
    for (size_t i = 0; i < 3; i++)
        outcomes[i].complete = false;
    inventory_build(&stack.inventory, &stack.arena, &image, outcomes);
    assert_int_equal(stack.inventory.components.count, 0);
    assert_int_equal(stack.inventory.problems.count, 3);
    image.layer_count = 0;
    inventory_build(&stack.inventory, &stack.arena, &image, outcomes);
    assert_int_equal(stack.inventory.components.count + stack.inventory.problems.count, 0);
    stack_free(&stack);
}

/* --- the tree -------------------------------------------------------------------------------- */

static void build_tree(struct stack *stack, struct tree *tree)
{
    struct layer_outcome *outcomes = arena_array(&stack->arena, stack->count, sizeof(*outcomes));
    const struct record **records = arena_array(&stack->arena, stack->count, sizeof(*records));
    walk(stack, &(struct list){0}, outcomes);
    for (size_t i = 0; i < stack->count; i++)
        records[i] = &outcomes[i].record;
    tree_build(tree, &stack->arena, records, stack->count);
}

static void test_tree_removes(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool removed, has;
    } rows[] = {
        {"a", true, false},          {"a/b", true, false},    {"a/b/c", true, false},
        {"ab", false, false},        {"o", false, true},      {"o/x", true, false},
        {"o/new", true, true},       {"o/x/y", true, false},  {"file", false, true},
        {"file/below", true, false}, {"folder", false, true}, {"folder/below", false, false},
        {"link/below", true, false}, {"", false, false},      {"p/q", true, false},
        {"p", false, false},         {"p/r", false, false},
    };
    struct stack stack;
    struct tree tree;
    parse(&stack, "w a\nd o\no o\nf o/new\nf file\nd folder\nl link x\nw p/q");
    build_tree(&stack, &tree);
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice path = slice_from_text(rows[i].path);
        if (tree_removes(&tree, 0, path) != rows[i].removed ||
            tree_has(&tree, 0, path) != rows[i].has)
            fail_msg("%s", rows[i].path);
    }
    stack_free(&stack);
}

static void test_tree_find_file(void **state)
{
    (void)state;
    static const struct {
        size_t top;
        const char *path;
        int layer; /* -1: none */
    } rows[] = {
        {0, "a", 0},    {1, "a", 0},   {2, "a", -1},    {3, "a", 3},   {0, "d/f", 0},
        {1, "d/f", 1},  {2, "d/f", 1}, {3, "d/f", -1},  {3, "d", 3},   {2, "d", -1},
        {0, "g", -1},   {1, "g", 1},   {2, "g", -1},    {2, "g/h", 2}, {3, "g/h", 2},
        {1, "g/h", -1}, {3, "", -1},   {3, "none", -1},
    };
    struct stack stack;
    struct tree tree;
    parse(&stack, "f a\nf d/f\n---\nf d/f\nf g\n---\nw a\nd g\nf g/h\n---\nf a\nf d");
    build_tree(&stack, &tree);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t layer = 99;
        bool found = tree_find_file(&tree, rows[i].top, slice_from_text(rows[i].path), &layer);
        if (found != (rows[i].layer >= 0) || (found && layer != (size_t)rows[i].layer))
            fail_msg("%s up to layer %zu: %d %zu", rows[i].path, rows[i].top, found, layer);
    }
    stack_free(&stack);
}

static void test_tree_resolve(void **state)
{
    (void)state;
    static const struct {
        size_t top;
        const char *path;
        bool last;
        const char *resolved; /* NULL: in a circle */
    } rows[] = {
        {0, "lib/x", false, "usr/lib/x"},
        {0, "lib", false, "lib"},
        {0, "lib", true, "usr/lib"},
        {0, "one/x", false, "usr/lib/x"}, /* a link to a link */
        {0, "deep/up/x", false, "etc/x"},
        {0, "out/x", false, "x"}, /* above the root is the root */
        {0, "dot/x", false, "deep/x"},
        {0, "none/x", false, "none/x"},
        {0, "circle/x", false, NULL},
        {0, "self", true, NULL},
        {0, "self", false, "self"},
        {1, "lib/x", false, "lib/x"}, /* a folder took its place */
        {1, "one/x", false, "srv/x"}, /* another link did */
        {2, "dot/x", false, "dot/x"}, /* it was removed */
        {0, "abs/x/y", false, "usr/lib/x/y"},
        {0, "", false, ""},
        {0, "", true, ""},
        {0, "lib/x/lib", true, "usr/lib/x/lib"},
    };
    struct stack stack;
    struct tree tree;
    parse(&stack, "l lib usr/lib\nl one lib\nl deep/up ../etc\nl out ../../..\nl dot ./deep/.\n"
                  "l circle circle2\nl circle2 circle\nl self self\nl abs /usr/lib\n---\n"
                  "d lib\nl one srv\n---\nw dot");
    build_tree(&stack, &tree);
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice resolved;
        bool ends = tree_resolve(&tree, rows[i].top, slice_from_text(rows[i].path), rows[i].last,
                                 &resolved);
        if (ends != (rows[i].resolved != NULL) ||
            (ends && !slice_equal(resolved, slice_from_text(rows[i].resolved))))
            fail_msg("%s up to layer %zu: %.*s", rows[i].path, rows[i].top, SLICE_ARG(resolved));
    }
    stack_free(&stack);
}

/* Links that double the path each time end at the limit, and not in megabytes. */
static void test_tree_resolve_grows(void **state)
{
    (void)state;
    struct stack stack;
    struct tree tree;
    slice resolved;
    parse(&stack, "l a a/a/a/a\nl b b/x");
    build_tree(&stack, &tree);
    size_t before = stack.arena.used;
    assert_false(tree_resolve(&tree, 0, SLICE("a/f"), true, &resolved));
    assert_false(tree_resolve(&tree, 0, SLICE("b/f"), true, &resolved));
    assert_true(stack.arena.used - before < 1 << 20);
    stack_free(&stack);
}

/* --- purl ------------------------------------------------------------------------------------ */

static void test_purl(void **state)
{
    (void)state;
    const struct os debian = {.found = true, .id = SLICE("debian"), .version_id = SLICE("12")};
    const struct os codename = {.found = true, .id = SLICE("debian"), .codename = SLICE("sid")};
    const struct os none = {0};
    const struct {
        struct component component;
        const struct os *os;
        const char *purl;
    } rows[] = {
        {{.type = SLICE("deb"),
          .name = SLICE("libstdc++6"),
          .version = SLICE("1:12.2.0-14+b1"),
          .arch = SLICE("amd64")},
         &debian,
         "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12"},
        {{.type = SLICE("deb"), .name = SLICE("a"), .version = SLICE("1~rc1")},
         &codename,
         "pkg:deb/debian/a@1~rc1?distro=sid"},
        {{.type = SLICE("deb"), .name = SLICE("a"), .version = SLICE("1")},
         &none,
         "pkg:deb/debian/a@1"},
        {{.type = SLICE("pypi"), .name = SLICE("torch"), .version = SLICE("2.0.1+cu118")},
         &debian,
         "pkg:pypi/torch@2.0.1%2Bcu118"},
        {{.type = SLICE("pypi"), .name = SLICE("x")}, &none, "pkg:pypi/x"},
        {{.type = SLICE("pypi"), .name = SLICE("a/b@c?d#e%f g"), .version = SLICE("1@2")},
         &none,
         "pkg:pypi/a%2Fb%40c%3Fd%23e%25f%20g@1%402"},
        {{.type = SLICE("pypi"), .name = SLICE("\0\n\xc3\xa9"), .version = SLICE("\x7f")},
         &none,
         "pkg:pypi/%00%0A%C3%A9@%7F"},
        {{.type = SLICE("conda"),
          .name = SLICE("numpy"),
          .version = SLICE("1"),
          .build = SLICE("py311_0"),
          .channel = SLICE("https://conda.anaconda.org/conda-forge/linux-64"),
          .arch = SLICE("linux-64")},
         &none,
         "pkg:conda/numpy@1?build=py311_0&channel=conda-forge&subdir=linux-64"},
        {{.type = SLICE("conda"),
          .name = SLICE("n"),
          .version = SLICE("1"),
          .channel = SLICE("defaults/")},
         &none,
         "pkg:conda/n@1?channel=defaults"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice purl = component_purl(&rows[i].component, rows[i].os, &arena);
        if (!slice_equal(purl, slice_from_text(rows[i].purl)))
            fail_msg("%.*s, where this was expected: %s", SLICE_ARG(purl), rows[i].purl);
    }
}

/* References are unique, and the order is the same whatever order the files come in. */
static void test_order_and_references(void **state)
{
    (void)state;
    struct stack stack;
    parse(&stack, "py opt/b-1.dist-info b 1\n---\npy srv/b-1.dist-info b 1\n---\n"
                  "py usr/b-1.dist-info b 1\npy usr/a-2.dist-info a 2\npy usr/a-10.dist-info a 10");
    build(&stack);
    struct component **components = stack.inventory.components.items;
    assert_int_equal(stack.inventory.components.count, 5);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            int order = component_compare(components[i], components[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(slice_equal(components[i]->ref, components[j]->ref), i == j);
        }
    assert_true(slice_equal(components[0]->name, SLICE("a")));
    stack_free(&stack);
}

/* --- size ------------------------------------------------------------------------------------- */

static void add_metadata(struct stack *stack, struct record *record, struct buffer *hashes,
                         const char *analyzer, slice path, slice name, slice owned)
{
    struct arena *arena = &stack->arena;
    struct evidence *evidence = list_add(&record->evidence, arena, sizeof(*evidence));
    *evidence = (struct evidence){.path = path, .analyzer = slice_from_text(analyzer)};
    struct package *package = list_add(&evidence->packages, arena, sizeof(*package));
    *package = (struct package){.type = strcmp(analyzer, "conda") ? SLICE("pypi") : SLICE("conda"),
                                .name = name,
                                .version = SLICE("1")};
    if (owned.len)
        *(slice *)list_add(&evidence->owned, arena, sizeof(slice)) = owned;
    uint64_t hash = slice_hash(path);
    buffer_add(hashes, slice_make(&hash, sizeof(hash)));
}

static double seconds_to_build(struct stack *stack, struct record *record,
                               const struct buffer *hashes)
{
    struct image image = {.layer_count = 1, .layers = ARENA_NEW(&stack->arena, struct image_layer)};
    struct layer_outcome outcome = {.complete = true};
    record->files = path_set_make(&stack->arena, buffer_slice(hashes));
    outcome.record = *record;
    clock_t start = clock();
    inventory_build(&stack->inventory, &stack->arena, &image, &outcome);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* What a small layer can name tens of thousands of must not take minutes to put together. */
static void test_time_grows_with_size(void **state)
{
    (void)state;
    enum { PAIRS = 10000, CONDAS = 30000 };
    struct stack stack = {0};
    struct arena *arena = &stack.arena;
    CLEANUP_BUFFER struct buffer hashes = {0};
    struct record record = {0};
    for (size_t i = 0; i < PAIRS; i++) {
        add_metadata(&stack, &record, &hashes, "python",
                     arena_format(arena, "l/site-packages/h%zu-1.dist-info/METADATA", i),
                     arena_format(arena, "h%zu", i),
                     arena_format(arena, "l/site-packages/h%zu/_vendor/v-1.dist-info/METADATA", i));
        add_metadata(&stack, &record, &hashes, "python",
                     arena_format(arena, "l/site-packages/h%zu/_vendor/v-1.dist-info/METADATA", i),
                     arena_format(arena, "v%zu", i), SLICE_EMPTY);
    }
    double seconds = seconds_to_build(&stack, &record, &hashes);
    assert_int_equal(stack.inventory.components.count, PAIRS);
    if (seconds > 5)
        fail_msg("%d distributions with a vendored copy each took %.1f s", PAIRS, seconds);

    record = (struct record){0};
    hashes.len = 0;
    for (size_t i = 0; i < CONDAS; i++) {
        slice owned = arena_format(arena, "e/l/n%zu-1.dist-info/METADATA", i);
        slice name = arena_format(arena, "n%zu", i);
        add_metadata(&stack, &record, &hashes, "conda",
                     arena_format(arena, "e/conda-meta/n%zu.json", i), name, owned);
        add_metadata(&stack, &record, &hashes, "python", owned, name, SLICE_EMPTY);
    }
    seconds = seconds_to_build(&stack, &record, &hashes);
    assert_int_equal(stack.inventory.components.count, CONDAS);
    if (seconds > 5)
        fail_msg("%d conda packages with a distribution each took %.1f s", CONDAS, seconds);
    stack_free(&stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_empty_layers_change_nothing),
        cmocka_unit_test(test_names_with_nul),
        cmocka_unit_test(test_os),
        cmocka_unit_test(test_layers_that_failed),
        cmocka_unit_test(test_tree_removes),
        cmocka_unit_test(test_tree_find_file),
        cmocka_unit_test(test_tree_resolve),
        cmocka_unit_test(test_tree_resolve_grows),
        cmocka_unit_test(test_purl),
        cmocka_unit_test(test_order_and_references),
        cmocka_unit_test(test_time_grows_with_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
