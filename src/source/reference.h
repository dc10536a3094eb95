/*
 * Names of images as Docker reads them (distribution/reference): "python:3.11" is
 * docker.io/library/python:3.11; a first part with a dot, a colon or "localhost" is a registry.
 */
#ifndef PLIMSOLL_SOURCE_REFERENCE_H
#define PLIMSOLL_SOURCE_REFERENCE_H

#include "base/error.h"

struct reference {
    slice registry;   /* "docker.io", "ghcr.io", "localhost:5000" */
    slice repository; /* "library/python" */
    slice tag;        /* "3.11"; "latest" where neither tag nor digest was given; else empty */
    slice digest;     /* "sha256:…" or empty; it goes before the tag */
};

/* Parses `text`; slices point into it or into the arena. An error says what is wrong with it. */
MUST_CHECK struct error *reference_parse(struct reference *reference, slice text,
                                         struct arena *arena);

/* In full: "docker.io/library/python:3.11". */
slice reference_text(const struct reference *reference, struct arena *arena);

/* Whether the host is this machine: localhost, 127.0.0.0/8, [::1]. */
bool reference_is_loopback(slice registry);

#endif
