/* SPDX-License-Identifier: MIT */
/* CSV cells: quoting, formulas, numbers. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/csv.h"

/* A file with the header `h` and the rows that the test adds must equal `expected`. */
struct file {
	struct buf text;
	struct csv csv;
};

static void begin(struct file *f)
{
	buf_init(&f->text, 1 << 16);
	csv_init(&f->csv, &f->text, "h");
}

static void assert_file(struct file *f, const char *expected)
{
	assert_true(buf_ok(&f->text));
	buf_char(&f->text, '\0');
	assert_memory_equal(f->text.data, "\xef\xbb\xbf", 3);
	assert_string_equal(f->text.data + 3, expected);
	buf_free(&f->text);
}

static void text_is_quoted_only_where_it_must_be(void **unused)
{
	static const struct {
		const char *text, *cell;
	} cells[] = {
		{"ppdb001", "ppdb001"},
		{"", ""},
		{"two words", "two words"},
		{"a,b", "\"a,b\""},
		{"say \"x\"", "\"say \"\"x\"\"\""},
		{"two\nlines", "\"two\nlines\""},
		{"two\r\nlines", "\"two\r\nlines\""},
		{"Δ", "Δ"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct file f;
		char expected[64] = "h\r\n";

		begin(&f);
		csv_str(&f.csv, cells[i].text);
		csv_end(&f.csv);
		memcpy(expected + 3, cells[i].cell, strlen(cells[i].cell));
		memcpy(expected + 3 + strlen(cells[i].cell), "\r\n", 3);
		assert_file(&f, expected);
	}
}

static void text_never_becomes_a_formula(void **unused)
{
	static const char *const texts[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\tx"};
	struct file f;

	(void)unused;
	begin(&f);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		csv_str(&f.csv, texts[i]);
	csv_str(&f.csv, "\rx");
	csv_str(&f.csv, "=\"x\",1");
	csv_str(&f.csv, "a=b");
	csv_end(&f.csv);
	assert_file(&f, "h\r\n'=1+1,'+1,'-1,'@SUM(A1),'\tx,\"'\rx\",\"'=\"\"x\"\",1\",a=b\r\n");
}

static void numbers_have_four_decimals_and_absent_ones_are_empty(void **unused)
{
	struct file f;

	(void)unused;
	begin(&f);
	csv_num(&f.csv, 0.1 + 0.2);
	csv_num(&f.csv, -2.5);
	csv_num(&f.csv, 100831250);
	csv_num(&f.csv, 0);
	csv_num(&f.csv, (double)NAN);
	csv_num(&f.csv, (double)INFINITY);
	csv_tenths(&f.csv, 471);
	csv_time(&f.csv, 1795437065123);
	csv_time(&f.csv, 0);
	csv_end(&f.csv);
	assert_file(&f, "h\r\n0.3,-2.5,100831250,0,,,47.1,2026-11-23T12:31:05Z,\r\n");
}

static void rows_end_with_carriage_return_and_line_feed(void **unused)
{
	struct file f;

	(void)unused;
	begin(&f);
	csv_str(&f.csv, "a");
	csv_text(&f.csv, (struct span){"bcd", 1});
	csv_end(&f.csv);
	csv_num(&f.csv, (double)NAN);
	csv_num(&f.csv, 1);
	csv_end(&f.csv);
	assert_file(&f, "h\r\na,b\r\n,1\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_quoted_only_where_it_must_be),
		cmocka_unit_test(text_never_becomes_a_formula),
		cmocka_unit_test(numbers_have_four_decimals_and_absent_ones_are_empty),
		cmocka_unit_test(rows_end_with_carriage_return_and_line_feed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
