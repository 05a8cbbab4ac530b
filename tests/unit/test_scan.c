/* SPDX-License-Identifier: MIT */
/* The bracket scanner: what it passes on, that chunks do not matter, and that hostile answers need
 * no memory. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "fleet/scan.h"
#include "resident.h"

/* Records every call: "S key=text;" with T, S, R, P for the sections. */
static int note(void *ctx, enum scan_section section, struct span key, struct span text)
{
	static const char letters[] = {[SCAN_TOP] = 'T',
				       [SCAN_SERVER] = 'S',
				       [SCAN_REFUSED] = 'R',
				       [SCAN_PREDICTIONS] = 'P'};
	struct buf *log = ctx;

	buf_char(log, letters[section]);
	buf_char(log, ' ');
	buf_span_add(log, key);
	buf_char(log, '=');
	buf_span_add(log, text);
	buf_char(log, ';');
	return 0;
}

/* Scans text in pieces of at most `step` bytes; a copy of each piece, so that ASan sees a read
 * beyond it. */
static enum scan_result scan_in_steps(struct span text, size_t step, struct buf *log)
{
	struct scan *scan = scan_new(note, log);
	enum scan_result result = SCAN_OK;
	size_t at, n;

	buf_reset(log);
	for (at = 0; at < text.len && result == SCAN_OK; at += n) {
		char *piece;

		n = text.len - at < step ? text.len - at : step;
		piece = malloc(n);
		memcpy(piece, text.ptr + at, n);
		result = scan_feed(scan, piece, n);
		free(piece);
	}
	result = scan_finish(scan);
	scan_free(&scan);
	assert_null(scan);
	return result;
}

