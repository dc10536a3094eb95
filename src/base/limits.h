/*
 * Every bound on what comes from outside stands here. Passing one is a reported error that names
 * the limit, never a truncation. docs/limits.md explains them to users.
 */
#ifndef PLIMSOLL_BASE_LIMITS_H
#define PLIMSOLL_BASE_LIMITS_H

#include <stdint.h>

#define LIMIT_KIB 1024ULL
#define LIMIT_MIB (1024 * LIMIT_KIB)
#define LIMIT_GIB (1024 * LIMIT_MIB)

/* image */
#define LIMIT_MANIFEST_BYTES (4 * LIMIT_MIB)
#define LIMIT_CONFIG_BYTES (8 * LIMIT_MIB)
#define LIMIT_STORAGE_LIST_BYTES (64 * LIMIT_MIB) /* a list in containers/storage */
#define LIMIT_JSON_DEPTH 64
#define LIMIT_LAYERS 500
#define LIMIT_INDEX_DEPTH 8                     /* an index in an index */
#define LIMIT_MANIFESTS 5000                    /* that an image's indexes list, one in the other */
#define LIMIT_MANIFESTS_BYTES (256 * LIMIT_MIB) /* all that is read to find one image */
#define LIMIT_MANIFESTS_FETCHED 64   /* from a registry, for platforms that an index leaves out */
#define LIMIT_ARCHIVE_MEMBERS 100000 /* members of a docker-archive or OCI tar */

/* layer */
#define LIMIT_LAYER_BYTES (64 * LIMIT_GIB) /* unpacked */
#define LIMIT_LAYER_ENTRIES 4000000
/* unpacked : packed, looked at after LIMIT_RATIO_FROM; deflate itself ends at 1032 : 1 */
#define LIMIT_RATIO_GZIP 1000
#define LIMIT_RATIO_ZSTD 5000
#define LIMIT_RATIO_XZ 5000 /* and bzip2, lzma: within files */
#define LIMIT_RATIO_FROM (64 * LIMIT_MIB)
#define LIMIT_ZSTD_WINDOW_LOG 27 /* 128 MiB: what `zstd -22` and `--long` make */
#define LIMIT_PATH_BYTES 4096
#define LIMIT_LINK_DEPTH 40
#define LIMIT_TAR_HEADER_BYTES (1 * LIMIT_MIB) /* one pax or GNU long-name block */
#define LIMIT_SPARSE_REGIONS 65536
#define LIMIT_TOC_BYTES (128 * LIMIT_MIB) /* a table of contents, as stored and unpacked */

#define LIMIT_SPOOL_MEMORY (16 * LIMIT_MIB) /* kept of a stream where there is no spill file */

/* worker */
#define LIMIT_WORKER_MEMORY (256 * LIMIT_MIB) /* address space beyond what it starts with */
#define LIMIT_WORKER_CPU_SECONDS 300
#define LIMIT_RECORD_BYTES (64 * LIMIT_MIB) /* what one layer may hand back */
#define LIMIT_SCAN_SECONDS 1800
#define LIMIT_UNPACKER_SILENCE_MS 30000 /* of the process that unpacks a .gz or .zst archive */
#define LIMIT_DAEMON_SILENCE_MS 600000  /* of one that exports an image: it packs it first */

#define LIMIT_REDIRECTS 256 /* files read since links lead to them from elsewhere */
#define LIMIT_RECORDS_BYTES (256 * LIMIT_MIB) /* what all layers of an image hand back together */
#define LIMIT_REDIRECT_ROUNDS 8               /* links to links to package databases */

/* cache of layer records */
#define LIMIT_CACHE_BYTES (1 * LIMIT_GIB) /* of all records, where --cache-size is not said */

/* analyzers */
#define LIMIT_ENTRY_MEMORY (4 * LIMIT_MIB) /* a whole entry kept in memory; larger is spilled */
#define LIMIT_ENTRY_BYTES (2 * LIMIT_GIB)  /* a whole entry given to an analyzer */
#define LIMIT_FIELD_BYTES (64 * LIMIT_KIB) /* a name, version or other single value */
#define LIMIT_PACKAGES_PER_FILE 200000

