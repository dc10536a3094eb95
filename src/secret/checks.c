#include "secret/checks.h"
#include "secret/chosen.h"
#include "secret/words.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <zlib.h>

enum {
    DECODED_MOST = 8192,
    DECODED_LEAST = 4,
    LETTERS_LEAST = 16, /* of a password without digits */
};

/* -- what every value is looked at for ------------------------------------------------------------
 */

static bool contains_nocase(slice text, slice word)
{
    for (size_t i = 0; i + word.len <= text.len; i++)
        if (slice_equal_nocase(slice_make(text.ptr + i, word.len), word))
            return true;
    return false;
}

/* Letters or digits that follow each other in order, as people type them. */
static size_t longest_sequence(slice text)
{
    size_t longest = 1, run = 1;
    for (size_t i = 1; i < text.len; i++) {
        bool next =
            text.ptr[i] == text.ptr[i - 1] + 1 || (text.ptr[i] == '0' && text.ptr[i - 1] == '9');
        run = next ? run + 1 : 1;
        if (run > longest)
            longest = run;
    }
    return longest;
}

static size_t longest_run(slice text)
{
    size_t longest = 1, run = 1;
    for (size_t i = 1; i < text.len; i++) {
        run = text.ptr[i] == text.ptr[i - 1] ? run + 1 : 1;
        if (run > longest)
            longest = run;
    }
    return longest;
}

static size_t distinct(slice text)
{
    bool seen[256] = {false};
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool *known = &seen[(unsigned char)text.ptr[i]];
        count += !*known;
        *known = true;
    }
    return count;
}

/* "<token>", "{token}", "[token]", "(token)", "%TOKEN%", "%s", "$TOKEN"; not so "$6$salt$hash". */
static bool is_variable(slice secret)
{
    static const char pairs[] = "<>{}[]()%%";
    if (secret.len < 2)
        return false;
    char first = secret.ptr[0], last = secret.ptr[secret.len - 1];
    for (const char *pair = pairs; *pair; pair += 2)
        if (first == pair[0] && last == pair[1])
            return true;
    if (first == '%')
        return secret.len == 2 || secret.ptr[1] == '(';
    return first == '$' && (byte_is_alpha(secret.ptr[1]) || strchr("{(_", secret.ptr[1])) &&
           slice_find(slice_from(secret, 1), '$') == SIZE_MAX;
}

/* Words that no secret holds, by their first letter (small), so that a long value is looked through
 * once; "2Yot…" and the like are what RFCs and documentation use. */
enum { WORDS_OF_A_LETTER = 6 };
static const char *const placeholder_words[128][WORDS_OF_A_LETTER] = {
    ['2'] = {"2YotnFZFEjr1zCsicMWpAA"},
    ['<'] = {"<your"},
    ['c'] = {"changeme", "change_me", "change-me", "changethis"},
    ['d'] = {"dummy", "deadbeefdead"},
    ['e'] = {"example", "Eby8vdM02xNOcqF"},
    ['f'] = {"fake_", "fake-", "fakekey", "faketoken"},
    ['i'] = {"insert_", "insert-"},
    ['m'] = {"my_secret", "my-secret", "mysecret", "mF_9.B5f-4.1JqM"},
    ['n'] = {"notreal", "not-real", "not_real"},
    ['p'] = {"placeholder"},
    ['r'] = {"redacted", "replace_me", "replace-me", "replaceme"},
    ['s'] = {"sample_", "sample-", "secret_key", "secretkey"},
    ['t'] = {"testtest", "todo_", "tGzv3JOkF0XG5Qx2TlKWIA"},
    ['y'] = {"yourtoken", "your_", "your-", "yourkey", "yoursecret"},
};

static bool starts_with_word(slice text, const char *word)
{
    size_t same = 0;
    while (same < text.len && word[same] && byte_lower(text.ptr[same]) == byte_lower(word[same]))
        same++;
    return !word[same];
}

static bool has_placeholder_word(slice secret)
{
    for (size_t i = 0; i < secret.len; i++) {
        unsigned char first = (unsigned char)byte_lower(secret.ptr[i]);
        const char *const *words = placeholder_words[first < 128 ? first : 0];
        for (size_t at = 0; at < WORDS_OF_A_LETTER && words[at]; at++)
            if (starts_with_word(slice_from(secret, i), words[at]))
                return true;
    }
    return false;
}