static const struct {
	const char *in;
	enum scan_result result;
	const char *log; /* what was passed on, even before a failure */
} cases[] = {
	/* Whole answers. */
	{"{}", SCAN_OK, ""},
	{" \t\r\n{ } \n", SCAN_OK, ""},
	{"{\"predictions\":{}}", SCAN_OK, "P predictions={;"},
	{"{\"predictions\":{\"a\":{}}}", SCAN_OK, "P predictions={;S a={};"},
	{"{ \"predictions\" : { \"a\" : { \"x\" : [1, 2] } , \"b\":{}} }", SCAN_OK,
	 "P predictions={;S a={ \"x\" : [1, 2] };S b={};"},
	{"{\"alerts\":[{\"a\":\"]}\"},[]],\"predictions\":{\"a\":{\"t\":\"}\\\"{\"}},\"summary\":{"
	 "\"predictions\":{\"z\":{}}}}",
	 SCAN_OK, "P predictions={;S a={\"t\":\"}\\\"{\"};"},
	{"{\"error\":\"insufficient_data\",\"message\":\"x\",\"predictions\":{}}", SCAN_OK,
	 "T error=\"insufficient_data\";P predictions={;"},
	{"{\"error\":null,\"environment\":{\"p\":1},\"metadata\":-1e5}", SCAN_OK,
	 "T error=null;T environment={\"p\":1};T metadata=-1e5;"},
	{"{\"a\\\"b\":1,\"predictions\":{\"c\\u0041\\\\\":{}}}", SCAN_OK,
	 "P predictions={;S c\\u0041\\\\={};"},
	/* Members of predictions that are not objects. */
	{"{\"predictions\":{\"a\":1,\"b\":\"x\",\"c\":[{}],\"d\":null,\"e\":{}}}", SCAN_OK,
	 "P predictions={;R a=;R b=;R c=;R d=;S e={};"},
	{"{\"predictions\":[{\"a\":{}}]}", SCAN_OK, "P predictions=;"},
	{"{\"predictions\":null}", SCAN_OK, "P predictions=;"},
	{"{\"predictions\":\"{}\"}", SCAN_OK, "P predictions=;"},
	/* One level of nesting too many costs only its server. */
	{"{\"predictions\":{\"a\":{\"x\":[[[[[[[1]]]]]]]},\"b\":{\"x\":[[[[[[[[1]]]]]]]]},\"c\":{}}"
	 "}",
	 SCAN_OK, "P predictions={;S a={\"x\":[[[[[[[1]]]]]]]};R b=;S c={};"},
	/* Not a JSON object. */
	{"", SCAN_BAD, ""},
	{" ", SCAN_BAD, ""},
	{"null", SCAN_BAD, ""},
	{"[]", SCAN_BAD, ""},
	{"42", SCAN_BAD, ""},
	{"<!DOCTYPE html><html>", SCAN_BAD, ""},
	/* A byte order mark: whole, and before anything else. */
	{"\xef\xbb\xbf{}", SCAN_OK, ""},
	{"\xef\xbb\xbf {\"predictions\":{\"a\":{}}}", SCAN_OK, "P predictions={;S a={};"},
	{"\xef\xbb\xbf", SCAN_BAD, ""},
	{"\xef\xbb{}", SCAN_BAD, ""},
	{"\xef\xbb\xef\xbb\xbf{}", SCAN_BAD, ""},
	{"\xef\xbb\xbf\xef\xbb\xbf{}", SCAN_BAD, ""},
	{" \xef\xbb\xbf{}", SCAN_BAD, ""},
	/* Cut short. */
	{"{", SCAN_BAD, ""},
	{"{\"predictions\"", SCAN_BAD, ""},
	{"{\"predictions\":{\"a\":{}}", SCAN_BAD, "P predictions={;S a={};"},
	{"{\"predictions\":{\"a\":{", SCAN_BAD, "P predictions={;"},
	{"{\"error\":\"x", SCAN_BAD, ""},
	{"{\"error\":1", SCAN_BAD, ""},
	/* Malformed. */
	{"{}}", SCAN_BAD, ""},
	{"{}{}", SCAN_BAD, ""},
	{"{,}", SCAN_BAD, ""},
	{"{\"a\"}", SCAN_BAD, ""},
	{"{\"a\":}", SCAN_BAD, ""},
	{"{\"a\":,\"b\":1}", SCAN_BAD, ""},
	{"{\"a\":1,}", SCAN_BAD, ""},
	{"{\"a\":1 2}", SCAN_BAD, ""},
	{"{\"a\":1\"b\":2}", SCAN_BAD, ""},
	{"{a:1}", SCAN_BAD, ""},
	{"{'a':1}", SCAN_BAD, ""},
	{"{\"a\" 1}", SCAN_BAD, ""},
	{"{\"a\":[1}", SCAN_BAD, ""},
	{"{\"a\":{\"b\":1]}", SCAN_BAD, ""},
	{"{\"a\":1]", SCAN_BAD, ""},
	{"{\"a\":\"line\nbreak\"}", SCAN_BAD, ""},
	{"{\"a\nb\":1}", SCAN_BAD, ""},
	{"{\"predictions\":{\"a\":{},}}", SCAN_BAD, "P predictions={;S a={};"},
	{"{\"predictions\":{\"a\":{}]}", SCAN_BAD, "P predictions={;S a={};"},
};

static void every_chunking_gives_the_same_members(void **state)
{
	struct buf log;
	size_t i, step;

	(void)state;
	buf_init(&log, 65536);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span in = span_str(cases[i].in);

		for (step = 1; step <= in.len + 1; step++) {
			if (scan_in_steps(in, step, &log) != cases[i].result)
				fail_msg("wrong result for %s in steps of %zu", cases[i].in, step);
			if (!span_is(buf_span(&log), cases[i].log))
				fail_msg("%s in steps of %zu gave %.*s", cases[i].in, step,
					 (int)log.len, log.data);
		}
	}
	buf_free(&log);
}

static void add_many(struct buf *out, const char *text, size_t times)
{
	while (times-- > 0)
		buf_span_add(out, span_str(text));
}

