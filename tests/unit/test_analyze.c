/* The analyzers on single files: what they read from it, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "analyze/analyzers.h"
#include "analyze/python_name.h"
#include "base/buffer.h"
#include "base/limits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- one file, read --------------------------------------------------------------------------- */

struct reading {
    struct arena arena, scratch;
    struct record record;
    struct error *error;
};

static void read_file(struct reading *reading, const struct analyzer *analyzer, const char *path,
                      slice bytes)
{
    struct entry entry = {.kind = ENTRY_FILE, .path = slice_from_text(path), .size = bytes.len};
    struct analysis analysis = {.analyzer = analyzer,
                                .entry = &entry,
                                .path = entry.path,
                                .record = &reading->record,
                                .arena = &reading->arena,
                                .scratch = &reading->scratch};
    assert_int_not_equal(analyzer->wants(entry.path, &entry).kind, WANT_NOTHING);
    *reading = (struct reading){0};
    /* A copy that goes away, as the walk's buffer does: nothing of the record may point into it. */
    CLEANUP_FREE char *copy = memory_alloc(bytes.len);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    reading->error = analyzer->read(&analysis, slice_make(copy, bytes.len));
    arena_free(&reading->scratch);
}

static void describe(const struct reading *reading, struct buffer *text)
{
    const struct evidence *evidence = reading->record.evidence.items;
    for (size_t i = 0; i < reading->record.evidence.count; i++) {
        const struct package *packages = evidence[i].packages.items;
        for (size_t j = 0; j < evidence[i].packages.count; j++) {
            const struct package *p = &packages[j];
            const struct {
                const char *name;
                slice value;
            } more[] = {{"arch", p->arch},     {"source", p->source_name}, {"", p->source_version},
                        {"by", p->maintainer}, {"license", p->license},    {"build", p->build}};
            buffer_format(text, "%.*s %.*s %.*s", SLICE_ARG(p->type), SLICE_ARG(p->name),
                          SLICE_ARG(p->version));
            for (size_t k = 0; k < COUNT(more); k++)
                if (more[k].value.len)
                    buffer_format(text, " %s=%.*s", more[k].name, SLICE_ARG(more[k].value));
            buffer_add_byte(text, '\n');
        }
        const struct fact *facts = evidence[i].facts.items;
        for (size_t j = 0; j < evidence[i].facts.count; j++)
            buffer_format(text, "%.*s: %.*s\n", SLICE_ARG(facts[j].key), SLICE_ARG(facts[j].value));
        const slice *owned = evidence[i].owned.items;
        for (size_t j = 0; j < evidence[i].owned.count; j++)
            buffer_format(text, "owns %.*s\n", SLICE_ARG(owned[j]));
    }
    if (reading->error)
        buffer_text(text, "refused\n");
}

static void reading_free(struct reading *reading)
{
    error_free(reading->error);
    arena_free(&reading->arena);
    arena_free(&reading->scratch);
}

struct row {
    const char *path;
    slice text;
    const char *expected;
};

static void check_rows(const struct analyzer *analyzer, const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        struct reading reading;
        CLEANUP_BUFFER struct buffer text = {0};
        read_file(&reading, analyzer, rows[i].path, rows[i].text);
        describe(&reading, &text);
        if (!slice_equal(buffer_slice(&text), slice_from_text(rows[i].expected))) {
            print_error("row %zu, %s:\n%.*s-- is\n%.*s-- should be\n%s", i, rows[i].path,
                        SLICE_ARG(rows[i].text), SLICE_ARG(buffer_slice(&text)), rows[i].expected);
            wrong++;
        }
        reading_free(&reading);
    }
    assert_int_equal(wrong, 0);
}

/* --- dpkg ------------------------------------------------------------------------------------ */

#define STATUS "var/lib/dpkg/status"
#define INSTALLED "Status: install ok installed\n"

