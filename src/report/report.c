#include "report/report.h"
#include "report/reports.h"

const struct report_format *const report_formats[] = {
    &report_table,
    &report_json,
    &report_trivy,
    &report_grype,
    &report_html,
    /* pipelines */
    &report_sarif,
    &report_junit,
    &report_gitlab,
    &report_github,
    &report_markdown,
    &report_csv,
    &report_openmetrics,
    &report_template,
    /* SBOMs */
    &report_cyclonedx,
    &report_cyclonedx_xml,
    &report_spdx_json,
    &report_spdx_tag_value,
    &report_spdx3,
    &report_openvex,
};

const size_t report_format_count = sizeof(report_formats) / sizeof(report_formats[0]);

const struct report_format *report_format_named(slice name)
{
    for (size_t i = 0; i < report_format_count; i++)
        if (slice_equal(name, slice_from_text(report_formats[i]->name)) ||
            slice_is_among(name, report_formats[i]->alias))
            return report_formats[i];
    return NULL;
}

bool report_is_plain(const struct report_format *format)
{
    return format == &report_table || format == &report_json;
}

bool report_format_has_version(const struct report_format *format, slice version)
{
    return slice_is_among(version, format->versions);
}
