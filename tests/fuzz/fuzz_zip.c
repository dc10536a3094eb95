/* A zip file: refused, or each entry read to the size that it claims or refused by itself. */
#undef NDEBUG
#include "base/limits.h"
#include "store/zip.h"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("zip", MFD_CLOEXEC);
    assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    struct zip *zip;
    struct error *error = zip_open(&zip, file, "fuzzed.zip");
    if (error) {
        assert(error->message[0]);
        error_free(error);
        return 0;
    }
    size_t sum = 0;
    for (size_t i = 0; i < zip_count(zip); i++) {
        slice bytes;
        error = zip_read(zip, i, &bytes);
        assert(!error || bytes.len == 0);
        assert(bytes.len <= LIMIT_ADVISORY_BYTES);
        sum += bytes.len;
        error_free(error);
    }
    /* Deflate makes at most 1,032 bytes of one, and no byte of the file is used twice. */
    assert(sum <= size * 1032 + LIMIT_KIB);
    zip_close(zip);
    return 0;
}