static const struct row dpkg_rows[] = {
    {STATUS, SLICE(""), ""},
    {STATUS, SLICE("\n\n \n\t\n"), ""},
    {STATUS, SLICE("# a comment\n"), ""},
    {STATUS,
     SLICE("Package: zlib1g\n" INSTALLED "Priority: optional\nMaintainer: Mark Brown "
           "<broonie@debian.org>\nArchitecture: amd64\nMulti-Arch: same\n"
           "Source: zlib (1:1.2.13.dfsg-1)\nVersion: 1:1.2.13.dfsg-1+b1\nDepends: libc6 (>= 2.14)\n"
           "Description: compression library\n zlib is a library\n .\n Version: 9\n"),
     "deb zlib1g 1:1.2.13.dfsg-1+b1 arch=amd64 source=zlib =1:1.2.13.dfsg-1 by=Mark Brown "
     "<broonie@debian.org>\n"},
    /* A package is its own source, unless it says otherwise; a source without a version has its. */
    {STATUS, SLICE("Package: a\n" INSTALLED "Version: 1-2\n"), "deb a 1-2 source=a =1-2\n"},
    {STATUS, SLICE("Package: a\n" INSTALLED "Version: 1-2\nSource: b\n"),
     "deb a 1-2 source=b =1-2\n"},
    {STATUS, SLICE("Package: a\n" INSTALLED "Version: 1\nSource: b (2\n"), "deb a 1 source=b =2\n"},
    /* An epoch of 0 is none. */
    {STATUS, SLICE("Package: a\n" INSTALLED "Version: 0:1-2\nSource: b (0:3)\n"),
     "deb a 1-2 source=b =3\n"},
    /* dpkg(1), package states */
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: deinstall ok config-files\n"), ""},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: purge ok not-installed\n"), ""},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: install reinstreq half-installed\n"), ""},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: hold ok installed\n"), "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: deinstall ok installed \n"),
     "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: install ok unpacked\n"),
     "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: install ok half-configured\n"),
     "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: install ok triggers-awaited\n"),
     "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: a\nVersion: 1\nStatus: install ok triggers-pending\n"),
     "deb a 1 source=a =1\n"},
    {STATUS, SLICE("Package: gone\nStatus: deinstall ok config-files\n"), ""},
    /* B15: two architectures are two packages */
    {STATUS,
     SLICE("Package: libc6\n" INSTALLED "Version: 2\nArchitecture: amd64\n\n"
           "Package: libc6\n" INSTALLED "Version: 2\nArchitecture: i386\n"),
     "deb libc6 2 arch=amd64 source=libc6 =2\ndeb libc6 2 arch=i386 source=libc6 =2\n"},
    /* Spelling: case of fields, blanks, line ends, no line end at the end, many empty lines */
    {STATUS,
     SLICE("PACKAGE:a\r\nstatus: install ok installed\r\nversion:\t1 \r\n\r\n\r\nPackage: "
           "b\r\n" INSTALLED "Version: 2"),
     "deb a 1 source=a =1\ndeb b 2 source=b =2\n"},
    {STATUS,
     SLICE("Package: a\n" INSTALLED "Version: 1\n\n \nPackage: b\n" INSTALLED "Version: 2\n"),
     "deb a 1 source=a =1\ndeb b 2 source=b =2\n"},
    {STATUS, SLICE("Package: a\n# note\nVersion: 1\n" INSTALLED), "deb a 1 source=a =1\n"},
    /* Damage is told, and what came before it is kept. */
    {STATUS, SLICE("Package: a\n" INSTALLED "Version: 1\n\nPackage: b\n" INSTALLED),
     "deb a 1 source=a =1\nrefused\n"},
    {STATUS, SLICE("Version: 1\n" INSTALLED), "refused\n"},
    {STATUS, SLICE("Package:\nVersion: 1\n" INSTALLED), "refused\n"},
    {STATUS,
     SLICE("\x7f"
           "ELF binary"),
     "refused\n"},
    {STATUS, SLICE("Package: a\nnonsense\n"), "refused\n"},
    {STATUS, SLICE("Package: a\n" INSTALLED "Vers"), "refused\n"},
    /* distroless */
    {"var/lib/dpkg/status.d/base-files", SLICE("Package: base-files\nVersion: 12\n"),
     "deb base-files 12 source=base-files =12\n"},
    {"var/lib/dpkg/status.d/bad", SLICE("Package: base-files\n"), "refused\n"},
    /* Of the lists only what others read is kept. */
    {"var/lib/dpkg/info/python3-six.list",
     SLICE("/.\n/usr\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n"
           "/usr/share/doc/x\n//opt/./y-1.dist-info/METADATA\n"),
     "owns usr/lib/python3/dist-packages/six-1.16.0.egg-info\nowns opt/y-1.dist-info/METADATA\n"},
    {"var/lib/dpkg/info/libc6:amd64.list", SLICE("/usr/lib/os-release"),
     "owns usr/lib/os-release\n"},
    {"var/lib/dpkg/info/x.md5sums",
     SLICE("d41d8cd98f00b204e9800998ecf8427e  opt/y-1.dist-info/METADATA\n"
           "d41d8cd98f00b204e9800998ecf8427e  opt/with blank-1.dist-info/METADATA\nnonsense\n"),
     "owns opt/y-1.dist-info/METADATA\nowns opt/with blank-1.dist-info/METADATA\n"},
    {"var/lib/dpkg/status.d/x.md5sums", SLICE("0  usr/lib/os-release\n"),
     "owns usr/lib/os-release\n"},
};

