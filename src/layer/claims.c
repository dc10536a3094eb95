#include "layer/claims.h"
#include "base/memory.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { SLOTS = 1 << 20 };

/* Each the hash of a path, and not 0, once the file is taken. Pages that are never used take no
 * memory. */
struct claims {
    _Atomic uint64_t slots[SLOTS];
};

struct claims *claims_new(void)
{
    void *shared = mmap(NULL, sizeof(struct claims), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return shared == MAP_FAILED ? NULL : shared;
}

void claims_free(struct claims *claims)
{
    if (claims)
        munmap(claims, sizeof(*claims));
}

bool claims_take(struct claims *claims, size_t number, slice path, bool helper)
{
    uint64_t hash = slice_hash(path) | 1, found = 0;
    if (number >= SLOTS)
        return !helper;
    return atomic_compare_exchange_strong(&claims->slots[number], &found, hash) || found != hash;
}
