/* SPDX-License-Identifier: MIT */
/* The calls of a host without Redis: a limit that outlives the processes that make them. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "refresh/host_calls.h"

#define MINUTE INT64_C(60000)
#define NOW    INT64_C(5000000)

static char directory[64], path[100];
static int listener, calls;

static int listen_at(const char *at)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, at, strlen(at));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int open_calls(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/tft-calls.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	listener = listen_at(path);
	calls = host_calls_open(listener);
	return calls >= 0 ? 0 : -1;
}

static int close_calls(void **state)
{
	(void)state;
	(void)close(calls);
	(void)close(listener);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/socket" HOST_CALLS_SUFFIX, directory);
	(void)unlink(path);
	return rmdir(directory);
}

static void test_each_slot_is_taken_once_a_window(void **state)
{
	(void)state;
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW));
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW + 1000));
	assert_false(host_calls_take(calls, 0, 2, MINUTE, NOW + 2000));
	assert_false(host_calls_take(calls, 0, 2, MINUTE, NOW + MINUTE - 1));
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW + MINUTE));
	assert_false(host_calls_take(calls, 0, 2, MINUTE, NOW + MINUTE + 999));
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW + MINUTE + 1000));
	assert_false(host_calls_take(calls, 0, 0, MINUTE, NOW + 9 * MINUTE));
}

/* A slot before the first that was used, on a machine that has run for less than a window. */
static void test_a_slot_that_was_never_taken_is_free(void **state)
{
	(void)state;
	assert_true(host_calls_take(calls, 1, 1, MINUTE, 1000));
	assert_true(host_calls_take(calls, 0, 1, MINUTE, 2000));
	assert_false(host_calls_take(calls, 0, 2, MINUTE, 3000));
}

/* Alerts have a slot behind those of the predictions calls. */
static void test_slots_behind_the_first_ones(void **state)
{
	(void)state;
	assert_true(host_calls_take(calls, 2, 1, MINUTE, NOW));
	assert_false(host_calls_take(calls, 2, 1, MINUTE, NOW + 1));
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW + 2));
	assert_true(host_calls_take(calls, 0, 2, MINUTE, NOW + 3));
	assert_false(host_calls_take(calls, 0, 2, MINUTE, NOW + 4));
	assert_true(host_calls_take(calls, 2, 1, MINUTE, NOW + MINUTE));
}

static void test_another_process_sees_what_is_taken(void **state)
{
	int other = host_calls_open(listener);
	struct stat st;

	(void)state;
	assert_true(host_calls_take(calls, 0, 1, MINUTE, NOW));
	assert_false(host_calls_take(other, 0, 1, MINUTE, NOW + 1));
	assert_int_equal(fstat(other, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fcntl(other, F_GETFD), FD_CLOEXEC);
	(void)close(other);
}

/* Before the machine restarted, its clock was ahead. */
static void test_times_in_the_future_are_free(void **state)
{
	(void)state;
	assert_true(host_calls_take(calls, 0, 1, MINUTE, NOW));
	assert_false(host_calls_take(calls, 0, 1, MINUTE, NOW));
	assert_true(host_calls_take(calls, 0, 1, MINUTE, NOW - 1));
}

static void test_only_a_socket_with_a_path_has_a_file(void **state)
{
	static const char abstract[] = "\0tft-calls";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fds[2], tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		    hidden = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	memcpy(address.sun_path, abstract, sizeof(abstract));
	(void)snprintf(address.sun_path + sizeof(abstract), 20, "%d", (int)getpid());
	assert_int_equal(bind(hidden, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(host_calls_open(tcp), -1);
	assert_int_equal(host_calls_open(hidden), -1);
	assert_int_equal(host_calls_open(fds[0]), -1);
	assert_int_equal(host_calls_open(-1), -1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(tcp);
	(void)close(hidden);
}

static void test_without_a_file_nothing_is_taken(void **state)
{
	(void)state;
	assert_false(host_calls_take(-1, 0, 1, MINUTE, NOW));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_calls, close_calls)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_each_slot_is_taken_once_a_window),
		TEST(test_a_slot_that_was_never_taken_is_free),
		TEST(test_slots_behind_the_first_ones),
		TEST(test_another_process_sees_what_is_taken),
		TEST(test_times_in_the_future_are_free),
		TEST(test_only_a_socket_with_a_path_has_a_file),
		TEST(test_without_a_file_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
