/* SPDX-License-Identifier: MIT */
/* The connections between nginx and a worker, over real sockets: which requests are handed over,
 * which connections are kept, and which end. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "server/conns.h"

#define KEEP   1
#define PLACES 128

static struct conns *conns;
static int listen_fd;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static FCGX_Request *requests[CONNS_TOGETHER];
static size_t count;
static sigset_t open_mask;

/* --- nginx --- */

static int dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static size_t put_record(unsigned char *to, int type, const void *content, size_t len)
{
	const unsigned char head[] = {1,
				      (unsigned char)type,
				      0,
				      1,
				      (unsigned char)(len >> 8),
				      (unsigned char)(len & 0xff),
				      0,
				      0};

	memcpy(to, head, sizeof(head));
	if (len)
		memcpy(to + sizeof(head), content, len);
	return sizeof(head) + len;
}

/* A whole request with PATH=/x and this body. */
static size_t make_request(unsigned char *to, int flags, const char *body)
{
	const unsigned char begin[] = {0, 1, (unsigned char)flags, 0, 0, 0, 0, 0};
	size_t n = put_record(to, 1, begin, sizeof(begin));

	n += put_record(to + n, 4, "\4\2PATH/x", 8);
	n += put_record(to + n, 4, NULL, 0);
	if (*body)
		n += put_record(to + n, 5, body, strlen(body));
	return n + put_record(to + n, 5, NULL, 0);
}

static void send_bytes(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void send_request(int fd, int flags)
{
	unsigned char bytes[300];

	send_bytes(fd, bytes, make_request(bytes, flags, ""));
}

static bool has_ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* --- the worker --- */

static enum conns_event next(void)
{
	return conns_next(conns, 0, &open_mask, requests, &count);
}

static void assert_one_request(void)
{
	assert_int_equal(next(), CONNS_REQUEST);
	assert_int_equal(count, 1);
	assert_string_equal(FCGX_GetParam("PATH", requests[0]->envp), "/x");
}

static int open_conns(void **state)
{
	(void)state;
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)unlink(address.sun_path);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listen_fd, 200), 0);
	conns = conns_new(listen_fd);
	return conns ? 0 : -1;
}

static int close_conns(void **state)
{
	(void)state;
	conns_free(&conns);
	(void)close(listen_fd);
	(void)unlink(address.sun_path);
	return 0;
}

/* --- requests --- */

static void test_nothing_has_come(void **state)
{
	(void)state;
	assert_int_equal(next(), CONNS_QUIET);
	assert_int_equal(count, 0);
}

static void test_requests_on_a_kept_connection(void **state)
{
	int fd = dial();

	(void)state;
	for (int i = 0; i < 3; i++) {
		send_request(fd, KEEP);
		assert_one_request();
		assert_true(conns_is_read(requests[0]));
		conns_done(conns, requests[0], true);
		assert_false(has_ended(fd));
		assert_int_equal(next(), CONNS_QUIET);
	}
	/* nginx closes it. */
	(void)close(fd);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_int_equal(next(), CONNS_QUIET);
}

static void test_a_connection_that_is_not_kept(void **state)
{
	int fd = dial();

	(void)state;
	send_request(fd, 0);
	assert_one_request();
	conns_done(conns, requests[0], true);
	assert_true(has_ended(fd));
	(void)close(fd);
	/* Nor is a connection kept whose answer was not sent. */
	fd = dial();
	send_request(fd, KEEP);
	assert_one_request();
	conns_done(conns, requests[0], false);
	assert_true(has_ended(fd));
	(void)close(fd);
}

static void test_a_body_that_is_left_unread(void **state)
{
	unsigned char bytes[300];
	char body[10];
	int fd = dial();

	(void)state;
	send_bytes(fd, bytes, make_request(bytes, KEEP, "abc"));
	assert_one_request();
	assert_int_equal(FCGX_GetStr(body, 2, requests[0]->in), 2);
	assert_false(conns_is_read(requests[0]));
	conns_done(conns, requests[0], false);
	(void)close(fd);
}

static void test_half_a_request_waits_for_its_rest(void **state)
{
	unsigned char bytes[300];
	size_t len = make_request(bytes, KEEP, "abc");
	int fd = dial();

	(void)state;
	send_bytes(fd, bytes, 5);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_int_equal(count, 0);
	for (size_t i = 5; i < len - 1; i++) {
		send_bytes(fd, bytes + i, 1);
		assert_int_equal(next(), CONNS_NOTHING);
	}
	send_bytes(fd, bytes + len - 1, 1);
	assert_one_request();
	conns_done(conns, requests[0], false);
	(void)close(fd);
}