static void test_dpkg(void **state)
{
    (void)state;
    check_rows(&analyzer_dpkg, dpkg_rows, COUNT(dpkg_rows));
}

/* Cut anywhere: never another package than the whole has. */
static void test_dpkg_cut(void **state)
{
    (void)state;
    static const slice whole = SLICE("Package: aa\n" INSTALLED
                                     "Version: 1:2-3\n\nPackage: bb\n" INSTALLED "Version: 4\n\n");
    size_t silent = 0;
    for (size_t length = 0; length < whole.len; length++) {
        struct reading reading;
        CLEANUP_BUFFER struct buffer text = {0};
        read_file(&reading, &analyzer_dpkg, STATUS, slice_first(whole, length));
        describe(&reading, &text);
        const struct evidence *evidence = reading.record.evidence.items;
        assert_true(evidence->packages.count <= 2);
        if (evidence->packages.count == 2)
            assert_true(slice_starts(buffer_slice(&text), SLICE("deb aa 1:2-3 ")));
        silent += !reading.error;
        reading_free(&reading);
    }
    assert_true(silent < whole.len);
}

/* --- Python ---------------------------------------------------------------------------------- */

#define METADATA "opt/lib/x_y-1.0.dist-info/METADATA"

static const struct row python_rows[] = {
    {METADATA,
     SLICE("Metadata-Version: 2.1\nName: Some_.Thing\nVersion: 1!2.0+cu118\nSummary: s\n"
           "License-Expression: MIT\n\nName: other\nVersion: 9\n"),
     "pypi some-thing 1!2.0+cu118 license=MIT\n"},
    {METADATA,
     SLICE("\xef\xbb\xbf"
           "name: A\r\nVERSION:2\r\n\r\nVersion: 3\r\n"),
     "pypi a 2\n"},
    {METADATA, SLICE("Name: a\nSummary: x\n Version: 5\n\tName: b\nVersion: 2"), "pypi a 2\n"},
    {METADATA, SLICE("Name: a\nVersion: 1\nName: b\nVersion: 2\n"), "pypi a 1\n"},
    /* What the file does not say its folder does. */
    {METADATA, SLICE(""), "pypi x-y 1.0\n"},
    {METADATA, SLICE("Name: a\n"), "pypi a 1.0\n"},
    {METADATA, SLICE("Version: 7\n"), "pypi x-y 7\n"},
    {METADATA, SLICE("\nName: a\n"), "pypi x-y 1.0\n"},
    {METADATA, SLICE("no field\nName: a\n"), "pypi a 1.0\n"},
    {METADATA, SLICE("\0\xff\n"), "pypi x-y 1.0\n"},
    {"a/cryptography-3.3.2-py3.8.egg-info/METADATA", SLICE(""),
     "pypi cryptography 3.3.2\n"}, /* B16 */
    {"a/x-1.dist-info/PKG-INFO", SLICE("Name: x\n"), "pypi x 1\n"},
    {"a/x-1-py3.8.egg-info", SLICE(""), "pypi x 1\n"},
    {"x-1.egg-info", SLICE("Version: 2\n"), "pypi x 2\n"},
    {"a/x-1-py2.7.egg/EGG-INFO/PKG-INFO", SLICE(""), "pypi x 1\n"},
    {"a/x.egg-info/PKG-INFO", SLICE("Name: x\nVersion: 1\n"), "pypi x 1\n"},
    {"a/x.egg-info/PKG-INFO", SLICE("Name: x\n"), "pypi x \n"},
    /* Something else that has the name of such a file is not passed over in silence. */
    {"a/x.egg-info/PKG-INFO", SLICE("nothing of that kind"), "pypi x \n"},
    {"a/.dist-info/METADATA", SLICE(""), "refused\n"},
    {"a/-1.dist-info/METADATA", SLICE(""), "refused\n"},

    {"a/x-1.dist-info/INSTALLER", SLICE(" pip\r\n"), "installer: pip\n"},
    {"a/x-1.dist-info/RECORD",
     SLICE("x/__init__.py,sha256=a,1\n../../bin/x,,\nx-1.dist-info/METADATA,,\n"
           "other-2.dist-info/METADATA,,\n\"c,d-3.dist-info/METADATA\",,\n"
           "\"say \"\"e\"\"-4.dist-info/METADATA\",,\n../f-5.egg-info,,\n"),
     "owns a/other-2.dist-info/METADATA\nowns a/c,d-3.dist-info/METADATA\n"
     "owns a/say \"e\"-4.dist-info/METADATA\nowns f-5.egg-info\n"},
    {"a/x-1.dist-info/RECORD", SLICE("\""), ""},
    {"a/x-1.dist-info/RECORD", SLICE("\n\n,,\n"), ""},

    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":\"https://example.org/x.git\"}"),
     "direct_url: https://example.org/x.git\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"dir_info\":{},\"url\":\"file:///srv/x\"}"),
     "direct_url: file:///srv/x\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":\"https://u:secret@example.org/x\"}"),
     "direct_url: https://example.org/x\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":\"https://u:sec@ret@example.org/x\"}"),
     "direct_url: https://example.org/x\n"},
    {"a/x-1.dist-info/direct_url.json",
     SLICE("{\"url\":\"https://token@example.org:8443/x@1#y@z\"}"),
     "direct_url: https://example.org:8443/x@1#y@z\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":\"https://example.org/x@1.0.zip\"}"),
     "direct_url: https://example.org/x@1.0.zip\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":\"file:///srv/a@b/\"}"),
     "direct_url: file:///srv/a@b/\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("{\"url\":"), "refused\n"},
    {"a/x-1.dist-info/direct_url.json", SLICE("[]"), "refused\n"},
};

