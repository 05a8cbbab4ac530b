/* SPDX-License-Identifier: MIT */
/* Answers as nginx reads them: their records, and the number of writes that sent them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/records.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define ID        258 /* uses both bytes */
#define ROOM      (3 << 20)
#define WRITE_MAX (16 * 65535) /* of the head: 16 whole records */
#define HEAD      "Status: 200 OK\r\n\r\n"

enum { END_REQUEST = 3, STDOUT = 6 };

/* What arrived: each write is a separate message on this kind of socket. */
struct arrival {
	unsigned char bytes[ROOM];
	size_t len, writes;
};

static struct arrival arrival;

static void receive(int fd)
{
	ssize_t n;

	arrival.len = arrival.writes = 0;
	while ((n = recv(fd, arrival.bytes + arrival.len, ROOM - arrival.len, MSG_DONTWAIT)) > 0) {
		arrival.len += (size_t)n;
		arrival.writes++;
	}
}

/* A body in which a lost or repeated piece can be seen. */
static struct span make_body(size_t len)
{
	char *bytes = malloc(len + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return (struct span){bytes, len};
}

/* The next record: its type, content at *content. */
static int next(size_t *at, const unsigned char **content, size_t *len)
{
	const unsigned char *r = arrival.bytes + *at;

	assert_true(*at + 8 <= arrival.len);
	assert_int_equal(r[0], 1);
	assert_int_equal(r[2] << 8 | r[3], ID);
	*len = (size_t)(r[4] << 8 | r[5]);
	*content = r + 8;
	*at += 8 + *len + r[6];
	assert_true(*at <= arrival.len);
	return r[1];
}

static void check_answer(struct span head, struct span body)
{
	const unsigned char *content;
	size_t at = 0, len, seen = 0;

	do {
		assert_int_equal(next(&at, &content, &len), STDOUT);
		for (size_t i = 0; i < len; i++, seen++)
			if (content[i] != (unsigned char)(seen < head.len
								  ? head.ptr[seen]
								  : body.ptr[seen - head.len]))
				fail_msg("byte %zu differs", seen);
	} while (len > 0);
	assert_int_equal(seen, head.len + body.len);
	assert_int_equal(next(&at, &content, &len), END_REQUEST);
	assert_int_equal(len, 8);
	assert_memory_equal(content, "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(at, arrival.len);
}

/* --- requests --- */

static size_t put_record(char *to, int type, int id, const char *content, size_t len)
{
	const char head[] = {1, (char)type, (char)(id >> 8), (char)id, (char)(len >> 8), (char)len,
			     3, 0};

	memcpy(to, head, sizeof(head));
	if (len)
		memcpy(to + sizeof(head), content, len);
	memcpy(to + sizeof(head) + len, "pad", 3);
	return sizeof(head) + len + 3;
}

/* A parameter whose value takes a record of more than 255 bytes; then a body. */
static size_t put_request(char *to, int id, int body_id, char role)
{
	static const char name[] = "\1\x80\0\1\x2cP";
	const char begin[] = {0, role, 1, 0, 0, 0, 0, 0};
	char params[sizeof(name) - 1 + 300];
	size_t n = put_record(to, 1, id, begin, sizeof(begin));

	memset(params, 'v', sizeof(params));
	memcpy(params, name, sizeof(name) - 1);
	n += put_record(to + n, 4, id, params, sizeof(params));
	n += put_record(to + n, 4, id, NULL, 0);
	n += put_record(to + n, 5, body_id, "body", 4);
	return n + put_record(to + n, 5, body_id, NULL, 0);
}

static void test_what_has_arrived_of_a_request(void **state)
{
	char bytes[1024];
	size_t len = put_request(bytes, ID, ID, 1);

	(void)state;
	assert_int_equal(records_check(bytes, len), RECORDS_WHOLE);
	for (size_t part = 0; part < len; part++) {
		len = put_request(bytes, ID, ID, 1);
		assert_int_equal(records_check(bytes, part), RECORDS_HALF);
	}
	len = put_request(bytes, ID, 2, 1);
	assert_int_equal(records_check(bytes, len), RECORDS_BAD);
	len = put_request(bytes, 0, 0, 1);
	assert_int_equal(records_check(bytes, len), RECORDS_BAD);
	len = put_request(bytes, ID, ID, 2);
	assert_int_equal(records_check(bytes, len), RECORDS_BAD);
	len = put_request(bytes, ID, ID, 1);
	bytes[8 + 8 + 3 + 8 + 4]++; /* the value is longer than its record */
	assert_int_equal(records_check(bytes, len), RECORDS_BAD);
}

/* In one write: a worker killed at any moment leaves a whole answer, or none. */
static void test_answers_of_all_sizes_in_one_write(void **state)
{
	static const size_t sizes[] = {0,     1,     sizeof(HEAD) - 1, 8192,   65516, 65517, 65518,
				       65535, 65536, 131052,           131053, 200000};
	int ends[2], size = 2 * ROOM;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct span body = make_body(sizes[i]);

		assert_int_equal(records_send(ends[0], ID, SPAN(HEAD), body), 0);
		receive(ends[1]);
		check_answer(SPAN(HEAD), body);
		assert_int_equal(arrival.writes, 1);
		free((void *)(uintptr_t)body.ptr);
	}
	close(ends[0]);
	close(ends[1]);
}

/* After the first write as much is left of the head as of the body. */
static void test_a_head_of_more_than_one_write(void **state)
{
	struct span text = make_body(ROOM / 2), head = {text.ptr, WRITE_MAX + 100},
		    body = {text.ptr + 7, 100};
	int ends[2], size = 2 * ROOM;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(records_send(ends[0], ID, head, body), 0);
	receive(ends[1]);
	check_answer(head, body);
	assert_int_equal(arrival.writes, 2);
	free((void *)(uintptr_t)text.ptr);
	close(ends[0]);
	close(ends[1]);
}

/* On a stream with a slow reader, a write is accepted in parts. */
static void test_a_write_that_is_taken_in_parts_goes_on(void **state)
{
	struct span body = make_body(ROOM * 3 / 4);
	int ends[2], size = 4096;
	pid_t child;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(records_send(ends[0], ID, SPAN(HEAD), body) != 0);
	close(ends[0]);
	arrival.len = 0;
	for (ssize_t n; (n = recv(ends[1], arrival.bytes + arrival.len, 1000, 0)) > 0;)
		arrival.len += (size_t)n;
	check_answer(SPAN(HEAD), body);
	close(ends[1]);
	free((void *)(uintptr_t)body.ptr);
}

static void test_a_peer_that_has_gone_is_an_error(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[1]);
	assert_int_equal(records_send(ends[0], ID, SPAN(HEAD), SPAN("body")), -1);
	close(ends[0]);
}

