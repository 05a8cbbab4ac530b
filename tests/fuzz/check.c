/* SPDX-License-Identifier: MIT */
/* Whether a document is intact, whatever the data in it attempt. Seeds name servers `<fz` and
 * `" fz="`: an element or attribute of that name has escaped from its place. */
#include "config.h"

#include "fuzz.h"

#include <json-c/json.h>
#include <math.h>

#include "base/utf8.h"

#define ELEMENTS_MAX   64 /* open at a time */
#define ATTRIBUTES_MAX 32 /* per element */

/* CSV can only contain a control character as it is. */
static void check_text(struct span text, bool hidden_too)
{
	uint32_t c;

	for (size_t i = 0, n; i < text.len; i += n) {
		n = utf8_next(text, i, &c);
		REQUIRE(n > 0);
		REQUIRE(hidden_too || !utf8_is_hidden(c) || c == '\n' || c == '\t' || c == '\r');
	}
}

/* --- HTML --- */

struct tag {
	struct span name;
	bool closes, is_empty;
};

static struct span take(struct span *rest, size_t len)
{
	struct span head = {rest->ptr, len};

	REQUIRE(len <= rest->len);
	*rest = (struct span){rest->ptr + len, rest->len - len};
	return head;
}

static size_t length_until(struct span text, const char *set)
{
	size_t n = 0;

	while (n < text.len && !(text.ptr[n] && strchr(set, text.ptr[n])))
		n++;
	return n;
}

static void check_references(struct span text)
{
	static const char *const known[] = {"amp", "lt", "gt", "quot", "apos", "#39", "#34"};

	while (text.len > 0) {
		bool found = false;
		struct span name;

		(void)take(&text, length_until(text, "&"));
		if (text.len == 0)
			return;
		(void)take(&text, 1);
		name = take(&text, length_until(text, ";"));
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found |= span_is(name, known[i]);
		REQUIRE(found && text.len > 0);
	}
}

static void check_attribute(struct span *rest, struct span *names, size_t count)
{
	struct span name = take(rest, length_until(*rest, "= \n\t/><\"'"));
	struct span value;

	REQUIRE(name.len > 0 && !(name.len >= 2 && memcmp(name.ptr, "fz", 2) == 0));
	REQUIRE(!(name.len > 2 && memcmp(name.ptr, "on", 2) == 0) && !span_is(name, "style"));
	for (size_t i = 0; i < count; i++)
		REQUIRE(!span_eq(names[i], name));
	REQUIRE(count < ATTRIBUTES_MAX);
	names[count] = name;
	REQUIRE(span_is(take(rest, 2), "=\""));
	value = take(rest, length_until(*rest, "\"<"));
	REQUIRE(span_is(take(rest, 1), "\""));
	check_references(value);
}

/* From after the `<` to after the `>`. */
static struct tag check_tag(struct span *rest)
{
	struct span names[ATTRIBUTES_MAX];
	struct tag tag = {.closes = rest->len > 0 && *rest->ptr == '/'};
	size_t count = 0;

	(void)take(rest, tag.closes);
	tag.name = take(rest, length_until(*rest, " \n\t/><\"'&"));
	REQUIRE(tag.name.len > 0 && !(tag.name.len >= 2 && memcmp(tag.name.ptr, "fz", 2) == 0));
	while (rest->len > 0 && strchr(" \n\t", *rest->ptr)) {
		(void)take(rest, 1);
		if (rest->len > 0 && !strchr("/> \n\t", *rest->ptr))
			check_attribute(rest, names, count++);
	}
	tag.is_empty = rest->len > 0 && *rest->ptr == '/';
	(void)take(rest, tag.is_empty);
	REQUIRE(span_is(take(rest, 1), ">") && !(tag.closes && (tag.is_empty || count)));
	return tag;
}

/* Only the comment that takes a <meta> out (layout.c), which has no text. */
static bool take_comment(struct span *rest)
{
	static const struct span comment = SPAN("!-- -->");
	bool found = rest->len >= comment.len && memcmp(rest->ptr, comment.ptr, comment.len) == 0;

	(void)take(rest, found ? comment.len : 0);
	return found;
}

