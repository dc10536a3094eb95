#include "layer/walk_lazy.h"
struct error *walk_lazy(struct layer_bytes *bytes, const struct layer_toc *toc, const struct walk_options *options, struct arena *arena, struct record *record)
{ (void)bytes;(void)toc;(void)options;(void)arena;(void)record; return error_make(ERROR_INPUT,"not yet"); }