static void test_python(void **state)
{
    (void)state;
    check_rows(&analyzer_python, python_rows, COUNT(python_rows));
}

static void test_python_names(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Flask", "flask"},
        {"ruamel.yaml", "ruamel-yaml"},
        {"a__b--c..d", "a-b-c-d"},
        {"a-_.b", "a-b"},
        {"", ""},
        {"_a_", "-a-"},
        {"zope.interface", "zope-interface"},
        {"\xc3\x89", "\xc3\x89"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice name = python_name_normalize(&arena, slice_from_text(rows[i][0]));
        if (!slice_equal(name, slice_from_text(rows[i][1])))
            fail_msg("%s: %.*s", rows[i][0], SLICE_ARG(name));
        assert_true(slice_equal(python_name_normalize(&arena, name), name));
    }
}

/* --- conda ----------------------------------------------------------------------------------- */

#define CONDA "opt/conda/conda-meta/numpy-1.json"

static const struct row conda_rows[] = {
    {CONDA,
     SLICE("{\"name\":\"numpy\",\"version\":\"1.26\",\"build\":\"py311_0\",\"subdir\":\"linux-64\","
           "\"channel\":\"conda-forge\",\"license\":\"BSD-3-Clause\",\"build_number\":0,"
           "\"depends\":[\"python\"],\"files\":[\"bin/f2py\","
           "\"lib/site-packages/numpy-1.26.dist-info/METADATA\"]}"),
     "conda numpy 1.26 arch=linux-64 license=BSD-3-Clause build=py311_0\n"
     "file: opt/conda/bin/f2py\nfile: opt/conda/bin/f2py\nchannel: conda-forge\n"
     "owns opt/conda/lib/site-packages/numpy-1.26.dist-info/METADATA\n"},
    {"conda-meta/a.json",
     SLICE("{\"files\":[\"x/y-1.egg-info\"],\"name\":\"a\",\"version\":\"1\"}"),
     "conda a 1\nowns x/y-1.egg-info\n"},
    {CONDA, SLICE("{\"name\":\"a\",\"version\":\"1\",\"files\":[\"../../../../x-1.egg-info\"]}"),
     "conda a 1\nowns x-1.egg-info\n"},
    {CONDA, SLICE("{\"name\":\"a\",\"version\":\"1\",\"files\":null,\"license\":null}"),
     "conda a 1\n"},
    {CONDA, SLICE("{\"name\":\"a\",\"version\":\"1\",\"files\":[1,null,{\"a\":[]}]}"),
     "conda a 1\n"},
    {CONDA, SLICE("{\"name\":\"A\\u00e9\",\"version\":\"1\"}"), "conda a\xc3\xa9 1\n"},
    {CONDA, SLICE("\xef\xbb\xbf{\"name\":\"a\",\"version\":\"1\"}\n"), "conda a 1\n"},
    {CONDA, SLICE(""), "refused\n"},
    {CONDA, SLICE("[]"), "refused\n"},
    {CONDA, SLICE("null"), "refused\n"},
    {CONDA, SLICE("{}"), "refused\n"},
    {CONDA, SLICE("{\"name\":\"a\"}"), "refused\n"},
    {CONDA, SLICE("{\"version\":\"1\"}"), "refused\n"},
    {CONDA, SLICE("{\"name\":7,\"version\":\"1\"}"), "refused\n"},
    {CONDA, SLICE("{\"name\":\"a\",\"version\":\"1\"} x"), "refused\n"},
    {CONDA, SLICE("{\"name\":\"a\",\"version\":\"1\""), "refused\n"},
};

