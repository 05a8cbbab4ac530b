/* SPDX-License-Identifier: MIT */
/* The two plain transports over real sockets of this process. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/transport.h"

#define LONG_MS 20000 /* a limit for what should happen at once */

static char directory[64], path[100];
static int listener = -1, peer = -1;
static struct endpoint to;
static struct link connection;
static struct err err;

static void listen_at(const struct sockaddr *address, socklen_t len)
{
	listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, address, len), 0);
	assert_int_equal(listen(listener, 4), 0);
}

static int listen_unix(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/tft-transport.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/redis", directory);
	memcpy(address.sun_path, path, strlen(path));
	listen_at((const struct sockaddr *)&address, sizeof(address));
	assert_true(endpoint_set(&to, span_str(path), 1));
	to.port = 0;
	return 0;
}

static int listen_tcp(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);

	(void)state;
	listen_at((const struct sockaddr *)&address, len);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_true(endpoint_set(&to, SPAN("127.0.0.1"), ntohs(address.sin_port)));
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int close_all(void **state)
{
	(void)state;
	transport_close(&connection);
	close_fd(&peer);
	close_fd(&listener);
	(void)unlink(path);
	(void)rmdir(directory);
	return 0;
}

static void connect_to(const struct transport *transport)
{
	assert_int_equal(transport->open(&connection, &to, &err), 0);
	assert_int_equal(transport->wait(&connection, POLLOUT, LONG_MS, &err), 1);
	assert_int_equal(transport->handshake(&connection, &err), 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
}

/* Both ends see what the other one does. */
static void talk(const struct transport *transport)
{
	char bytes[16];

	assert_int_equal(transport->write(&connection, "hello", 5, &err), 5);
	assert_int_equal(recv(peer, bytes, sizeof(bytes), 0), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_true(transport->is_quiet(&connection));
	assert_int_equal(transport->wait(&connection, POLLIN, 1, &err), 0);
	assert_int_equal(transport->read(&connection, bytes, sizeof(bytes), false, &err), 0);
	assert_int_equal(send(peer, "answer", 6, 0), 6);
	assert_int_equal(transport->wait(&connection, POLLIN, LONG_MS, &err), 1);
	assert_false(transport->is_quiet(&connection));
	assert_int_equal(transport->read(&connection, bytes, 4, false, &err), 4);
	assert_memory_equal(bytes, "answ", 4);
	assert_int_equal(transport->read(&connection, bytes, 4, true, &err), 2);
}

static void end(const struct transport *transport)
{
	char bytes[16];

	close_fd(&peer);
	assert_int_equal(transport->wait(&connection, POLLIN, LONG_MS, &err), 1);
	assert_false(transport->is_quiet(&connection));
	assert_int_equal(transport->read(&connection, bytes, sizeof(bytes), true, &err), -1);
	assert_string_equal(err.msg, "receive: connection closed");
	transport->close(&connection);
	assert_null(connection.redis);
	transport->close(&connection);
}

static void test_a_unix_socket(void **state)
{
	(void)state;
	connect_to(&transport_unix);
	talk(&transport_unix);
	end(&transport_unix);
}

static void test_tcp(void **state)
{
	(void)state;
	connect_to(&transport_tcp);
	talk(&transport_tcp);
	end(&transport_tcp);
}

static void test_programs_do_not_inherit_it(void **state)
{
	(void)state;
	connect_to(&transport_unix);
	assert_int_equal(fcntl(connection.redis->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

/* Each read that may wait waits for a moment, and no longer. */
static void test_a_read_that_may_wait(void **state)
{
	int64_t began = clock_mono_ms();
	char byte;

	(void)state;
	connect_to(&transport_unix);
	for (int i = 0; i < 3; i++)
		assert_int_equal(transport_unix.read(&connection, &byte, 1, true, &err), 0);
	assert_true(clock_mono_ms() - began >= 3 * (TRANSPORT_PATIENCE_MS - 5));
}

static void test_a_full_socket_takes_nothing(void **state)
{
	static char block[65536];
	ssize_t n;
	int i = 0;

	(void)state;
	connect_to(&transport_unix);
	while ((n = transport_unix.write(&connection, block, sizeof(block), &err)) > 0)
		assert_true(i++ < 1000);
	assert_int_equal(n, 0);
	close_fd(&peer);
	assert_int_equal(transport_unix.write(&connection, block, 1, &err), -1);
	assert_string_equal(err.msg, "send: Broken pipe");
}

static void test_nobody_listens(void **state)
{
	(void)state;
	close_fd(&listener);
	assert_int_equal(transport_unix.open(&connection, &to, &err), -1);
	assert_string_equal(err.msg, "connect: Connection refused");
	assert_null(connection.redis);
	(void)unlink(path);
	assert_int_equal(transport_unix.open(&connection, &to, &err), -1);
	assert_string_equal(err.msg, "connect: No such file or directory");
}

static void test_nobody_listens_at_a_port(void **state)
{
	(void)state;
	close_fd(&listener);
	assert_int_equal(transport_tcp.open(&connection, &to, &err), 0);
	assert_int_equal(transport_tcp.wait(&connection, POLLOUT, LONG_MS, &err), 1);
	assert_int_equal(transport_tcp.handshake(&connection, &err), -1);
	assert_string_equal(err.msg, "connect: Connection refused");
}

/* --- addresses --- */

static void leads_to(const char *text, size_t i, const char *wanted)
{
	char found[ENDPOINT_TEXT_MAX];
	struct endpoint endpoint;
	struct address address;

	assert_true(address_parse(&address, text));
	assert_int_equal(address_endpoint(&address, i, &endpoint), wanted != NULL);
	if (!wanted)
		return;
	endpoint_text(&endpoint, found);
	assert_string_equal(found, wanted);
}

static void test_the_servers_of_an_address(void **state)
{
	(void)state;
	leads_to("unix:/run/redis.sock/3", 0, "/run/redis.sock");
	leads_to("unix:/run/redis.sock", 1, NULL);
	leads_to("redis.example:6379/1", 0, "redis.example:6379");
	leads_to("redis.example:6379", 1, NULL);
	leads_to("[::1]:6379", 0, "[::1]:6379");
	leads_to("sentinel:a:1,b:2/main", 0, "a:1");
	leads_to("sentinel:a:1,b:2/main", 1, "b:2");
	leads_to("sentinel:a:1,b:2/main", 2, NULL);
}

static void test_the_limits_of_an_endpoint(void **state)
{
	static char host[ENDPOINT_HOST_MAX];
	struct endpoint endpoint;

	(void)state;
	memset(host, 'a', sizeof(host));
	assert_true(endpoint_set(&endpoint, (struct span){host, sizeof(host) - 1}, 65535));
	assert_int_equal(strlen(endpoint.host), sizeof(host) - 1);
	assert_int_equal(endpoint.port, 65535);
	assert_false(endpoint_set(&endpoint, (struct span){host, sizeof(host)}, 1));
	assert_false(endpoint_set(&endpoint, SPAN(""), 1));
	assert_false(endpoint_set(&endpoint, SPAN("a"), 0));
	assert_false(endpoint_set(&endpoint, SPAN("a"), 65536));
	assert_true(endpoint_set(&endpoint, SPAN("a"), 1));
}

#define UNIX(f) cmocka_unit_test_setup_teardown(f, listen_unix, close_all)
#define TCP(f)  cmocka_unit_test_setup_teardown(f, listen_tcp, close_all)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIX(test_a_unix_socket),
		TCP(test_tcp),
		UNIX(test_programs_do_not_inherit_it),
		UNIX(test_a_read_that_may_wait),
		UNIX(test_a_full_socket_takes_nothing),
		UNIX(test_nobody_listens),
		TCP(test_nobody_listens_at_a_port),
		cmocka_unit_test(test_the_servers_of_an_address),
		cmocka_unit_test(test_the_limits_of_an_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