static void test_half_a_request_ends_after_5_seconds(void **state)
{
	int silent = dial(), half = dial(), kept = dial();

	(void)state;
	assert_int_equal(next(), CONNS_NOTHING); /* nothing arrives on it */
	send_bytes(half, "\1\1", 2);
	assert_int_equal(next(), CONNS_NOTHING);
	send_request(kept, KEEP);
	assert_one_request();
	conns_done(conns, requests[0], true);
	pass_ms(2000);
	send_bytes(half, "\0", 1);
	assert_int_equal(next(), CONNS_NOTHING);
	pass_ms(2999);
	assert_int_equal(next(), CONNS_QUIET);
	assert_false(has_ended(silent));
	assert_false(has_ended(half));
	pass_ms(1);
	assert_int_equal(next(), CONNS_QUIET);
	assert_true(has_ended(silent));
	assert_true(has_ended(half));
	assert_false(has_ended(kept));
	(void)close(silent);
	(void)close(half);
	(void)close(kept);
}

/* The worker wakes for each deadline, not only for the first. */
static void test_each_half_has_its_own_time(void **state)
{
	int first = dial(), second;

	(void)state;
	assert_int_equal(next(), CONNS_NOTHING);
	pass_ms(3000);
	second = dial();
	assert_int_equal(next(), CONNS_NOTHING);
	pass_ms(2000);
	assert_int_equal(next(), CONNS_QUIET);
	assert_true(has_ended(first));
	assert_false(has_ended(second));
	pass_ms(2999);
	assert_int_equal(next(), CONNS_QUIET);
	assert_false(has_ended(second));
	pass_ms(1);
	assert_int_equal(next(), CONNS_QUIET);
	assert_true(has_ended(second));
	(void)close(first);
	(void)close(second);
}

static void test_half_a_request_whose_sender_has_gone(void **state)
{
	int fd = dial();

	(void)state;
	send_bytes(fd, "\1\1", 2);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_true(has_ended(fd));
	(void)close(fd);
}

static void test_what_is_no_request_ends_its_connection(void **state)
{
	static char much[70000];
	int fd = dial();

	(void)state;
	send_bytes(fd, "\2\1\0\1\0\0\0\0", 8);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_true(has_ended(fd));
	(void)close(fd);
	/* More than a request may have, without its end: pieces of parameters. */
	fd = dial();
	for (size_t n = put_record((unsigned char *)much, 1, "\0\1\1\0\0\0\0\0", 8);
	     n + 1008 < sizeof(much);) {
		static char value[1000] = "\4\200\0\3\336NAME";

		n += put_record((unsigned char *)much + n, 4, value, sizeof(value));
	}
	send_bytes(fd, much, 69000);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_true(has_ended(fd));
	(void)close(fd);
}

static void test_requests_that_come_together(void **state)
{
	int fds[CONNS_TOGETHER + 1];

	(void)state;
	for (size_t i = 0; i < CONNS_TOGETHER + 1; i++) {
		fds[i] = dial();
		send_request(fds[i], KEEP);
		assert_one_request();
		conns_done(conns, requests[0], true);
	}
	for (size_t i = 0; i < CONNS_TOGETHER + 1; i++)
		send_request(fds[i], KEEP);
	assert_int_equal(next(), CONNS_REQUEST);
	assert_int_equal(count, CONNS_TOGETHER);
	for (size_t i = 0; i < CONNS_TOGETHER; i++)
		conns_done(conns, requests[i], true);
	assert_one_request();
	conns_done(conns, requests[0], true);
	for (size_t i = 0; i < CONNS_TOGETHER + 1; i++)
		(void)close(fds[i]);
}

/* --- which are kept --- */

static void test_who_is_going_to_be_busy_drops_what_is_kept(void **state)
{
	int kept = dial(), half = dial();

	(void)state;
	send_request(kept, KEEP);
	send_bytes(half, "\1\1", 2);
	while (next() != CONNS_REQUEST)
		;
	conns_done(conns, requests[0], true);
	while (next() != CONNS_QUIET)
		;
	conns_drop(conns);
	assert_true(has_ended(kept));
	assert_false(has_ended(half));
	(void)close(kept);
	(void)close(half);
}

static void test_the_one_idle_for_longest_makes_room(void **state)
{
	int fds[PLACES + 1];

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		fds[i] = dial();
		send_request(fds[i], KEEP);
		assert_one_request();
		conns_done(conns, requests[0], true);
	}
	/* The first one is no longer the longest idle. */
	send_request(fds[0], KEEP);
	assert_one_request();
	conns_done(conns, requests[0], true);
	for (size_t i = 0; i < PLACES; i++)
		assert_false(has_ended(fds[i]));
	fds[PLACES] = dial();
	send_request(fds[PLACES], KEEP);
	assert_one_request();
	for (size_t i = 0; i < PLACES + 1; i++)
		if (has_ended(fds[i]) != (i == 1))
			fail_msg("connection %zu", i);
	conns_done(conns, requests[0], true);
	for (size_t i = 0; i < PLACES + 1; i++)
		(void)close(fds[i]);
}

