#include "report/peer_words.h"

static const struct peer_type types[] = {
    {"deb", "", "", "deb", "", "dpkg-matcher"},
    {"rpm", "", "", "rpm", "", "rpm-matcher"},
    {"apk", "", "", "apk", "", "apk-matcher"},
    {"pypi", "python-pkg", "Python", "python", "python", "python-matcher"},
    {"conda", "conda-pkg", "Conda", "conda", "", "stock-matcher"},
    {"npm", "node-pkg", "Node.js", "npm", "javascript", "javascript-matcher"},
    {"maven", "jar", "Java", "java-archive", "java", "java-matcher"},
    {"golang", "gobinary", "Go", "go-module", "go", "go-module-matcher"},
    {"cargo", "rustbinary", "Rust", "rust-crate", "rust", "rust-matcher"},
    {"gem", "gemspec", "Ruby", "gem", "ruby", "ruby-gem-matcher"},
    {"nuget", "dotnet-core", ".NET", "dotnet", "dotnet", "dotnet-matcher"},
    {"composer", "composer-vendor", "PHP", "php-composer", "php", "stock-matcher"},
    {"bitnami", "bitnami", "Bitnami", "bitnami", "", "bitnami-matcher"},
};

const struct peer_type *peer_type_of(const struct component *component)
{
    static const struct peer_type other = {"", "generic",      "Other", "UnknownPackage",
                                           "", "stock-matcher"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(component->type, slice_from_text(types[i].purl)))
            return &types[i];
    return &other;
}

slice peer_cvss_version(slice vector)
{
    slice version = SLICE_EMPTY, rest;
    if (!slice_starts(vector, SLICE("CVSS:")))
        return SLICE("2.0");
    slice_split(slice_from(vector, strlen("CVSS:")), '/', &version, &rest);
    return version;
}

slice peer_ghsa(const struct finding *finding)
{
    const slice *aliases = finding->aliases.items;
    if (slice_starts(finding->id, SLICE("GHSA-")))
        return finding->id;
    for (size_t i = 0; i < finding->aliases.count; i++)
        if (slice_starts(aliases[i], SLICE("GHSA-")))
            return aliases[i];
    return SLICE_EMPTY;
}

slice peer_component_id(const struct component *component, struct arena *arena)
{
    return arena_format(arena, "%016llx", (unsigned long long)slice_hash(component->ref));
}
