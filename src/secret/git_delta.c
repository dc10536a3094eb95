#include "secret/git_delta.h"

enum { COPIES = 0x80, SIZES = 2, OFFSET_BYTES = 4, COUNT_BYTES = 3, COUNT_OF_NONE = 0x10000 };

static bool pull_size(slice *delta, uint64_t *size)
{
    *size = 0;
    for (unsigned shift = 0; delta->len && shift < 63; shift += 7) {
        unsigned char byte = (unsigned char)delta->ptr[0];
        *delta = slice_from(*delta, 1);
        *size |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

bool git_delta_sizes(slice *delta, uint64_t *base, uint64_t *result)
{
    return pull_size(delta, base) && pull_size(delta, result);
}

/* The bytes of a number of which `mask` says which are not zero. */
static bool pull_number(slice *delta, unsigned mask, unsigned bytes, uint64_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < bytes; i++) {
        if (!(mask >> i & 1))
            continue;
        if (delta->len == 0)
            return false;
        *number |= (uint64_t)(unsigned char)delta->ptr[0] << 8 * i;
        *delta = slice_from(*delta, 1);
    }
    return true;
}

bool git_delta_next(slice *delta, struct git_delta_step *step)
{
    if (delta->len == 0)
        return false;
    unsigned code = (unsigned char)delta->ptr[0];
    *delta = slice_from(*delta, 1);
    *step = (struct git_delta_step){.copies = code & COPIES, .added = SLICE_EMPTY};
    if (step->copies) {
        if (!pull_number(delta, code, OFFSET_BYTES, &step->from) ||
            !pull_number(delta, code >> OFFSET_BYTES, COUNT_BYTES, &step->count))
            return false;
        if (step->count == 0)
            step->count = COUNT_OF_NONE;
        return true;
    }
    step->added = slice_first(*delta, code);
    *delta = slice_from(*delta, code);
    return code && step->added.len == code;
}

bool git_delta_apply(slice instructions, slice base, char *result, size_t size)
{
    size_t made = 0;
    while (instructions.len) {
        struct git_delta_step step;
        if (!git_delta_next(&instructions, &step))
            return false;
        slice part = step.added;
        if (step.copies) {
            if (step.from > base.len || step.count > base.len - step.from)
                return false;
            part = slice_make(base.ptr + step.from, (size_t)step.count);
        }
        if (part.len > size - made)
            return false;
        memcpy(result + made, part.ptr, part.len);
        made += part.len;
    }
    return made == size;
}

size_t git_delta_keep_added(struct git_delta_added *added, char *piece, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)piece[i];
        if (added->sizes < SIZES) {
            added->sizes += !(byte & 0x80);
        } else if (added->operands) {
            added->operands--;
        } else if (added->adding) {
            added->adding--;
            piece[kept++] = (char)byte;
        } else if (byte & COPIES) {
            added->operands = (unsigned)__builtin_popcount(byte & 0x7f);
            piece[kept++] = '\n';
        } else {
            added->adding = byte;
        }
    }
    return kept;
}
