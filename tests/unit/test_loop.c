/* SPDX-License-Identifier: MIT */
/* A whole worker in a separate process, seen from nginx: requests over a socket, signals, end. */
#include "config.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "captured.h"
#include "serve_fixture.h"
#include "server/loop.h"

#define KEEP 1

static char directory[64];
static struct sockaddr_un address;
static int listen_fd = -1;
static pid_t worker;

/* --- nginx --- */

static int dial(void)
{
	const struct timeval limit = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static void put_record(struct buf *out, int type, struct span content)
{
	const char head[] = {1, (char)type, 0, 1, (char)(content.len >> 8), (char)content.len,
			     0, 0};

	buf_add(out, head, sizeof(head));
	buf_span_add(out, content);
}

static void put_param(struct buf *out, const char *name, const char *value)
{
	buf_char(out, (char)strlen(name));
	buf_char(out, (char)strlen(value));
	buf_span_add(out, span_str(name));
	buf_span_add(out, span_str(value));
}

/* As nginx sends it; TFT_END comes last. */
static void ask(int fd, int flags, const char *method, const char *path, const char *end)
{
	const char begin[] = {0, 1, (char)flags, 0, 0, 0, 0, 0};
	struct buf params, out;

	buf_init(&params, 4096);
	buf_init(&out, 8192);
	put_param(&params, "REQUEST_METHOD", method);
	put_param(&params, "DOCUMENT_URI", path);
	put_param(&params, "TFT_RID", "id-of-the-test");
	put_param(&params, "CONTENT_LENGTH", "0");
	put_param(&params, "TFT_END", end);
	put_record(&out, 1, (struct span){begin, sizeof(begin)});
	put_record(&out, 4, buf_span(&params));
	put_record(&out, 4, SPAN(""));
	put_record(&out, 5, SPAN(""));
	assert_int_equal(send(fd, out.data, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	buf_free(&params);
	buf_free(&out);
}

/* false: the connection has ended. */
static bool receive(int fd, void *to, size_t len)
{
	ssize_t n = len ? recv(fd, to, len, MSG_WAITALL) : 0;

	assert_true(n >= 0);
	return n == (ssize_t)len;
}

/* The output of one request; NULL: the connection ended before it did. */
static const char *answer(int fd)
{
	static struct buf text = {.max = 1 << 20};
	unsigned char head[8];
	char content[65536 + 256];

	buf_reset(&text);
	while (receive(fd, head, sizeof(head))) {
		size_t len = (size_t)head[4] << 8 | head[5];

		assert_true(receive(fd, content, len + head[6]));
		if (head[1] == 6)
			buf_add(&text, content, len);
		if (head[1] != 3)
			continue;
		buf_char(&text, '\0');
		return text.data;
	}
	return NULL;
}

static bool has_ended(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

static void assert_part(const char *text, const char *part)
{
	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("no \"%s\" in\n%.900s", part, text);
}

static const char *get(const char *path)
{
	int fd = dial();
	const char *text;

	ask(fd, 0, "GET", path, "1");
	text = answer(fd);
	(void)close(fd);
	return text;
}

/* --- the worker --- */

static void start(void)
{
	(void)fflush(NULL);
	worker = fork();
	if (worker == 0)
		exit((int)loop_run(serve, listen_fd, "web1"));
	assert_true(worker > 0);
}

static int stop_by(int sig)
{
	int status;

	assert_int_equal(kill(worker, sig), 0);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	worker = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_worker(void **state)
{
	if (open_serve(state) != 0)
		return -1;
	config.idle_tick = false;
	(void)snprintf(directory, sizeof(directory), "/tmp/tft-loop.XXXXXX");
	assert_non_null(mkdtemp(directory));
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/fcgi", directory);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return listen(listen_fd, 64);
}

static int close_worker(void **state)
{
	if (worker > 0) {
		(void)kill(worker, SIGKILL);
		(void)waitpid(worker, NULL, 0);
	}
	worker = 0;
	(void)close(listen_fd);
	(void)unlink(address.sun_path);
	(void)rmdir(directory);
	return close_serve(state);
}

/* --- tests --- */

static void test_a_page(void **state)
{
	const char *text;

	(void)state;
	start();
	text = get("/");
	assert_part(text, "Status: 200 OK\r\n");
	assert_part(text, "Content-Length: 13\r\n");
	assert_part(text, "X-Request-Id: id-of-the-test\r\n");
	assert_part(text, "X-TFT-Node: web1\r\n");
	assert_part(text, "\r\n\r\n<p>stored</p>");
	assert_part(get("/nowhere"), "Status: 404 ");
	assert_int_equal(stop_by(SIGTERM), LOOP_STOPPED);
}

static void test_head_has_no_body(void **state)
{
	const char *text;
	int fd = dial();

	(void)state;
	start();
	ask(fd, 0, "HEAD", "/", "1");
	text = answer(fd);
	assert_part(text, "Content-Length: 13\r\n");
	assert_null(strstr(text, "stored"));
	assert_true(has_ended(fd));
	(void)close(fd);
}

static void test_requests_follow_each_other_on_a_kept_connection(void **state)
{
	int fd = dial();

	(void)state;
	start();
	for (int i = 0; i < 3; i++) {
		ask(fd, KEEP, "GET", "/", "1");
		assert_part(answer(fd), "<p>stored</p>");
	}
	(void)close(fd);
}

static void test_requests_that_come_together(void **state)
{
	int a = dial(), b = dial(), c = dial();

	(void)state;
	ask(a, KEEP, "POST", "/refresh", "1");
	ask(b, KEEP, "GET", "/", "1");
	ask(c, KEEP, "GET", "/nowhere", "1");
	start();
	assert_part(answer(b), "<p>stored</p>");
	assert_part(answer(c), "Status: 404 ");
	assert_part(answer(a), "Status: 403 "); /* a viewer */
	(void)close(a);
	(void)close(b);
	(void)close(c);
}

/* An action may take long: meanwhile, nginx sends requests to another worker. */
static void test_a_post_ends_idle_connections(void **state)
{
	int idle = dial(), fd = dial();

	(void)state;
	start();
	ask(idle, KEEP, "GET", "/", "1");
	assert_part(answer(idle), "<p>stored</p>");
	ask(fd, 0, "GET", "/", "1");
	assert_part(answer(fd), "<p>stored</p>");
	ask(idle, KEEP, "GET", "/", "1");
	assert_part(answer(idle), "<p>stored</p>");
	(void)close(fd);
	fd = dial();
	ask(fd, KEEP, "POST", "/refresh", "1");
	assert_part(answer(fd), "Status: 403 ");
	assert_true(has_ended(idle));
	(void)close(idle);
	(void)close(fd);
}

static void test_half_a_request_is_not_answered(void **state)
{
	int fd = dial();

	(void)state;
	start();
	ask(fd, KEEP, "GET", "/", "");
	assert_null(answer(fd));
	(void)close(fd);
	assert_part(get("/"), "<p>stored</p>");
}

static void test_a_refused_request(void **state)
{
	char path[128];

	(void)state;
	start();
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_part(get(path), "Status: 404 ");
	assert_part(get("//"), "Status: 404 ");
}

static void test_a_client_that_has_gone(void **state)
{
	int fd = dial();
	const char *log;

	(void)state;
	ask(fd, 0, "GET", "/api/v1/status", "1");
	(void)close(fd);
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "web1");
	capture_start();
	start();
	assert_part(get("/"), "<p>stored</p>");
	assert_int_equal(stop_by(SIGTERM), LOOP_STOPPED);
	log = capture_end();
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
	assert_part(log, " ev=client_gone path=/api/v1/status\n");
	assert_null(strstr(log, " path=/\n"));
}

static void test_signals(void **state)
{
	static const int stops[] = {SIGTERM, SIGINT, SIGHUP}, others[] = {SIGUSR1, SIGPIPE};

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		start();
		assert_part(get("/"), "<p>stored</p>");
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			assert_int_equal(kill(worker, others[k]), 0);
		assert_part(get("/"), "<p>stored</p>");
		assert_int_equal(stop_by(stops[i]), LOOP_STOPPED);
	}
}

/* Before the first request, so that nobody waits for the first data. */
static void test_a_cold_start_fetches_at_once(void **state)
{
	(void)state;
	redis_on_nothing();
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	fetch_orders();
	config.idle_tick = true;
	start();
	(void)get("/");
	assert_part(fetch_orders(), "/predictions/current");
}

static void test_a_request_for_old_data_makes_a_refresh_due(void **state)
{
	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	fetch_orders();
	start();
	assert_part(get("/"), "detail=REFRESH");
	(void)get("/"); /* comes after the refresh */
	assert_part(fetch_orders(), "/predictions/current");
}

static void test_without_a_socket_it_ends(void **state)
{
	int status;

	(void)state;
	(void)close(listen_fd);
	listen_fd = -1;
	start();
	assert_int_equal(waitpid(worker, &status, 0), worker);
	worker = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), LOOP_BROKEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_worker, close_worker)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_page),
		TEST(test_head_has_no_body),
		TEST(test_requests_follow_each_other_on_a_kept_connection),
		TEST(test_requests_that_come_together),
		TEST(test_a_post_ends_idle_connections),
		TEST(test_half_a_request_is_not_answered),
		TEST(test_a_refused_request),
		TEST(test_a_client_that_has_gone),
		TEST(test_signals),
		TEST(test_a_cold_start_fetches_at_once),
		TEST(test_a_request_for_old_data_makes_a_refresh_due),
		TEST(test_without_a_socket_it_ends),
	};
	int failed;

	if (fake_fetch_runs(argc, argv))
		return 0;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(orders_path);
	return failed;
}
