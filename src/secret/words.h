/* Whether letters make words: what people named, as against what a random generator gave. */
#ifndef PLIMSOLL_SECRET_WORDS_H
#define PLIMSOLL_SECRET_WORDS_H

#include "base/slice.h"

/*
 * Whether the letters of a text follow each other as those of words do. Of random letters one text
 * of 34 in thousands seems so, of names in programs one in a hundred does not. A text with fewer
 * than a dozen pairs of letters tells too little: false.
 */
bool secret_looks_like_words(slice text);

#endif
