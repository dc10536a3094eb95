#include "secret/chosen.h"

enum {
    CHOSEN_LEAST = 6,
    NUMBER_LEAST = 8, /* digits of a number that nobody counts with */
    LEFT_LEAST = 4,   /* characters that are of no common word */
    SHORT_NUMBER = 4, /* digits that people put behind a word: a year */
    PLAIN_NUMBER = 2, /* digits that programmers put behind a name */
    SEQUENCE = 5,
};

/* What examples, defaults and the names of things are made of. */
static const char *const common_words[] = {
    /* clang-format off */
    "abc", "access", "admin", "administrator", "aes", "airflow", "alice", "amazon", "ambari",
    "and", "any", "anything", "api", "app", "application", "arango", "argon", "artifactory",
    "asdf", "auth", "authentication", "azure", "bamboo", "bar", "base", "basic", "baz",
    "bcrypt", "bit", "bob", "camel", "cassandra", "centos", "cert", "change", "changeit",
    "characters", "chars", "cisco", "clickhouse", "client", "cloudera", "cluster", "cockroach",
    "code", "config", "confluence", "connect", "consul", "container", "couchdb", "credential",
    "crypt", "data", "database", "db", "debian", "default", "demo", "deploy", "dev",
    "development", "django", "docker", "drupal", "dummy", "elastic", "email", "encrypted",
    "encryption", "enter", "example", "fake", "false", "file", "flask", "foo", "foobar", "for",
    "from", "git", "gitea", "github", "gitlab", "glassfish", "google", "grafana", "guest",
    "hash", "hashed", "hello", "here", "hidden", "hortonworks", "host", "http", "in", "influx",
    "influxdb", "ingress", "insecure", "insert", "instance", "integration", "internal", "jboss",
    "jenkins", "jupyter", "jwt", "kafka", "key", "keycloak", "keystore", "kibana", "kube",
    "laravel", "least", "letmein", "linux", "local", "login", "long", "love", "magento", "maria",
    "mariadb", "master", "md5", "me", "microsoft", "minio", "mock", "mongo", "mongodb",
    "monkey", "moodle", "mssql", "my", "mysql", "nagios", "name", "neo4j", "new", "nextcloud",
    "nexus", "nginx", "nokia", "none", "not", "null", "number", "oauth", "odoo", "of", "old",
    "openssl", "oracle", "owncloud", "pass", "passphrase", "passw", "passwd", "password",
    "passwort", "pgadmin", "phpmyadmin", "placeholder", "please", "portainer", "postgres",
    "postgresql", "private", "prod", "production", "profile", "project", "prometheus",
    "provider", "public", "pull", "pw", "pwd", "qaz", "qwerty", "rabbit", "rabbitmq", "random",
    "raspberry", "redis", "registry", "release", "replace", "replication", "root", "rsa", "sa",
    "sample", "schema", "scram", "secret", "secure", "security", "server", "service", "session",
    "set", "sha", "signature", "smtp", "some", "sonar", "splunk", "spring", "sql", "sqlserver",
    "ssh", "ssl", "stage", "staging", "strapi", "string", "strong", "super", "superset",
    "system", "temp", "temporary", "test", "testing", "the", "this", "timescale", "tls", "to",
    "token", "tomcat", "traefik", "true", "truststore", "type", "ubuntu", "undefined", "use",
    "user", "vagrant", "value", "vault", "version", "vertica", "very", "webhook", "weblogic",
    "welcome", "wildfly", "with", "word", "wordpress", "world", "wsx", "xyz", "your", "zabbix",
    /* clang-format on */
};

/* Such that are none when they stand alone; within a password they are as good as any letters. */
static const char *const common_alone[] = {
    /* clang-format off */
    "empty", "hunter2", "mypass", "mypassword", "nil", "no", "optional", "password1", "prompt",
    "required", "s3cr3t", "secret1", "stdin", "tiger", "username", "xxx", "yes",
    /* clang-format on */
};

