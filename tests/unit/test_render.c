/* SPDX-License-Identifier: MIT */
/* A page from a file, as --render makes it. */
#include "config.h"

#include "base/clock.h"
#include "render.h"
#include "view_fixture.h"

static const struct site site = {30000, 600000, 3600000, "http://127.0.0.1:8000", NULL, false};
static struct buf page;
static struct err err;

static int open_page(void **state)
{
	(void)state;
	buf_init(&page, 8u << 20);
	err_set(&err, "none");
	return setenv("SOURCE_DATE_EPOCH", "1764000015", 1);
}

static int close_page(void **state)
{
	(void)state;
	buf_free(&page);
	return 0;
}

static int render_payload(const char *name, const char *payload)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/tests/data/payloads/%s", srcdir ? srcdir : ".",
		       payload);
	buf_reset(&page);
	rc = render_file(&site, name, path, &page, &err);
	buf_char(&page, '\0');
	return rc;
}

static void renders(const char *name, const char *piece)
{
	assert_int_equal(render_payload(name, "predictions_current-healthy-20.json.gz"), 0);
	assert_has(page.data, piece);
}

static void refuses(const char *name, const char *reason)
{
	assert_int_equal(render_payload(name, "predictions_current-healthy-20.json.gz"), -1);
	assert_string_equal(err.msg, reason);
	assert_int_equal(page.len, 1);
}

static void test_a_page_of_the_table(void **state)
{
	(void)state;
	renders("overview", "2025-11-24T16:00:15");
	renders("api-alerts", "\"bucket\":58800000");
	renders("overview?q=ppml0001", "<a href=\"./?q=ppml0001\">Refresh</a>");
	renders("server/ppml0001", "<h1>ppml0001</h1>");
	renders("server/ppml0001?view=compact", "<h1>ppml0001</h1>");
	renders("docs", "<h2");
}

static void test_what_cannot_be_rendered(void **state)
{
	(void)state;
	refuses("nowhere", "there is no page 'nowhere'");
	refuses("over", "there is no page 'over'");
	refuses("nowhere?q=a", "there is no page 'nowhere'");
	refuses("server/nobody", "there is no such server");
	refuses("server", "there is no such server");
	refuses("server/ppml000", "there is no such server");
	assert_int_equal(render_payload("overview?sev=x", "predictions_current-healthy-20.json.gz"),
			 -1);
	assert_ptr_equal(strstr(err.msg, "sev: "), err.msg);
}

static void test_files(void **state)
{
	char wanted[600];

	(void)state;
	assert_int_equal(render_payload("overview", "nowhere"), -1);
	assert_non_null(strstr(err.msg, "nowhere: No such file or directory"));
	assert_int_equal(render_payload("overview", "."), -1);
	assert_non_null(strstr(err.msg, ": cannot be read"));
	assert_int_equal(render_payload("overview", "status-warmed_up-20.json"), -1);
	(void)snprintf(wanted, sizeof(wanted), "status-warmed_up-20.json: %s",
		       reason_table[REASON_BAD].text);
	assert_non_null(strstr(err.msg, wanted));
}

static void test_without_a_date_it_is_of_now(void **state)
{
	int64_t bucket = clock_wall_ms() / 30000, found;

	(void)state;
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	renders("api-alerts", "\"bucket\":");
	found = strtoll(strstr(page.data, "\"bucket\":") + 9, NULL, 10);
	assert_in_range(found, bucket, bucket + 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_page, close_page)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_page_of_the_table),
		TEST(test_what_cannot_be_rendered),
		TEST(test_files),
		TEST(test_without_a_date_it_is_of_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
