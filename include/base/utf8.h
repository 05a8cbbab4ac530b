/* SPDX-License-Identifier: MIT */
/* The one UTF-8 decoder (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef TFT_UTF8_H
#define TFT_UTF8_H

#include <stdint.h>
#include "base/span.h"

/* Replaces a byte that is not UTF-8, or a character that a writer does not let through: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Length of the character at `at` (< s.len), 1..4, and the character in *codepoint; 0 if no valid
 * character starts there. */
size_t utf8_next(struct span s, size_t at, uint32_t *codepoint);
bool utf8_valid(struct span s);
/* Invisible characters that change how text is read: controls (C0 with tab and newline, DEL, C1),
 * bidirectional controls (U+061C, U+200E/F, U+202A-E, U+2066-9), and U+FFFE/F, which XML 1.0
 * forbids. */
bool utf8_is_hidden(uint32_t codepoint);

#endif
