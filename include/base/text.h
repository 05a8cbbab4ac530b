/* SPDX-License-Identifier: MIT */
/* Reading ASCII text piece by piece, with lengths and without locale. */
#ifndef TFT_TEXT_H
#define TFT_TEXT_H

#include <stdint.h>
#include "base/span.h"

#define TEXT_DECIMAL_MAX INT64_C(1000000000000000000)

/* The whole text as a decimal number, at most TEXT_DECIMAL_MAX; -1 if anything in it is not a
 * digit. */
int64_t text_decimal(struct span text);
/* The same for the digits at its start, which are cut off *rest; -1: there are none. */
int64_t text_take_decimal(struct span *rest);
/* The text before the first `mark`; both are cut off *rest. All of it if there is no mark. */
struct span text_cut(struct span *rest, char mark);
/* The next byte of percent-encoded text (RFC 3986); it is cut off *rest, which must not be empty. A
 * malformed percent sequence is taken literally. */
char text_take_encoded(struct span *rest);
/* Whether `member` is a member of a list separated by single commas. */
bool text_is_listed(const char *list, const char *member);
/* ASCII letters only. */
char text_lower(char c);

#endif
