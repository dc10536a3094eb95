/*
 * Licences as SPDX expressions (SPDX 2.3, annex D; licence list 3.28): what packages say of
 * themselves is often none.
 */
#ifndef PLIMSOLL_SBOM_LICENSE_H
#define PLIMSOLL_SBOM_LICENSE_H

#include "base/buffer.h"

/*
 * The expression that `text` is, with identifiers and operators written as the list writes them; a
 * few names that everyone means the same by count as their identifier ("MIT License"). Empty when
 * it is none. In the arena.
 */
slice license_expression(slice text, struct arena *arena);

/* Whether the expression is one identifier of the list, without "+", operators or LicenseRef. */
bool license_is_id(slice expression);

#endif
