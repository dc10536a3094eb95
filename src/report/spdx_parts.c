#include "report/spdx_parts.h"
#include "base/map.h"
#include "report/parts.h"
#include "sbom/license.h"
#include "sbom/properties.h"

/* On one line, and printable: for values that tag-value writes as they are. */
static slice one_line(slice text, struct arena *arena)
{
    char *bytes = NULL;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            if (!bytes)
                bytes = memcpy(arena_alloc(arena, text.len), text.ptr, text.len);
            bytes[i] = '?';
        }
    return bytes ? slice_make(bytes, text.len) : text;
}

/* SPDX 2.3, 7.2: letters, digits, "." and "-". What else is in the reference tells by its hash. */
static slice id_of(const struct component *component, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer id = {0};
    slice name = slice_first(component->name, 60);
    buffer_format(&id, "Package-%.*s-", SLICE_ARG(component->type));
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool plain = byte_is_alpha(byte) || byte_is_digit(byte) || byte == '.' || byte == '-';
        buffer_add_byte(&id, plain ? byte : '-');
    }
    buffer_format(&id, "-%016llx", (unsigned long long)slice_hash(component->ref));
    return arena_copy(arena, buffer_slice(&id));
}

static slice locations_of(const struct component *component, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const slice *locations = component->locations.items;
    for (size_t i = 0; i < component->locations.count; i++) {
        buffer_text(&text, i ? ", /" : "found in /");
        buffer_add(&text, locations[i]);
    }
    return one_line(arena_copy(arena, buffer_slice(&text)), arena);
}

static void set_license(struct spdx_package *package, slice license, struct arena *arena)
{
    package->license = license_expression(license, arena);
    bool known = package->license.len && !slice_contains(package->license, SLICE("LicenseRef-"));
    if (license.len == 0 || known)
        return;
    package->extracted = one_line(license, arena);
    package->license = arena_format(arena, "LicenseRef-%016llx",
                                    (unsigned long long)slice_hash(package->extracted));
}

static struct spdx_package package_of(const struct component *component, struct arena *arena)
{
    struct list properties = sbom_component_properties(component, true, arena);
    struct spdx_package package = {
        .id = id_of(component, arena),
        .name = one_line(component->name.len ? component->name : SLICE("unnamed"), arena),
        .version = one_line(component->version, arena),
        .purl = component->purl,
        .cpe = report_cpe(component),
        .supplier = one_line(component->maintainer, arena),
        .purpose = SLICE("LIBRARY"),
        .locations = locations_of(component, arena),
        .notes = sbom_properties_to_text(&properties, arena),
        .component = component,
    };
    set_license(&package, component->license, arena);
    return package;
}

static struct spdx_package package_of_image(const struct report *report)
{
    struct list properties = report_image_properties(report);
    const struct image *image = report->image;
    return (struct spdx_package){
        .id = SLICE("Image"),
        .name = one_line(image->name.len ? image->name : SLICE("image"), report->arena),
        .version = image->digest,
        .purl = report_image_purl(report),
        .purpose = image->root_folder >= 0 ? SLICE("FILE") : SLICE("CONTAINER"),
        .notes = sbom_properties_to_text(&properties, report->arena),
    };
}

struct spdx_document spdx_document_of(const struct report *report)
{
    const struct inventory *inventory = report->inventory;
    struct component *const *components = inventory->components.items;
    struct arena *arena = report->arena;
    struct spdx_package *packages =
        arena_array(arena, inventory->components.count + 2, sizeof(*packages));
    size_t count = 0;
    packages[count++] = package_of_image(report);
    if (inventory->os.found)
        packages[count++] = (struct spdx_package){
            .id = SLICE("OperatingSystem"),
            .name = one_line(inventory->os.id, arena),
            .version = one_line(inventory->os.version_id, arena),
            .purpose = SLICE("OPERATING-SYSTEM"),
        };
    for (size_t i = 0; i < inventory->components.count; i++)
        packages[count++] = package_of(components[i], arena);
    return (struct spdx_document){
        .packages = packages,
        .count = count,
        .name = packages[0].name,
        .space = arena_format(arena, "urn:plimsoll:sbom:%.*s",
                              SLICE_ARG(report_uuid(report_identity(report), arena))),
    };
}

struct spdx_extracted_list spdx_extracted(const struct spdx_document *document, struct arena *arena)
{
    struct map known = {.arena = arena};
    struct spdx_extracted_list list = {
        .packages = arena_array(arena, document->count + 1, sizeof(*list.packages))};
    for (size_t i = 0; i < document->count; i++) {
        const struct spdx_package *package = &document->packages[i];
        if (package->extracted.len == 0 || map_get(&known, package->license))
            continue;
        map_put(&known, package->license, list.packages);
        list.packages[list.count++] = package;
    }
    return list;
}

slice spdx_algorithm(slice algorithm, struct arena *arena)
{
    return slice_starts(algorithm, SLICE("SHA-"))
               ? arena_format(arena, "SHA%.*s", SLICE_ARG(slice_from(algorithm, 4)))
               : algorithm;
}
