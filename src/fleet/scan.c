/* SPDX-License-Identifier: MIT */
/*
 * The bracket scanner. It has one state per place between the tokens of the top two levels. A value
 * is copied or skipped by counting brackets outside strings, without recursion. Every step takes as
 * many bytes as it can and keeps its state in struct scan, so chunk boundaries do not matter.
 */
#include "config.h"

#include "fleet/scan.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

#define NESTING_MAX 64 /* of the whole answer; one bit of `arrays` each */
#define TOP_DEPTH   1  /* values of the top object begin here */
#define FLEET_DEPTH 2  /* values of `predictions` */

enum place {
	IN_MARK, /* in the byte order mark, or where there is none */
	AT_START,
	AT_FIRST_KEY, /* or at the end of an empty object */
	AT_KEY,
	IN_KEY,
	AT_COLON,
	AT_VALUE,
	IN_SCALAR,
	IN_VALUE, /* a string or a container */
	AT_NEXT,
	AT_END,
	PLACES
};

struct scan {
	scan_member member;
	void *ctx;
	enum scan_result result;
	enum place place;
	int depth;       /* open brackets */
	uint64_t arrays; /* a bit per depth: the bracket was a [ */
	bool quoted;     /* inside a string */
	bool escaped;    /* after a backslash in it */
	char key[SCAN_KEY_MAX];
	size_t mark_len;
	size_t key_len; /* exceeds SCAN_KEY_MAX if the key was truncated */
	/* The current value. */
	int base;     /* depth outside it */
	size_t limit; /* bytes; 0: not wanted */
	unsigned marks;
	bool beyond_caps;
	struct buf text;
};

struct scan *scan_new(scan_member member, void *ctx)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->member = member;
	scan->ctx = ctx;
	buf_init(&scan->text, SCAN_OBJECT_MAX);
	return scan;
}

void scan_free(struct scan **scan)
{
	if (!*scan)
		return;
	buf_free(&(*scan)->text);
	free(*scan);
	*scan = NULL;
}

static struct span key_of(const struct scan *scan)
{
	return (struct span){scan->key, scan->key_len <= SCAN_KEY_MAX ? scan->key_len : 0};
}

static void report(struct scan *scan, enum scan_section section, struct span text)
{
	if (scan->member(scan->ctx, section, key_of(scan), text) != 0)
		scan->result = SCAN_STOPPED;
}

static void open_bracket(struct scan *scan, char bracket)
{
	uint64_t bit;

	if (scan->depth == NESTING_MAX) {
		scan->result = SCAN_BAD;
		return;
	}
	bit = UINT64_C(1) << scan->depth++;
	scan->arrays = bracket == '[' ? scan->arrays | bit : scan->arrays & ~bit;
	scan->marks++;
	if (scan->depth - scan->base > SCAN_OBJECT_DEPTH)
		scan->beyond_caps = true;
}

/* Never called with nothing open: a value ends when the depth returns to its base. */
static void close_bracket(struct scan *scan, char bracket)
{
	bool array = scan->arrays >> --scan->depth & 1;

	if (array != (bracket == ']'))
		scan->result = SCAN_BAD;
}

/* Takes the bytes of a string, up to and including its closing quote. */
static size_t take_string(struct scan *scan, const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && scan->quoted && scan->result == SCAN_OK) {
		unsigned char c = (unsigned char)bytes[n++];

		if (c < 0x20)
			scan->result = SCAN_BAD;
		else if (scan->escaped)
			scan->escaped = false;
		else if (c == '\\')
			scan->escaped = true;
		else if (c == '"')
			scan->quoted = false;
	}
	return n;
}

