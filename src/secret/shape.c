#include "secret/shape.h"
#include "secret/checks.h"
#include "base/base64.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const struct letters {
    const char *name, *letters;
} alphabets[] = {
    {"lower", LOWER},
    {"upper", UPPER},
    {"digit", DIGITS},
    {"hex", DIGITS "abcdef"},
    {"HEX", DIGITS "ABCDEF"},
    {"alpha", LOWER UPPER},
    {"alnum", LOWER UPPER DIGITS},
    {"lowernum", LOWER DIGITS},
    {"uppernum", UPPER DIGITS},
    {"b64", LOWER UPPER DIGITS "+/"},
    {"b64url", LOWER UPPER DIGITS "-_"},
    {"word", LOWER UPPER DIGITS "_"},
    {"base32", UPPER "234567"},
    {"base58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"},
};

struct shaping {
    uint64_t random;
    struct buffer *out;
};

static uint64_t next_random(struct shaping *shaping)
{
    shaping->random ^= shaping->random << 13;
    shaping->random ^= shaping->random >> 7;
    shaping->random ^= shaping->random << 17;
    return shaping->random >> 16;
}

static void add_letters(struct shaping *shaping, const char *letters, size_t count)
{
    size_t among = strlen(letters);
    while (count-- > 0)
        buffer_add_byte(shaping->out, letters[next_random(shaping) % among]);
}

static struct error *expand(struct shaping *shaping, slice shape);

static struct error *add_github(struct shaping *shaping, slice prefix)
{
    enum { RANDOM = 30, CHECKSUM = 6 };
    char checksum[CHECKSUM];
    buffer_add(shaping->out, prefix);
    add_letters(shaping, LOWER UPPER DIGITS, RANDOM);
    secret_github_checksum(slice_make(shaping->out->bytes + shaping->out->len - RANDOM, RANDOM),
                           checksum);
    buffer_add(shaping->out, slice_make(checksum, CHECKSUM));
    return NULL;
}

static void add_encoded(struct shaping *shaping, slice bytes, bool for_urls)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice text = base64_encode(bytes, &arena);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (for_urls && c == '=')
            break;
        if (for_urls && (c == '+' || c == '/'))
            c = c == '+' ? '-' : '_';
        buffer_add_byte(shaping->out, c);
    }
}

static struct error *add_base64(struct shaping *shaping, slice shape)
{
    CLEANUP_BUFFER struct buffer inner = {0};
    struct shaping inside = {next_random(shaping) | 1, &inner};
    TRY(expand(&inside, shape));
    add_encoded(shaping, buffer_slice(&inner), false);
    return NULL;
}

static struct error *add_jwt(struct shaping *shaping, slice unused)
{
    CLEANUP_BUFFER struct buffer payload = {0};
    (void)unused;
    buffer_format(&payload, "{\"sub\":\"%llu\",\"iat\":%llu}",
                  (unsigned long long)next_random(shaping),
                  (unsigned long long)(next_random(shaping) % 100000000 + 1700000000));
    add_encoded(shaping, SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), true);
    buffer_add_byte(shaping->out, '.');
    add_encoded(shaping, buffer_slice(&payload), true);
    buffer_add_byte(shaping->out, '.');
    add_letters(shaping, LOWER UPPER DIGITS "-_", 43);
    return NULL;
}

/* As long as an RSA key of 2048 bits, and beginning like one. */
static struct error *add_pem_with(struct shaping *shaping, slice label, const char *line)
{
    enum { KEY_BYTES = 1190, LINE = 64 };
    unsigned char key[KEY_BYTES] = {0x30, 0x82, 0x04, 0xa2, 0x02, 0x01, 0x00, 0x02, 0x82};
    CLEANUP_ARENA struct arena arena = {0};
    for (size_t i = 9; i < KEY_BYTES; i++)
        key[i] = (unsigned char)next_random(shaping);
    slice text = base64_encode(slice_make(key, KEY_BYTES), &arena);
    buffer_format(shaping->out, "-----BEGIN %.*s-----%s", SLICE_ARG(label), line);
    for (; text.len; text = slice_from(text, LINE))
        buffer_format(shaping->out, "%.*s%s", SLICE_ARG(slice_first(text, LINE)), line);
    buffer_format(shaping->out, "-----END %.*s-----", SLICE_ARG(label));
    return NULL;
}

static struct error *add_pem(struct shaping *shaping, slice label)
{
    return add_pem_with(shaping, label, "\n");
}