/* secrets */
#define LIMIT_SECRET_LOOKS 200000 /* candidates in one file that are looked at twice, and … */
#define SECRET_BYTES_A_LOOK 4     /* … one more for so many bytes */
#define LIMIT_SECRET_MATCH_STEPS 1000000              /* of a rule's expression at one candidate */
#define LIMIT_SECRET_MATCH_KIB 1024                   /* of memory for it */
#define LIMIT_SECRET_ENCODED_BYTES 16384              /* of one text in base64, decoded */
#define LIMIT_SECRET_DATABASE_BYTES (64 * LIMIT_MIB)  /* the rules, compiled */
#define LIMIT_SECRET_CONFIG_BYTES (4 * LIMIT_MIB)     /* a file of own rules */
#define LIMIT_SECRET_BASELINE_BYTES (256 * LIMIT_MIB) /* a report of secrets known already */
#define LIMIT_SECRETS_PER_FILE 100                    /* told of one file */
#define LIMIT_SECRETS_PER_LAYER 20000
#define LIMIT_UNOPENED_PER_LAYER 1000 /* archives that could not be looked into, told by name */
#define LIMIT_SECRET_ARCHIVE_DEPTH 8  /* an archive in an archive */
#define LIMIT_SECRET_UNPACK_MEMORY (144 * LIMIT_MIB) /* windows, dictionaries; one in another */
#define LIMIT_SECRET_SPOOL_BYTES (512 * LIMIT_MIB)   /* of one archive, to read it in any order */
#define LIMIT_SECRET_VARIABLE_BYTES 256 /* of the name of a variable whose value one is */
#define LIMIT_SECRET_PLACES_LISTED 100  /* of one secret, in a report; all are counted */
#define LIMIT_SECRET_ARCHIVE_BYTES (8 * LIMIT_GIB) /* unpacked from the archives of one file */
#define LIMIT_SECRET_ARCHIVE_MEMBERS 1000000
#define LIMIT_SECRET_MANIFEST_BYTES (8 * LIMIT_MIB) /* of a file, walked over for its Secrets */
#define LIMIT_SECRET_NOTEBOOK_BYTES (32 * LIMIT_MIB)
#define LIMIT_SECRET_JSON_TEXT_BYTES (64 * LIMIT_MIB) /* of a notebook's strings */
#define LIMIT_GIT_OBJECT_BYTES (32 * LIMIT_MIB)       /* of one that is put together from a delta */
#define LIMIT_GIT_MEMORY (96 * LIMIT_MIB)             /* for what is put together at once */
#define LIMIT_GIT_PACK_BYTES (16 * LIMIT_GIB)         /* put together of one pack */
#define LIMIT_GIT_RATIO 1000 /* bytes put together for each of the pack, looked at after … */
#define LIMIT_GIT_RATIO_FROM (512 * LIMIT_MIB)
#define LIMIT_GIT_TREE_BYTES (1 * LIMIT_GIB) /* of trees, to name files */
#define LIMIT_GIT_NAMES 300000               /* of files and folders of one pack */
#define LIMIT_GIT_NAME_BYTES (8 * LIMIT_MIB)

/* .dockerignore */
#define LIMIT_DOCKERIGNORE_BYTES (1 * LIMIT_MIB)
#define LIMIT_DOCKERIGNORE_LINE 65535     /* what a builder's own reader takes */
#define LIMIT_DOCKERIGNORE_STATES 1000000 /* of the expressions of all lines */
#define LIMIT_DOCKERIGNORE_STEPS 20000000 /* of all lines at one path */

/* the command line */
#define LIMIT_SETTINGS_BYTES (64 * LIMIT_KIB) /* plimsoll.yaml */

