/* SPDX-License-Identifier: MIT */
/* What answers each path and method. */
#include "config.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/route.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static struct route find(enum method method, const char *path)
{
	return route_find(method, span_str(path));
}

static void test_every_page_is_found_by_its_path(void **state)
{
	(void)state;
	assert_true(page_count > 0);
	for (size_t i = 0; i < page_count; i++) {
		struct route get, head;
		char path[80];

		if (!page_table[i].path)
			continue; /* another form of a page, found by its name */
		(void)snprintf(path, sizeof(path), "%s%s%s", page_table[i].path,
			       page_table[i].needs & PAGE_SERVER ? "name" : "",
			       page_table[i].suffix ? page_table[i].suffix : "");
		get = find(METHOD_GET, path);
		head = find(METHOD_HEAD, path);
		assert_int_equal(get.kind, ROUTE_PAGE);
		assert_ptr_equal(get.page, &page_table[i]);
		assert_null(get.allow);
		assert_ptr_equal(head.page, get.page);
	}
}

static void test_paths_and_the_form_of_their_errors(void **state)
{
	static const struct {
		const char *path;
		enum route_kind kind;
		bool json;
	} rows[] = {
		{"/", ROUTE_PAGE, false},
		{"/heatmap", ROUTE_PAGE, false},
		{"/api/v1/fleet", ROUTE_PAGE, true},
		{"/api/v1/alerts", ROUTE_PAGE, true},
		{"/api/v1/status", ROUTE_STATUS, true},
		{"/api/v1/openapi.json", ROUTE_OPENAPI, true},
		{"/healthz", ROUTE_HEALTHZ, true},
		{"/readyz", ROUTE_READYZ, true},
		{"", ROUTE_NOT_FOUND, false},
		{"heatmap", ROUTE_NOT_FOUND, false},
		{"/heatmap/", ROUTE_NOT_FOUND, false},
		{"/Heatmap", ROUTE_NOT_FOUND, false},
		{"/heatma", ROUTE_NOT_FOUND, false},
		{"/heatmapx", ROUTE_NOT_FOUND, false},
		{"/api", ROUTE_NOT_FOUND, false},
		{"/apix/", ROUTE_NOT_FOUND, false},
		{"/api/", ROUTE_NOT_FOUND, true},
		{"/api/v1/status/", ROUTE_NOT_FOUND, true},
		{"/api/v2/fleet", ROUTE_NOT_FOUND, true},
		{"/api/v1/../v1/fleet", ROUTE_NOT_FOUND, true},
		{"//", ROUTE_NOT_FOUND, false},
		{"/\r\nX: y", ROUTE_NOT_FOUND, false},
		{"/\xff\xfe", ROUTE_NOT_FOUND, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct route route = find(METHOD_GET, rows[i].path);

		if (route.kind != rows[i].kind || route.json != rows[i].json)
			fail_msg("\"%s\": kind %d, json %d", rows[i].path, route.kind, route.json);
	}
}

static void test_a_path_is_compared_with_its_length(void **state)
{
	(void)state;
	assert_int_equal(route_find(METHOD_GET, SPAN("/healthz\0x")).kind, ROUTE_NOT_FOUND);
	assert_int_equal(route_find(METHOD_GET, (struct span){"/healthz/x", 8}).kind,
			 ROUTE_HEALTHZ);
	assert_int_equal(route_find(METHOD_GET, (struct span){NULL, 0}).kind, ROUTE_NOT_FOUND);
}

static void test_other_methods_learn_what_is_allowed(void **state)
{
	static const char *const paths[] = {"/", "/api/v1/fleet", "/api/v1/status", "/healthz",
					    "/readyz"};
	static const enum method methods[] = {METHOD_POST, METHOD_OTHER};

	(void)state;
	for (size_t i = 0; i < LENGTH(paths) * LENGTH(methods); i++) {
		const char *path = paths[i / LENGTH(methods)];
		struct route route = find(methods[i % LENGTH(methods)], path);

		assert_int_equal(route.kind, ROUTE_METHOD);
		assert_string_equal(route.allow, "GET, HEAD");
		assert_null(route.page);
		assert_int_equal(route.json, find(METHOD_GET, path).json);
	}
}

static void test_an_action_is_a_post(void **state)
{
	static const enum method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_OTHER};
	static const struct {
		const char *path;
		enum route_kind kind;
	} rows[] = {{"/refresh", ROUTE_REFRESH},
		    {"/scenario", ROUTE_SCENARIO},
		    {"/silence", ROUTE_SILENCE},
		    {"/silence-end", ROUTE_SILENCE_END}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(find(METHOD_POST, rows[i].path).kind, rows[i].kind);
		for (size_t k = 0; k < LENGTH(methods); k++) {
			struct route route = find(methods[k], rows[i].path);

			assert_int_equal(route.kind, ROUTE_METHOD);
			assert_string_equal(route.allow, "POST");
		}
	}
}

static void test_an_unknown_path_is_unknown_for_every_method(void **state)
{
	(void)state;
	for (int method = METHOD_GET; method <= METHOD_OTHER; method++)
		assert_int_equal(find((enum method)method, "/nothing").kind, ROUTE_NOT_FOUND);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_page_is_found_by_its_path),
		cmocka_unit_test(test_paths_and_the_form_of_their_errors),
		cmocka_unit_test(test_a_path_is_compared_with_its_length),
		cmocka_unit_test(test_other_methods_learn_what_is_allowed),
		cmocka_unit_test(test_an_action_is_a_post),
		cmocka_unit_test(test_an_unknown_path_is_unknown_for_every_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