static void test_conda(void **state)
{
    (void)state;
    check_rows(&analyzer_conda, conda_rows, COUNT(conda_rows));
}

/* However many files it names, a bounded number of them is kept, of all parts of the list. */
static void test_conda_many_files(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer text = {0};
    buffer_text(&text, "{\"name\":\"a\",\"version\":\"1\",\"files\":[\"first\"");
    for (int i = 0; i < 5000; i++)
        buffer_format(&text, ",\"%c/%d\"", i < 2500 ? 'l' : 'u', i);
    buffer_text(&text, ",\"last\"]}");
    struct reading reading;
    read_file(&reading, &analyzer_conda, CONDA, buffer_slice(&text));
    assert_null(reading.error);
    const struct evidence *evidence = reading.record.evidence.items;
    const struct fact *facts = evidence->facts.items;
    size_t lower = 0, upper = 0;
    for (size_t i = 0; i < evidence->facts.count; i++) {
        lower += slice_starts(facts[i].value, SLICE("opt/conda/l"));
        upper += slice_starts(facts[i].value, SLICE("opt/conda/u"));
    }
    assert_true(evidence->facts.count <= 64 && lower > 4 && upper > 4);
    reading_free(&reading);
}

/* --- os-release ------------------------------------------------------------------------------- */