/* {"predictions":{"a":{"x":<inside>},"b":{}}} scanned whole and in uneven pieces. */
static void check_server_around(const char *open, const char *unit, size_t times, const char *close,
				const char *want)
{
	struct buf in, log;

	buf_init(&in, 8 << 20);
	buf_init(&log, 8 << 20);
	buf_lit(&in, "{\"predictions\":{\"a\":{\"x\":");
	add_many(&in, open, 1);
	add_many(&in, unit, times);
	add_many(&in, close, 1);
	buf_lit(&in, "},\"b\":{}}}");
	assert_int_equal(scan_in_steps(buf_span(&in), in.len, &log), SCAN_OK);
	assert_true(log.len > 20);
	assert_memory_equal(log.data + strlen("P predictions={;"), want, strlen(want));
	assert_memory_equal(log.data + log.len - strlen("S b={};"), "S b={};", strlen("S b={};"));
	assert_int_equal(scan_in_steps(buf_span(&in), 997, &log), SCAN_OK);
	assert_memory_equal(log.data + strlen("P predictions={;"), want, strlen(want));
	buf_free(&in);
	buf_free(&log);
}

static void caps_refuse_one_server_and_go_on(void **state)
{
	/* The brackets of {"x":[...]} are two marks of their own. */
	const size_t marks = SCAN_OBJECT_MARKS - 2;
	const size_t bytes = SCAN_OBJECT_MAX - strlen("{\"x\":\"\"}");

	(void)state;
	check_server_around("[", "1,", marks, "1]", "S a={");
	check_server_around("[", "1,", marks + 1, "1]", "R a=;");
	check_server_around("\"", "y", bytes, "\"", "S a={");
	check_server_around("\"", "y", bytes + 1, "\"", "R a=;");
}

/* 64 brackets, including that of the answer. */
static void an_answer_nests_64_deep_at_most(void **state)
{
	struct buf in, log;

	(void)state;
	buf_init(&in, 4096);
	buf_init(&log, 4096);
	for (size_t inner = 62; inner <= 64; inner++) {
		buf_reset(&in);
		buf_lit(&in, "{\"alerts\":");
		add_many(&in, "[", inner);
		add_many(&in, "]", inner);
		buf_lit(&in, "}");
		assert_int_equal(scan_in_steps(buf_span(&in), 5, &log),
				 inner <= 63 ? SCAN_OK : SCAN_BAD);
	}
	buf_free(&in);
	buf_free(&log);
}

static void too_long_a_key_refuses_its_server(void **state)
{
	struct buf in, log;
	static const size_t steps[] = {1, 3, 4000};

	(void)state;
	buf_init(&in, 65536);
	buf_init(&log, 65536);
	for (size_t i = 0; i < 6; i++) {
		size_t extra = i % 2;

		buf_reset(&in);
		buf_lit(&in, "{\"predictions\":{\"");
		add_many(&in, "k", SCAN_KEY_MAX + extra);
		buf_lit(&in, "\":{},\"b\":{}}}");
		assert_int_equal(scan_in_steps(buf_span(&in), steps[i / 2], &log), SCAN_OK);
		assert_int_equal(log.data[strlen("P predictions={;")], extra ? 'R' : 'S');
		if (!extra) { /* with all of its key */
			const char *key = log.data + strlen("P predictions={;S ");

			assert_memory_equal(key + SCAN_KEY_MAX, "={};S b", strlen("={};S b"));
			assert_memory_equal(key, in.data + strlen("{\"predictions\":{\""),
					    SCAN_KEY_MAX);
		}
		assert_memory_equal(log.data + log.len - strlen("S b={};"), "S b={};",
				    strlen("S b={};"));
	}
	buf_free(&in);
	buf_free(&log);
}

static void a_kept_member_beyond_its_cap_spoils_the_answer(void **state)
{
	struct buf in, log;

	(void)state;
	buf_init(&in, 1 << 20);
	buf_init(&log, 1 << 20);
	buf_lit(&in, "{\"message\":\"");
	add_many(&in, "x", SCAN_TOP_MAX);
	buf_lit(&in, "\"}");
	assert_int_equal(scan_in_steps(buf_span(&in), 1000, &log),
			 SCAN_OK); /* not kept, so any length is accepted */
	buf_reset(&in);
	buf_lit(&in, "{\"error\":\"");
	add_many(&in, "x", SCAN_TOP_MAX);
	buf_lit(&in, "\"}");
	assert_int_equal(scan_in_steps(buf_span(&in), 1000, &log), SCAN_BAD);
	buf_free(&in);
	buf_free(&log);
}

