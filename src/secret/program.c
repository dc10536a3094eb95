/*
 * Programs and libraries (ELF). Passed over, and not even read where the file can be skipped in,
 * are: what CUDA's compiler puts into them for the GPU, most of the bytes of an image with CUDA,
 * which is data like a model's weights; and large segments of nothing but machine code, where no
 * compiler puts texts.
 */
#include "secret/kinds.h"
#include "secret/zip_tail.h"

#include <elf.h>

/*
 * A "fat binary": this header, then programs for several GPUs, each behind a header of its own
 * (fatbinary_section.h of the CUDA toolkit; the numbers are those of every one in CUDA 11 and 12's
 * libraries).
 */
enum {
    FATBIN_MAGIC = (int)0xba55ed50,
    FATBIN_VERSION = 1,
    FATBIN_HEADER = 16,
    FATBIN_ALIGNMENT = 8,
    PROGRAM_VERSION = 0x101,
    PROGRAM_HEADER_LEAST = 64,
    /* What is smaller is quicker looked through than passed over. */
    WORTH_A_GAP = 16 * 1024,
    CODE_LEAST = 1024 * 1024,
    CODE_SEGMENTS = 8, /* more are looked through */
};

struct fatbin_header {
    uint32_t magic;
    uint16_t version, header_size;
    uint64_t size; /* of what follows */
    uint16_t program_kind, program_version;
    uint32_t program_header_size;
};

static bool is_program(const struct secret_look *look, slice head)
{
    (void)look;
    return slice_starts(head, SLICE(ELFMAG)) && head.len > EI_VERSION &&
           (head.ptr[EI_CLASS] == ELFCLASS32 || head.ptr[EI_CLASS] == ELFCLASS64) &&
           (head.ptr[EI_DATA] == ELFDATA2LSB || head.ptr[EI_DATA] == ELFDATA2MSB) &&
           head.ptr[EI_VERSION] == EV_CURRENT;
}

/* How many bytes a fat binary takes that `bytes` begin with; 0 when they do not, or when it says
 * that it goes on behind the file's end. */
static uint64_t fatbin_size(slice bytes, uint64_t left)
{
    struct fatbin_header header;
    if (bytes.len < sizeof(header))
        return 0;
    memcpy(&header, bytes.ptr, sizeof(header));
    bool known = header.magic == (uint32_t)FATBIN_MAGIC && header.version == FATBIN_VERSION &&
                 header.header_size == FATBIN_HEADER && header.program_version == PROGRAM_VERSION &&
                 header.program_header_size >= PROGRAM_HEADER_LEAST &&
                 header.size >= header.program_header_size;
    if (!known || left < FATBIN_HEADER || header.size > left - FATBIN_HEADER)
        return 0;
    return FATBIN_HEADER + header.size;
}

/* Where a fat binary may begin in bytes that stand at `position`, SIZE_MAX for nowhere. Its first
 * bytes may be all that is there. */
static size_t find_magic(slice bytes, uint64_t position)
{
    static const uint32_t magic = FATBIN_MAGIC;
    size_t at = (size_t)(-position % FATBIN_ALIGNMENT);
    for (; at + sizeof(magic) <= bytes.len; at += FATBIN_ALIGNMENT)
        if (memcmp(bytes.ptr + at, &magic, sizeof(magic)) == 0)
            return at;
    if (at < bytes.len && memcmp(bytes.ptr + at, &magic, bytes.len - at) == 0)
        return at;
    return SIZE_MAX;
}

/* In the file. */
struct code {
    uint64_t start, end;
};

struct passage {
    struct secret_look *look;
    struct secret_text *text;
    struct stream *stream;
    uint64_t position; /* in the file */
    struct code code[CODE_SEGMENTS];
    size_t code_count;
    uint64_t end; /* of what the program's own header names; or UINT64_MAX */
    bool zip;     /* one begins there */
    struct zip_tail tail;
};

/* A segment that holds the file's first bytes holds its constants, too; linkers call the other way
 * "separate code". */
static bool is_code(const Elf64_Phdr *segment, uint64_t size)
{
    return segment->p_type == PT_LOAD && segment->p_flags == (PF_R | PF_X) && segment->p_offset &&
           segment->p_filesz >= CODE_LEAST && segment->p_offset <= size &&
           segment->p_filesz <= size - segment->p_offset;
}

