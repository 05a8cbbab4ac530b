/* SPDX-License-Identifier: MIT */
/*
 * Checked access to json-c: it takes more than JSON allows (NaN, doubled keys, saturated integers,
 * overlong UTF-8; doc/pitfalls.md#json-c), so nothing it gives is used without our own check of
 * type and range. What its versions read differently it does not get to see. Every function takes NULL for the JSON null, which json-c makes of it.
 */
#ifndef TFT_DOM_H
#define TFT_DOM_H

#include <json-c/json.h>
#include "base/span.h"

/* For texts of at most `depth` open brackets; json_tokener_free. NULL when memory ends. */
struct json_tokener *dom_tokener(int depth);
/* NULL when the text is not one JSON value altogether, but for a byte order mark in front of it. What
 * is no UTF-8 in a string is U+FFFD, an integer of more than 18 digits is a double. The caller puts
 * it. */
struct json_object *dom_parse(struct json_tokener *tokener, struct span text);
/* NULL when object is no object, has no such member, or the member is null. */
struct json_object *dom_member(const struct json_object *object, const char *key);
/* Empty when it is no string. May hold any byte. */
struct span dom_string(struct json_object *value);
/* A finite number, else NaN. The ends of the integer range stand for everything beyond them. */
double dom_number(const struct json_object *value);
/* A whole number of 0..max, else -1. */
int dom_count(const struct json_object *value, int max);

#endif
