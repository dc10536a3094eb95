/* What the readers share: they hand over what stands in the file, item by item. */
#ifndef PLIMSOLL_SBOM_BUILDER_H
#define PLIMSOLL_SBOM_BUILDER_H

#include "base/json_read.h"
#include "base/map.h"
#include "sbom/sbom.h"

/* A package of an SBOM. */
struct sbom_item {
    slice ref, name, version, purl, cpe, license, supplier;
    bool is_package;           /* a library or the like: counts even without a package URL */
    struct list names, values; /* of slice: its properties, side by side */
    struct list hashes;        /* of struct component_hash */
    struct list locations;     /* of slice */
};

struct sbom_builder {
    struct sbom *sbom;
    struct arena *arena;
    struct map ids;      /* every reference in the file that something has */
    struct map by_id;    /* reference in the file → struct component */
    struct map by_ref;   /* reference in the report → struct component */
    struct map by_purl;  /* package URL → struct component; of other makers' SBOMs */
    struct map licenses; /* of SPDX 2: LicenseRef → slice *, what it stands for */
    struct list owners;  /* of struct sbom_owner: looked up when all components are there */
    struct list layers;  /* of struct image_layer */
};

/* A member of the document that is a string, and a string in a list; empty for anything else. */
static inline slice sbom_text(const json_t *object, const char *key, struct sbom_builder *builder)
{
    return json_get_slice(object, key, builder->arena);
}
static inline slice sbom_string(const json_t *value, struct sbom_builder *builder)
{
    return arena_copy(builder->arena, json_slice(value));
}

/* One more licence: several hold together. */
void sbom_add_license(struct buffer *text, slice license);

void sbom_item_property(struct sbom_builder *builder, struct sbom_item *item, slice name,
                        slice value);

/* A component; its references and properties are understood, whoever wrote them. */
MUST_CHECK struct error *sbom_add(struct sbom_builder *builder, const struct sbom_item *item);
/*
 * Whether it only groups others, as Trivy's SBOMs have an entry for each lock file: no package, and
 * nothing that could be judged.
 */
bool sbom_is_group(const struct sbom_item *item);
/* Notes a reference that something in the file has; checks one that something is said of. */
void sbom_note_id(struct sbom_builder *builder, slice id);
void sbom_check_id(struct sbom_builder *builder, slice id, const char *where);
/* A property of the image as a whole. */
void sbom_image_property(struct sbom_builder *builder, slice name, slice value);
/* The distribution, where properties do not tell more of it. */
void sbom_set_os(struct sbom_builder *builder, slice id, slice version, slice name);
/* Something that is not as the specification has it; for `validate`. */
void sbom_fault(struct sbom_builder *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* After the last item: order, owners, layers. */
void sbom_finish(struct sbom_builder *builder);

/* One reader for each kind; `document` is the whole of it. */
MUST_CHECK struct error *sbom_read_cyclonedx(struct sbom_builder *builder, const json_t *document);
MUST_CHECK struct error *sbom_read_spdx2(struct sbom_builder *builder, const json_t *document);
MUST_CHECK struct error *sbom_read_spdx3(struct sbom_builder *builder, const json_t *document);
MUST_CHECK struct error *sbom_read_syft(struct sbom_builder *builder, const json_t *document);

/* CycloneDX's XML, and SPDX's tag-value, as the same specification's JSON. The caller owns it. */
MUST_CHECK struct error *sbom_xml_to_json(json_t **document, slice bytes);
MUST_CHECK struct error *sbom_tag_value_to_json(json_t **document, slice bytes);

#endif
