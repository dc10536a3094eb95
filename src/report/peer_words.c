#include "report/peer_words.h"

static const struct peer_type types[] = {
    {"deb", "", "", "deb", "", "dpkg-matcher", true},
    {"rpm", "", "", "rpm", "", "rpm-matcher", true},
    {"apk", "", "", "apk", "", "apk-matcher", true},
    {"pypi", "python-pkg", "Python", "python", "python", "python-matcher", false},
    {"conda", "conda-pkg", "Conda", "conda", "", "stock-matcher", false},
    {"npm", "node-pkg", "Node.js", "npm", "javascript", "javascript-matcher", false},
    {"maven", "jar", "Java", "java-archive", "java", "java-matcher", false},
    {"golang", "gobinary", "Go", "go-module", "go", "go-module-matcher", false},
    {"cargo", "rustbinary", "Rust", "rust-crate", "rust", "rust-matcher", false},
    {"gem", "gemspec", "Ruby", "gem", "ruby", "ruby-gem-matcher", false},
    {"nuget", "dotnet-core", ".NET", "dotnet", "dotnet", "dotnet-matcher", false},
    {"composer", "composer-vendor", "PHP", "php-composer", "php", "stock-matcher", false},
    {"bitnami", "bitnami", "Bitnami", "bitnami", "", "bitnami-matcher", false},
};

const struct peer_type *peer_type_of(const struct component *component)
{
    static const struct peer_type other = {"", "generic", "Other", "UnknownPackage",
                                           "", "stock-matcher", false};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(component->type, slice_from_text(types[i].purl)))
            return &types[i];
    return &other;
}

bool peer_is_of_system(const struct component *component)
{
    return peer_type_of(component)->of_system;
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
