#undef NDEBUG
#include "match/cvss.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX 1024

/* Where the metrics of a vector begin. */
static size_t prefix_length(slice vector, enum cvss_version version)
{
    return version != CVSS_2_0 ? sizeof("CVSS:3.1/") - 1 : vector.ptr[0] == '(' ? 1 : 0;
}

/* PREFIX first/rest as PREFIX rest/first: another order of metrics, the same score. */
static void check_moved(slice vector, struct cvss cvss)
{
    size_t prefix = prefix_length(vector, cvss.version);
    size_t tail = prefix == 1 ? 1 : 0; /* ")" */
    slice metrics = slice_first(slice_from(vector, prefix), vector.len - prefix - tail);
    slice first, rest;
    assert(slice_split(metrics, '/', &first, &rest));

    char text[LENGTH_MAX];
    char *end = mempcpy(text, vector.ptr, prefix);
    end = mempcpy(end, rest.ptr, rest.len);
    *end++ = '/';
    end = mempcpy(end, first.ptr, first.len);
    end = mempcpy(end, ")", tail);
    struct cvss moved;
    assert(cvss_parse(slice_make(text, (size_t)(end - text)), &moved));
    assert(moved.version == cvss.version && moved.score_tenths == cvss.score_tenths);
}

/* One metric more, which stands there already. */
static void check_repeated(slice vector, struct cvss cvss)
{
    size_t prefix = prefix_length(vector, cvss.version);
    slice first, rest;
    assert(slice_split(slice_from(vector, prefix), '/', &first, &rest));

    char text[LENGTH_MAX];
    char *end = mempcpy(text, vector.ptr, prefix);
    end = mempcpy(end, first.ptr, first.len);
    *end++ = '/';
    end = mempcpy(end, vector.ptr + prefix, vector.len - prefix);
    struct cvss repeated;
    assert(!cvss_parse(slice_make(text, (size_t)(end - text)), &repeated));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice vector = slice_make(data, size);
    struct cvss cvss = {CVSS_2_0, -1};
    if (!cvss_parse(vector, &cvss)) {
        assert(cvss.score_tenths == -1);
        return 0;
    }
    assert(cvss.score_tenths >= 0 && cvss.score_tenths <= 100);
    assert(vector.len < LENGTH_MAX / 2); /* each metric once: no vector is long */
    check_moved(vector, cvss);
    check_repeated(vector, cvss);
    return 0;
}
