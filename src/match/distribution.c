#include "match/distribution.h"

static const struct distribution distributions[] = {
    {"debian", "deb", "Debian", NULL, 1, "", "debian"},
    {"ubuntu", "deb", "Ubuntu", ":LTS", 2, "", "ubuntu"},
    {"almalinux", "rpm", "AlmaLinux", NULL, 1, "", "almalinux"},
    {"rocky", "rpm", "Rocky Linux", NULL, 1, "", "rocky-linux"},
    {"rhel", "rpm", "Red Hat", NULL, 1, "", "rhel"},
    {"centos", "rpm", "CentOS", NULL, 1, "", "centos"},
    {"fedora", "rpm", "Fedora", NULL, 1, "", "fedora"},
    {"ol", "rpm", "Oracle Linux", NULL, 1, "", "oracle-linux"},
    {"amzn", "rpm", "Amazon Linux", NULL, 1, "", "amazon-linux"},
    {"opensuse-leap", "rpm", "openSUSE", NULL, 2, "", "opensuse"},
    {"sles", "rpm", "SUSE", NULL, 2, "", "sles"},
    {"photon", "rpm", "Photon OS", NULL, 2, "", ""},
    {"azurelinux", "rpm", "Azure Linux", NULL, 1, "", ""},
    {"mariner", "rpm", "Azure Linux", NULL, 1, "", ""},
    {"alpine", "apk", "Alpine", NULL, 2, "v", "alpine-linux"},
    {"wolfi", "apk", "Wolfi", NULL, 0, "", ""},
    {"chainguard", "apk", "Chainguard", NULL, 0, "", ""},
};

const struct distribution *distribution_find(const struct os *os)
{
    for (size_t i = 0; i < sizeof(distributions) / sizeof(distributions[0]); i++)
        if (slice_equal(os->id, slice_from_text(distributions[i].id)))
            return &distributions[i];
    return NULL;
}

slice distribution_release(const struct distribution *distribution, const struct os *os)
{
    slice version = os->version_id;
    size_t end = 0;
    for (unsigned part = 0; end < version.len; end++)
        if (version.ptr[end] == '.' && ++part >= distribution->release_parts)
            break;
    return slice_first(version, end);
}

size_t distribution_ecosystems(const struct distribution *distribution, const struct os *os,
                               struct arena *arena, slice names[2])
{
    slice release = distribution_release(distribution, os);
    if (distribution->release_parts == 0) {
        names[0] = slice_from_text(distribution->ecosystem);
        return 1;
    }
    if (release.len == 0)
        return 0;
    names[0] = arena_format(arena, "%s:%s%.*s", distribution->ecosystem,
                            distribution->release_prefix, SLICE_ARG(release));
    if (!distribution->ecosystem_end)
        return 1;
    names[1] = arena_format(arena, "%.*s%s", SLICE_ARG(names[0]), distribution->ecosystem_end);
    return 2;
}
