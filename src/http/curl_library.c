#include "http/curl_library.h"

#include <dlfcn.h>

/* By the name of its interface, which has not changed since 2006. */
#define LIBRARY "libcurl.so.4"

static struct curl_library loaded;

static bool find(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    /* POSIX lets a pointer to data be one to a function, which C does not. */
    memcpy(function, &found, sizeof(found));
    return found != NULL;
}

static bool find_all(void *handle)
{
    return find(handle, "curl_global_init", &loaded.global_init) &&
           find(handle, "curl_easy_init", &loaded.easy_init) &&
           find(handle, "curl_easy_reset", &loaded.easy_reset) &&
           find(handle, "curl_easy_setopt", &loaded.easy_setopt) &&
           find(handle, "curl_easy_perform", &loaded.easy_perform) &&
           find(handle, "curl_easy_getinfo", &loaded.easy_getinfo) &&
           find(handle, "curl_easy_strerror", &loaded.easy_strerror) &&
           find(handle, "curl_easy_cleanup", &loaded.easy_cleanup) &&
           find(handle, "curl_slist_append", &loaded.slist_append) &&
           find(handle, "curl_slist_free_all", &loaded.slist_free_all);
}

struct error *curl_library_load(const struct curl_library **library)
{
    static bool done;
    *library = &loaded;
    if (done)
        return NULL;
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle || !find_all(handle))
        return error_make(ERROR_SYSTEM,
                          "the library " LIBRARY " is needed for this (Debian: apt-get install "
                          "libcurl4): %s",
                          dlerror());
    loaded.global_init(CURL_GLOBAL_DEFAULT);
    done = true;
    return NULL;
}