static void check_markup(struct span text)
{
	struct span open[ELEMENTS_MAX];
	size_t depth = 0;

	while (text.len > 0) {
		struct tag tag;

		check_references(take(&text, length_until(text, "<")));
		if (text.len == 0)
			break;
		(void)take(&text, 1);
		if (take_comment(&text))
			continue;
		tag = check_tag(&text);
		if (tag.closes) {
			REQUIRE(depth > 0 && span_eq(open[--depth], tag.name));
		} else if (!tag.is_empty) {
			REQUIRE(depth < ELEMENTS_MAX);
			open[depth++] = tag.name;
		}
	}
	REQUIRE(depth == 0);
}

static void check_html(struct span text)
{
	static const struct span doctype = SPAN("<!DOCTYPE html>");

	REQUIRE(span_eq(take(&text, doctype.len), doctype));
	check_markup(text);
}

/* --- JSON --- */

static void check_numbers(struct json_object *value)
{
	if (json_object_is_type(value, json_type_double)) {
		REQUIRE(isfinite(json_object_get_double(value)));
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			check_numbers(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			check_numbers(member);
		}
	}
}

static struct json_object *parse_json(struct span text, int flags)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;

	REQUIRE(tokener);
	json_tokener_set_flags(tokener, flags);
	value = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	REQUIRE(json_tokener_get_error(tokener) == json_tokener_success);
	REQUIRE(json_tokener_get_parse_end(tokener) == text.len);
	json_tokener_free(tokener);
	return value;
}

/* Where it is strict, json-c 0.18 takes a byte beyond ASCII for a control character. */
static void check_syntax(struct span text)
{
	char *ascii = malloc(text.len);

	REQUIRE(ascii);
	for (size_t i = 0; i < text.len; i++)
		ascii[i] = (unsigned char)text.ptr[i] < 0x80 ? text.ptr[i] : '?';
	json_object_put(parse_json((struct span){ascii, text.len}, JSON_TOKENER_STRICT));
	free(ascii);
}

/* A `<` would be markup where a page contains JSON. */
static void check_json(struct span text)
{
	struct json_object *value = parse_json(text, JSON_TOKENER_VALIDATE_UTF8);

	check_numbers(value);
	json_object_put(value);
	check_syntax(text);
	REQUIRE(!memchr(text.ptr, '<', text.len));
}

/* --- CSV --- */

static void check_cell(struct span cell)
{
	bool is_number =
		cell.len > 1 && cell.ptr[0] == '-' && cell.ptr[1] >= '0' && cell.ptr[1] <= '9';

	/* strchr would find a NUL, the end of its list. */
	REQUIRE(cell.len == 0 || is_number || !cell.ptr[0] || !strchr("=+-@\t\r", cell.ptr[0]));
}

/* Up to the comma or line end after it. */
static void check_next_cell(struct span *rest)
{
	struct span cell = *rest;

	if (rest->len == 0 || *rest->ptr != '"') {
		cell = take(rest, length_until(*rest, ",\r\n\""));
		check_cell(cell);
		return;
	}
	(void)take(rest, 1);
	check_cell((struct span){rest->ptr, rest->len});
	for (;;) {
		(void)take(rest, length_until(*rest, "\""));
		(void)take(rest, 1);
		if (rest->len == 0 || *rest->ptr != '"')
			return;
		(void)take(rest, 1);
	}
}

static void check_csv(struct span text)
{
	size_t columns = 0;

	while (text.len > 0) {
		size_t cells = 1;

		for (check_next_cell(&text); text.len > 0 && *text.ptr == ','; cells++) {
			(void)take(&text, 1);
			check_next_cell(&text);
		}
		REQUIRE(span_is(take(&text, 2), "\r\n"));
		REQUIRE(columns == 0 || cells == columns);
		columns = cells;
	}
	REQUIRE(columns > 0);
}

void fuzz_check_document(enum media media, struct span text)
{
	static void (*const checks[])(struct span) = {[MEDIA_HTML] = check_html,
						      [MEDIA_JSON] = check_json,
						      [MEDIA_CSV] = check_csv,
						      [MEDIA_SVG] = check_markup};

	check_text(text, media == MEDIA_CSV);
	checks[media](text);
}