/* A worker that is busy does not drop the current request for a new one. */
static void test_a_busy_connection_stays(void **state)
{
	FCGX_Request *busy;
	int first = dial(), fds[PLACES];

	(void)state;
	send_request(first, KEEP);
	assert_one_request();
	busy = requests[0];
	for (size_t i = 0; i < PLACES; i++) {
		fds[i] = dial();
		send_request(fds[i], KEEP);
		assert_one_request();
		conns_done(conns, requests[0], true);
	}
	assert_false(has_ended(first));
	assert_true(has_ended(fds[0]));
	conns_done(conns, busy, true);
	for (size_t i = 0; i < PLACES; i++)
		(void)close(fds[i]);
	(void)close(first);
}

static void test_everything_ends_with_the_worker(void **state)
{
	int kept = dial(), half = dial();

	send_request(kept, KEEP);
	send_bytes(half, "\1\1", 2);
	while (next() != CONNS_REQUEST)
		;
	conns_done(conns, requests[0], true);
	while (next() != CONNS_QUIET)
		;
	conns_free(&conns);
	assert_null(conns);
	assert_true(has_ended(kept));
	assert_true(has_ended(half));
	(void)close(kept);
	(void)close(half);
	assert_int_equal(close_conns(state), 0);
	assert_int_equal(open_conns(state), 0);
}

static void test_what_is_no_listen_socket(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_null(conns_new(-1));
	assert_null(conns_new(fileno(file)));
	(void)fclose(file);
}

static void test_a_listen_socket_that_is_one_no_more(void **state)
{
	int kept = dup(listen_fd), fd = dial(), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(fcntl(listen_fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(dup2(null, listen_fd), listen_fd);
	assert_int_equal(next(), CONNS_BROKEN);
	assert_int_equal(count, 0);
	(void)close(kept);
	(void)close(null);
	(void)close(fd);
}

/* --- the time that a peer has --- */

/* Whole seconds, rounded up. */
static long time_left(void)
{
	struct itimerval timer;

	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	return timer.it_value.tv_sec + (timer.it_value.tv_usec > 0);
}

static void set_time_left(long seconds)
{
	const struct itimerval timer = {.it_value.tv_sec = seconds};

	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* A running limit is renewed once a second; a worker at rest has none. */
static void test_a_peer_has_5_seconds(void **state)
{
	struct itimerval timer;
	int fd = dial();

	(void)state;
	send_request(fd, KEEP);
	assert_one_request();
	assert_int_equal(time_left(), 5);
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_int_equal(timer.it_interval.tv_sec, 1); /* and again */
	conns_done(conns, requests[0], true);
	set_time_left(100);
	pass_ms(999);
	send_request(fd, KEEP);
	assert_one_request();
	conns_done(conns, requests[0], true);
	assert_int_equal(time_left(), 100);
	pass_ms(1);
	send_request(fd, KEEP);
	assert_one_request();
	conns_done(conns, requests[0], true);
	assert_int_equal(time_left(), 5);
	assert_int_equal(next(), CONNS_QUIET);
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_int_equal(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	assert_int_equal(timer.it_interval.tv_sec, 0);
	/* It was lifted: another timer is left alone. */
	set_time_left(100);
	assert_int_equal(next(), CONNS_QUIET);
	assert_int_equal(time_left(), 100);
	set_time_left(0);
	(void)close(fd);
}

static void test_without_a_descriptor_it_waits(void **state)
{
	struct rlimit limit, none;
	int fd = dial(), lowest = dup(listen_fd);

	(void)state;
	(void)close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)lowest;
	send_request(fd, KEEP);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(next(), CONNS_NOTHING);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_one_request();
	conns_done(conns, requests[0], true);
	(void)close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_conns, close_conns)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_nothing_has_come),
		TEST(test_requests_on_a_kept_connection),
		TEST(test_a_connection_that_is_not_kept),
		TEST(test_a_body_that_is_left_unread),
		TEST(test_half_a_request_waits_for_its_rest),
		TEST(test_half_a_request_ends_after_5_seconds),
		TEST(test_each_half_has_its_own_time),
		TEST(test_half_a_request_whose_sender_has_gone),
		TEST(test_what_is_no_request_ends_its_connection),
		TEST(test_requests_that_come_together),
		TEST(test_who_is_going_to_be_busy_drops_what_is_kept),
		TEST(test_the_one_idle_for_longest_makes_room),
		TEST(test_a_busy_connection_stays),
		TEST(test_everything_ends_with_the_worker),
		TEST(test_what_is_no_listen_socket),
		TEST(test_a_listen_socket_that_is_one_no_more),
		TEST(test_a_peer_has_5_seconds),
		TEST(test_without_a_descriptor_it_waits),
	};
	char directory[] = "/tmp/tft-conns-XXXXXX";
	int failed;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", directory);
	(void)sigemptyset(&open_mask);
	(void)sigaddset(&open_mask, SIGALRM);
	assert_int_equal(FCGX_Init(), 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