static struct error *add_pem_escaped(struct shaping *shaping, slice label)
{
    return add_pem_with(shaping, label, "\\n");
}

static struct error *add_aws_key(struct shaping *shaping, slice prefix)
{
    buffer_add(shaping->out, prefix);
    add_letters(shaping, UPPER "234567", 13);
    add_letters(shaping, "234567", 3);
    return NULL;
}

static struct error *add_service_account(struct shaping *shaping, slice unused)
{
    (void)unused;
    buffer_text(shaping->out, "{\"type\": \"service_account\", \"project_id\": \"p\", "
                              "\"private_key_id\": \"");
    add_letters(shaping, DIGITS "abcdef", 40);
    buffer_text(shaping->out, "\", \"private_key\": \"");
    TRY(add_pem_escaped(shaping, SLICE("PRIVATE KEY")));
    buffer_text(shaping->out, "\\n\", \"client_email\": \"a@p.iam.gserviceaccount.com\"}");
    return NULL;
}

static const struct {
    const char *name;
    struct error *(*add)(struct shaping *shaping, slice more);
} computed[] = {
    {"github", add_github},
    {"base64", add_base64},
    {"jwt", add_jwt},
    {"pem", add_pem},
    {"pem-escaped", add_pem_escaped},
    {"aws-key", add_aws_key},
    {"service-account", add_service_account},
};

static struct error *add_shape(struct shaping *shaping, slice name, slice more)
{
    uint64_t count;
    for (size_t i = 0; i < sizeof(computed) / sizeof(computed[0]); i++)
        if (slice_equal(name, slice_from_text(computed[i].name)))
            return computed[i].add(shaping, more);
    for (size_t i = 0; i < sizeof(alphabets) / sizeof(alphabets[0]); i++)
        if (slice_equal(name, slice_from_text(alphabets[i].name)) && slice_to_u64(more, &count) &&
            count <= 10000) {
            add_letters(shaping, alphabets[i].letters, (size_t)count);
            return NULL;
        }
    return error_make(ERROR_INPUT, "there is no shape {%.*s:%.*s}", SLICE_ARG(name),
                      SLICE_ARG(more));
}

/* Length of a "{name…}" with what may stand in it; 0 when it is just a brace. */
static size_t shape_length(slice shape)
{
    size_t depth = 0;
    if (shape.len < 2 || !byte_is_alpha(shape.ptr[1]))
        return 0;
    for (size_t i = 0; i < shape.len; i++) {
        depth += shape.ptr[i] == '{';
        depth -= shape.ptr[i] == '}';
        if (depth == 0)
            return i + 1;
    }
    return 0;
}

/* Small letters: what stands in capitals is a variable's name. */
static bool is_shape_name(slice name)
{
    if (slice_equal(name, SLICE("HEX")))
        return true;
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_digit(name.ptr[i]) && name.ptr[i] != '-' &&
            (name.ptr[i] < 'a' || name.ptr[i] > 'z'))
            return false;
    return name.len > 0;
}

static struct error *expand(struct shaping *shaping, slice shape)
{
    while (shape.len) {
        size_t length = shape.ptr[0] == '{' ? shape_length(shape) : 0;
        slice inside = slice_make(shape.ptr + 1, length > 2 ? length - 2 : 0);
        size_t colon = slice_find(inside, ':');
        if (length && is_shape_name(slice_first(inside, colon))) {
            TRY(add_shape(shaping, slice_first(inside, colon),
                          colon == SIZE_MAX ? SLICE_EMPTY : slice_from(inside, colon + 1)));
            shape = slice_from(shape, length);
        } else if (slice_starts(shape, SLICE("\\\\n"))) {
            buffer_text(shaping->out, "\\n");
            shape = slice_from(shape, 3);
        } else if (slice_starts(shape, SLICE("\\n"))) {
            buffer_add_byte(shaping->out, '\n');
            shape = slice_from(shape, 2);
        } else {
            buffer_add_byte(shaping->out, shape.ptr[0]);
            shape = slice_from(shape, 1);
        }
    }
    return NULL;
}

struct error *shape_expand(slice shape, uint64_t seed, struct buffer *out)
{
    struct shaping shaping = {(seed * 0x9e3779b97f4a7c15ULL) | 1, out};
    for (size_t i = 0; i < 8; i++)
        next_random(&shaping);
    return expand(&shaping, shape);
}
