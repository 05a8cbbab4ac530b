/* SPDX-License-Identifier: MIT */
/* Reading ASCII text piece by piece, with lengths and without locale. */
#ifndef TFT_TEXT_H
#define TFT_TEXT_H

#include <stdint.h>
#include "base/span.h"

#define TEXT_DECIMAL_MAX INT64_C(1000000000000000000)

/* All of the text as a decimal number; from TEXT_DECIMAL_MAX on it is that. -1: anything else than
 * digits. */
int64_t text_decimal(struct span text);
/* The same of the digits at its beginning, cut off *rest; -1: there are none. */
int64_t text_take_decimal(struct span *rest);
/* What stands before the first `mark`, cut off *rest together with it; all where there is none. */
struct span text_cut(struct span *rest, char mark);
/* The next byte of percent-encoded text (RFC 3986), cut off *rest, which must not be empty. A bad
 * percent sequence is taken literally. */
char text_take_encoded(struct span *rest);
/* Whether it is a whole member of a list with single commas between them. */
bool text_is_listed(const char *list, const char *member);
/* ASCII letters only. */
char text_lower(char c);

#endif
