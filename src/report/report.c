#include "report/report.h"
#include "report/reports.h"

const struct report_format *const report_formats[] = {
    &report_table,
    &report_json,
};

const size_t report_format_count = sizeof(report_formats) / sizeof(report_formats[0]);

const struct report_format *report_format_named(slice name)
{
    for (size_t i = 0; i < report_format_count; i++)
        if (slice_equal(name, slice_from_text(report_formats[i]->name)))
            return report_formats[i];
    return NULL;
}
