#include "compare/formats.h"

const struct compare_format *const compare_formats[] = {&compare_table, &compare_json,
                                                        &compare_markdown, &compare_html};
const size_t compare_format_count = sizeof(compare_formats) / sizeof(compare_formats[0]);

const struct compare_format *compare_format_named(slice name)
{
    for (size_t i = 0; i < compare_format_count; i++)
        if (slice_equal_nocase(name, slice_from_text(compare_formats[i]->name)))
            return compare_formats[i];
    return NULL;
}