bool secret_is_placeholder(slice secret)
{
    if (has_placeholder_word(secret) || is_variable(secret))
        return true;
    if (secret.len < 80 && slice_find(secret, '{') != SIZE_MAX &&
        slice_find(secret, '}') != SIZE_MAX)
        return true; /* a template */
    if (slice_contains(secret, SLICE("${")) || slice_contains(secret, SLICE("{{")) ||
        slice_contains(secret, SLICE("...")) || slice_contains(secret, SLICE("***")))
        return true;
    if (secret.len > 200)
        return false; /* keys and the like: what follows is for short values */
    return longest_run(secret) >= 6 || longest_sequence(secret) >= 8 ||
           (secret.len >= 16 && distinct(secret) <= 5);
}

double secret_entropy(slice text)
{
    unsigned counts[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < text.len; i++)
        counts[(unsigned char)text.ptr[i]]++;
    for (size_t i = 0; i < 256; i++)
        if (counts[i]) {
            double share = (double)counts[i] / (double)text.len;
            bits -= share * log2(share);
        }
    return bits;
}

/* -- encodings ------------------------------------------------------------------------------------
 */

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (byte_is_digit(c))
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

size_t secret_decode_base64(slice text, char *bytes, size_t room)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        if (byte_is_space(text.ptr[i]))
            continue;
        if (text.ptr[i] == '\\' && i + 1 < text.len && strchr("nrt", text.ptr[i + 1])) {
            i++;
            continue;
        }
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (count == room)
            break;
        bytes[count++] = (char)(bits >> held);
    }
    return count;
}

void secret_github_checksum(slice random, char checksum[6])
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned long crc = crc32(0, (const unsigned char *)random.ptr, (unsigned)random.len);
    for (size_t i = 6; i-- > 0; crc /= 62)
        checksum[i] = alphabet[crc % 62];
}

/* -- the checks by name ---------------------------------------------------------------------------
 */

static bool has_entropy(slice secret, double least)
{
    return secret_entropy(secret) >= least;
}

static bool is_mixed(slice secret, double unused)
{
    bool digit = false, letter = false;
    (void)unused;
    for (size_t i = 0; i < secret.len; i++) {
        digit |= byte_is_digit(secret.ptr[i]);
        letter |= byte_is_alpha(secret.ptr[i]);
    }
    return digit && letter;
}

/* Whether no letter is beyond `last` in the alphabet. */
static bool letters_within(slice text, char last)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_alpha(text.ptr[i]) && byte_lower(text.ptr[i]) > last)
            return false;
    return true;
}

/* Names are made of words: few changes between letters and digits, most letters in one case. */
static bool is_random(slice secret, double unused)
{
    size_t changes = 0, vowels = 0, letters = 0;
    (void)unused;
    for (size_t i = 0; i < secret.len; i++) {
        char c = secret.ptr[i];
        letters += byte_is_alpha(c);
        vowels += c != '\0' && strchr("aeiouAEIOU", c) != NULL;
        if (i == 0)
            continue;
        char before = secret.ptr[i - 1];
        changes += byte_is_digit(c) != byte_is_digit(before);
        changes += byte_is_alpha(c) && byte_is_alpha(before) && (c & 0x20) != (before & 0x20);
    }
    bool hex = letters_within(secret, 'f');
    bool wordy = letters * 10 > secret.len * 8 && vowels * 100 > letters * 28;
    /* Without digits, or with few, changes of case must tell. */
    size_t least = is_mixed(secret, 0) ? (wordy ? 4 : 7) : 4;
    return changes * least >= secret.len && secret_entropy(secret) >= (hex                ? 2.8
                                                                       : secret.len >= 32 ? 3.5
                                                                                          : 3.0);
}

static bool has_github_checksum(slice secret, double unused)
{
    enum { RANDOM = 30, CHECKSUM = 6 };
    char checksum[CHECKSUM];
    (void)unused;
    size_t prefix = slice_find_last(secret, '_');
    slice body = slice_from(secret, prefix == SIZE_MAX ? 0 : prefix + 1);
    if (body.len != RANDOM + CHECKSUM)
        return false;
    secret_github_checksum(slice_first(body, RANDOM), checksum);
    return memcmp(checksum, body.ptr + RANDOM, CHECKSUM) == 0;
}

static bool decodes_to_json(slice part, const char *key)
{
    char bytes[DECODED_MOST];
    size_t count = secret_decode_base64(part, bytes, sizeof(bytes));
    slice text = slice_make(bytes, count == SIZE_MAX ? 0 : count);
    return slice_starts(text, SLICE("{")) && slice_contains(text, slice_from_text(key));
}

