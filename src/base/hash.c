/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/types.h>
#include <xxhash.h>

#define TOKEN_BYTES 16

uint64_t hash_xxh64(struct span bytes)
{
	return XXH64(bytes.ptr, bytes.len, 0);
}

void hash_hex(uint64_t hash, char out[HASH_HEX])
{
	snprintf(out, HASH_HEX, "%016" PRIx64, hash);
}

void hash_token(char out[TOKEN_HEX])
{
	unsigned char bytes[TOKEN_BYTES];
	ssize_t got;

	do
		got = getrandom(bytes, sizeof(bytes), 0);
	while (got < 0 && errno == EINTR);
	/* Without random numbers from the kernel we do not run: a guessable token breaks the
	 * fencing of commits. */
	assert(got == TOKEN_BYTES);
	for (size_t i = 0; i < TOKEN_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}
