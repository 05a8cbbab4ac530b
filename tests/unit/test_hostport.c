/* SPDX-License-Identifier: MIT */
/* Names and addresses of hosts, with their ports. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hostport.h"

static void a_host_ends_where_its_port_begins(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		int port;
	} rows[] = {
		{"a:1", "a", 1},
		{"redis_1:6379", "redis_1", 6379},
		{"127.0.0.1:65535", "127.0.0.1", 65535},
		{"[::1]:6379", "::1", 6379},
		{"[fe80::1]:1", "fe80::1", 1},
		{"::1:6379", "::1", 6379},
		{"a:0", NULL, 0},
		{"a:65536", NULL, 0},
		{"a:-1", NULL, 0},
		{"a:1x", NULL, 0},
		{"a:", NULL, 0},
		{":1", NULL, 0},
		{"a", NULL, 0},
		{"", NULL, 0},
		{"[]:1", NULL, 0},
		{"[::1]", NULL, 0},
		{"[::1", NULL, 0},
		{"[::1]6379", NULL, 0},
		{"a b:1", NULL, 0},
		{"a/b:1", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hostport to = {{NULL, 0}, 0};
		bool good = hostport_parse(&to, span_str(rows[i].text));

		if (good != (rows[i].host != NULL) ||
		    (good && (!span_is(to.host, rows[i].host) || to.port != rows[i].port)))
			fail_msg("\"%s\": %d, %.*s, %d", rows[i].text, good, (int)to.host.len,
				 to.host.ptr, (int)to.port);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_ends_where_its_port_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
