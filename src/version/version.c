#include "version/scheme.h"

static const struct version_scheme *const schemes[] = {
    &version_scheme_dpkg,
    &version_scheme_pep440,
    &version_scheme_semver,
};

/*
 * Ecosystem names of the OSV schema, as they stand before the ':'. One that is missing here is
 * missing on purpose: its order is none of the schemes above (Alpine, Maven, RubyGems, rpm …), or
 * it is SemVer but for build metadata that does count (Pub, Julia).
 */
static const struct {
    slice ecosystem;
    const struct version_scheme *scheme;
} ecosystems[] = {
    {SLICE("Debian"), &version_scheme_dpkg},      {SLICE("Ubuntu"), &version_scheme_dpkg},
    {SLICE("PyPI"), &version_scheme_pep440},      {SLICE("Go"), &version_scheme_semver},
    {SLICE("crates.io"), &version_scheme_semver}, {SLICE("npm"), &version_scheme_semver},
    {SLICE("Bitnami"), &version_scheme_semver},   {SLICE("Hex"), &version_scheme_semver},
    {SLICE("SwiftURL"), &version_scheme_semver},
};

const struct version_scheme *version_scheme_named(slice name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (slice_equal(slice_from_text(schemes[i]->name), name))
            return schemes[i];
    return NULL;
}

const struct version_scheme *version_scheme_for(slice ecosystem)
{
    slice name = slice_first(ecosystem, slice_find(ecosystem, ':'));
    for (size_t i = 0; i < sizeof(ecosystems) / sizeof(ecosystems[0]); i++)
        if (slice_equal(ecosystems[i].ecosystem, name))
            return ecosystems[i].scheme;
    return NULL;
}
