#include "layer/claims.h"
#include "base/memory.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { SLOTS = 1 << 20, PROBES = 64 };

/* Each the hash of a path, and not 0, once the file is taken. Pages that are never used take no
 * memory. */
struct claims {
    _Atomic uint64_t slots[SLOTS];
};

struct claims *claims_new(void)
{
    void *shared = mmap(NULL, sizeof(struct claims), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        return NULL;
    if (madvise(shared, sizeof(struct claims), MADV_DONTFORK) < 0) {
        claims_free(shared);
        return NULL;
    }
    return shared;
}

void claims_share(struct claims *claims, bool shared)
{
    if (claims)
        madvise(claims, sizeof(*claims), shared ? MADV_DOFORK : MADV_DONTFORK);
}

void claims_free(struct claims *claims)
{
    if (claims)
        munmap(claims, sizeof(*claims));
}

enum taken { TAKEN_NOW, TAKEN_BEFORE, TAKEN_FOR_ANOTHER };

static enum taken take(struct claims *claims, size_t slot, uint64_t hash)
{
    uint64_t found = 0;
    if (atomic_compare_exchange_strong(&claims->slots[slot], &found, hash))
        return TAKEN_NOW;
    return found == hash ? TAKEN_BEFORE : TAKEN_FOR_ANOTHER;
}

bool claims_take(struct claims *claims, size_t number, slice path, bool helper)
{
    if (number >= SLOTS)
        return !helper;
    return take(claims, number, slice_hash(path) | 1) != TAKEN_BEFORE;
}

bool claims_take_path(struct claims *claims, slice path, bool helper)
{
    uint64_t hash = slice_hash(path) | 1;
    for (size_t i = 0; i < PROBES; i++) {
        enum taken taken = take(claims, ((hash >> 1) + i) % SLOTS, hash);
        if (taken != TAKEN_FOR_ANOTHER)
            return taken == TAKEN_NOW;
    }
    return !helper;
}
