/* SPDX-License-Identifier: MIT */
/* Compressed bodies, checksums, tokens. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/gzip.h"
#include "base/hash.h"

/* Bytes that deflate cannot compress, the same in every run. */
static void fill_noise(unsigned char *bytes, size_t len)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (unsigned char)x;
	}
}

static void assert_unpacks_to(const struct buf *packed, const unsigned char *bytes, size_t len)
{
	unsigned char *plain = malloc(len + 1);
	z_stream z = {.next_in = (unsigned char *)packed->data, .avail_in = (uInt)packed->len};

	assert_non_null(plain);
	z.next_out = plain;
	z.avail_out = (uInt)len + 1;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(plain, bytes, len);
	inflateEnd(&z);
	free(plain);
}

static void test_unpacks_to_the_input(void **state)
{
	static unsigned char noise[100000];
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, sizeof(noise)};

	(void)state;
	fill_noise(noise, sizeof(noise));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int level = 1; level <= 9; level += 4) {
			struct buf out;

			buf_init(&out, 1 << 20);
			assert_int_equal(
				gzip_compress((struct span){(char *)noise, sizes[i]}, level, &out),
				0);
			assert_unpacks_to(&out, noise, sizes[i]);
			buf_free(&out);
		}
	}
}

static void test_header_has_neither_host_nor_time(void **state)
{
	static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(gzip_compress(SPAN("hello"), 6, &out), 0);
	assert_memory_equal(out.data, head, sizeof(head));
	assert_int_equal((unsigned char)out.data[9], 255);
	buf_free(&out);
}

static void test_appends_to_what_is_there(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	buf_lit(&out, "ab");
	assert_int_equal(gzip_compress(SPAN("hello"), 6, &out), 0);
	assert_memory_equal(out.data, "ab\x1f\x8b", 4);
	buf_free(&out);
}

static void test_ceiling_counts_packed_bytes(void **state)
{
	static char zeros[1 << 20];
	static unsigned char noise[100000];
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(gzip_compress((struct span){zeros, sizeof(zeros)}, 6, &out), 0);
	buf_free(&out);
	fill_noise(noise, sizeof(noise));
	assert_int_equal(gzip_compress((struct span){(char *)noise, sizeof(noise)}, 6, &out), -1);
	buf_free(&out);
	/* Also for one whose last piece has no room. */
	buf_init(&out, 1000);
	assert_int_equal(gzip_compress((struct span){(char *)noise, 2000}, 6, &out), -1);
	buf_free(&out);
}

static void test_known_checksums(void **state)
{
	static const struct {
		struct span in;
		const char *hex;
	} rows[] = {
		{{NULL, 0}, "ef46db3751d8e999"},
		{{"abc", 3}, "44bc2cf5ad770999"},
	};
	char hex[HASH_HEX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hash_hex(hash_xxh64(rows[i].in), hex);
		assert_string_equal(hex, rows[i].hex);
	}
	hash_hex(1, hex);
	assert_string_equal(hex, "0000000000000001");
}

static void test_tokens_differ(void **state)
{
	char a[TOKEN_HEX], b[TOKEN_HEX];

	(void)state;
	hash_token(a);
	hash_token(b);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unpacks_to_the_input),
		cmocka_unit_test(test_header_has_neither_host_nor_time),
		cmocka_unit_test(test_appends_to_what_is_there),
		cmocka_unit_test(test_ceiling_counts_packed_bytes),
		cmocka_unit_test(test_known_checksums),
		cmocka_unit_test(test_tokens_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
