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

/* The same of a short text, a password: with few letters the doubt goes the other way. Digits and
 * signs that people write for letters ("S3nsit1ve", "p@ss") count as those. */
bool secret_is_spelt(slice password);

#endif
