/*
 * The API of a container engine on this machine or another: Docker's (Engine API), which Podman
 * speaks as well. docker.c and podman.c say where they are and use it.
 */
#ifndef PLIMSOLL_SOURCE_ENGINE_H
#define PLIMSOLL_SOURCE_ENGINE_H

#include "base/json_read.h"
#include "source/places.h"

struct engine {
    const char *name; /* "Docker" */
    struct http_options http;
    slice base;    /* "http://localhost", "https://build:2376" */
    slice address; /* for people: "unix:///var/run/docker.sock" */
    bool local;    /* a socket of this machine: its files may lie here */
};

/* What the engine knows of the image, as JSON (to be freed by json_decref). *absent: it does not
 * have it, or does not answer. */
MUST_CHECK struct error *engine_inspect(const struct engine *engine, slice name,
                                        struct arena *arena, json_t **json, bool *absent);

/* Opens the image as the engine exports it, as it comes. `id` is its digest as the engine knows it:
 * the same id is the same export. */
MUST_CHECK struct error *engine_export(const struct engine *engine, struct image *image, slice name,
                                       slice id, const struct source_options *options,
                                       struct arena *arena);

/* Sets up `engine` by an address: unix://PATH, tcp://HOST:PORT; `certificates` is a folder with
 * ca.pem, cert.pem and key.pem for TLS, or NULL. */
MUST_CHECK struct error *engine_address(struct engine *engine, const char *name, slice address,
                                        const char *certificates,
                                        const struct source_options *options, struct arena *arena);

#endif
