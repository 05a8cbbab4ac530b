/* SPDX-License-Identifier: MIT */
/* One call by libcurl: what becomes of each answer, and what is asked. The daemon is a child that
 * takes one request and gives one answer. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/fetch/transfer.c"
#include "fake_clock.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* ---- headers ---- */

static void a_wait_is_whole_seconds(void **unused)
{
	static const struct {
		const char *value;
		int64_t ms;
	} rows[] = {
		{"7", 7000},
		{" 7\r\n", 7000},
		{"\t 7 \t\r\n", 7000},
		{"0", 0},
		{"299", 299000},
		{"300", 300000},
		{"301", 300000},
		{"999999999", 300000},
		{"", 60000},
		{" \r\n", 60000},
		{"-1", 60000},
		{"1.5", 60000},
		{"Wed, 21 Oct 2015 07:28:00 GMT\r\n", 60000},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(retry_after(span_str(rows[i].value)), rows[i].ms);
}

static void json_is_told_by_its_type(void **unused)
{
	static const struct {
		const char *type;
		bool json;
	} rows[] = {
		{"application/json", true},
		{" application/json\r\n", true},
		{"  APPLICATION/json; charset=utf-8\r\n", true},
		{"application/json \r\n", true},
		{"application/jso", false},
		{"application/jsonp\r\n", false},
		{"text/html\r\n", false},
		{" ", false},
		{"", false},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct span type = span_str(rows[i].type);
		char *copy = malloc(type.len + 1); /* a sanitizer sees a read beyond it */

		memcpy(copy, type.ptr, type.len);
		if (is_json(copy, type.len) != rows[i].json)
			fail_msg("\"%s\"", rows[i].type);
		free(copy);
	}
}

static void hear(struct transfer *t, const char *line)
{
	size_t len = strlen(line);
	char *copy = malloc(len); /* a sanitizer sees a read beyond it */

	assert_non_null(copy);
	memcpy(copy, line, len);
	assert_int_equal(on_header(copy, 1, len, t), len);
	free(copy);
}

/* An interim answer leaves nothing behind. */
static void each_status_line_begins_anew(void **unused)
{
	struct transfer t = {.bytes = 0};

	(void)unused;
	hear(&t, "content-type: application/json\r\n");
	hear(&t, "RETRY-AFTER: 9\r\n");
	hear(&t, "X-Content-Type: text/html\r\n");
	hear(&t, "Retry-After-All: 1\r\n");
	assert_true(t.began && t.is_json);
	assert_int_equal(t.retry_after_ms, 9000);
	hear(&t, "HTTP/1.1 200 OK\r\n");
	assert_false(t.is_json);
	assert_int_equal(t.retry_after_ms, 0);
	hear(&t, "Content-Type: application/json");
	hear(&t, "Retry-After: 9");
	assert_true(t.is_json);
	assert_int_equal(t.retry_after_ms, 9000);
}

/* ---- reasons ---- */

static void each_status_has_its_reason(void **unused)
{
	static const struct {
		long status;
		enum reason reason;
	} rows[] = {
		{200, REASON_NONE},       {201, REASON_STATUS},     {204, REASON_STATUS},
		{302, REASON_STATUS},     {400, REASON_STATUS},     {401, REASON_KEY},
		{402, REASON_STATUS},     {403, REASON_KEY},        {404, REASON_STATUS},
		{429, REASON_LIMIT},      {499, REASON_STATUS},     {500, REASON_STATUS_5XX},
		{503, REASON_STATUS_5XX}, {599, REASON_STATUS_5XX},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(reason_of_status(rows[i].status), rows[i].reason);
}

static void each_failure_has_its_reason(void **unused)
{
	static const struct {
		struct transfer t;
		CURLcode code;
		enum reason reason;
	} rows[] = {
		{{.status = 200}, CURLE_COULDNT_RESOLVE_HOST, REASON_NAME},
		{{.status = 200}, CURLE_COULDNT_CONNECT, REASON_CONNECT},
		{{.status = 200}, CURLE_OPERATION_TIMEDOUT, REASON_TIMEOUT},
		{{.status = 200}, CURLE_OUT_OF_MEMORY, REASON_INTERNAL},
		{{.status = 200}, CURLE_URL_MALFORMAT, REASON_INTERNAL},
		{{.status = 200}, CURLE_UNSUPPORTED_PROTOCOL, REASON_NOT_HTTP},
		{{.status = 200}, CURLE_WEIRD_SERVER_REPLY, REASON_NOT_HTTP},
		{{.status = 200}, CURLE_SSL_CONNECT_ERROR, REASON_NOT_HTTPS},
		{{.status = 200}, CURLE_SSL_CACERT_BADFILE, REASON_CERTIFICATE},
		{{.status = 200}, CURLE_PARTIAL_FILE, REASON_INCOMPLETE},
		{{.status = 0}, CURLE_GOT_NOTHING, REASON_EMPTY},
		{{.status = 0}, CURLE_SEND_ERROR, REASON_EMPTY},
		{{.status = 0}, CURLE_RECV_ERROR, REASON_EMPTY},
		/* Something has come before. */
		{{.began = true}, CURLE_RECV_ERROR, REASON_INCOMPLETE},
		{{.began = true}, CURLE_COULDNT_CONNECT, REASON_CONNECT},
		/* What we ended ourselves. */
		{{.too_large = true, .stalled = true}, CURLE_WRITE_ERROR, REASON_TOO_LARGE},
		{{.stalled = true}, CURLE_ABORTED_BY_CALLBACK, REASON_INCOMPLETE},
		{{.stalled = true}, CURLE_COULDNT_CONNECT, REASON_INCOMPLETE},
		/* Whole answers. */
		{{.status = 200, .is_json = true}, CURLE_OK, REASON_NONE},
		{{.status = 200}, CURLE_OK, REASON_BAD},
		{{.status = 200, .any_body = true}, CURLE_OK, REASON_NONE},
		{{.status = 429}, CURLE_OK, REASON_LIMIT},
		{{.status = 500, .any_body = true}, CURLE_OK, REASON_STATUS_5XX},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (classify(&rows[i].t, rows[i].code) != rows[i].reason)
			fail_msg("row %zu", i);
}

static void a_refusal_says_how_long_to_wait(void **unused)
{
	static const struct {
		struct transfer t;
		int64_t wait_ms;
	} rows[] = {
		{{.status = 429, .retry_after_ms = 5000}, 5000},
		{{.status = 429}, 60000},
		{{.status = 403, .retry_after_ms = 5000}, 60000},
		{{.status = 503, .retry_after_ms = 5000}, 0},
		{{.status = 200, .is_json = true, .retry_after_ms = 5000}, 0},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fetch_outcome outcome;

		report(&rows[i].t, CURLE_OK, &outcome);
		assert_int_equal(outcome.retry_after_ms, rows[i].wait_ms);
		assert_int_equal(outcome.status, rows[i].t.status);
	}
}

/* The daemon may be silent for as long as it likes before its first byte. */
static void a_transfer_that_has_begun_stalls_after_2_seconds(void **unused)
{
	struct transfer t = {.bytes = 0};

	(void)unused;
	assert_false(stalls(&t));
	pass_ms(60000);
	assert_false(stalls(&t));
	t.bytes = STALL_BYTES - 1;
	pass_ms(1999);
	assert_false(stalls(&t));
	t.bytes = STALL_BYTES;
	pass_ms(1);
	assert_false(stalls(&t)); /* enough, just in time */
	t.bytes = 2 * STALL_BYTES - 1;
	pass_ms(1999);
	assert_false(stalls(&t));
	pass_ms(1);
	assert_true(stalls(&t));
}

/* ---- whole calls ---- */

static char asked[8192], got[8192];
static size_t got_len;

static int keep(const char *bytes, size_t len)
{
	assert_true(got_len + len < sizeof(got));
	memcpy(got + got_len, bytes, len);
	got_len += len;
	got[got_len] = '\0';
	return 0;
}

static int refuse(const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return -1;
}

/* Takes a request with a body of this length, gives the answer. */
static void serve(int listener, int tell, const char *answer, size_t body)
{
	char request[8192];
	size_t len = 0;
	int fd = accept(listener, NULL, NULL);
	const char *end = NULL;
	ssize_t n = 1;

	while (n > 0 && (!end || len < (size_t)(end + 4 - request) + body)) {
		n = read(fd, request + len, sizeof(request) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
	}
	(void)!write(tell, request, len);
	(void)!write(fd, answer, strlen(answer));
	_exit(0);
}

static int listen_at(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

static const struct transfer_order plain = {.key = "",
					    .auth = "",
					    .post = "",
					    .ca_file = "",
					    .connect_ms = 20000,
					    .timeout_ms = 20000,
					    .max_body = 1000};

/* answer: NULL: nobody listens. A call that is cancelled gets none: the request never ends. */
static struct fetch_outcome call(struct transfer_order order, const char *answer,
				 transfer_sink sink, int cancel_fd)
{
	struct fetch_outcome outcome;
	struct sockaddr_in address;
	int listener = listen_at(&address), told[2];
	char url[100];
	pid_t child = -1;
	ssize_t n;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/predictions",
		       ntohs(address.sin_port));
	order.url = url;
	got_len = 0;
	got[0] = '\0';
	assert_int_equal(pipe(told), 0);
	if (answer)
		child = fork();
	if (child == 0)
		serve(listener, told[1], answer, strlen(order.post) + (cancel_fd >= 0));
	(void)close(listener);
	(void)close(told[1]);
	transfer_run(&order, cancel_fd, sink, &outcome);
	if (child > 0 && cancel_fd >= 0)
		(void)kill(child, SIGKILL);
	n = read(told[0], asked, sizeof(asked) - 1);
	asked[n > 0 ? n : 0] = '\0';
	(void)close(told[0]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return outcome;
}

static void assert_asked(const char *text, bool so)
{
	if ((strstr(asked, text) != NULL) != so)
		fail_msg("%s\"%s\" in\n%s", so ? "no " : "", text, asked);
}

#define JSON "Content-Type: application/json\r\nConnection: close\r\n\r\n"

static void what_is_asked(void **unused)
{
	struct transfer_order order = plain;

	(void)unused;
	(void)call(order, "HTTP/1.1 200 OK\r\n" JSON "{}", keep, -1);
	assert_asked("GET /predictions HTTP/1.1\r\n", true);
	assert_asked("X-API-Key", false);
	assert_asked("Authorization", false);
	assert_asked("Accept-Encoding", false);
	order.key = "secret";
	order.auth = "user:word";
	(void)call(order, "HTTP/1.1 200 OK\r\n" JSON "{}", keep, -1);
	assert_asked("\r\nX-API-Key: secret\r\n", true);
	assert_asked("\r\nAuthorization: Basic dXNlcjp3b3Jk\r\n", true);
	order.auth = "Bearer abc";
	order.post = "{\"a\":1}";
	(void)call(order, "HTTP/1.1 200 OK\r\n" JSON "{}", keep, -1);
	assert_asked("POST /predictions HTTP/1.1\r\n", true);
	assert_asked("\r\nAuthorization: Bearer abc\r\n", true);
	assert_asked("\r\nContent-Type: application/json\r\n", true);
	assert_asked("\r\nExpect:", false);
	assert_asked("\r\n\r\n{\"a\":1}", true);
	order.post = "";
	order.is_delete = true;
	(void)call(order, "HTTP/1.1 200 OK\r\n" JSON "{}", keep, -1);
	assert_asked("DELETE /predictions HTTP/1.1\r\n", true);
}

static void what_becomes_of_an_answer(void **unused)
{
	static const struct {
		const char *answer;
		bool any_body;
		int64_t max_body;
		enum reason reason;
		int64_t status, bytes;
		const char *got;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\n" JSON "{\"a\":1}", false, 7, REASON_NONE, 200, 7,
		 "{\"a\":1}"},
		{"HTTP/1.1 200 OK\r\n" JSON "{\"a\":1}", false, 6, REASON_TOO_LARGE, 200, 7, ""},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", false, 9, REASON_BAD, 200, 3,
		 ""},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", true, 9, REASON_NONE, 200, 3,
		 "abc"},
		{"HTTP/1.1 400 No\r\nConnection: close\r\n\r\nwhy", true, 9, REASON_STATUS, 400, 3,
		 "why"},
		{"HTTP/1.1 103 Early\r\nContent-Type: application/json\r\n\r\n"
		 "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
		 false, 9, REASON_BAD, 200, 3, ""},
		{"HTTP/1.1 500 No\r\n" JSON "{}", false, 9, REASON_STATUS_5XX, 500, 2, ""},
		{"HTTP/1.1 302 Found\r\nLocation: /\r\n" JSON, false, 9, REASON_STATUS, 302, 0, ""},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
		 false, 9, REASON_INCOMPLETE, 200, 2, "{}"},
		{"SSH-2.0-x\r\n", false, 99, REASON_NOT_HTTP, 0, 0, ""},
		{"", false, 9, REASON_EMPTY, 0, 0, ""},
		{NULL, false, 9, REASON_CONNECT, 0, 0, ""},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct transfer_order order = plain;
		struct fetch_outcome outcome;

		order.any_body = rows[i].any_body;
		order.max_body = rows[i].max_body;
		outcome = call(order, rows[i].answer, keep, -1);
		if (outcome.reason != rows[i].reason || outcome.status != rows[i].status ||
		    outcome.bytes != rows[i].bytes)
			fail_msg("row %zu: %d, %d, %d", i, (int)outcome.reason, (int)outcome.status,
				 (int)outcome.bytes);
		assert_string_equal(got, rows[i].got);
	}
}

static void a_wait_is_told(void **unused)
{
	struct fetch_outcome outcome =
		call(plain, "HTTP/1.1 429 No\r\nRetry-After: 7\r\n" JSON "{}", keep, -1);

	(void)unused;
	assert_int_equal(outcome.reason, REASON_LIMIT);
	assert_int_equal(outcome.retry_after_ms, 7000);
}

/* The worker has closed its end, or does not want the rest. */
static void a_call_that_nobody_wants_any_more_ends(void **unused)
{
	int ends[2];

	(void)unused;
	assert_int_equal(call(plain, "HTTP/1.1 200 OK\r\n" JSON "{}", refuse, -1).reason,
			 REASON_INCOMPLETE);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[1]);
	assert_int_equal(call(plain, "HTTP/1.1 200 OK\r\n" JSON "{}", keep, ends[0]).reason,
			 REASON_INCOMPLETE);
	assert_string_equal(got, "");
	(void)close(ends[0]);
}

static int begin(void **state)
{
	(void)state;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	curl_global_cleanup();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_is_whole_seconds),
		cmocka_unit_test(json_is_told_by_its_type),
		cmocka_unit_test(each_status_line_begins_anew),
		cmocka_unit_test(each_status_has_its_reason),
		cmocka_unit_test(each_failure_has_its_reason),
		cmocka_unit_test(a_refusal_says_how_long_to_wait),
		cmocka_unit_test(a_transfer_that_has_begun_stalls_after_2_seconds),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(what_becomes_of_an_answer),
		cmocka_unit_test(a_wait_is_told),
		cmocka_unit_test(a_call_that_nobody_wants_any_more_ends),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
