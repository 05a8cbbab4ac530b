/* SPDX-License-Identifier: MIT */
/* The fields of an encoded form. Of a repeated field the first counts. */
#ifndef TFT_FORM_H
#define TFT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* The value as it was sent; {NULL, 0} if it is absent or empty. */
struct span form_value(struct span form, struct span key);
/* The value, decoded, with a NUL after it; empty if it is absent. false: it does not fit, and *to
 * is empty. */
bool form_text(struct span form, struct span key, char *to, size_t size);

#endif