/* own templates of reports */
#define LIMIT_TEMPLATE_BYTES (4 * LIMIT_MIB)
#define LIMIT_TEMPLATE_DEPTH 32 /* sections in sections */
#define LIMIT_TEMPLATE_OUTPUT_BYTES (512 * LIMIT_MIB)
#define LIMIT_TEMPLATE_STEPS 10000000 /* tags that are gone through */

/* saved reports that are compared */
#define LIMIT_SAVED_REPORT_BYTES (256 * LIMIT_MIB)
#define LIMIT_COMPARED 100 /* images and reports at once */
/* ignore files and VEX */
#define LIMIT_GLOB_STEPS 100000 /* of one pattern at one path */
#define LIMIT_IGNORE_BYTES (1 * LIMIT_MIB)
#define LIMIT_IGNORE_ENTRIES 20000
#define LIMIT_IGNORE_MATCH_STEPS 100000  /* of an entry's expression at one name */
#define LIMIT_VEX_BYTES (32 * LIMIT_MIB) /* one document */
#define LIMIT_VEX_FILES 20000            /* in one folder */
#define LIMIT_VEX_FOLDER_DEPTH 16        /* a folder in a folder of documents */
#define LIMIT_VEX_SCOPES 2000000         /* products that all statements are about */

/* registries, daemons and feeds over HTTP */
#define LIMIT_HTTP_HEADER_BYTES (256 * LIMIT_KIB) /* all headers of one answer */
#define LIMIT_HTTP_REFUSAL_BYTES (64 * LIMIT_KIB) /* kept of an answer that says no */
#define LIMIT_HTTP_TOKEN_BYTES (1 * LIMIT_MIB)    /* what a token server answers */
#define LIMIT_HTTP_REDIRECTS 10
#define LIMIT_HTTP_RETRIES 5 /* after failures that may pass; counted anew after … */
#define LIMIT_HTTP_PROGRESS_BYTES (1 * LIMIT_MIB) /* … so many more bytes have come */
#define LIMIT_HTTP_WAIT_SECONDS 120               /* Retry-After beyond it is not waited for */

/* feeds */
#define LIMIT_ADVISORY_BYTES (32 * LIMIT_MIB) /* one advisory's JSON */
#define LIMIT_FEED_BYTES (8 * LIMIT_GIB)      /* one feed, unpacked */
#define LIMIT_FEED_ENTRIES 2000000
#define LIMIT_VERSION_BYTES 4096
#define LIMIT_FEED_RATIO 200       /* unpacked : packed, looked at after LIMIT_RATIO_FROM */
#define LIMIT_FEED_FOLDER_DEPTH 32 /* a folder in a folder of feeds */
#define LIMIT_ECOSYSTEMS 2000      /* in all feeds of a store, releases counted each */
#define LIMIT_ADVISORY_ID_BYTES 256
#define LIMIT_PACKAGE_NAME_BYTES 4096
#define LIMIT_ADVISORY_NAMES 20000 /* aliases, upstream, related of one advisory, each */
#define LIMIT_ADVISORY_PACKAGES 100000
#define LIMIT_ADVISORY_VERSIONS 200000 /* enumerated versions of one affected package */
#define LIMIT_RANGE_EVENTS 2000        /* events of one affected package, all ranges */
#define LIMIT_ADVISORY_EVENTS 200000   /* events of all its packages */
#define LIMIT_SEVERITY_WORDS 200       /* severities of one advisory or CVE record */
#define LIMIT_ALIASES_FOLLOWED 1000    /* ids looked at to find the CVEs of one id */

/* SBOMs that are read */
#define LIMIT_SBOM_BYTES (256 * LIMIT_MIB)
#define LIMIT_SBOM_COMPONENTS 1000000
#define LIMIT_SBOM_NESTING 100   /* components in components */
#define LIMIT_LICENSE_BYTES 4096 /* a licence that is taken for an expression */
#define LIMIT_LICENSE_NESTING 32 /* parentheses in it */

#endif
