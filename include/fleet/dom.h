/* SPDX-License-Identifier: MIT */
/*
 * Checked access to json-c. It accepts more than JSON allows (NaN, repeated keys, saturated
 * integers, overlong UTF-8; doc/pitfalls.md#json-c), so the type and range of every value are
 * checked here. Text that its versions parse differently is rewritten before it sees it. Every
 * function accepts NULL, json-c's form of the JSON null.
 */
#ifndef TFT_DOM_H
#define TFT_DOM_H

#include <json-c/json.h>
#include "base/span.h"

/* For texts with at most `depth` open brackets; free with json_tokener_free. NULL if out of
 * memory. */
struct json_tokener *dom_tokener(int depth);
/* NULL unless the text is exactly one JSON value, optionally after a byte order mark. Invalid UTF-8
 * in a string becomes U+FFFD; an integer of more than 18 digits becomes a double. The caller
 * releases the object with json_object_put. */
struct json_object *dom_parse(struct json_tokener *tokener, struct span text);
/* NULL if `object` is not an object, has no such member, or the member is null. */
struct json_object *dom_member(const struct json_object *object, const char *key);
/* Empty if it is not a string. May contain any byte. */
struct span dom_string(struct json_object *value);
/* A finite number, else NaN. Integers beyond the range of int64_t saturate. */
double dom_number(const struct json_object *value);
/* A whole number in 0..max, else -1. */
int dom_count(const struct json_object *value, int max);

#endif