/* Of the programs that images hold today: 64 bits, little-endian. */
static void find_code(struct passage *passage, slice head)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    if (head.len < sizeof(header))
        return;
    memcpy(&header, head.ptr, sizeof(header));
    bool known = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
                 header.e_phentsize == sizeof(segment);
    uint64_t constants = UINT64_MAX; /* the first segment of nothing but those */
    for (size_t i = 0; known && i < header.e_phnum && passage->code_count < CODE_SEGMENTS; i++) {
        slice bytes = slice_from(slice_from(head, header.e_phoff), i * sizeof(segment));
        if (bytes.len < sizeof(segment))
            break;
        memcpy(&segment, bytes.ptr, sizeof(segment));
        if (segment.p_type == PT_LOAD && segment.p_flags == PF_R && segment.p_offset < constants)
            constants = segment.p_offset;
        if (is_code(&segment, passage->look->size))
            passage->code[passage->code_count++] =
                (struct code){segment.p_offset, segment.p_offset + segment.p_filesz};
    }
    /* Linkers that keep both apart begin with constants. Others do not, and patchelf moves their
     * segment of both away from the file's beginning. */
    size_t kept = 0;
    for (size_t i = 0; i < passage->code_count; i++)
        if (constants < passage->code[i].start)
            passage->code[kept++] = passage->code[i];
    passage->code_count = kept;
}

/* Where the section headers end, which come last as a rule: what somebody put behind a program
 * begins there. */
static void find_end(struct passage *passage, slice head)
{
    Elf64_Ehdr header;
    passage->end = UINT64_MAX;
    if (head.len < sizeof(header))
        return;
    memcpy(&header, head.ptr, sizeof(header));
    uint64_t sections = (uint64_t)header.e_shnum * header.e_shentsize;
    if (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
        header.e_shoff && sections && header.e_shoff < UINT64_MAX - sections)
        passage->end = header.e_shoff + sections;
}

/* How many bytes of code begin here; otherwise 0, and *before is what comes before the next. */
static uint64_t code_here(const struct passage *passage, uint64_t *before)
{
    *before = UINT64_MAX;
    for (size_t i = 0; i < passage->code_count; i++) {
        const struct code *code = &passage->code[i];
        if (code->start <= passage->position && passage->position < code->end)
            return code->end - passage->position;
        if (code->start > passage->position && code->start - passage->position < *before)
            *before = code->start - passage->position;
    }
    return 0;
}

static void look_at(struct passage *passage, slice bytes)
{
    secret_text_add(passage->text, bytes);
    zip_tail_add(&passage->tail, bytes);
    stream_take(passage->stream, bytes.len);
    passage->position += bytes.len;
}

static struct error *pass_over(struct passage *passage, uint64_t count)
{
    secret_text_gap(passage->text, count);
    passage->position += count;
    return stream_skip(passage->stream, count);
}

/* Where a magic stands. */
static struct error *pass_fatbin(struct passage *passage)
{
    slice bytes;
    TRY(stream_need(passage->stream, sizeof(struct fatbin_header), &bytes));
    uint64_t end = passage->look->size;
    uint64_t size = fatbin_size(bytes, end > passage->position ? end - passage->position : 0);
    if (size >= WORTH_A_GAP)
        return pass_over(passage, size);
    look_at(passage, slice_first(bytes, FATBIN_ALIGNMENT));
    return NULL;
}

static struct error *pass_program(struct passage *passage)
{
    slice bytes;
    TRY(stream_need(passage->stream, SECRET_HEAD, &bytes));
    find_code(passage, bytes);
    find_end(passage, bytes);
    for (;;) {
        uint64_t before, code = code_here(passage, &before);
        if (passage->position == passage->end) {
            TRY(stream_need(passage->stream, SECRET_HEAD, &bytes));
            passage->zip = secret_zip_begins(bytes);
            if (passage->zip)
                return NULL;
        } else if (passage->end > passage->position && passage->end - passage->position < before) {
            before = passage->end - passage->position;
        }
        if (code) {
            TRY(pass_over(passage, code));
            continue;
        }
        TRY(stream_some(passage->stream, &bytes));
        if (bytes.len == 0)
            return NULL;
        bytes = slice_first(bytes, before < bytes.len ? (size_t)before : bytes.len);
        size_t magic = find_magic(bytes, passage->position);
        look_at(passage, slice_first(bytes, magic));
        if (magic != SIZE_MAX)
            TRY(pass_fatbin(passage));
    }
}

static struct error *look_at_program(struct secret_look *look, struct stream *stream)
{
    struct passage passage = {
        .look = look,
        .text = secret_text_start(look->scanner, SECRET_BYTES, look->path, secret_look_hit, look),
        .stream = stream,
    };
    struct error *error = pass_program(&passage);
    look->incomplete |= !secret_text_end(passage.text);
    secret_look_settle(look);
    if (!error && passage.zip)
        return secret_look_at_zip_behind(look, stream, passage.position);
    if (!error)
        zip_tail_tell(&passage.tail, look);
    return error;
}

const struct secret_kind secret_kind_program = {"program", is_program, look_at_program};
