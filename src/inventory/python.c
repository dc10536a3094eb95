/*
 * Python distributions: one for each metadata folder, with what stands beside its metadata; joined
 * to the package that owns it, where there is one.
 */
#include "inventory/internal.h"
#include "analyze/python_name.h"

/* Domains of those who make a distribution's packages. What others make is a vendor's own. */
static bool is_distribution_maintainer(slice maintainer)
{
    static const char *const domains[] = {"debian.org",    "debian.net",   "ubuntu.com",
                                          "canonical.com", "raspbian.org", "kali.org",
                                          "linuxmint.com", "devuan.org"};
    size_t at = slice_find_last(maintainer, '@');
    if (at == SIZE_MAX)
        return false;
    slice domain = slice_from(maintainer, at + 1);
    size_t end = slice_find(domain, '>');
    domain = slice_trim(slice_first(domain, end == SIZE_MAX ? domain.len : end));
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        slice known = slice_from_text(domains[i]);
        if (!slice_ends(domain, known))
            continue;
        if (domain.len == known.len || domain.ptr[domain.len - known.len - 1] == '.')
            return true;
    }
    return false;
}

/* "…/x.dist-info/METADATA" → "…/x.dist-info"; a plain "….egg-info" file is its own. */
static slice metadata_folder(slice path)
{
    return slice_ends(path, SLICE(".egg-info")) ? path : slice_dirname(path);
}

/* Copies that a distribution carries inside itself ("setuptools/_vendor/…"): it is what is
 * installed; they are listed as what it contains. */
static bool is_bundled_copy(slice folder)
{
    slice part;
    bool in_site = false;
    while (slice_pull(&folder, '/', &part)) {
        if (slice_equal(part, SLICE("site-packages")) || slice_equal(part, SLICE("dist-packages")))
            in_site = true;
        else if (in_site && slice_equal(part, SLICE("_vendor")))
            return true;
    }
    return false;
}

static void add_contained(struct assembly *assembly, struct component *holder,
                          const struct package *package, bool bundled)
{
    const struct identity *held = holder->contains.items;
    for (size_t i = 0; i < holder->contains.count; i++)
        if (slice_equal(held[i].name, package->name) &&
            slice_equal(held[i].version, package->version))
            return;
    struct identity *identity = list_add(&holder->contains, assembly->arena, sizeof(*identity));
    *identity = (struct identity){package->type, package->name, package->version, bundled};
}

/*
 * Where a distribution's packages may put things: not where the administrator's and vendors' things
 * go (Debian policy 9.1.1 and 9.1.2), nor into site-packages, which Debian's Python leaves to pip.
 */