static const struct row os_rows[] = {
    {"etc/os-release",
     SLICE("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\n"
           "HOME_URL=\"https://www.debian.org/\"\nVERSION_CODENAME=bookworm\n"),
     "PRETTY_NAME: Debian GNU/Linux 12 (bookworm)\nID: debian\nVERSION_ID: 12\n"
     "VERSION_CODENAME: bookworm\n"},
    {"usr/lib/os-release",
     SLICE("# c\n\n  ID=a\r\nID_LIKE=\"b c\"\nNAME=\"a \\\"b\\\" \\$c \\\\ \\n\""),
     "ID: a\nID_LIKE: b c\nNAME: a \"b\" $c \\ \\n\n"},
    {"etc/os-release", SLICE("ID=\"\nVERSION_ID='\nNAME=\"a'\n"),
     "ID: \"\nVERSION_ID: '\nNAME: \"a'\n"},
    {"etc/os-release", SLICE("ID='a\\$b\"c'\nNAME=\"\"\n"), "ID: a\\$b\"c\nNAME: \n"},
    {"etc/os-release", SLICE("ID\n=x\n#ID=c\nid=d\nXID=e\n"), ""},
    {"etc/os-release", SLICE("NAME=\"a\\"), "NAME: \"a\\\n"},
    {"etc/os-release", SLICE("NAME=\"\\\""), "NAME: \\\n"},
    {"etc/os-release", SLICE(""), ""},
};

static void test_os_release(void **state)
{
    (void)state;
    check_rows(&analyzer_os_release, os_rows, COUNT(os_rows));
}

/* --- all ------------------------------------------------------------------------------------- */

static void test_wanted_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *analyzer; /* NULL: nobody */
    } rows[] = {
        {"var/lib/dpkg/status", "dpkg"},
        {"var/lib/dpkg/status.d/a", "dpkg"},
        {"var/lib/dpkg/status.d/a.md5sums", "dpkg"},
        {"var/lib/dpkg/info/a.list", "dpkg"},
        {"var/lib/dpkg/info/a:amd64.list", "dpkg"},
        {"var/lib/dpkg/info/a.md5sums", "dpkg"},
        {"var/lib/dpkg/info/a.postinst", NULL},
        {"var/lib/dpkg/status-old", NULL},
        {"var/lib/dpkg/available", NULL},
        {"srv/var/lib/dpkg/status", NULL},
        {"etc/os-release", "os-release"},
        {"usr/lib/os-release", "os-release"},
        {"srv/etc/os-release", NULL},
        {"a/x-1.dist-info/METADATA", "python"},
        {"x-1.dist-info/METADATA", "python"},
        {"a/x-1.egg-info/METADATA", "python"},
        {"a/x-1.dist-info/PKG-INFO", "python"},
        {"a/x.egg/EGG-INFO/PKG-INFO", "python"},
        {"a/x.egg-info", "python"},
        {"a/.egg-info", NULL},
        {"a/x-1.dist-info/RECORD", "python"},
        {"a/x-1.dist-info/INSTALLER", "python"},
        {"a/x-1.dist-info/direct_url.json", "python"},
        {"a/x-1.dist-info/metadata", NULL},
        {"a/x-1.dist-info/sub/METADATA", NULL},
        {"a/METADATA", NULL},
        {"METADATA", NULL},
        {"a/conda-meta/x.json", "conda"},
        {"conda-meta/x.json", "conda"},
        {"a/conda-meta/history", NULL},
        {"a/conda-meta/sub/x.json", NULL},
        {"a/xconda-meta/x.json", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct entry entry = {.kind = ENTRY_FILE, .path = slice_from_text(rows[i].path)};
        for (size_t j = 0; j < analyzer_count; j++) {
            bool expected = rows[i].analyzer && strcmp(rows[i].analyzer, analyzers[j]->name) == 0;
            struct want want = analyzers[j]->wants(entry.path, &entry);
            if ((want.kind != WANT_NOTHING) != expected)
                fail_msg("%s: %s", rows[i].path, analyzers[j]->name);
            if (want.kind == WANT_FIRST)
                assert_true(want.count > 0 && want.count <= LIMIT_ENTRY_MEMORY);
        }
        assert_int_equal(analyzer_wants_path(entry.path), rows[i].analyzer != NULL);
    }
}