static bool is_sign(char c)
{
    return c > ' ' && c < 0x7f && !byte_is_alpha(c) && !byte_is_digit(c);
}

/* -- what is no password --------------------------------------------------------------------------
 */

static bool separates(char c)
{
    return c != '\0' && strchr("-_./: ", c) != NULL;
}

/* Letters, then digits or none; or digits alone: "sha", "v2", "Smith", "256", "2xlarge" not. */
static bool is_plain_word(slice part)
{
    size_t letters = 0, digits;
    while (letters < part.len && byte_is_alpha(part.ptr[letters]))
        letters++;
    digits = part.len - letters;
    for (size_t i = letters; i < part.len; i++)
        if (!byte_is_digit(part.ptr[i]))
            return false;
    return letters == 0 || digits <= SHORT_NUMBER;
}

/* "scram-sha-256", "db-1.internal.example", "SOME_VARIABLE", "10.0.0.1", "1.2.3", "user123". */
static bool is_identifier(slice value)
{
    size_t parts = 0;
    for (size_t start = 0, i = 0; i <= value.len; i++)
        if (i == value.len || separates(value.ptr[i])) {
            if (!is_plain_word(slice_make(value.ptr + start, i - start)))
                return false;
            parts += i > start;
            start = i + 1;
        }
    return parts > 1;
}

/* One word of small letters with a number such as programmers put behind a name: "value12". */
static bool is_numbered_name(slice value)
{
    size_t letters = 0;
    while (letters < value.len && value.ptr[letters] >= 'a' && value.ptr[letters] <= 'z')
        letters++;
    return letters && value.len - letters <= PLAIN_NUMBER && is_plain_word(value);
}

static bool is_path_or_code(slice value)
{
    static const char beginnings[] = "/~-+@.&*:";
    return strchr(beginnings, value.ptr[0]) || slice_contains(value, SLICE("::")) ||
           slice_contains(value, SLICE("->")) || slice_ends(value, SLICE("[")) ||
           slice_contains(value, SLICE("/.")) || slice_contains(value, SLICE("./"));
}

/* "anonymous@example.org" */
static bool is_mail_address(slice value)
{
    size_t at = slice_find(value, '@');
    return at != SIZE_MAX && is_plain_word(slice_first(value, at)) &&
           slice_find(slice_from(value, at), '.') != SIZE_MAX;
}

/* "1:4.13+dfsg1-1", "5.2-rc2": digits, a point or an epoch's colon, a digit, and no other signs. */
static bool is_version(slice value)
{
    size_t digits = 0;
    while (digits < value.len && byte_is_digit(value.ptr[digits]))
        digits++;
    if (digits == 0 || digits + 1 >= value.len || !byte_is_digit(value.ptr[digits + 1]) ||
        (value.ptr[digits] != '.' && value.ptr[digits] != ':'))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (is_sign(value.ptr[i]) && !strchr(".:+~_-", value.ptr[i]))
            return false;
    return true;
}

/* ISO 8601, with a time or without. */
static bool is_date(slice value)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; form[i]; i++)
        if (i >= value.len || (form[i] == 'd' ? !byte_is_digit(value.ptr[i]) : value.ptr[i] != '-'))
            return false;
    return true;
}

/* -- what is left without common words ------------------------------------------------------------
 */

/* The letters that a byte may stand for, one bit for each: itself, and those that people write so:
 * "p@ssw0rd". */
static uint32_t letters_read(char c)
{
    static const struct {
        char sign;
        const char *letters;
    } written[] = {
        {'4', "a"},  {'@', "a"}, {'8', "b"}, {'3', "e"}, {'9', "g"}, {'1', "il"},
        {'!', "il"}, {'0', "o"}, {'5', "s"}, {'$', "s"}, {'7', "t"}, {'+', "t"},
    };
    uint32_t letters = byte_is_alpha(c) ? UINT32_C(1) << (byte_lower(c) - 'a') : 0;
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++)
        for (const char *at = written[i].letters; written[i].sign == c && *at; at++)
            letters |= UINT32_C(1) << (*at - 'a');
    return letters;
}

