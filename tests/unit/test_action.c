/* SPDX-License-Identifier: MIT */
/* Who may act, and from where: every row is one request and the answer to it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/action.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define FORM          "application/x-www-form-urlencoded"
#define OWN           "https://dashboard.example"

struct sender {
	const char *fetch_site, *origin, *user, *address, *type;
};

static struct request request_of(const struct sender *from)
{
	struct request r = {.method = METHOD_POST};

	(void)snprintf(r.fetch_site, sizeof(r.fetch_site), "%s", from->fetch_site);
	(void)snprintf(r.origin, sizeof(r.origin), "%s", from->origin);
	(void)snprintf(r.remote_user, sizeof(r.remote_user), "%s", from->user);
	(void)snprintf(r.remote_addr, sizeof(r.remote_addr), "%s", from->address);
	(void)snprintf(r.content_type, sizeof(r.content_type), "%s", from->type);
	return r;
}

static struct settings settings_of(const char *operators, enum role anonymous, const char *origin)
{
	struct settings s = {.anonymous = anonymous};

	(void)snprintf(s.operators, sizeof(s.operators), "%s", operators);
	(void)snprintf(s.origin, sizeof(s.origin), "%s", origin);
	return s;
}

/* 0: it may act. */
static int status_of(const struct settings *settings, const struct sender *from)
{
	struct request r = request_of(from);
	const struct http_error *error = action_refusal(settings, &r);

	return error ? error->status : 0;
}

static void test_the_role_is_that_of_exactly_this_user(void **state)
{
	static const struct {
		const char *operators, *user;
		enum role anonymous, role;
	} rows[] = {
		{"", "", ROLE_VIEWER, ROLE_VIEWER},
		{"", "", ROLE_OPERATOR, ROLE_OPERATOR},
		{"", "alice", ROLE_OPERATOR, ROLE_VIEWER},
		{"alice", "alice", ROLE_VIEWER, ROLE_OPERATOR},
		{"alice,bob", "bob", ROLE_VIEWER, ROLE_OPERATOR},
		{"alice,bob,carol", "bob", ROLE_VIEWER, ROLE_OPERATOR},
		{"alice,bob", "", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", "ali", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", "alicee", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", "Alice", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", "alice,bob", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", ",", ROLE_VIEWER, ROLE_VIEWER},
		{"alice,bob", "?", ROLE_OPERATOR, ROLE_VIEWER},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct settings settings = settings_of(rows[i].operators, rows[i].anonymous, "");
		struct request r = request_of(&(struct sender){"", "", rows[i].user, "", ""});

		if (action_role(&settings, &r) != rows[i].role)
			fail_msg("\"%s\" of \"%s\"", rows[i].user, rows[i].operators);
	}
}

/* Every user is an operator here: only the page that sends the form decides. */
static void test_only_an_own_page_may_send_a_form(void **state)
{
	static const struct {
		struct sender from;
		const char *origin;
		int status;
	} rows[] = {
		{{"same-origin", "", "", "192.0.2.1", FORM}, "", 0},
		{{"none", "", "", "192.0.2.1", FORM}, "", 0},
		{{"cross-site", "", "", "192.0.2.1", FORM}, "", 403},
		{{"same-site", "", "", "192.0.2.1", FORM}, "", 403},
		{{"Same-Origin", "", "", "192.0.2.1", FORM}, "", 403},
		{{"nonsense", "", "", "127.0.0.1", FORM}, "", 403},
		/* Sec-Fetch-Site takes precedence over Origin. */
		{{"cross-site", OWN, "", "127.0.0.1", FORM}, OWN, 403},
		{{"same-origin", "https://other.example", "", "192.0.2.1", FORM}, OWN, 0},
		{{"", OWN, "", "192.0.2.1", FORM}, OWN, 0},
		{{"", "https://dashboard.example:8443", "", "192.0.2.1", FORM}, OWN, 403},
		{{"", "http://dashboard.example", "", "192.0.2.1", FORM}, OWN, 403},
		{{"", "https://dashboard.example.evil.example", "", "192.0.2.1", FORM}, OWN, 403},
		{{"", "null", "", "127.0.0.1", FORM}, OWN, 403},
		{{"", "null", "", "127.0.0.1", FORM}, "", 403},
		{{"", OWN, "", "127.0.0.1", FORM}, "", 403},
		/* Not a browser. */
		{{"", "", "", "127.0.0.1", FORM}, OWN, 0},
		{{"", "", "", "127.1.2.3", FORM}, "", 0},
		{{"", "", "", "::1", FORM}, "", 0},
		{{"", "", "", "192.0.2.1", FORM}, "", 403},
		{{"", "", "", "1.127.0.0", FORM}, "", 403},
		{{"", "", "", "::12", FORM}, "", 403},
		{{"", "", "", "", FORM}, "", 403},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct settings settings = settings_of("", ROLE_OPERATOR, rows[i].origin);
		int status = status_of(&settings, &rows[i].from);

		if (status != rows[i].status)
			fail_msg("row %zu: %d", i, status);
	}
}

static void test_a_client_that_is_no_browser_shows_who_it_is(void **state)
{
	struct settings settings = settings_of("alice", ROLE_VIEWER, "");

	(void)state;
	assert_int_equal(status_of(&settings, &(struct sender){"", "", "alice", "192.0.2.1", FORM}),
			 0);
	assert_int_equal(status_of(&settings, &(struct sender){"", "", "bob", "192.0.2.1", FORM}),
			 403);
	assert_int_equal(status_of(&settings, &(struct sender){"", "", "", "127.0.0.1", FORM}),
			 403);
}

static void test_only_a_form_is_a_body(void **state)
{
	static const struct {
		const char *type;
		int status;
	} rows[] = {
		{FORM, 0},
		{"Application/X-WWW-Form-Urlencoded", 0},
		{FORM "; charset=utf-8", 0},
		{FORM ";charset=utf-8", 0},
		{FORM "x", 415},
		{"", 415},
		{"?", 415},
		{"application/json", 415},
		{"text/plain", 415},
		{"multipart/form-data; boundary=x", 415},
	};
	struct settings settings = settings_of("", ROLE_OPERATOR, "");

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct sender from = {"same-origin", "", "", "192.0.2.1", rows[i].type};

		if (status_of(&settings, &from) != rows[i].status)
			fail_msg("\"%s\"", rows[i].type);
	}
}

/* Someone who may not act learns nothing about the body. */
static void test_the_sender_is_checked_before_the_body(void **state)
{
	struct settings settings = settings_of("", ROLE_VIEWER, "");

	(void)state;
	assert_int_equal(
		status_of(&settings, &(struct sender){"same-origin", "", "", "", "text/plain"}),
		403);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_role_is_that_of_exactly_this_user),
		cmocka_unit_test(test_only_an_own_page_may_send_a_form),
		cmocka_unit_test(test_a_client_that_is_no_browser_shows_who_it_is),
		cmocka_unit_test(test_only_a_form_is_a_body),
		cmocka_unit_test(test_the_sender_is_checked_before_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