/* A whole request whose parameters are in two records, and where each of its parts ends. */
#define BEGIN  "\1\1\1\2\0\10\0\0\0\1\0\0\0\0\0\0"
#define PARAMS "\1\4\1\2\0\3\2\0\1\2axx\1\4\1\2\0\2\0\0yz\1\4\1\2\0\0\0\0"
#define STDIN  "\1\5\1\2\0\1\0\0b\1\5\1\2\0\0\0\0"

static enum records_state check(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1); /* so that a sanitizer sees a read beyond it */
	enum records_state state;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	copy = realloc(copy, len ? len : 1);
	state = records_check(copy, len);
	free(copy);
	return state;
}

static void test_a_request_is_whole_with_its_last_byte(void **state)
{
	static const char whole[] = BEGIN PARAMS STDIN;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(check(whole, len), RECORDS_HALF);
	assert_int_equal(check(whole, sizeof(whole) - 1), RECORDS_WHOLE);
}

static void test_whatever_is_no_request_is_bad(void **state)
{
	static const struct span cases[] = {
		SPAN("\2\1\1\2\0\10\0\0\0\1\0\0\0\0\0\0"), /* version */
		SPAN("\1\4\1\2\0\0\0\0"),                  /* no begin */
		SPAN("\1\4\1\2\0\10\0\0\0\1\0\0\0\0\0\0" PARAMS STDIN),
		SPAN("\1\1\0\0\0\10\0\0\0\1\0\0\0\0\0\0"),          /* no id */
		SPAN("\1\1\1\2\0\10\0\0\0\2\0\0\0\0\0\0"),          /* authorizer */
		SPAN(BEGIN "\1\4\0\2\0\0\0\0"),                     /* of another request */
		SPAN(BEGIN "\1\11\1\2\0\0\0\0"),                    /* management */
		SPAN(BEGIN "\1\4\1\2\0\2\0\0\1\1\1\4\1\2\0\0\0\0"), /* lengths without content */
		SPAN(BEGIN "\1\4\1\2\0\1\0\0\1\1\4\1\2\0\0\0\0"),
		SPAN(BEGIN "\1\4\1\2\0\10\0\0\2\5abcdef\1\4\1\2\0\0\0\0"),
		SPAN(BEGIN "\1\4\1\2\0\10\0\0\377\377\377\377\377\377\377\377"
			   "\1\4\1\2\0\0\0\0"),
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(check(cases[i].ptr, cases[i].len), RECORDS_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_whole_with_its_last_byte),
		cmocka_unit_test(test_whatever_is_no_request_is_bad),
		cmocka_unit_test(test_what_has_arrived_of_a_request),
		cmocka_unit_test(test_answers_of_all_sizes_in_one_write),
		cmocka_unit_test(test_a_head_of_more_than_one_write),
		cmocka_unit_test(test_a_write_that_is_taken_in_parts_goes_on),
		cmocka_unit_test(test_a_peer_that_has_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