/* JSON Web Token, RFC 7519: the header names an algorithm, the payload is an object. */
static bool is_jwt(slice secret, double unused)
{
    slice rest = secret, header, payload;
    (void)unused;
    return slice_pull(&rest, '.', &header) && slice_pull(&rest, '.', &payload) &&
           decodes_to_json(header, "\"alg\"") && decodes_to_json(payload, "\"") &&
           !decodes_to_json(payload, "\"1234567890\""); /* jwt.io's own */
}

static bool is_base64_json(slice secret, double unused)
{
    size_t prefix = 0;
    (void)unused;
    while (prefix + 2 < secret.len && memcmp(secret.ptr + prefix, "eyJ", 3) != 0)
        prefix++;
    slice part = slice_from(secret, prefix);
    return decodes_to_json(slice_first(part, slice_find(part, '.')), "\"");
}

static bool decodes_to_bytes(slice secret, double wanted)
{
    char bytes[DECODED_MOST];
    return secret_decode_base64(secret, bytes, sizeof(bytes)) == (size_t)wanted;
}

/*
 * The body between BEGIN and END: base64 of what a key begins with. DER (a SEQUENCE), OpenSSH's own
 * form, or of PGP a packet's first byte. Headers (Proc-Type, DEK-Info) stand before an empty line.
 */
static bool is_private_key(slice secret, double unused)
{
    char bytes[DECODED_MOST];
    (void)unused;
    for (;;) {
        size_t colon = slice_find(slice_first(secret, 40), ':');
        size_t line = slice_find(secret, '\n');
        size_t escaped = 0;
        while (escaped + 1 < secret.len && memcmp(secret.ptr + escaped, "\\n", 2) != 0)
            escaped++;
        size_t end = line < escaped ? line + 1 : escaped + 2;
        if (colon == SIZE_MAX || end > secret.len)
            break;
        secret = slice_from(secret, end);
    }
    size_t count = secret_decode_base64(secret, bytes, sizeof(bytes));
    if (count == SIZE_MAX || count < 40)
        return false;
    unsigned char first = (unsigned char)bytes[0];
    return first == 0x30 || (first & 0x80) || memcmp(bytes, "openssh-key-v1", 14) == 0 ||
           secret_entropy(slice_make(bytes, count)) > 5;
}

static bool is_aws_key(slice secret, double unused)
{
    (void)unused;
    return secret_entropy(slice_from(secret, 4)) >= 2.8 && is_mixed(secret, 0);
}

/* A call, an index or a pattern: what follows an assignment in code is no value. */
static bool is_expression(slice secret)
{
    size_t name = 0;
    while (name < secret.len &&
           (byte_is_alpha(secret.ptr[name]) || byte_is_digit(secret.ptr[name]) ||
            secret.ptr[name] == '_' || secret.ptr[name] == '.'))
        name++;
    return (name < secret.len && (secret.ptr[name] == '(' || secret.ptr[name] == '[')) ||
           slice_contains(secret, SLICE(".*")) || slice_contains(secret, SLICE("::")) ||
           slice_contains(secret, SLICE("->")) || secret.ptr[0] == '/' ||
           slice_starts(secret, SLICE("./")) || slice_starts(secret, SLICE("~/"));
}

/* Where a file has nothing but settings: there a password may be a word. */
static bool is_plain_password(slice secret, double unused)
{
    (void)unused;
    slice stem = secret;
    while (stem.len && (byte_is_digit(stem.ptr[stem.len - 1]) || stem.ptr[stem.len - 1] == '!'))
        stem.len--;
    if (stem.len == 0) /* a number, as people type it */
        return secret.len >= 8 && longest_sequence(secret) < 5 && distinct(secret) >= 5;
    return !secret_is_default(secret) && distinct(secret) >= 4 && !is_expression(secret);
}

/* In code, where what looks like an assignment may be anything: a word is taken for a name. */
static bool is_password(slice secret, double unused)
{
    return is_plain_password(secret, unused) && !secret_is_spelt(secret);
}

static bool is_hex(char c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

/* "pa%2Fssword" as it is meant, without signs that only need escaping. */
static slice without_escapes(slice secret, char *bytes, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < secret.len && count < room; i++) {
        if (secret.ptr[i] == '%' && i + 2 < secret.len && is_hex(secret.ptr[i + 1]) &&
            is_hex(secret.ptr[i + 2])) {
            i += 2;
            continue;
        }
        bytes[count++] = secret.ptr[i];
    }
    return slice_make(bytes, count);
}