static bool is_distribution_place(slice path)
{
    static const char *const others[] = {"opt/", "usr/local/", "home/", "root/", "srv/", "app/"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (slice_starts(path, slice_from_text(others[i])))
            return false;
    return !slice_contains(path, SLICE("/site-packages/"));
}

/* What a later layer wrote over a package's file is no longer what the package put there. */
static bool owner_counts(const struct component *owner, const struct live *live)
{
    return slice_equal(owner->type, SLICE("conda")) || live->origins[0] <= owner->layer;
}

struct python_stage {
    struct assembly *assembly;
    struct owners owners;
    struct map metadata; /* metadata folder → the struct live that holds METADATA, or the first */
    struct map recorded; /* paths that a distribution's RECORD lists as its own */
    struct map by_folder; /* metadata folder → struct component, for the files beside it */
    struct map holders;   /* site folder and name → struct component, for copies inside it */
    struct map in_conda;  /* name and version of what a conda package holds → struct component */
    struct list bundled;  /* of struct live *: looked at when all others are known */
    struct list cached;
};

static void add_distribution(struct python_stage *stage, const struct live *live)
{
    struct assembly *assembly = stage->assembly;
    const struct package *package = live->evidence->packages.items;
    struct component *owner = map_get(&stage->owners.by_path, live->path);
    slice folder = metadata_folder(live->place);
    if (owner && !owner_counts(owner, live))
        owner = NULL;
    if (owner && slice_equal(owner->type, SLICE("conda"))) {
        add_contained(assembly, owner, package, false);
        map_put(&stage->in_conda,
                map_key(assembly->arena, (slice[]){package->name, package->version}, 2), owner);
        return;
    }
    struct component *component =
        assembly_add(assembly, package, live->origins[0], live->path, owner);
    map_put(&stage->by_folder, folder, component);
    map_put(&stage->holders,
            map_key(assembly->arena, (slice[]){slice_dirname(folder), package->name}, 2),
            component);
    if (owner) {
        component->owner_is_vendor =
            !is_distribution_maintainer(owner->maintainer) || !is_distribution_place(live->path);
        add_contained(assembly, owner, package, false);
    }
}

static bool is_metadata_file(const struct live *live)
{
    return slice_equal(slice_basename(live->place), SLICE("METADATA"));
}

/* Notes what each metadata folder holds, and what RECORDs list. */
static void index_evidence(struct python_stage *stage)
{
    for (size_t i = 0; i < stage->assembly->evidence.items.count; i++) {
        struct live *live = ((struct live **)stage->assembly->evidence.items.items)[i];
        if (!live_is_of(live, "python"))
            continue;
        const slice *owned = live->evidence->owned.items;
        for (size_t j = 0; j < live->evidence->owned.count; j++)
            map_put(&stage->recorded, owned[j], live);
        slice folder = metadata_folder(live->place);
        if (live->evidence->packages.count &&
            (is_metadata_file(live) || !map_get(&stage->metadata, folder)))
            map_put(&stage->metadata, folder, live);
    }
}

/*
 * Of a folder that holds both METADATA and PKG-INFO the first counts, as for Python itself; one
 * that says something else is reported too, since it may be there to hide the other.
 */
static bool is_first_word(struct python_stage *stage, const struct live *live, slice folder)
{
    const struct live *first = map_get(&stage->metadata, folder);
    const struct package *own = live->evidence->packages.items;
    const struct package *other = first->evidence->packages.items;
    return first == live || !slice_equal(own->name, other->name) ||
           !slice_equal(own->version, other->version);
}

static void add_metadata(struct python_stage *stage)
{
    struct assembly *assembly = stage->assembly;
    for (size_t i = 0; i < assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(assembly, i);
        if (!live_is_of(live, "python") || live->evidence->packages.count == 0)
            continue;
        slice folder = metadata_folder(live->place);
        if (!is_first_word(stage, live, folder))
            continue;
        bool bundled = is_bundled_copy(folder) && map_get(&stage->recorded, live->path);
        struct list *later = bundled                                   ? &stage->bundled
                             : slice_contains(folder, SLICE("/pkgs/")) ? &stage->cached
                                                                       : NULL;
        if (later)
            *(const struct live **)list_add(later, assembly->arena, sizeof(live)) = live;
        else
            add_distribution(stage, live);
    }
}

/*
 * The distribution in whose package folder a bundled copy lies, by the name of that folder:
 * "…/site-packages/setuptools/_vendor/…" → setuptools.
 */
static struct component *bundle_holder(struct python_stage *stage, slice folder)
{
    struct arena *arena = stage->assembly->arena;
    const char *at = memmem(folder.ptr, folder.len, "/_vendor/", strlen("/_vendor/"));
    slice top = at ? slice_first(folder, (size_t)(at - folder.ptr)) : SLICE_EMPTY;
    while (top.len) {
        slice site = slice_dirname(top);
        slice name = python_name_normalize(arena, slice_basename(top));
        if (slice_equal(name, SLICE("pkg-resources")))
            name = SLICE("setuptools");
        struct component *holder =
            map_get(&stage->holders, map_key(arena, (slice[]){site, name}, 2));
        if (holder)
            return holder;
        top = site;
    }
    return NULL;
}

/*
 * The copy of a conda package that lies in the environment's package cache
 * (pkgs/NAME-VERSION-BUILD) is the same thing as the installed one.
 */
static bool is_conda_cache_copy(struct python_stage *stage, const struct live *live)
{
    const struct package *package = live->evidence->packages.items;
    slice key = map_key(stage->assembly->arena, (slice[]){package->name, package->version}, 2);
    return map_get(&stage->in_conda, key) != NULL;
}

static void add_later(struct python_stage *stage)
{
    for (size_t i = 0; i < stage->cached.count; i++) {
        const struct live *live = ((const struct live **)stage->cached.items)[i];
        if (!is_conda_cache_copy(stage, live))
            add_distribution(stage, live);
    }
    for (size_t i = 0; i < stage->bundled.count; i++) {
        const struct live *live = ((const struct live **)stage->bundled.items)[i];
        struct component *holder = bundle_holder(stage, metadata_folder(live->path));
        struct component *owner = map_get(&stage->owners.by_path, live->path);
        if (owner || holder)
            add_contained(stage->assembly, owner ? owner : holder, live->evidence->packages.items,
                          true);
        else
            add_distribution(stage, live);
    }
}

static void add_facts(struct python_stage *stage)
{
    for (size_t i = 0; i < stage->assembly->evidence.items.count; i++) {
        const struct live *live = assembly_live(stage->assembly, i);
        if (!live_is_of(live, "python") || live->evidence->facts.count == 0)
            continue;
        struct component *component = map_get(&stage->by_folder, metadata_folder(live->place));
        slice installer = evidence_fact(live->evidence, "installer");
        slice url = evidence_fact(live->evidence, "direct_url");
        if (component && installer.len)
            component->installer = installer;
        if (component && url.len)
            component->direct_url = url;
    }
}

void assemble_python(struct assembly *assembly)
{
    struct python_stage stage = {
        .assembly = assembly,
        .owners = {.by_path = {.arena = assembly->arena}},
        .by_folder = {.arena = assembly->arena},
        .metadata = {.arena = assembly->arena},
        .recorded = {.arena = assembly->arena},
        .holders = {.arena = assembly->arena},
        .in_conda = {.arena = assembly->arena},
    };
    if (assembly->tree.count == 0)
        return;
    owners_from_dpkg(assembly, &stage.owners);
    owners_from_conda(assembly, &stage.owners);
    index_evidence(&stage);
    add_metadata(&stage);
    add_later(&stage);
    add_facts(&stage);
}