/* Nearly all bytes belong to numbers and the commas between them. */
static size_t take_plain(struct scan *scan, const char *bytes, size_t len)
{
	enum { PLAIN, COMMA, OTHER };
	static const unsigned char kind[256] = {['"'] = OTHER, ['{'] = OTHER, ['['] = OTHER,
						['}'] = OTHER, [']'] = OTHER, [','] = COMMA};
	unsigned commas = 0;
	size_t n = 0;

	for (; n < len && kind[(unsigned char)bytes[n]] != OTHER; n++)
		commas += kind[(unsigned char)bytes[n]];
	scan->marks += commas;
	return n;
}

/* Takes the bytes of a container, up to its end or up to and including an opening quote. */
static size_t take_container(struct scan *scan, const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && scan->result == SCAN_OK) {
		char c;

		n += take_plain(scan, bytes + n, len - n);
		if (n == len)
			break;
		c = bytes[n++];
		if (c == '"') {
			scan->quoted = true;
			break;
		}
		if (c == '{' || c == '[')
			open_bracket(scan, c);
		else
			close_bracket(scan, c);
		if (scan->depth == scan->base)
			break;
	}
	return n;
}

static void keep(struct scan *scan, const char *bytes, size_t len)
{
	if (scan->limit == 0 || scan->beyond_caps)
		return;
	if (scan->marks > SCAN_OBJECT_MARKS || len > scan->limit - scan->text.len) {
		scan->beyond_caps = true;
		return;
	}
	buf_add(&scan->text, bytes, len);
	if (!buf_ok(&scan->text))
		scan->result = SCAN_STOPPED;
}

static void finish_value(struct scan *scan)
{
	struct span text = buf_span(&scan->text);

	scan->place = AT_NEXT;
	if (scan->limit == 0 || scan->result != SCAN_OK)
		return;
	if (scan->base == TOP_DEPTH && scan->beyond_caps)
		scan->result = SCAN_BAD;
	else if (scan->base == TOP_DEPTH)
		report(scan, SCAN_TOP, text);
	else if (scan->beyond_caps || scan->key_len > SCAN_KEY_MAX || text.ptr[0] != '{')
		report(scan, SCAN_REFUSED, (struct span){NULL, 0});
	else
		report(scan, SCAN_SERVER, text);
}

static size_t in_value(struct scan *scan, const char *bytes, size_t len)
{
	size_t n = scan->quoted ? take_string(scan, bytes, len) : take_container(scan, bytes, len);

	keep(scan, bytes, n);
	if (!scan->quoted && scan->depth == scan->base)
		finish_value(scan);
	return n;
}

/* Number, true, false or null. Letters are not checked here, but when a kept value is
 * parsed. */
static bool is_scalar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '+' || c == '.';
}

static size_t in_scalar(struct scan *scan, const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && is_scalar(bytes[n]))
		n++;
	keep(scan, bytes, n);
	if (n < len)
		finish_value(scan); /* AT_NEXT checks the byte that ended it */
	return n;
}

static bool is_kept_at_top(struct span key)
{
	return span_is(key, "error") || span_is(key, "environment") || span_is(key, "metadata");
}

static void begin_value(struct scan *scan, char c)
{
	if (c != '"' && c != '{' && c != '[') {
		scan->place = IN_SCALAR;
		if (is_scalar(c))
			keep(scan, &c, 1);
		else
			scan->result = SCAN_BAD;
		return;
	}
	/* Takes the opening byte: after it, a depth equal to the base means the end. */
	scan->place = IN_VALUE;
	in_value(scan, &c, 1);
}

static void at_value(struct scan *scan, char c)
{
	struct span key = key_of(scan);
	bool predictions = scan->depth == TOP_DEPTH && span_is(key, "predictions");

	if (predictions)
		report(scan, SCAN_PREDICTIONS, (struct span){"{", c == '{'});
	if (predictions && c == '{') {
		open_bracket(scan, c);
		scan->place = AT_FIRST_KEY;
		return;
	}
	scan->base = scan->depth;
	scan->limit = 0;
	if (scan->depth == FLEET_DEPTH)
		scan->limit = SCAN_OBJECT_MAX;
	else if (is_kept_at_top(key))
		scan->limit = SCAN_TOP_MAX;
	scan->marks = 0;
	scan->beyond_caps = false;
	buf_reset(&scan->text);
	begin_value(scan, c);
}