static bool is_url_password(slice secret, double unused)
{
    enum { LEAST = 5 };
    static const char *const words[] = {"passw", "secret", "passphrase", "token", "yourpass"};
    char bytes[256];
    slice meant = without_escapes(secret, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (contains_nocase(meant, slice_from_text(words[i])))
            return false;
    return meant.len >= LEAST && is_password(secret, unused) && is_password(meant, unused);
}

/* Of HTTP's Basic scheme (RFC 7617, 2): what is base64 of "user:password" is as good as the
 * password. */
static bool is_basic(slice secret, double unused)
{
    char bytes[DECODED_MOST];
    size_t count = secret_decode_base64(secret, bytes, sizeof(bytes));
    slice user, password = slice_make(bytes, count == SIZE_MAX ? 0 : count);
    for (size_t i = 0; i < password.len; i++)
        if (password.ptr[i] < ' ' || password.ptr[i] > '~')
            return true; /* another kind of token */
    slice text = password;
    return !slice_split(text, ':', &user, &password) ||
           (is_password(password, unused) && !secret_is_placeholder(password));
}

/* A value that holds digits elsewhere than at its end, as "version2" has them. */
static bool has_digits_apart(slice secret, double unused)
{
    (void)unused;
    while (secret.len && byte_is_digit(secret.ptr[secret.len - 1]))
        secret.len--;
    return is_mixed(secret, 0);
}

/* Letters without a digit among them: in no name does the case change so often. */
static bool is_random_letters(slice secret)
{
    size_t changes = 0;
    for (size_t i = 1; i < secret.len; i++)
        changes += byte_is_alpha(secret.ptr[i]) && byte_is_alpha(secret.ptr[i - 1]) &&
                   (secret.ptr[i] & 0x20) != (secret.ptr[i - 1] & 0x20);
    return secret.len >= LETTERS_LEAST && changes * 3 >= secret.len &&
           !secret_looks_like_words(secret);
}

static bool may_be_password(slice secret)
{
    if (!is_plain_password(secret, 0) || secret_is_placeholder(secret) ||
        secret_is_common(secret) || secret_is_of_other_form(secret))
        return false;
    return (is_random(secret, 0) && (has_digits_apart(secret, 0) || is_random_letters(secret))) ||
           secret_is_chosen(secret);
}

/* Whether it is base64 of text, as in manifests: then the text is what counts. */
static bool decodes_to_text(slice secret, char *bytes, size_t room, slice *text)
{
    size_t count = secret.len % 4 ? SIZE_MAX : secret_decode_base64(secret, bytes, room);
    if (count == SIZE_MAX || count < DECODED_LEAST)
        return false;
    *text = slice_trim(slice_make(bytes, count));
    for (size_t i = 0; i < text->len; i++)
        if (text->ptr[i] < ' ' || text->ptr[i] == 0x7f)
            return false;
    return true;
}

/* A password, random or chosen by a person; its name must say that it is one. */
static bool is_chosen_password(slice secret, double unused)
{
    char bytes[DECODED_MOST];
    slice text;
    (void)unused;
    return may_be_password(secret) &&
           (!decodes_to_text(secret, bytes, sizeof(bytes), &text) || may_be_password(text));
}

static const struct check {
    const char *name;
    bool (*holds)(slice secret, double number);
} checks[] = {
    {"entropy", has_entropy},
    {"mixed", is_mixed},
    {"random", is_random},
    {"digits-apart", has_digits_apart},
    {"github-crc", has_github_checksum},
    {"jwt", is_jwt},
    {"base64-json", is_base64_json},
    {"base64-bytes", decodes_to_bytes},
    {"private-key", is_private_key},
    {"aws-key", is_aws_key},
    {"password", is_password},
    {"plain-password", is_plain_password},
    {"chosen-password", is_chosen_password},
    {"url-password", is_url_password},
    {"basic", is_basic},
};

static const struct check *check_named(slice name)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (slice_equal(name, slice_from_text(checks[i].name)))
            return &checks[i];
    return NULL;
}

bool secret_checks_known(const char *text)
{
    slice rest = slice_from_text(text), word;
    while (rest.len && slice_pull(&rest, ' ', &word))
        if (word.len && !check_named(slice_first(word, slice_find(word, ':'))))
            return false;
    return true;
}

bool secret_checks_hold(const char *text, slice secret)
{
    slice rest = slice_from_text(text), word;
    while (rest.len && slice_pull(&rest, ' ', &word)) {
        size_t colon = slice_find(word, ':');
        const struct check *check = check_named(slice_first(word, colon));
        /* The number's text ends at a space or the end of the rules' text, as strtod wants it. */
        double number = colon < word.len ? strtod(word.ptr + colon + 1, NULL) : 0;
        if (check && !check->holds(secret, number))
            return false;
    }
    return true;
}
