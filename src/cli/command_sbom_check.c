#include "base/json_write.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/sbom_file.h"
#include "cli/scan.h"
#include "report/reports.h"

static bool as_json(const struct options *options)
{
    return outputs_plain_format(&options->outputs) == &report_json;
}

static struct error *read_one(const struct options *options, struct arena *arena,
                              const char *command, struct sbom *sbom)
{
    if (options->word_count != 1)
        return error_make(ERROR_USAGE, "name one SBOM: plimsoll %s FILE (- for stdin)", command);
    scan_deadline(options);
    return sbom_file_read(sbom, arena, options->words[0]);
}

static void write_faults_json(const struct sbom *sbom, struct buffer *out)
{
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field(&json, "format", sbom->format);
    json_field_number(&json, "components", (int64_t)sbom->inventory.components.count);
    json_field_bool(&json, "valid", sbom->faults.count == 0);
    json_field_strings(&json, "faults", sbom->faults.items, sbom->faults.count);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static struct error *validate(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct sbom sbom;
    TRY(read_one(options, arena, "sbom validate", &sbom));
    const slice *faults = sbom.faults.items;
    *exit_code = sbom.faults.count ? EXIT_GATE : EXIT_CLEAN;
    if (as_json(options)) {
        write_faults_json(&sbom, &out);
        return command_write(options, &out);
    }
    for (size_t i = 0; i < sbom.faults.count; i++)
        buffer_format(&out, "%.*s\n", SLICE_ARG(text_safe(arena, faults[i])));
    buffer_format(&out, "%.*s, %zu components: %s\n", SLICE_ARG(text_safe(arena, sbom.format)),
                  sbom.inventory.components.count, sbom.faults.count ? "not valid" : "valid");
    return command_write(options, &out);
}

static void write_score_json(const struct sbom *sbom, const struct sbom_score *score,
                             struct buffer *out)
{
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field(&json, "format", sbom->format);
    json_field_number(&json, "components", (int64_t)sbom->inventory.components.count);
    json_field_number(&json, "score", score->percent);
    json_put_key(&json, "elements");
    json_begin_array(&json);
    for (size_t i = 0; i < SBOM_ELEMENTS; i++) {
        json_begin_object(&json);
        json_field(&json, "name", slice_from_text(score->elements[i].name));
        json_field_bool(&json, "ntia_minimum", score->elements[i].is_minimum);
        json_field_number(&json, "has", (int64_t)score->elements[i].has);
        json_field_number(&json, "of", (int64_t)score->elements[i].of);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static struct error *score(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct sbom sbom;
    (void)exit_code;
    TRY(read_one(options, arena, "sbom score", &sbom));
    struct sbom_score score = sbom_score(&sbom);
    if (as_json(options)) {
        write_score_json(&sbom, &score, &out);
        return command_write(options, &out);
    }
    for (size_t i = 0; i < SBOM_ELEMENTS; i++) {
        const struct sbom_element *element = &score.elements[i];
        size_t missing = element->of - element->has;
        buffer_format(&out, "%-34s %6zu of %-6zu%s", element->name, element->has, element->of,
                      element->is_minimum ? "  NTIA minimum element" : "");
        if (missing)
            buffer_format(&out, "  (%zu missing)", missing);
        buffer_add_byte(&out, '\n');
    }
    buffer_format(&out, "%.*s, %zu components: %u of 100\n",
                  SLICE_ARG(text_safe(arena, sbom.format)), sbom.inventory.components.count,
                  score.percent);
    return command_write(options, &out);
}

static struct error *merge(const struct options *options, struct arena *arena, int *exit_code)
{
    struct sbom sbom;
    if (options->word_count < 2)
        return error_make(ERROR_USAGE, "name the SBOMs to put together: plimsoll sbom merge A B");
    int64_t deadline_ms = scan_deadline(options);
    TRY(sbom_file_read(&sbom, arena, options->words[0]));
    for (size_t i = 1; i < options->word_count; i++) {
        struct sbom other;
        TRY(sbom_file_read(&other, arena, options->words[i]));
        TRY(error_wrap(sbom_merge(&sbom, arena, &other), "cannot merge the SBOMs"));
    }
    return sbom_write(options, arena, &sbom, deadline_ms, exit_code);
}

const struct command command_sbom_merge = {
    .name = "sbom merge",
    .flag = FOR_SBOM_MERGE,
    .arguments = "FILE FILE…",
    .summary = "put several SBOMs together",
    .text = "Writes one SBOM of what several list. The same component in two of them is one; the "
            "layers of the second stand behind those of the first.",
    .example = "plimsoll sbom merge api.cdx.json worker.spdx.json -o all.cdx.json",
    .run = merge,
};

const struct command command_sbom_validate = {
    .name = "sbom validate",
    .flag = FOR_SBOM_CHECK,
    .arguments = "FILE",
    .summary = "say where an SBOM is not as its specification has it",
    .text = "Reads an SBOM of any kind and checks what its specification asks for: types, names, "
            "references, package URLs. Ends with 1 when something is wrong.",
    .example = "plimsoll sbom validate app.cdx.json",
    .run = validate,
};

const struct command command_sbom_score = {
    .name = "sbom score",
    .flag = FOR_SBOM_CHECK,
    .arguments = "FILE",
    .summary = "say what an SBOM leaves out",
    .text = "Counts how many of its components have what the NTIA's minimum elements ask for "
            "(supplier, name, version, unique identifier; relationships, author, timestamp), and "
            "licences and hashes beside them.",
    .example = "plimsoll sbom score app.cdx.json",
    .run = score,
};
