#include "compare/side.h"
#include "base/text.h"
#include "report/parts.h"

int side_package_compare(const struct side_package *a, const struct side_package *b)
{
    int order = slice_compare(a->type, b->type);
    order = order ? order : slice_compare(a->name, b->name);
    order = order ? order : slice_compare(a->version, b->version);
    return order ? order : slice_compare(a->arch, b->arch);
}

static int compare_packages(const void *a, const void *b)
{
    return side_package_compare(a, b);
}

static int compare_findings(const void *left, const void *right)
{
    const struct side_finding *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->kev != b->kev)
        return a->kev ? -1 : 1;
    int order = slice_compare(a->package.name, b->package.name);
    order = order ? order : side_package_compare(&a->package, &b->package);
    order = order ? order : slice_compare(a->id, b->id);
    return order ? order : (a->base > b->base) - (a->base < b->base);
}

static int compare_secrets(const void *left, const void *right)
{
    const struct side_secret *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int order = slice_compare(a->path, b->path);
    order = order ? order : slice_compare(a->rule, b->rule);
    return order ? order : slice_compare(a->fingerprint, b->fingerprint);
}

static void sort(const struct list *list, size_t size, int (*compare)(const void *, const void *))
{
    if (list->count)
        qsort(list->items, list->count, size, compare);
}

void side_sort(struct side *side)
{
    sort(&side->packages, sizeof(struct side_package), compare_packages);
    sort(&side->findings, sizeof(struct side_finding), compare_findings);
    sort(&side->secrets, sizeof(struct side_secret), compare_secrets);
}

slice side_day(slice date)
{
    static const char form[] = "dddd-dd-ddT";
    if (date.len < sizeof(form) - 1)
        return SLICE_EMPTY;
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? !byte_is_digit(date.ptr[i]) : date.ptr[i] != form[i])
            return SLICE_EMPTY;
    /* Reproducible builds write the first second of Unix, or of our era. */
    return slice_compare(date, SLICE("1980-01-02")) < 0 ? SLICE_EMPTY : slice_first(date, 10);
}

void side_add_error(struct side *side, struct arena *arena, slice sentence)
{
    *(slice *)list_add(&side->errors, arena, sizeof(slice)) = sentence;
}

void side_failed(struct side *side, struct arena *arena, struct error *error)
{
    *side = (struct side){.name = side->name, .kind = side->kind, .image = side->name};
    side_add_error(side, arena, arena_copy(arena, slice_from_text(error->message)));
    error_free(error);
}

/* A copy as JSON would hold it, so that a scan and its saved report name a thing alike: bytes that
 * are not UTF-8 are U+FFFD. */
static slice keep(struct arena *arena, slice text)
{
    CLEANUP_BUFFER struct buffer copy = {0};
    for (size_t length; text.len; text = slice_from(text, length)) {
        length = utf8_length(text);
        buffer_add(&copy, length ? slice_first(text, length) : SLICE("\xEF\xBF\xBD"));
        length = length ? length : 1;
    }
    return arena_copy(arena, buffer_slice(&copy));
}

static void copy_texts(struct list *into, struct arena *arena, const struct list *from)
{
    const slice *texts = from->items;
    for (size_t i = 0; i < from->count; i++)
        *(slice *)list_add(into, arena, sizeof(slice)) = keep(arena, texts[i]);
}

static struct side_package copy_package(struct arena *arena, const struct component *component)
{
    return (struct side_package){keep(arena, component->type), keep(arena, component->name),
                                 keep(arena, component->version), keep(arena, component->arch)};
}

static void take_findings(struct side *side, struct arena *arena, const struct report *report)
{
    struct finding *const *findings = report->result->findings.items;
    for (size_t i = 0; i < report->result->findings.count; i++) {
        const struct finding *from = findings[i];
        if (from->suppressed_reason.len) {
            side->suppressed++;
            continue;
        }
        struct side_finding *into = list_add(&side->findings, arena, sizeof(*into));
        *into = (struct side_finding){.id = keep(arena, from->id),
                                      .severity = from->severity,
                                      .package = copy_package(arena, from->component),
                                      .kev = from->kev,
                                      .base = report_layer_of(report, from)->base};
        copy_texts(&into->aliases, arena, &from->aliases);
        copy_texts(&into->fixed, arena, &from->fixed);
    }
}

static void take_secrets(struct side *side, struct arena *arena, const struct report *report)
{
    const struct image_secret *secrets = report->inventory->secrets.items;
    for (size_t i = 0; i < report->inventory->secrets.count; i++) {
        const struct secret *from = secrets[i].secret;
        if (secrets[i].suppressed_reason.len) {
            side->suppressed++;
            continue;
        }
        struct side_secret *into = list_add(&side->secrets, arena, sizeof(*into));
        *into = (struct side_secret){.fingerprint = keep(arena, from->fingerprint),
                                     .rule = keep(arena, from->rule),
                                     .title = keep(arena, secrets[i].title),
                                     .path = keep(arena, from->path),
                                     .severity = secrets[i].severity};
        copy_texts(&into->fingerprints, arena, &secrets[i].fingerprints);
    }
}

static void take_image(struct side *side, struct arena *arena, const struct report *report)
{
    const struct image *image = report->image;
    side->image = keep(arena, image->name);
    side->digest = keep(arena, image->digest);
    side->platform = keep(arena, image->platform);
    side->os_name = keep(arena, report->inventory->os.name);
    side->end_of_life = keep(arena, report->result->end_of_life);
    side->created = arena_copy(arena, side_day(image->created));
    side->store_built = report->store ? keep(arena, report->store->built) : SLICE_EMPTY;
    side->layer_count = image->layer_count;
    for (size_t i = 0; i < image->layer_count; i++)
        side->size += image->layers[i].size;
}

void side_from_report(struct side *side, struct arena *arena, const struct report *report)
{
    struct component *const *components = report->inventory->components.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    const struct report_error *errors = report->errors.items;
    take_image(side, arena, report);
    for (size_t i = 0; i < report->inventory->components.count; i++)
        *(struct side_package *)list_add(&side->packages, arena, sizeof(struct side_package)) =
            copy_package(arena, components[i]);
    take_findings(side, arena, report);
    take_secrets(side, arena, report);
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        *(slice *)list_add(&side->unjudged, arena, sizeof(slice)) =
            keep(arena, unjudged_sentence(&unjudged[i], arena));
    for (size_t i = 0; i < report->errors.count; i++)
        side_add_error(side, arena, keep(arena, errors[i].message));
    side_sort(side);
}
