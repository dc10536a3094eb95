/* Applying VEX statements to findings. */
#include "policy/vex.h"

const char *const vex_status_names[] = {"fixed", "not_affected", "under_investigation", "affected"};

static bool is_image(const struct vex_thing *thing, const struct target *target)
{
    const slice *identifiers = thing->identifiers.items;
    const struct purl *purls = thing->purls.items;
    for (size_t i = 0; i < thing->identifiers.count; i++)
        if (target_is_called(target, identifiers[i]) || slice_equal(identifiers[i], target->purl))
            return true;
    for (size_t i = 0; i < thing->purls.count; i++)
        if (target_is_purl(target, &purls[i]))
            return true;
    return false;
}

struct subject {
    const struct component *component;
    struct purl purl, owner; /* type empty: there is none */
};

static bool is_component(const struct vex_thing *thing, const struct subject *subject)
{
    const slice *identifiers = thing->identifiers.items;
    const struct purl *purls = thing->purls.items;
    for (size_t i = 0; i < thing->identifiers.count; i++)
        if (slice_equal(identifiers[i], subject->component->ref))
            return true;
    for (size_t i = 0; i < thing->purls.count; i++)
        if (purl_matches(&purls[i], &subject->purl))
            return true;
    return false;
}

/* Whether the product is the package that has the component's files. */
static bool is_owner(const struct vex_thing *thing, const struct subject *subject)
{
    const struct purl *purls = thing->purls.items;
    for (size_t i = 0; subject->owner.type.len && i < thing->purls.count; i++)
        if (purl_matches(&purls[i], &subject->owner))
            return true;
    return false;
}

/*
 * A part counts only within the image, or within a package that is known to hold it. Where the
 * product is any other package of the image, nothing tells whether the part is used by others too:
 * then the statement does not hide it.
 */
static bool is_about(const struct vex_scope *scope, const struct subject *subject,
                     const struct target *target)
{
    if (scope->part && !is_component(scope->part, subject))
        return false;
    return is_image(scope->product, target) || is_component(scope->product, subject) ||
           is_owner(scope->product, subject);
}

static bool speaks_of(const struct vex_statement *statement, const struct subject *subject,
                      const struct target *target)
{
    const struct vex_scope *scopes = statement->scopes.items;
    for (size_t i = 0; i < statement->scopes.count; i++)
        if (is_about(&scopes[i], subject, target))
            return true;
    return false;
}

/* The later word counts; of two at one moment the more careful one. */
static bool goes_before(const struct vex_statement *a, const struct vex_statement *b)
{
    return !b || (a->moment != b->moment ? a->moment > b->moment : a->status > b->status);
}

static void look_up(const struct vex *vex, slice name, const struct subject *subject,
                    const struct target *target, struct vex_statement **best)
{
    const struct list *list = map_get(&vex->by_name, name);
    if (!list)
        return;
    struct vex_statement *const *statements = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (goes_before(statements[i], *best) && speaks_of(statements[i], subject, target))
            *best = statements[i];
}

static slice reason_of(const struct vex_statement *statement, struct arena *arena)
{
    const char *what = statement->status == VEX_FIXED ? "fixed" : "not affected";
    slice justification = statement->justification, words = statement->words;
    if (justification.len + words.len == 0)
        return arena_format(arena, "%s, as %s says without a reason", what, statement->file);
    return arena_format(arena, "%s: %.*s%s%.*s", what, SLICE_ARG(justification),
                        justification.len && words.len ? "; " : "", SLICE_ARG(words));
}

static void mark(const struct vex *vex, struct finding *finding,
                 const struct vex_statement *statement)
{
    struct vex_document *document =
        (struct vex_document *)vex->documents.items + statement->document;
    document->findings++;
    finding->vex_status = slice_from_text(vex_status_names[statement->status]);
    finding->vex_justification = statement->justification;
    if (statement->status == VEX_UNDER_INVESTIGATION)
        finding->status = "under_investigation";
    if (statement->status != VEX_FIXED && statement->status != VEX_NOT_AFFECTED)
        return;
    document->hidden++;
    finding->suppressed_reason = reason_of(statement, vex->arena);
    finding->suppressed_by =
        arena_format(vex->arena, "%s (statement %zu)", statement->file, statement->number);
}

static void apply_to(const struct vex *vex, const struct target *target, struct finding *finding)
{
    CLEANUP_ARENA struct arena arena = {0};
    const struct component *component = finding->component;
    struct subject subject = {.component = component};
    struct vex_statement *best = NULL;
    const slice *aliases = finding->aliases.items;
    bool named = map_get(&vex->by_name, finding->id) != NULL;
    for (size_t i = 0; i < finding->aliases.count; i++)
        named = named || map_get(&vex->by_name, aliases[i]);
    if (!named)
        return;
    purl_parse(&subject.purl, component->purl, &arena);
    if (component->owner)
        purl_parse(&subject.owner, component->owner->purl, &arena);
    look_up(vex, finding->id, &subject, target, &best);
    for (size_t i = 0; i < finding->aliases.count; i++)
        look_up(vex, aliases[i], &subject, target, &best);
    if (best)
        mark(vex, finding, best);
}

void vex_apply(struct vex *vex, const struct target *target, struct match_result *result)
{
    struct finding **findings = result->findings.items;
    for (size_t i = 0; i < result->findings.count && vex->statements.count; i++)
        apply_to(vex, target, findings[i]);
}
