#include "secret/kinds.h"

enum {
    HEADER_BYTES = 64 * 1024,    /* of media and weights: names, comments, metadata */
    SAFETENSORS_MOST = 16 << 20, /* of its header, which is JSON */
    UTF16_PROBE = 512,
};

/* -- model weights: data behind a header ----------------------------------------------------------
 */

static bool is_safetensors(const struct secret_look *look, slice head)
{
    uint64_t size = 0;
    (void)look;
    for (size_t i = 8; i-- > 0 && head.len > 9;)
        size = size << 8 | (unsigned char)head.ptr[i];
    return head.len > 9 && head.ptr[8] == '{' && size >= 2 && size <= SAFETENSORS_MOST;
}

static struct error *look_at_safetensors(struct secret_look *look, struct stream *stream)
{
    slice head;
    uint64_t size = 0;
    TRY(stream_need(stream, 8, &head));
    for (size_t i = 8; i-- > 0;)
        size = size << 8 | (unsigned char)head.ptr[i];
    stream_take(stream, 8);
    return secret_look_plain(look, stream, SECRET_TEXT, size);
}

static const struct {
    const char *magic;
    size_t length, at;
} data_formats[] = {
    {"GGUF", 4, 0},        {"GGML", 4, 0},        {"\x93NUMPY", 6, 0},
    {"\x89HDF\r\n", 6, 0}, {"\x89PNG\r\n", 6, 0}, {"\xff\xd8\xff", 3, 0},
    {"GIF8", 4, 0},        {"ftyp", 4, 4},        {"OggS", 4, 0},
    {"fLaC", 4, 0},        {"ID3", 3, 0},         {"RIFF", 4, 0},
    {"wOFF", 4, 0},        {"wOF2", 4, 0},        {"PAR1", 4, 0},
    {"ARROW1", 6, 0},      {"TFL3", 4, 4},        {"\x00\x01\x00\x00\x00", 5, 0},
};

static bool is_data(const struct secret_look *look, slice head)
{
    (void)look;
    for (size_t i = 0; i < sizeof(data_formats) / sizeof(data_formats[0]); i++)
        if (slice_starts(slice_from(head, data_formats[i].at),
                         slice_make(data_formats[i].magic, data_formats[i].length)))
            return true;
    return false;
}

static bool is_digits(slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_digit(name.ptr[i]))
            return false;
    return name.len > 0;
}

/* torch.save: "model.pt!archive/data/17" */
static bool is_torch_storage(const struct secret_look *look, slice head)
{
    slice folder = slice_dirname(look->path);
    (void)head;
    return look->depth && look->depth != look->packed_depth &&
           is_digits(slice_basename(look->path)) && slice_ends(folder, SLICE("/data")) &&
           slice_find(folder, '!') != SIZE_MAX;
}

static bool is_onnx(const struct secret_look *look, slice head)
{
    return slice_ends(look->path, SLICE(".onnx")) && head.len && head.ptr[0] == 8;
}

static struct error *look_at_header(struct secret_look *look, struct stream *stream)
{
    return secret_look_plain(look, stream, SECRET_BYTES, HEADER_BYTES);
}

static struct error *look_at_nothing(struct secret_look *look, struct stream *stream)
{
    (void)look, (void)stream;
    return NULL;
}

/* -- text and bytes -------------------------------------------------------------------------------
 */

/* Which byte of each two is 0 in what is mostly ASCII: 1 little-endian, 0 big-endian, -1 neither.
 */
static int utf16_zeros(slice head)
{
    size_t zeros[2] = {0, 0}, pairs = slice_first(head, UTF16_PROBE).len / 2;
    for (size_t i = 0; i < 2 * pairs; i++)
        zeros[i % 2] += head.ptr[i] == '\0';
    for (int side = 0; side < 2; side++)
        if (pairs >= 8 && zeros[side] * 10 > pairs * 7 && zeros[1 - side] * 20 < pairs)
            return side;
    return -1;
}

static bool is_utf16(const struct secret_look *look, slice head)
{
    (void)look;
    return slice_starts(head, SLICE("\xff\xfe")) || slice_starts(head, SLICE("\xfe\xff")) ||
           utf16_zeros(head) >= 0;
}