static bool reads_as(uint32_t letters, char letter)
{
    return letter >= 'a' && letter <= 'z' && letters >> (letter - 'a') & 1;
}

/* Beginning with the word; its digits ("md5") stand for themselves. */
static size_t word_length(slice value, const char *word)
{
    size_t length = 0;
    while (length < value.len && word[length] &&
           (value.ptr[length] == word[length] ||
            reads_as(letters_read(value.ptr[length]), word[length])))
        length++;
    return word[length] ? 0 : length;
}

/* The length of the longest one that the value begins with. */
static size_t common_word_at(slice value)
{
    size_t longest = 0;
    uint32_t letters = letters_read(value.ptr[0]);
    for (size_t i = 0; i < sizeof(common_words) / sizeof(common_words[0]); i++) {
        const char *word = common_words[i];
        size_t length = reads_as(letters, word[0]) ? word_length(value, word) : 0;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Digits in a row; a short number or one that counts up tells nothing. */
static size_t number_at(slice value, bool *telling)
{
    size_t length = 0, sequence = 1, longest = 1;
    while (length < value.len && byte_is_digit(value.ptr[length])) {
        int step = length ? value.ptr[length] - value.ptr[length - 1] : 9;
        sequence = step == 1 || step == 0 ? sequence + 1 : 1;
        longest = sequence > longest ? sequence : longest;
        length++;
    }
    *telling = length > SHORT_NUMBER && longest < SEQUENCE;
    return length;
}

/* Characters that belong to no common word, nor to a number behind one, nor stand between them. */
static size_t count_left(slice value)
{
    size_t left = 0, letters = 0;
    while (value.len) {
        bool telling;
        size_t word = common_word_at(value), number = word ? 0 : number_at(value, &telling);
        if (number && (telling || letters))
            left += number > SHORT_NUMBER && !telling ? 0 : number;
        bool letter = !word && !number && byte_is_alpha(value.ptr[0]);
        letters = letter ? letters + 1 : 0;
        left += letter;
        value = slice_from(value, word + number ? word + number : 1);
    }
    return left;
}

static bool has_digit_and_letter_or_sign(slice value, bool *number)
{
    bool digit = false, letter = false, sign = false;
    for (size_t i = 0; i < value.len; i++) {
        digit |= byte_is_digit(value.ptr[i]);
        letter |= byte_is_alpha(value.ptr[i]);
        sign |= is_sign(value.ptr[i]) && !separates(value.ptr[i]);
    }
    *number = (digit && !letter && !sign) || slice_starts(value, SLICE("0x"));
    return letter ? digit || sign : digit;
}

static bool is_listed(slice value, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (value.len && byte_lower(value.ptr[0]) == words[i][0] &&
            slice_equal_nocase(value, slice_from_text(words[i])))
            return true;
    return false;
}

bool secret_is_default(slice value)
{
    while (value.len && (byte_is_digit(value.ptr[value.len - 1]) || slice_ends(value, SLICE("!"))))
        value.len--;
    return is_listed(value, common_words, sizeof(common_words) / sizeof(common_words[0])) ||
           is_listed(value, common_alone, sizeof(common_alone) / sizeof(common_alone[0]));
}

bool secret_is_of_other_form(slice value)
{
    return slice_contains(value, SLICE("://")) || is_mail_address(value) || is_date(value) ||
           is_version(value);
}

bool secret_is_common(slice value)
{
    return count_left(value) < LEFT_LEAST;
}

bool secret_is_chosen(slice value)
{
    bool number, telling = true;
    if (value.len < CHOSEN_LEAST || is_path_or_code(value) || secret_is_of_other_form(value))
        return false;
    if (!has_digit_and_letter_or_sign(value, &number))
        return false;
    if (number)
        return value.len >= NUMBER_LEAST && number_at(value, &telling) == value.len && telling;
    return !is_identifier(value) && !is_numbered_name(value);
}
