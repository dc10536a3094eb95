/*
 * libcurl, loaded when the first request is made: it brings thirty libraries with it, which would
 * take longer to load than a scan of a cached image takes, and most scans make no request.
 */
#ifndef PLIMSOLL_HTTP_CURL_LIBRARY_H
#define PLIMSOLL_HTTP_CURL_LIBRARY_H

#include "base/error.h"

#include <curl/curl.h>

/* The functions that are used, as curl/easy.h declares them. */
struct curl_library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *easy);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
};

/* Loads it; an error says what is missing and how to get it. */
MUST_CHECK struct error *curl_library_load(const struct curl_library **library);

#endif