static int stop(void *ctx, enum scan_section section, struct span key, struct span text)
{
	(void)key;
	(void)text;
	++*(int *)ctx;
	return section == SCAN_SERVER;
}

static void the_callback_can_stop_the_scan(void **state)
{
	static const char in[] = "{\"predictions\":{\"a\":{},\"b\":{}}}";
	int calls = 0;
	struct scan *scan = scan_new(stop, &calls);

	(void)state;
	assert_int_equal(scan_feed(scan, in, sizeof(in) - 1), SCAN_STOPPED);
	assert_int_equal(scan_finish(scan), SCAN_STOPPED);
	assert_int_equal(calls, 2); /* predictions and a */
	scan_free(&scan);
}

/* ---- memory ---- */

static int ignore(void *ctx, enum scan_section section, struct span key, struct span text)
{
	(void)ctx;
	(void)section;
	(void)key;
	(void)text;
	return 0;
}

/* Feeds head, then `megabytes` of the repeated unit. */
static enum scan_result scan_flood(const char *head, const char *unit, int megabytes, long *grown)
{
	struct scan *scan = scan_new(ignore, NULL);
	enum scan_result result = scan_feed(scan, head, strlen(head));
	struct buf chunk;
	long before;
	int i;

	buf_init(&chunk, (1 << 20) + 64);
	while (chunk.len < 1 << 20)
		buf_span_add(&chunk, span_str(unit));
	before = resident_bytes();
	*grown = 0;
	for (i = 0; i < megabytes && result == SCAN_OK; i++) {
		result = scan_feed(scan, chunk.data, chunk.len);
		if (resident_bytes() - before > *grown)
			*grown = resident_bytes() - before;
	}
	buf_free(&chunk);
	scan_free(&scan);
	return result;
}

static void floods_stay_within_four_megabytes(void **state)
{
	static const struct {
		const char *head, *unit;
		enum scan_result result;
	} floods[] = {
		{"{\"predictions\":{\"a\":{\"x\":\"", "yyyyyyyyyyyyyyyy",
		 SCAN_OK},                                     /* a string of 100 MB */
		{"{\"predictions\":{\"a\":[", "{},", SCAN_OK}, /* json-c needs 784 MB for 3 MB */
		{"{\"predictions\":{\"a\":{", "\"k\":{},",
		 SCAN_OK}, /* a server with millions of metrics */
		{"{\"predictions\":{", "\"k\":{},", SCAN_OK},          /* millions of servers */
		{"{\"predictions\":{\"", "kkkkkkkkkkkkkkkk", SCAN_OK}, /* a key without end */
		{"{\"alerts\":[", "{\"a\":\"b\"},", SCAN_OK},
		{"{\"error\":\"", "tttttttttttttttt", SCAN_OK},
		{"{\"error\":", "1111111111111111", SCAN_OK},
		{"", "                ", SCAN_OK},
		{"{\"predictions\":{\"a\":", "[[[[[[[[[[[[[[[[",
		 SCAN_BAD}, /* a depth of a million */
		{"{\"alerts\":", "{\"a\":", SCAN_BAD},
	};
	size_t i;
	long grown;

	(void)state;
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		assert_int_equal(scan_flood(floods[i].head, floods[i].unit, 20, &grown),
				 floods[i].result);
		assert_true(grown < 4 << 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_stay_within_four_megabytes),
		cmocka_unit_test(every_chunking_gives_the_same_members),
		cmocka_unit_test(caps_refuse_one_server_and_go_on),
		cmocka_unit_test(an_answer_nests_64_deep_at_most),
		cmocka_unit_test(too_long_a_key_refuses_its_server),
		cmocka_unit_test(a_kept_member_beyond_its_cap_spoils_the_answer),
		cmocka_unit_test(the_callback_can_stop_the_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
