/* SPDX-License-Identifier: MIT */
/* The types of settings: which texts they allow and what these mean. settings.c has the options. */
#ifndef TFT_VALUE_H
#define TFT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

enum value_type {
	VALUE_TEXT,
	VALUE_SECRET,
	VALUE_URL,
	VALUE_LINK,
	VALUE_URLS,
	VALUE_PATH,
	VALUE_ORIGIN,
	VALUE_ADDRESS,
	VALUE_PREFIX,
	VALUE_NODE,
	VALUE_USERS,
	VALUE_HOSTS,
	VALUE_DURATION,
	VALUE_SIZE,
	VALUE_INTEGER,
	VALUE_FLAG,
	VALUE_ROLE,
	VALUE_SEVERITY,
	VALUE_LEVEL,
	VALUE_FORMAT
};

/* Of a number, or of a text's length in bytes. Not used for words. */
struct value_range {
	int64_t min, max;
};

/* Reads text into *at: char[max + 1] for a text, which may be normalized, else int64_t
 * (milliseconds, bytes, or the word's place in its list). 0, or -1 with what is expected in *why,
 * which never has the text itself in it; *at is undefined then. */
int value_read(enum value_type type, struct value_range range, const char *text, void *at,
	       struct err *why);
/* Writes it in a form that value_read accepts; a non-empty secret as ***. */
void value_write(enum value_type type, const void *at, char *text, size_t size);
/* For error messages: what such a value looks like. */
const char *value_expected(enum value_type type);
/* UTF-8 without control characters: safe for a terminal. */
bool value_is_plain(const char *text);

#endif
