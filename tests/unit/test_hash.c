/* SPDX-License-Identifier: MIT */
/* Digests and tokens; hash.c is compiled in with a getrandom() that is interrupted. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static int interruptions, calls;

static ssize_t fake_getrandom(void *to, size_t len, unsigned flags)
{
	(void)flags;
	calls++;
	if (interruptions-- > 0) {
		errno = EINTR;
		return -1;
	}
	for (size_t i = 0; i < len; i++)
		((unsigned char *)to)[i] = (unsigned char)(17 * i);
	return (ssize_t)len;
}

#define getrandom fake_getrandom
#include "../../src/base/hash.c"
#undef getrandom

#include <cmocka.h>

/* The reference value of XXH64 for no bytes; leading zeros are kept. */
static void a_digest_has_16_digits(void **state)
{
	char hex[HASH_HEX];

	(void)state;
	hash_hex(hash_xxh64(SPAN("")), hex);
	assert_string_equal(hex, "ef46db3751d8e999");
	hash_hex(0x2a, hex);
	assert_string_equal(hex, "000000000000002a");
}

static void a_token_is_all_random_bytes(void **state)
{
	char token[TOKEN_HEX];

	(void)state;
	calls = interruptions = 0;
	hash_token(token);
	assert_string_equal(token, "00112233445566778899aabbccddeeff");
	assert_int_equal(calls, 1);
}

static void an_interrupted_token_is_made_again(void **state)
{
	char token[TOKEN_HEX];

	(void)state;
	calls = 0;
	interruptions = 2;
	hash_token(token);
	assert_string_equal(token, "00112233445566778899aabbccddeeff");
	assert_int_equal(calls, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_has_16_digits),
		cmocka_unit_test(a_token_is_all_random_bytes),
		cmocka_unit_test(an_interrupted_token_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