/* A field above the limit is refused, and the package with it: nothing half-copied stays. */
static void test_field_limit(void **state)
{
    (void)state;
    static const char *const fields[] = {"Package", "Version", "Architecture", "Maintainer"};
    for (size_t i = 0; i < COUNT(fields); i++) {
        for (size_t length = LIMIT_FIELD_BYTES; length <= LIMIT_FIELD_BYTES + 1; length++) {
            CLEANUP_BUFFER struct buffer text = {0};
            struct reading reading;
            buffer_text(&text, "Package: a\nVersion: 1\n");
            buffer_format(&text, "%s: ", fields[i]);
            memset(buffer_reserve(&text, length), 'x', length);
            text.len += length;
            read_file(&reading, &analyzer_dpkg, STATUS, buffer_slice(&text));
            const struct evidence *evidence = reading.record.evidence.items;
            assert_int_equal(reading.error == NULL, length <= LIMIT_FIELD_BYTES);
            assert_int_equal(evidence->packages.count, length <= LIMIT_FIELD_BYTES);
            if (reading.error)
                assert_int_equal(reading.error->kind, ERROR_LIMIT);
            reading_free(&reading);
        }
    }
}

static void test_package_limit(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer text = {0};
    struct reading reading;
    for (size_t i = 0; i < LIMIT_PACKAGES_PER_FILE; i++)
        buffer_text(&text, "Package: a\nVersion: 1\n\n");
    read_file(&reading, &analyzer_dpkg, STATUS, buffer_slice(&text));
    assert_null(reading.error);
    reading_free(&reading);
    buffer_text(&text, "Package: a\nVersion: 1\n\n");
    read_file(&reading, &analyzer_dpkg, STATUS, buffer_slice(&text));
    assert_non_null(reading.error);
    assert_int_equal(reading.error->kind, ERROR_LIMIT);
    const struct evidence *evidence = reading.record.evidence.items;
    assert_int_equal(evidence->packages.count, LIMIT_PACKAGES_PER_FILE);
    reading_free(&reading);
}

/* The table is what the docs and the report are made from: names and versions are there. */
static void test_table(void **state)
{
    (void)state;
    assert_true(analyzer_count >= 4);
    for (size_t i = 0; i < analyzer_count; i++) {
        assert_true(analyzers[i]->name[0] != '\0' && analyzers[i]->version > 0);
        assert_non_null(analyzers[i]->wants);
        assert_true(analyzers[i]->read || analyzers[i]->pull);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(analyzers[i]->name, analyzers[j]->name);
        for (size_t j = 0; analyzers[i]->places && analyzers[i]->places[j]; j++) {
            CLEANUP_ARENA struct arena arena = {0};
            slice place = slice_from_text(analyzers[i]->places[j]);
            bool folder = slice_ends(place, SLICE("/"));
            assert_true(
                analyzer_wants_path(place) ||
                (folder &&
                 (analyzer_wants_path(arena_format(&arena, "%sx", analyzers[i]->places[j])) ||
                  analyzer_wants_path(arena_format(&arena, "%sx.list", analyzers[i]->places[j])))));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_wanted_paths),
        cmocka_unit_test(test_dpkg),          cmocka_unit_test(test_dpkg_cut),
        cmocka_unit_test(test_python),        cmocka_unit_test(test_python_names),
        cmocka_unit_test(test_conda),         cmocka_unit_test(test_conda_many_files),
        cmocka_unit_test(test_os_release),    cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_package_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
