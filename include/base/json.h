/* SPDX-License-Identifier: MIT */
/*
 * JSON writer with a scope check (RFC 8259). Keys come in the order of the calls, so equal input
 * gives equal bytes.
 *
 *	struct json j;
 *	json_init(&j, &buf);
 *	json_object(&j, NULL);              // key NULL at the top and inside arrays
 *	json_num(&j, "risk", 80.0);         // a literal inside objects
 *	json_array(&j, "servers");
 *	json_end(&j);
 *	json_end(&j);
 *
 * A key where none belongs, a missing key, or more than 15 open scopes is a programming error and
 * fails an assertion. Strings: `"` `\` escaped, hidden characters (utf8_is_hidden), `<` `>` `&` and
 * U+2028/9 as \u003c..., bytes that are not UTF-8 become U+FFFD, so that a body is also safe inside
 * HTML.
 */
#ifndef TFT_JSON_H
#define TFT_JSON_H

#include <stdint.h>
#include "base/buf.h"

struct json {
	struct buf *out;
	int depth;
	struct {
		bool is_array;
		bool has_members;
	} scope[16];
};

void json_init(struct json *j, struct buf *out);
/* Continues an object that already has members; the caller closes it. */
void json_resume(struct json *j, struct buf *out);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);
void json_str(struct json *j, const char *key, struct span value);
void json_cstr(struct json *j, const char *key, const char *value); /* NULL gives null */
void json_int(struct json *j, const char *key, int64_t value);
/* Shortest text that reads back to the same double; NaN and infinities (absent values) give null.
 */
void json_num(struct json *j, const char *key, double value);
/* Tenths as a decimal: 800 -> 80.0, 471 -> 47.1 (doc/rules.md#conventions, risk). */
void json_tenths(struct json *j, const char *key, int tenths);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
