/* SPDX-License-Identifier: MIT */
/* Lists of names: read back as written, and no damaged one is longer than a name may be. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/names.h"

/* Appends a name that shares `same` bytes with the one before and has `len` bytes of its own. */
static void put(struct buf *out, unsigned same, size_t len)
{
	char rest[256];

	memset(rest, 'a', sizeof(rest));
	bytes_put_int(out, same, 1);
	bytes_put_text(out, (struct span){rest, len});
}

/* How many servers are read; -1: the bytes are bad. */
static int read_names(struct span bytes, size_t first, size_t count)
{
	struct snapshot *s = snapshot_new();
	struct bytes_reader r = {.rest = bytes};
	int got;

	assert_non_null(s);
	names_get(&r, s, first, count);
	got = r.bad || r.rest.len ? -1 : (int)s->count;
	snapshot_free(&s);
	return got;
}

static void names_read_back(void **state)
{
	static const char *const names[] = {"a", "ppdb01", "ppdb02", "ppdb02x", "web"};
	const struct server *servers[5];
	struct snapshot *s = snapshot_new();
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 1 << 10);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(snapshot_add(s, span_str(names[i])));
	assert_int_equal(snapshot_seal(s), 0);
	for (size_t i = 0; i < 5; i++)
		servers[i] = &s->servers[i];
	names_put(servers, 5, &bytes);
	assert_int_equal(bytes.len, (2 + 1) + (2 + 6) + (2 + 1) + (2 + 1) + (2 + 3));
	assert_int_equal(read_names(buf_span(&bytes), 0, 5), 5);
	assert_int_equal(read_names(buf_span(&bytes), 3, 2), 2);
	for (size_t i = 0; i < 5; i++) {
		struct bytes_reader r = {.rest = buf_span(&bytes)};

		assert_int_equal(names_find(&r, span_str(names[i]), 5), i);
	}
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(read_names((struct span){bytes.data, len}, 0, 5), -1);
	snapshot_free(&s);
	buf_free(&bytes);
}

static void a_name_has_at_most_255_bytes(void **state)
{
	static const struct {
		unsigned same;
		size_t len;
		bool good;
	} rows[] = {
		{0, 1, true},     {255, 0, true},  {254, 1, true},    {200, 55, true},
		{200, 56, false}, {255, 1, false}, {255, 255, false}, {0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf bytes;

		buf_init(&bytes, 1 << 10);
		put(&bytes, 0, 255);
		put(&bytes, rows[i].same, rows[i].len);
		if ((read_names(buf_span(&bytes), 0, 2) == 2) != rows[i].good)
			fail_msg("row %zu", i);
		buf_free(&bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_read_back),
		cmocka_unit_test(a_name_has_at_most_255_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