struct narrowing {
    struct stream *stream;
    int zero; /* which of each two bytes is the high one */
    char bytes[16 * 1024];
};

/* What is no ASCII becomes "?": no rule asks for it. */
static struct error *next_narrowed(void *context, slice *piece)
{
    struct narrowing *narrowing = context;
    slice window;
    size_t count = 0;
    TRY(stream_need(narrowing->stream, 2 * sizeof(narrowing->bytes), &window));
    for (size_t i = 0; i + 1 < window.len; i += 2) {
        unsigned char high = (unsigned char)window.ptr[i + (size_t)narrowing->zero];
        unsigned char low = (unsigned char)window.ptr[i + 1 - (size_t)narrowing->zero];
        narrowing->bytes[count++] = high == 0 && low < 0x80 ? (char)low : '?';
    }
    stream_take(narrowing->stream, window.len);
    *piece = slice_make(narrowing->bytes, count);
    return NULL;
}

static struct error *look_at_utf16(struct secret_look *look, struct stream *stream)
{
    slice head;
    TRY(stream_need(stream, SECRET_HEAD, &head));
    struct narrowing narrowing = {.stream = stream};
    narrowing.zero = slice_starts(head, SLICE("\xfe\xff"))   ? 0
                     : slice_starts(head, SLICE("\xff\xfe")) ? 1
                                                             : utf16_zeros(head);
    return secret_look_inside(look, SLICE_EMPTY, next_narrowed, &narrowing);
}

static bool is_binary(const struct secret_look *look, slice head)
{
    (void)look;
    return memchr(head.ptr, '\0', head.len) != NULL;
}

static struct error *look_at_bytes(struct secret_look *look, struct stream *stream)
{
    return secret_look_plain(look, stream, SECRET_BYTES, UINT64_MAX);
}

static bool is_anything(const struct secret_look *look, slice head)
{
    (void)look, (void)head;
    return true;
}

static struct error *look_at_text(struct secret_look *look, struct stream *stream)
{
    return secret_look_plain(look, stream, SECRET_TEXT, UINT64_MAX);
}

/* -- the table: the first that recognises a file looks at it --------------------------------------
 */

static const struct secret_kind kind_safetensors = {"safetensors", is_safetensors,
                                                    look_at_safetensors};
static const struct secret_kind kind_torch = {"torch storage", is_torch_storage, look_at_nothing};
static const struct secret_kind kind_onnx = {"ONNX", is_onnx, look_at_header};
static const struct secret_kind kind_data = {"data", is_data, look_at_header};
static const struct secret_kind kind_utf16 = {"UTF-16", is_utf16, look_at_utf16};
static const struct secret_kind kind_bytes = {"bytes", is_binary, look_at_bytes};
static const struct secret_kind kind_text = {"text", is_anything, look_at_text};

static const struct secret_kind *const kinds[] = {
    &kind_torch,
    &kind_safetensors,
    &kind_onnx,
    &kind_data,
    &secret_kind_program,
    &secret_kind_compressed,
    &secret_kind_zip,
    &secret_kind_zip_front,
    &secret_kind_tar,
    &secret_kind_ar,
    &secret_kind_cpio,
    &secret_kind_closed,
    &secret_kind_git_pack,
    &secret_kind_git_object,
    &secret_kind_notebook,
    &secret_kind_manifest,
    &kind_utf16,
    &kind_bytes,
    &kind_text,
};

static const struct secret_kind *kind_of(const struct secret_look *look, slice head)
{
    size_t at = 0;
    while (!kinds[at]->recognise(look, head))
        at++;
    return kinds[at];
}

bool secret_look_is_text(const struct secret_look *look, slice head)
{
    head = slice_first(head, SECRET_HEAD);
    const struct secret_kind *kind = head.len ? kind_of(look, head) : NULL;
    return kind == &kind_text || (kind == &secret_kind_zip_front && secret_zip_front_is_text(head));
}

struct error *secret_look_by_kind(struct secret_look *look, struct stream *stream)
{
    slice head;
    TRY(stream_need(stream, SECRET_HEAD, &head));
    return head.len ? kind_of(look, head)->look(look, stream) : NULL;
}
