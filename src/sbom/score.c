#include "sbom/sbom.h"

typedef bool (*has_element)(const struct component *component);

static bool has_supplier(const struct component *component)
{
    return component->maintainer.len > 0;
}

static bool has_name(const struct component *component)
{
    return component->name.len > 0;
}

static bool has_version(const struct component *component)
{
    return component->version.len > 0;
}

static bool has_identifier(const struct component *component)
{
    return component->purl.len > 0 || component->cpe.len > 0;
}

static bool has_license(const struct component *component)
{
    return component->license.len > 0;
}

static bool has_hash(const struct component *component)
{
    return component->hashes.count > 0;
}

static struct sbom_element count(const struct sbom *sbom, const char *name, has_element has,
                                 bool is_minimum)
{
    struct component *const *components = sbom->inventory.components.items;
    struct sbom_element element = {
        .name = name, .of = sbom->inventory.components.count, .is_minimum = is_minimum};
    for (size_t i = 0; i < element.of; i++)
        element.has += has(components[i]);
    return element;
}

struct sbom_score sbom_score(const struct sbom *sbom)
{
    struct sbom_score score = {
        .elements = {
            count(sbom, "supplier name", has_supplier, true),
            count(sbom, "component name", has_name, true),
            count(sbom, "version", has_version, true),
            count(sbom, "unique identifier (purl or CPE)", has_identifier, true),
            {"relationships", sbom->relations > 0, 1, true},
            {"author of the SBOM", sbom->author.len > 0 || sbom->tool.len > 0, 1, true},
            {"timestamp", sbom->created.len > 0, 1, true},
            count(sbom, "licence", has_license, false),
            count(sbom, "hash", has_hash, false),
        }};
    double sum = 0;
    for (size_t i = 0; i < SBOM_ELEMENTS; i++)
        if (score.elements[i].of)
            sum += (double)score.elements[i].has / (double)score.elements[i].of;
    score.percent = (unsigned)(100 * sum / SBOM_ELEMENTS + 0.5);
    return score;
}
