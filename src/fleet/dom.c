/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/dom.h"

#include <math.h>

/* json-c counts the scalars inside the deepest container as one more level, and stops one short. */
#define TOKENER_DEPTH 2

struct json_object *dom_parse(struct json_tokener *tokener, struct span text)
{
	struct json_object *object;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	if (json_tokener_get_error(tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(tokener) == text.len)
		return object;
	json_object_put(object);
	return NULL;
}

struct json_tokener *dom_tokener(int depth)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth + TOKENER_DEPTH);

	if (tokener != NULL)
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return tokener;
}

struct json_object *dom_member(const struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

struct span dom_string(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return (struct span){NULL, 0};
	return (struct span){json_object_get_string(value),
			     (size_t)json_object_get_string_len(value)};
}

double dom_number(const struct json_object *value)
{
	double number = NAN;

	if (json_object_is_type(value, json_type_double)) {
		number = json_object_get_double(value);
	} else if (json_object_is_type(value, json_type_int)) {
		int64_t i = json_object_get_int64(value);

		if (i > INT64_MIN && i < INT64_MAX)
			number = (double)i;
	}
	return isfinite(number) ? number : NAN;
}

int dom_count(const struct json_object *value, int max)
{
	int64_t i;

	if (!json_object_is_type(value, json_type_int))
		return -1;
	i = json_object_get_int64(value);
	return i >= 0 && i <= max ? (int)i : -1;
}
