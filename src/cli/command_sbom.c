#include "cli/command.h"
#include "cli/sbom_file.h"
#include "cli/scan.h"

static struct error *one_name(const struct options *options, const char *what)
{
    return options->word_count == 1
               ? NULL
               : error_make(ERROR_USAGE, "name one SBOM: plimsoll %s FILE (- for stdin)", what);
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    return command_image.run(options, arena, exit_code);
}

static struct error *scan(const struct options *options, struct arena *arena, int *exit_code)
{
    TRY(one_name(options, "sbom scan"));
    return sbom_file_scan(options, arena, options->words[0], exit_code);
}

static struct error *convert(const struct options *options, struct arena *arena, int *exit_code)
{
    TRY(one_name(options, "sbom convert"));
    return sbom_file_scan(options, arena, options->words[0], exit_code);
}

const struct command command_sbom = {
    .name = "sbom",
    .flag = FOR_IMAGE | FOR_SBOM,
    .arguments = "IMAGE",
    .summary = "write the SBOM of an image, or judge one (given a file that is an SBOM)",
    .text = "Writes what is in an image as a software bill of materials: CycloneDX 1.7 unless "
            "--format says cyclonedx@1.5, cyclonedx-xml, spdx, spdx-tag-value or spdx3. With "
            "--scanners vuln the vulnerabilities stand in it as well. IMAGE is what `plimsoll "
            "image` takes. Given a file that is itself an SBOM, it is scanned.",
    .example = "plimsoll sbom app:1.2 -f cyclonedx=app.cdx.json -f spdx=app.spdx.json",
    .run = run,
};

const struct command command_sbom_scan = {
    .name = "sbom scan",
    .flag = FOR_SBOM_SCAN,
    .arguments = "FILE",
    .summary = "find the known vulnerabilities of what an SBOM lists",
    .text = "Reads an SBOM (CycloneDX 1.2 to 1.7 as JSON or XML, SPDX 2.2, 2.3 and 3.0, Syft's "
            "JSON; by whatever tool; also inside an in-toto statement) and judges it as the image "
            "would be. `plimsoll sbom:FILE` is the same.",
    .example = "plimsoll sbom scan app.cdx.json --fail-on high",
    .run = scan,
};

const struct command command_sbom_convert = {
    .name = "sbom convert",
    .flag = FOR_SBOM_CONVERT,
    .arguments = "FILE",
    .summary = "write an SBOM in another format",
    .text = "Reads an SBOM of any kind and writes it as --format says (cyclonedx, cyclonedx-xml, "
            "spdx, spdx-tag-value, spdx3; @1.4 and so on for a version).",
    .example = "plimsoll sbom convert app.spdx.json -f cyclonedx@1.6 -o app.cdx.json",
    .run = convert,
};
