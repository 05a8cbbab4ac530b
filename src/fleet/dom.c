/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/dom.h"

#include <math.h>

#include "base/buf.h"
#include "base/utf8.h"

/* json-c counts the scalars inside the deepest container as one more level, and stops one short. */
#define TOKENER_DEPTH 2

static const struct span bom = {"\xef\xbb\xbf", 3};

#define INTEGER_MAX 18 /* digits that always fit int64_t */
#define GROWTH      6  /* a byte can become an escape of six */

static bool is_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Copies the number at `at`; an integer too long for json-c gets a fraction, so it becomes a
 * double. */
static size_t put_number(struct span text, size_t at, struct buf *out)
{
	size_t len = 0, digits = 0;

	for (; at + len < text.len && is_number(text.ptr[at + len]); len++)
		digits += text.ptr[at + len] >= '0' && text.ptr[at + len] <= '9';
	buf_add(out, text.ptr + at, len);
	if (digits > INTEGER_MAX && len - digits == (text.ptr[at] == '-'))
		buf_lit(out, ".0");
	return len;
}

static void put_escape(uint32_t c, struct buf *out)
{
	if (c < 0x10000)
		buf_addf(out, "\\u%04x", (unsigned)c);
	else
		buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
			 (unsigned)(0xdc00 | (c & 0x3ff)));
}

/* Copies one character of a string; invalid UTF-8 becomes the replacement character. */
static size_t put_character(struct span text, size_t at, struct buf *out)
{
	uint32_t c = 0xfffd;
	size_t len;

	if ((unsigned char)text.ptr[at] < 0x80) {
		buf_char(out, text.ptr[at]);
		return 1;
	}
	len = utf8_next(text, at, &c);
	put_escape(c, out);
	return len > 0 ? len : 1;
}

/* The same text in ASCII, without integers that are too long for json-c. */
static void put_plain(struct span text, struct buf *out)
{
	bool quoted = false, escaped = false;
	size_t at = 0;

	while (at < text.len && buf_ok(out)) {
		char c = text.ptr[at];

		if (quoted)
			at += put_character(text, at, out);
		else if (is_number(c))
			at += put_number(text, at, out);
		else
			buf_char(out, text.ptr[at++]);
		quoted ^= c == '"' && !escaped;
		escaped = quoted && c == '\\' && !escaped;
	}
}

/* Whether all versions of json-c parse it alike: 0.18 takes non-ASCII bytes in a string for control
 * characters, and an integer beyond 64 bits for an error (doc/pitfalls.md#json-c). */
static bool is_plain(struct span text)
{
	size_t digits = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		digits = c >= '0' && c <= '9' ? digits + 1 : 0;
		if ((unsigned char)c >= 0x80 || digits > INTEGER_MAX)
			return false;
	}
	return true;
}

static struct json_object *parse(struct json_tokener *tokener, struct span text)
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

struct json_object *dom_parse(struct json_tokener *tokener, struct span text)
{
	struct json_object *object = NULL;
	struct buf plain;

	if (text.len >= bom.len && span_eq((struct span){text.ptr, bom.len}, bom))
		text = (struct span){text.ptr + bom.len, text.len - bom.len};
	if (is_plain(text))
		return parse(tokener, text);
	buf_init(&plain, GROWTH * text.len);
	put_plain(text, &plain);
	if (buf_ok(&plain))
		object = parse(tokener, buf_span(&plain));
	buf_free(&plain);
	return object;
}

struct json_tokener *dom_tokener(int depth)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth + TOKENER_DEPTH);

	if (tokener)
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
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
