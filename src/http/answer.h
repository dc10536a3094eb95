/* What http.c keeps of one transfer, and how headers become a response (answer.c). */
#ifndef PLIMSOLL_HTTP_ANSWER_H
#define PLIMSOLL_HTTP_ANSWER_H

#include "http/http.h"

struct answer {
    struct http_response *response;
    struct arena *arena;
    size_t header_bytes;  /* of all headers of this attempt */
    bool has_range;       /* Content-Range was there … */
    uint64_t range_start; /* … and begins here */
    bool interim;         /* the status is 1xx */
};

/* A header line as it came, its end of line included. False: more than the limit of all headers. */
bool answer_header(struct answer *answer, slice line);

#endif
