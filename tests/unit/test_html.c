/* SPDX-License-Identifier: MIT */
/* What a browser receives for foreign text, and the UTF-8 decoder that this relies on. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "base/html.h"
#include "base/utf8.h"

#define BAD "\xef\xbf\xbd"

struct row {
	struct span in;
	const char *out;
};

static void check(void (*write)(struct buf *, struct span), const struct row *row)
{
	struct span in = guard_copy(row->in);
	struct buf b;

	buf_init(&b, 1 << 20);
	write(&b, in);
	buf_char(&b, '\0');
	assert_true(buf_ok(&b));
	assert_string_equal(b.data, row->out);
	assert_int_equal(b.len, strlen(row->out) + 1);
	buf_free(&b);
	guard_free(in);
}

static void test_text_is_escaped(void **state)
{
	static const struct row rows[] = {
		{{"", 0}, ""},
		{{NULL, 0}, ""},
		{{"ppdb001", 7}, "ppdb001"},
		{{"a\tb\nc", 5}, "a\tb\nc"},
		{{"<", 1}, "&lt;"},
		{{"&<>\"'", 5}, "&amp;&lt;&gt;&quot;&#39;"},
		{{"a&amp;b", 7}, "a&amp;amp;b"},
		{{"<script>alert(1)</script>", 25}, "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{{"\"><img", 6}, "&quot;&gt;&lt;img"},
		{{"{{x}} %s%n ../..", 16}, "{{x}} %s%n ../.."},
		{{"a\r\nSet-Cookie: x", 16}, "a" BAD "\nSet-Cookie: x"},
		{{"a\0b", 3}, "a" BAD "b"},
		{{"\x1b[31m\x7f", 6}, BAD "[31m" BAD},
		{{"\xc2\x85", 2}, BAD}, /* C1 control */
		{{"\xc2\xa0", 2}, "\xc2\xa0"},
		{{"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x94\xa5", 15},
		 "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x94\xa5"},
		{{"a\xe2\x80\xae"
		  "b",
		  5},
		 "a" BAD "b"}, /* U+202E */
		{{"\xe2\x80\x8f\xe2\x81\xa6\xe2\x81\xaa", 9},
		 BAD BAD "\xe2\x81\xaa"},                   /* U+200F U+2066 U+206A */
		{{"\xef\xbf\xbe\xef\xbf\xbf", 6}, BAD BAD}, /* forbidden in XML */
		{{"\xe2\x80\x93", 3}, "\xe2\x80\x93"},
		{{"\xff"
		  "a\xfe",
		  3},
		 BAD "a" BAD},
		{{"\xc0\xaf", 2}, BAD BAD},         /* overlong slash */
		{{"\xc0\xbc", 2}, BAD BAD},         /* overlong less-than */
		{{"\xed\xa0\x80", 3}, BAD BAD BAD}, /* surrogate */
		{{"a\xe2\x82", 3}, "a" BAD BAD},    /* cut at the end */
		{{"\xf0\x9f\x94", 3}, BAD BAD BAD},
		{{"\xc3<", 2}, BAD "&lt;"}, /* a lead byte must not swallow markup */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(html_text, &rows[i]);
}

static void test_long_text_is_whole(void **state)
{
	char in[10240], out[5 * sizeof(in) + 1];

	(void)state;
	memset(in, 'x', sizeof(in));
	memset(out, 'x', sizeof(in));
	out[sizeof(in)] = '\0';
	check(html_text, &(struct row){{in, sizeof(in)}, out});
	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] = '&';
		memcpy(out + 5 * i, "&amp;", 5);
	}
	out[5 * sizeof(in)] = '\0';
	check(html_text, &(struct row){{in, sizeof(in)}, out});
}

static void test_own_strings_are_escaped_too(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	html_lit(&b, "<b>");
	html_str(&b, "R&D");
	html_lit(&b, "</b>");
	assert_int_equal(b.len, 14);
	assert_memory_equal(b.data, "<b>R&amp;D</b>", 14);
	buf_free(&b);
}

static void test_url_component(void **state)
{
	static const struct row rows[] = {
		{{"", 0}, ""},
		{{"ppweb-01.example_x~y", 20}, "ppweb-01.example_x~y"},
		{{"09AZaz", 6}, "09AZaz"},
		{{"../..", 5}, "..%2F.."},
		{{"a b+c?d=e&f#g%", 14}, "a%20b%2Bc%3Fd%3De%26f%23g%25"},
		{{"\"'<>", 4}, "%22%27%3C%3E"},
		{{"\r\n\0\x7f", 4}, "%0D%0A%00%7F"},
		{{"\xc3\xbc\xff", 3}, "%C3%BC%FF"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(html_url, &rows[i]);
}

static void test_utf8_at_the_edges(void **state)
{
	static const struct {
		struct span in;
		size_t len;
		uint32_t codepoint;
	} rows[] = {
		{{"\0", 1}, 1, 0},
		{{"\x7f", 1}, 1, 0x7f},
		{{"\x80", 1}, 0, 0},
		{{"\xbf", 1}, 0, 0},
		{{"\xc1\xbf", 2}, 0, 0},
		{{"\xc2\x80", 2}, 2, 0x80},
		{{"\xdf\xbf", 2}, 2, 0x7ff},
		{{"\xdf\xc0", 2}, 0, 0},
		{{"\xdf", 1}, 0, 0},
		{{"\xe0\x9f\xbf", 3}, 0, 0},
		{{"\xe0\xa0\x80", 3}, 3, 0x800},
		{{"\xed\x9f\xbf", 3}, 3, 0xd7ff},
		{{"\xed\xa0\x80", 3}, 0, 0},
		{{"\xed\xbf\xbf", 3}, 0, 0},
		{{"\xee\x80\x80", 3}, 3, 0xe000},
		{{"\xef\xbf\xbf", 3}, 3, 0xffff},
		{{"\xef\xbf", 2}, 0, 0},
		{{"\xf0\x8f\xbf\xbf", 4}, 0, 0},
		{{"\xf0\x90\x80\x80", 4}, 4, 0x10000},
		{{"\xf4\x8f\xbf\xbf", 4}, 4, 0x10ffff},
		{{"\xf4\x90\x80\x80", 4}, 0, 0},
		{{"\xf4\x8f\xbf", 3}, 0, 0},
		{{"\xf5\x80\x80\x80", 4}, 0, 0},
		{{"\xf8\x88\x80\x80\x80", 5}, 0, 0},
		{{"\xff", 1}, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = guard_copy(rows[i].in);
		uint32_t codepoint = 0;

		assert_int_equal(utf8_next(in, 0, &codepoint), rows[i].len);
		assert_int_equal(codepoint, rows[i].codepoint);
		assert_int_equal(utf8_valid(in), rows[i].len > 0);
		guard_free(in);
	}
	assert_true(utf8_valid(SPAN("")));
	assert_true(utf8_valid(SPAN("a\xc3\xbc"
				    "b")));
	assert_false(utf8_valid(SPAN("abc\xc3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_escaped),
		cmocka_unit_test(test_long_text_is_whole),
		cmocka_unit_test(test_own_strings_are_escaped_too),
		cmocka_unit_test(test_url_component),
		cmocka_unit_test(test_utf8_at_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