/* A byte order mark is not part of the text (RFC 8259, section 8.1). */
static size_t in_mark(struct scan *scan, const char *bytes, size_t len)
{
	static const char mark[] = {'\xef', '\xbb', '\xbf'};
	size_t n = 0;

	while (n < len && scan->mark_len < sizeof(mark) && bytes[n] == mark[scan->mark_len]) {
		scan->mark_len++;
		n++;
	}
	if (scan->mark_len == sizeof(mark) || (n < len && scan->mark_len == 0))
		scan->place = AT_START;
	else if (n < len)
		scan->result = SCAN_BAD;
	return n;
}

static void at_start(struct scan *scan, char c)
{
	if (c != '{') {
		scan->result = SCAN_BAD;
		return;
	}
	open_bracket(scan, c);
	scan->place = AT_FIRST_KEY;
}

static void at_key(struct scan *scan, char c)
{
	if (c != '"')
		scan->result = SCAN_BAD;
	scan->quoted = true;
	scan->key_len = 0;
	scan->place = IN_KEY;
}

static void end_object(struct scan *scan)
{
	close_bracket(scan, '}');
	scan->place = scan->depth == 0 ? AT_END : AT_NEXT;
}

static void at_first_key(struct scan *scan, char c)
{
	if (c == '}')
		end_object(scan);
	else
		at_key(scan, c);
}

static size_t in_key(struct scan *scan, const char *bytes, size_t len)
{
	size_t n = take_string(scan, bytes, len);
	size_t text = scan->quoted ? n : n - 1;

	if (scan->key_len <= SCAN_KEY_MAX) {
		if (text <= SCAN_KEY_MAX - scan->key_len)
			memcpy(scan->key + scan->key_len, bytes, text);
		scan->key_len += text;
	}
	if (!scan->quoted)
		scan->place = AT_COLON;
	return n;
}

static void at_colon(struct scan *scan, char c)
{
	if (c != ':')
		scan->result = SCAN_BAD;
	scan->place = AT_VALUE;
}

static void at_next(struct scan *scan, char c)
{
	if (c == '}')
		end_object(scan);
	else if (c == ',')
		scan->place = AT_KEY;
	else
		scan->result = SCAN_BAD;
}

static void at_end(struct scan *scan, char c)
{
	(void)c;
	scan->result = SCAN_BAD;
}

/* Between tokens, the next byte that is not a space decides. Inside a token a run of bytes is
 * taken, or none if the token has already ended. */
static const struct {
	void (*between)(struct scan *scan, char c);
	size_t (*inside)(struct scan *scan, const char *bytes, size_t len);
} places[PLACES] = {
	[IN_MARK] = {NULL, in_mark},
	[AT_START] = {at_start, NULL},
	[AT_FIRST_KEY] = {at_first_key, NULL},
	[AT_KEY] = {at_key, NULL},
	[IN_KEY] = {NULL, in_key},
	[AT_COLON] = {at_colon, NULL},
	[AT_VALUE] = {at_value, NULL},
	[IN_SCALAR] = {NULL, in_scalar},
	[IN_VALUE] = {NULL, in_value},
	[AT_NEXT] = {at_next, NULL},
	[AT_END] = {at_end, NULL},
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum scan_result scan_feed(struct scan *scan, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && scan->result == SCAN_OK) {
		if (places[scan->place].inside)
			at += places[scan->place].inside(scan, bytes + at, len - at);
		else if (is_space(bytes[at]))
			at++;
		else
			places[scan->place].between(scan, bytes[at++]);
	}
	return scan->result;
}

enum scan_result scan_finish(struct scan *scan)
{
	if (scan->result == SCAN_OK && scan->place != AT_END)
		scan->result = SCAN_BAD;
	return scan->result;
}
