#include "base/severity.h"

const char *const severity_names[SEVERITY_COUNT] = {"UNKNOWN", "NEGLIGIBLE", "LOW",
                                                    "MEDIUM",  "HIGH",       "CRITICAL"};

bool severity_by_name(slice name, enum severity *severity)
{
    for (int i = 0; i < SEVERITY_COUNT; i++)
        if (slice_equal_nocase(name, slice_from_text(severity_names[i]))) {
            *severity = (enum severity)i;
            return true;
        }
    return false;
}

bool severity_by_word(slice word, enum severity *severity)
{
    static const struct {
        const char *word;
        enum severity severity;
    } words[] = {
        {"critical", SEVERITY_CRITICAL},
        {"important", SEVERITY_HIGH},
        {"high", SEVERITY_HIGH},
        {"moderate", SEVERITY_MEDIUM},
        {"medium", SEVERITY_MEDIUM},
        {"low", SEVERITY_LOW},
        {"minor", SEVERITY_LOW},
        {"negligible", SEVERITY_NEGLIGIBLE},
        {"unimportant", SEVERITY_NEGLIGIBLE},
        {"none", SEVERITY_NEGLIGIBLE},
    };
    while (slice_ends(word, SLICE("*"))) /* the tracker's mark for "set by hand" */
        word.len--;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_equal_nocase(word, slice_from_text(words[i].word))) {
            *severity = words[i].severity;
            return true;
        }
    return false;
}
