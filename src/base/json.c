/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/utf8.h"

#define DEPTH_MAX 15

/* At the top there is one value without a key, so the top level counts as an array that json_end
 * does not close. */
void json_init(struct json *j, struct buf *out)
{
	*j = (struct json){.out = out, .scope[0].is_array = true};
}

void json_resume(struct json *j, struct buf *out)
{
	*j = (struct json){.out = out, .scope[0].has_members = true};
}

static bool must_escape(uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
	case '<':
	case '>':
	case '&':
	case 0x2028: /* end a line in JavaScript source before ES2019 */
	case 0x2029:
		return true;
	default:
		return utf8_is_hidden(c);
	}
}

static void escape(struct buf *out, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_addf(out, "\\%c", (char)c);
	else
		buf_addf(out, "\\u%04" PRIx32, c);
}

static void quote(struct buf *out, struct span s)
{
	size_t run = 0; /* start of what is not yet copied */
	uint32_t codepoint;
	size_t len;

	buf_char(out, '"');
	for (size_t at = 0; at < s.len; at += len) {
		len = utf8_next(s, at, &codepoint);
		if (len > 0 && !must_escape(codepoint))
			continue;
		buf_add(out, s.ptr + run, at - run);
		if (len > 0) {
			escape(out, codepoint);
		} else {
			buf_lit(out, UTF8_REPLACEMENT);
			len = 1;
		}
		run = at + len;
	}
	if (run < s.len)
		buf_add(out, s.ptr + run, s.len - run);
	buf_char(out, '"');
}

/* Comma and key: what stands before every value. */
static void begin_value(struct json *j, const char *key)
{
	assert(j->scope[j->depth].is_array == !key);
	assert(j->depth > 0 || key || !j->scope[0].has_members);
	if (j->scope[j->depth].has_members)
		buf_char(j->out, ',');
	j->scope[j->depth].has_members = true;
	if (key) {
		quote(j->out, span_str(key));
		buf_char(j->out, ':');
	}
}

static void open_scope(struct json *j, const char *key, bool is_array)
{
	begin_value(j, key);
	assert(j->depth < DEPTH_MAX);
	j->depth++;
	j->scope[j->depth].is_array = is_array;
	j->scope[j->depth].has_members = false;
	buf_char(j->out, is_array ? '[' : '{');
}

void json_object(struct json *j, const char *key)
{
	open_scope(j, key, false);
}

void json_array(struct json *j, const char *key)
{
	open_scope(j, key, true);
}

void json_end(struct json *j)
{
	assert(j->depth > 0);
	buf_char(j->out, j->scope[j->depth].is_array ? ']' : '}');
	j->depth--;
}

void json_str(struct json *j, const char *key, struct span value)
{
	begin_value(j, key);
	quote(j->out, value);
}

void json_cstr(struct json *j, const char *key, const char *value)
{
	if (value)
		json_str(j, key, span_str(value));
	else
		json_null(j, key);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	buf_addf(j->out, "%" PRId64, value);
}

static void shortest(double value, char *text, size_t size)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, size, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

void json_num(struct json *j, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	/* Below 2^53 every integer is exact; this way it has no exponent, and zero no sign. */
	if (fabs(value) < 0x1p53 && value == (double)(int64_t)value) {
		json_int(j, key, (int64_t)value);
		return;
	}
	shortest(value, text, sizeof(text));
	begin_value(j, key);
	buf_span_add(j->out, span_str(text));
}

void json_tenths(struct json *j, const char *key, int tenths)
{
	begin_value(j, key);
	fmt_tenths(j->out, tenths);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_span_add(j->out, value ? SPAN("true") : SPAN("false"));
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	buf_lit(j->out, "null");
}
