/* Git's packs: deltas, what is made of what, names, and what a damaged or hostile pack says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "secret/finder.h"
#include "secret/git_changes.h"
#include "secret/git_chains.h"
#include "secret/git_delta.h"
#include "secret/git_names.h"
#include "secret/scanner.h"

#include <sys/mman.h>

#define TABLE(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NEW_BUFFER(name) CLEANUP_BUFFER struct buffer name = {0}

/* -- one delta ------------------------------------------------------------------------------------
 */

static void test_deltas(void **state)
{
    (void)state;
    static const slice base = {"0123456789", 10};
    static const struct {
        slice instructions;
        const char *result; /* NULL: refused */
    } rows[] = {
        {TABLE("\x90\x0a"), "0123456789"},
        {TABLE("\x91\x03\x04"), "3456"},
        {TABLE("\x03xyz\x90\x02"), "xyz01"},
        {TABLE("\x90\x05\x01-\x91\x05\x05"), "01234-56789"},
        {TABLE("\x91\x09\x01\x91\x09\x01"), "99"},
        {TABLE("\xbf\x00\x00\x00\x00\x0a\x00"), "0123456789"},
        {TABLE(""), ""},
        /* beyond the base, by place, by count, by both together, by the longest place there is */
        {TABLE("\x90\x0b"), NULL},
        {TABLE("\x91\x0a\x01"), NULL},
        {TABLE("\x91\x09\x02"), NULL},
        {TABLE("\x9f\xff\xff\xff\xff\x01"), NULL},
        {TABLE("\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
        /* no count stands for 65536 */
        {TABLE("\x80"), NULL},
        /* reserved, alone and behind others */
        {TABLE("\x00"), NULL},
        {TABLE("\x90\x02\x00\x90\x02"), NULL},
        /* cut short: what is added, and a copy's operands */
        {TABLE("\x04xyz"), NULL},
        {TABLE("\x91\x01"), NULL},
        {TABLE("\x90"), NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char result[64];
        size_t size = rows[i].result ? strlen(rows[i].result) : 10;
        bool made = git_delta_apply(rows[i].instructions, base, result, size);
        assert_int_equal(made, rows[i].result != NULL);
        if (made)
            assert_memory_equal(result, rows[i].result, size);
        /* It must come to the size that was announced. */
        assert_false(git_delta_apply(rows[i].instructions, base, result, size + 1));
        if (size)
            assert_false(git_delta_apply(rows[i].instructions, base, result, size - 1));
    }
}

static void test_longest_copy(void **state)
{
    (void)state;
    CLEANUP_FREE char *base = memory_alloc(0x10000), *result = memory_alloc(0x10000);
    memset(base, 'b', 0x10000);
    assert_true(git_delta_apply(SLICE("\x80"), slice_make(base, 0x10000), result, 0x10000));
    assert_memory_equal(result, base, 0x10000);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        slice delta;
        bool good;
        uint64_t base, result;
    } rows[] = {
        {TABLE("\x0a\x05rest"), true, 10, 5},
        {TABLE("\x80\x01\xff\xff\x03"), true, 128, 0xffff},
        {TABLE("\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"), true, INT64_MAX, 0},
        {TABLE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"), false, 0, 0},
        {TABLE("\x0a"), false, 0, 0},
        {TABLE("\x80"), false, 0, 0},
        {TABLE(""), false, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice delta = rows[i].delta;
        uint64_t base, result;
        assert_int_equal(git_delta_sizes(&delta, &base, &result), rows[i].good);
        if (!rows[i].good)
            continue;
        assert_int_equal(base, rows[i].base);
        assert_int_equal(result, rows[i].result);
    }
}

/* In whichever pieces it comes. */
static void test_what_is_added(void **state)
{
    (void)state;
    static const char delta[] = "\x80\x01\x05\x03"
                                "abc\x91\x41\x42\x80\x02zz\x7f"
                                "rest";
    for (size_t cut = 0; cut < sizeof(delta); cut++) {
        struct git_delta_added added = {0};
        NEW_BUFFER(kept);
        for (size_t from = 0; from < sizeof(delta) - 1; from = from < cut ? cut : sizeof(delta)) {
            size_t to = from < cut ? cut : sizeof(delta) - 1;
            char piece[sizeof(delta)];
            memcpy(piece, delta + from, to - from);
            buffer_add(&kept, slice_make(piece, git_delta_keep_added(&added, piece, to - from)));
        }
        assert_true(slice_equal(buffer_slice(&kept), SLICE("abc\n\nzzrest")));
    }
}

/* -- packs ----------------------------------------------------------------------------------------
 */

/* Objects and deltas in the order in which they are added. */
struct packing {
    struct buffer bytes;
    uint32_t count;
    uint64_t offsets[64]; /* of the first ones */
};

static void add_header(struct buffer *out, unsigned type, uint64_t size)
{
    unsigned byte = type << 4 | (unsigned)(size & 15);
    for (size >>= 4; size; size >>= 7) {
        buffer_add_byte(out, (char)(byte | 0x80));
        byte = size & 0x7f;
    }
    buffer_add_byte(out, (char)byte);
}

static void add_deflated(struct buffer *out, slice content)
{
    uLongf size = compressBound(content.len);
    char *room = buffer_reserve(out, size);
    assert_int_equal(compress2((Bytef *)room, &size, (const Bytef *)content.ptr, content.len, 1),
                     Z_OK);
    out->len += size;
}

static void begin(struct packing *packing, unsigned type, uint64_t size)
{
    if (packing->bytes.len == 0)
        buffer_add(&packing->bytes, SLICE("PACK\0\0\0\2\0\0\0\0"));
    if (packing->count < COUNT(packing->offsets))
        packing->offsets[packing->count] = packing->bytes.len;
    packing->count++;
    add_header(&packing->bytes, type, size);
}

static void add_object(struct packing *packing, enum git_type type, slice content)
{
    begin(packing, type, content.len);
    add_deflated(&packing->bytes, content);
}

static void add_back(struct buffer *out, uint64_t back)
{
    char bytes[10];
    size_t at = sizeof(bytes);
    bytes[--at] = (char)(back & 0x7f);
    while (back >>= 7)
        bytes[--at] = (char)(0x80 | (--back & 0x7f));
    buffer_add(out, slice_make(bytes + at, sizeof(bytes) - at));
}

/* A delta of what begins `back` bytes before it. */
static void add_delta_back(struct packing *packing, uint64_t back, slice delta)
{
    begin(packing, GIT_OFFSET_DELTA, delta.len);
    add_back(&packing->bytes, back);
    add_deflated(&packing->bytes, delta);
}

/* A delta of the object with this number. */
static void add_delta(struct packing *packing, size_t of, slice delta)
{
    add_delta_back(packing, packing->bytes.len - packing->offsets[of], delta);
}

static void add_id_delta(struct packing *packing, slice id, slice delta)
{
    begin(packing, GIT_ID_DELTA, delta.len);
    buffer_add(&packing->bytes, id);
    add_deflated(&packing->bytes, delta);
}

static void find_id(slice content, size_t id_bytes, unsigned char id[GIT_SHA256])
{
    struct git_hash hash;
    git_hash_open(&hash, id_bytes);
    git_hash_begin(&hash, GIT_BLOB, content.len);
    git_hash_add(&hash, content);
    git_hash_end(&hash, id);
    git_hash_close(&hash);
}

/* What came of a pack: each object's content, "-" where there is none. */
struct reading {
    struct git_index index;
    struct git_unpack unpack;
    struct git_chains chains;
    struct git_hash hash;
    struct spool spool;
    struct spill spill;
    struct arena arena;
    slice contents[64];
    size_t used;
    uint64_t sums; /* of all contents, where there are more */
};

static struct error *use(void *context, struct git_made *made)
{
    struct reading *reading = context;
    unsigned char id[GIT_SHA256];
    git_hash_begin(&reading->hash, GIT_BLOB, made->content.len);
    git_hash_add(&reading->hash, made->content);
    git_hash_end(&reading->hash, id);
    git_index_attach(&reading->index, made->object, id);
    reading->used++;
    if (made->object < COUNT(reading->contents)) {
        assert_ptr_equal(reading->contents[made->object].ptr, NULL);
        reading->contents[made->object] =
            arena_copy(&reading->arena, slice_first(made->content, 4096));
    }
    /* A note comes back to those that are made of it, and to no others. */
    uint32_t base = reading->index.objects[made->object].base;
    assert_int_equal(made->base_note ? (uint32_t)strtoul(made->base_note, NULL, 10) : GIT_NONE,
                     base);
    CLEANUP_ARENA struct arena arena = {0};
    made->note = memory_text(arena_format(&arena, "%u", made->object));
    return NULL;
}

static void read_pack(struct reading *reading, slice pack, uint32_t announced, uint64_t most)
{
    memset(reading, 0, sizeof(*reading));
    reading->spill.fd = memfd_create("spill", MFD_CLOEXEC);
    CLEANUP_STREAM struct stream *stream = stream_from_memory(pack);
    assert_null(spool_open(&reading->spool, &reading->spill, stream, LIMIT_SECRET_SPOOL_BYTES));
    git_unpack_open(&reading->unpack, &reading->spool);
    assert_null(git_index_make(&reading->index, &reading->unpack, announced));
    git_hash_open(&reading->hash, reading->index.id_bytes);
    git_chains_open(&reading->chains, &reading->index, &reading->unpack);
    reading->chains.most = most;
    for (uint32_t i = 0; i < reading->index.count; i++)
        if (reading->index.objects[i].stored < GIT_OFFSET_DELTA)
            assert_null(git_chains_follow(&reading->chains, i, use, reading));
    assert_int_equal(reading->chains.held, 0);
}

static void reading_free(struct reading *reading)
{
    git_chains_close(&reading->chains);
    git_hash_close(&reading->hash);
    git_index_free(&reading->index);
    git_unpack_close(&reading->unpack);
    spool_close(&reading->spool);
    arena_free(&reading->arena);
    close(reading->spill.fd);
}

#define CLEANUP_READING __attribute__((unused, cleanup(reading_free)))

static void cleanup_packing(struct packing *packing)
{
    buffer_free(&packing->bytes);
}

#define CLEANUP_PACKING __attribute__((unused, cleanup(cleanup_packing)))

/* Contents in the order of the pack, with a space between them; "-" for what could not be made. */
static void expect(struct packing *packing, const char *contents)
{
    CLEANUP_READING struct reading reading;
    NEW_BUFFER(found);
    read_pack(&reading, buffer_slice(&packing->bytes), packing->count, UINT64_MAX);
    for (size_t i = 0; i < reading.index.count; i++) {
        if (i)
            buffer_add_byte(&found, ' ');
        buffer_add(&found, reading.contents[i].ptr ? reading.contents[i] : SLICE("-"));
    }
    buffer_add_byte(&found, '\0');
    assert_string_equal(found.bytes, contents);
}

static void test_deltas_by_place(void **state)
{
    (void)state;
    CLEANUP_PACKING struct packing packing = {0};
    add_object(&packing, GIT_BLOB, SLICE("0123456789"));
    add_delta(&packing, 0, SLICE("\x0a\x05\x90\x05"));
    add_delta(&packing, 1, SLICE("\x05\x03\x01!\x91\x03\x02"));
    add_object(&packing, GIT_BLOB, SLICE_EMPTY);
    add_delta(&packing, 0, SLICE("\x0a\x02\x02xy"));
    add_delta(&packing, 2, SLICE("\x03\x06\x90\x03\x90\x03"));
    add_delta(&packing, 1, SLICE("\x05\x00"));
    expect(&packing, "0123456789 01234 !34  xy !34!34 ");
}

/* Also where the base comes later, and where it is a delta itself. */
static void deltas_by_id(size_t id_bytes)
{
    CLEANUP_PACKING struct packing packing = {0};
    unsigned char first[GIT_SHA256], second[GIT_SHA256];
    find_id(SLICE("0123456789"), id_bytes, first);
    find_id(SLICE("01234"), id_bytes, second);
    add_id_delta(&packing, slice_make(second, id_bytes), SLICE("\x05\x03\x90\x03"));
    add_id_delta(&packing, slice_make(first, id_bytes), SLICE("\x0a\x05\x90\x05"));
    add_object(&packing, GIT_BLOB, SLICE("0123456789"));
    add_delta(&packing, 0, SLICE("\x03\x04\x90\x03\x01!"));
    add_id_delta(&packing, slice_make(second, id_bytes), SLICE("\x05\x01\x91\x04\x01"));
    expect(&packing, "012 01234 0123456789 012! 4");
}

static void test_deltas_by_id(void **state)
{
    (void)state;
    deltas_by_id(GIT_SHA1);
    deltas_by_id(GIT_SHA256);
}

static void test_hostile_bases(void **state)
{
    (void)state;
    CLEANUP_PACKING struct packing packing = {0};
    unsigned char id[GIT_SHA256];
    add_object(&packing, GIT_BLOB, SLICE("0123456789"));
    /* of itself, before the pack, in its header, within an object, of none that is there */
    add_delta_back(&packing, 0, SLICE("\x0a\x05\x90\x05"));
    assert_int_equal(packing.count, 2);
    CLEANUP_READING struct reading reading;
    read_pack(&reading, buffer_slice(&packing.bytes), packing.count, UINT64_MAX);
    assert_int_equal(reading.index.count, 1);
    assert_int_equal(reading.index.end, packing.offsets[1]);

    CLEANUP_PACKING struct packing others = {0};
    add_object(&others, GIT_BLOB, SLICE("0123456789"));
    add_delta_back(&others, others.bytes.len - 1, SLICE("\x0a\x05\x90\x05"));
    add_delta_back(&others, others.bytes.len, SLICE("\x0a\x05\x90\x05"));
    add_delta_back(&others, 1000000, SLICE("\x0a\x05\x90\x05"));
    add_delta_back(&others, UINT64_MAX >> 9, SLICE("\x0a\x05\x90\x05"));
    add_delta_back(&others, 3, SLICE("\x0a\x05\x90\x05"));
    find_id(SLICE("01234"), GIT_SHA1, id);
    add_id_delta(&others, slice_make(id, GIT_SHA1), SLICE("\x05\x05\x90\x05"));
    add_delta(&others, 6, SLICE("\x05\x02\x90\x02"));
    /* A base of another size, damaged instructions, a result of another size. */
    add_delta(&others, 0, SLICE("\x0b\x05\x90\x05"));
    add_delta(&others, 0, SLICE("\x0a\x05\x90\x0b"));
    add_delta(&others, 0, SLICE("\x0a\x06\x90\x05"));
    add_delta(&others, 0, SLICE("\x0a"));
    add_delta(&others, 0, SLICE(""));
    add_delta(&others, 0, SLICE("\x0a\xff\xff\xff\xff\x7f\x90\x05"));
    add_delta(&others, 8, SLICE("\x05\x02\x90\x02"));
    add_delta(&others, 0, SLICE("\x0a\x02\x90\x02"));
    expect(&others, "0123456789 - - - - - - - - - - - - - - 01");
}

/* Two that are made of each other, of which no id can be true. */
static void test_loop(void **state)
{
    (void)state;
    CLEANUP_PACKING struct packing packing = {0};
    unsigned char id[GIT_SHA256];
    find_id(SLICE("01234"), GIT_SHA1, id);
    add_object(&packing, GIT_BLOB, SLICE("x"));
    add_id_delta(&packing, slice_make(id, GIT_SHA1), SLICE("\x05\x05\x90\x05"));
    add_delta(&packing, 1, SLICE("\x05\x05\x90\x05"));
    /* It has the id that the first waits for: the others are made, and this one not again. */
    add_delta(&packing, 0,
              SLICE("\x01\x05\x05"
                    "01234"));
    expect(&packing, "x 01234 01234 01234");
}

static void test_lies(void **state)
{
    (void)state;
    static const unsigned types[] = {0, 5};
    for (size_t i = 0; i < COUNT(types); i++) {
        CLEANUP_PACKING struct packing packing = {0};
        add_object(&packing, GIT_BLOB, SLICE("good"));
        add_object(&packing, (enum git_type)types[i], SLICE("bad"));
        expect(&packing, "good");
    }
    for (int size = 0; size < 8; size++) {
        CLEANUP_PACKING struct packing packing = {0};
        add_object(&packing, GIT_BLOB, SLICE("good"));
        begin(&packing, GIT_BLOB, (uint64_t)size);
        add_deflated(&packing.bytes, SLICE("five!"));
        expect(&packing, size == 5 ? "good five!" : "good");
    }
    /* Sizes that no number holds. */
    CLEANUP_PACKING struct packing packing = {0};
    add_object(&packing, GIT_BLOB, SLICE("good"));
    buffer_add(&packing.bytes, SLICE("\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    add_deflated(&packing.bytes, SLICE("bad"));
    packing.count = UINT32_MAX;
    expect(&packing, "good");
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    CLEANUP_PACKING struct packing packing = {0};
    add_object(&packing, GIT_BLOB, SLICE("0123456789"));
    add_delta(&packing, 0, SLICE("\x0a\x05\x90\x05"));
    add_object(&packing, GIT_TAG, SLICE("another"));
    for (size_t cut = GIT_PACK_HEADER; cut <= packing.bytes.len; cut++) {
        CLEANUP_READING struct reading reading;
        read_pack(&reading, slice_first(buffer_slice(&packing.bytes), cut), packing.count,
                  UINT64_MAX);
        size_t whole = cut == packing.bytes.len ? 3 : 0;
        while (whole < 2 && packing.offsets[whole + 1] <= cut)
            whole++;
        assert_int_equal(reading.index.count, whole);
        assert_int_equal(reading.used, whole);
    }
}

enum { LARGE = 17 * 1024 * 1024 };

/* A letter, and then the base without its last byte. */
static void add_shifted(struct packing *packing, size_t of, char letter)
{
    enum { MOST_AT_ONCE = 0xffffff };
    NEW_BUFFER(delta);
    buffer_add_number(&delta, LARGE);
    buffer_add_number(&delta, LARGE);
    buffer_add_byte(&delta, 1);
    buffer_add_byte(&delta, letter);
    buffer_add(&delta, SLICE("\xf0\xff\xff\xff\xf7\xff\xff\xff"));
    for (int byte = 0; byte < 3; byte++)
        buffer_add_byte(&delta, (char)((LARGE - 1 - MOST_AT_ONCE) >> 8 * byte));
    add_delta(packing, of, buffer_slice(&delta));
}

/* A chain of which every part has one more delta, which has another one. */
static void add_bushy(struct packing *packing, size_t deep)
{
    CLEANUP_FREE char *base = memory_alloc(LARGE);
    memset(base, '.', LARGE);
    add_object(packing, GIT_BLOB, slice_make(base, LARGE));
    for (size_t i = 0; i < deep; i++)
        add_shifted(packing, i, (char)('a' + i));
    for (size_t i = 0; i < deep; i++)
        add_shifted(packing, i, (char)('A' + i));
    for (size_t i = 0; i < deep; i++)
        add_shifted(packing, 1 + deep + i, '!');
}

/* More than is held at once: what was forgotten is made again, and all of it is right. */
static void test_memory(void **state)
{
    (void)state;
    enum { DEEP = 7 };
    static const char *const contents[] = {
        ".",    "a.",    "ba.",    "cba.",    "dcba.",    "edcba.",    "fedcba.",  "gfedcba.",
        "A.",   "Ba.",   "Cba.",   "Dcba.",   "Edcba.",   "Fedcba.",   "Gfedcba.", "!A.",
        "!Ba.", "!Cba.", "!Dcba.", "!Edcba.", "!Fedcba.", "!Gfedcba.",
    };
    CLEANUP_PACKING struct packing packing = {0};
    CLEANUP_READING struct reading reading;
    add_bushy(&packing, DEEP);
    read_pack(&reading, buffer_slice(&packing.bytes), packing.count, UINT64_MAX);
    assert_int_equal(reading.used, COUNT(contents));
    /* Each once, and some once more. */
    assert_true(reading.chains.made > (uint64_t)LARGE * (COUNT(contents) - 1));
    for (size_t i = 0; i < COUNT(contents); i++)
        assert_true(slice_starts(reading.contents[i], slice_from_text(contents[i])));
}

/* However much a few bytes say: no more is made, and what is left says why. */
static void test_bomb(void **state)
{
    (void)state;
    CLEANUP_PACKING struct packing packing = {0};
    add_bushy(&packing, 7);
    for (uint64_t most = 0; most < 22 * (uint64_t)LARGE; most += 7 * LARGE + 1) {
        CLEANUP_READING struct reading reading;
        read_pack(&reading, buffer_slice(&packing.bytes), packing.count, most);
        assert_true(reading.chains.made <= most + LARGE);
        for (size_t i = 0; i < reading.index.count; i++) {
            const struct git_object *object = &reading.index.objects[i];
            if (!object->made && reading.index.objects[object->base].made)
                assert_int_equal(object->left, GIT_LEFT_MUCH);
        }
    }
}

/* -- names ----------------------------------------------------------------------------------------
 */

static void add_entry(struct buffer *tree, const char *text, char id)
{
    buffer_text(tree, text);
    buffer_add_byte(tree, '\0');
    for (size_t i = 0; i < GIT_SHA1; i++)
        buffer_add_byte(tree, id);
}

static void expect_path(const struct git_names *names, char id, const char *path)
{
    CLEANUP_ARENA struct arena arena = {0};
    unsigned char bytes[GIT_SHA256];
    memset(bytes, id, sizeof(bytes));
    slice found = git_names_path(names, bytes, &arena);
    assert_true(slice_equal(found, slice_from_text(path)));
}

static void add_tree(struct git_names *names, char id, const struct buffer *tree)
{
    unsigned char bytes[GIT_SHA256];
    memset(bytes, id, sizeof(bytes));
    git_names_add_tree(names, bytes, buffer_slice(tree), GIT_SHA1);
}

static void test_names(void **state)
{
    (void)state;
    struct git_names names;
    NEW_BUFFER(inner);
    NEW_BUFFER(outer);
    NEW_BUFFER(other);
    git_names_open(&names);
    add_entry(&inner, "100644 keys.env", 'k');
    add_entry(&inner, "100755 with blank", 'b');
    add_entry(&outer, "40000 conf", 'I');
    add_entry(&outer, "100644 top", 't');
    add_entry(&other, "100644 another name", 'k');
    add_entry(&other, "40000 itself", 'X');
    buffer_text(&other, "100644 cut");
    add_tree(&names, 'I', &inner);
    expect_path(&names, 'k', "keys.env");
    add_tree(&names, 'O', &outer);
    add_tree(&names, 'X', &other);
    expect_path(&names, 'k', "conf/keys.env");
    expect_path(&names, 'b', "conf/with blank");
    expect_path(&names, 't', "top");
    expect_path(&names, 'I', "conf");
    expect_path(&names, 'O', "");
    expect_path(&names, 'X', "");
    expect_path(&names, '?', "");
    git_names_close(&names);
}

/* Trees can say what they like: in each other in a circle, and as deep as they want. */
static void test_hostile_names(void **state)
{
    (void)state;
    struct git_names names;
    git_names_open(&names);
    for (unsigned i = 0; i < 200; i++) {
        NEW_BUFFER(tree);
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_FREE char *name = memory_alloc(1000);
        memset(name, 'n', 1000);
        add_entry(&tree, arena_format(&arena, "40000 %.*s", 1000, name).ptr, (char)(i + 1));
        add_tree(&names, (char)i, &tree);
    }
    NEW_BUFFER(last);
    add_entry(&last, "40000 x", 0);
    add_tree(&names, (char)200, &last);
    for (unsigned i = 0; i <= 200; i++) {
        CLEANUP_ARENA struct arena arena = {0};
        unsigned char id[GIT_SHA256];
        memset(id, (int)i, sizeof(id));
        assert_in_range(git_names_path(&names, id, &arena).len, 1, LIMIT_PATH_BYTES);
    }
    git_names_close(&names);
}

/* Ids that all want the same place: most have no name then, and it costs nothing. */
static void test_ids_of_one_place(void **state)
{
    (void)state;
    struct git_names names;
    NEW_BUFFER(tree);
    git_names_open(&names);
    for (uint32_t i = 0; i < 100000; i++) {
        char id[GIT_SHA1] = "samesamesamesame";
        memcpy(id + 16, &i, sizeof(i));
        buffer_add(&tree, SLICE("100644 a\0"));
        buffer_add(&tree, slice_make(id, sizeof(id)));
    }
    add_tree(&names, 't', &tree);
    assert_in_range(names.count, 2, 1000);
    git_names_close(&names);
}

/* -- what a delta changes -------------------------------------------------------------------------
 */

struct edited {
    struct buffer text, instructions;
    struct list ranges; /* of size_t: start and end of what is new, in turn */
    struct arena arena;
};

static uint32_t dice(uint32_t *state, uint32_t sides)
{
    *state = *state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*state * sides >> 32);
}

static void copy(struct edited *edited, slice base, size_t from, size_t count)
{
    while (count) {
        size_t part = count < 0x7000 ? count : 0x7000;
        buffer_add_byte(&edited->instructions, (char)0xbf);
        for (int i = 0; i < 4; i++)
            buffer_add_byte(&edited->instructions, (char)(from >> 8 * i));
        buffer_add_byte(&edited->instructions, (char)part);
        buffer_add_byte(&edited->instructions, (char)(part >> 8));
        buffer_add(&edited->text, slice_first(slice_from(base, from), part));
        from += part;
        count -= part;
    }
}

static void note(struct edited *edited, size_t start, size_t end)
{
    *(size_t *)list_add(&edited->ranges, &edited->arena, sizeof(size_t)) = start;
    *(size_t *)list_add(&edited->ranges, &edited->arena, sizeof(size_t)) = end;
}

/* Some bytes of the base left out, some added, here and there. */
static void edit(struct edited *edited, slice base, uint32_t *state)
{
    size_t at = 0;
    for (uint32_t i = dice(state, 4); i-- > 0;) {
        size_t next = at + dice(state, (uint32_t)(base.len - at) + 1);
        copy(edited, base, at, next - at);
        size_t start = edited->text.len, left_out = dice(state, 300);
        for (uint32_t added = dice(state, 3) ? dice(state, 100) : 0; added-- > 0;) {
            char byte = dice(state, 20) ? 'N' : '\n';
            buffer_add_byte(&edited->instructions, 1);
            buffer_add_byte(&edited->instructions, byte);
            buffer_add_byte(&edited->text, byte);
        }
        at = next + left_out < base.len ? next + left_out : base.len;
        if (at > next || edited->text.len > start)
            note(edited, start, edited->text.len);
    }
    copy(edited, base, at, base.len - at);
}

static void check_changes(const struct edited *edited, slice base)
{
    CLEANUP_ARENA struct arena arena = {0};
    NEW_BUFFER(shown);
    struct git_changes changes;
    slice text = buffer_slice(&edited->text), piece;
    const size_t *ranges = edited->ranges.items;
    git_changes_find(&changes, text, base, buffer_slice(&edited->instructions), &arena);
    do {
        assert_null(git_changes_next(&changes, &piece));
        buffer_add(&shown, piece);
    } while (piece.len);
    /* Line by line what the text has, or nothing; whatever is near a change is there. */
    slice rest = buffer_slice(&shown), lines = text, line, wanted;
    for (size_t start = 0; slice_pull_line(&lines, &wanted);
         start = (size_t)(lines.ptr - text.ptr)) {
        bool near = start < 1024;
        for (size_t i = 0; i < edited->ranges.count; i += 2)
            near |= start < ranges[i + 1] + SECRET_REACH &&
                    start + wanted.len + SECRET_REACH >= ranges[i];
        if (!slice_pull_line(&rest, &line))
            line = SLICE_EMPTY;
        assert_true(slice_equal(line, wanted) || (line.len == 0 && !near));
        if (!lines.ptr)
            break;
    }
    assert_false(slice_pull_line(&rest, &line) && line.len);
}

static void test_changes(void **state)
{
    (void)state;
    uint32_t random = 15;
    size_t all = 0, shown = 0;
    for (size_t round = 0; round < 300; round++) {
        NEW_BUFFER(base);
        struct edited edited = {0};
        uint32_t size = dice(&random, 200000), width = 2 + dice(&random, 300);
        while (base.len < size)
            buffer_add_byte(&base, dice(&random, width) ? (char)('a' + dice(&random, 26)) : '\n');
        edit(&edited, buffer_slice(&base), &random);
        check_changes(&edited, buffer_slice(&base));
        CLEANUP_ARENA struct arena arena = {0};
        struct git_changes changes;
        git_changes_find(&changes, buffer_slice(&edited.text), buffer_slice(&base),
                         buffer_slice(&edited.instructions), &arena);
        slice piece;
        do {
            assert_null(git_changes_next(&changes, &piece));
            shown += piece.len;
        } while (piece.len);
        all += edited.text.len;
        buffer_free(&edited.text);
        buffer_free(&edited.instructions);
        arena_free(&edited.arena);
    }
    /* It is worth it. */
    assert_true(shown < all / 2);
}

/* -- a look through one ---------------------------------------------------------------------------
 */

static struct secret_scanner *scanner_of_one_rule(void)
{
    static const struct secret_rule *rules[1];
    struct secret_database *database;
    for (size_t i = 0; i < secret_rule_count; i++)
        if (strcmp(secret_rules[i].id, "generic-password") == 0)
            rules[0] = &secret_rules[i];
    assert_non_null(rules[0]);
    assert_null(secret_database_make(&database, rules, 1, true));
    return secret_scanner_new(rules, 1, database);
}

/* Without a file to keep it in, and larger than memory: the first part is put together, the rest
 * looked at as it is stored. */
static void test_larger_than_is_kept(void **state)
{
    (void)state;
    static const char first[] = "password = \"k7Wq9x2LmP4zT8\"\n";
    static const char second[] = "password = \"Zq3Wq9x2LmP4zT\"\n";
    static const char third[] = "password = \"x2LmP4zT8Rk7Wq\"\n";
    CLEANUP_PACKING struct packing packing = {0};
    CLEANUP_FREE char *noise = memory_alloc(LARGE);
    uint32_t random = 1;
    for (size_t i = 0; i < LARGE; i++)
        noise[i] = (char)dice(&random, 256);
    add_object(&packing, GIT_BLOB, slice_make(first, sizeof(first) - 1));
    add_object(&packing, GIT_BLOB, slice_make(noise, LARGE));
    add_object(&packing, GIT_BLOB, slice_make(second, sizeof(second) - 1));
    NEW_BUFFER(delta);
    buffer_add_number(&delta, sizeof(first) - 1);
    buffer_add_number(&delta, sizeof(third) - 1);
    buffer_add_byte(&delta, sizeof(third) - 1);
    buffer_add(&delta, slice_make(third, sizeof(third) - 1));
    add_delta(&packing, 0, buffer_slice(&delta));
    packing.bytes.bytes[11] = (char)packing.count;

    CLEANUP_ARENA struct arena arena = {0};
    struct list found = {0}, unopened = {0};
    struct spill *spills[] = {NULL, &(struct spill){.fd = -1}};
    struct secret_scanner *scanner = scanner_of_one_rule();
    for (size_t i = 0; i < COUNT(spills); i++) {
        const struct secret_finds into = {&arena, &found, &unopened, spills[i]};
        CLEANUP_STREAM struct stream *stream = stream_from_memory(buffer_slice(&packing.bytes));
        found.count = unopened.count = 0;
        assert_null(secret_find_in_file(scanner, stream, 0, SLICE("x"), &into));
        assert_int_equal(found.count, 3);
        assert_int_equal(unopened.count, 1);
        slice why = ((struct unopened *)unopened.items)->why;
        assert_true(slice_starts(why, SLICE("larger than 16777216 bytes")));
    }
    secret_scanner_free(scanner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deltas),
        cmocka_unit_test(test_longest_copy),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_what_is_added),
        cmocka_unit_test(test_deltas_by_place),
        cmocka_unit_test(test_deltas_by_id),
        cmocka_unit_test(test_hostile_bases),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_ids_of_one_place),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_larger_than_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
