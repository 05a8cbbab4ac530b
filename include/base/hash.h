/* SPDX-License-Identifier: MIT */
/* Checksums of stored bytes and random tokens. Not for secrets: xxh64 is fast, not cryptographic.
 */
#ifndef TFT_HASH_H
#define TFT_HASH_H

#include <stdint.h>
#include "base/span.h"

#define HASH_HEX  17 /* 16 hex digits and NUL */
#define TOKEN_HEX 33 /* 32 hex digits and NUL */

uint64_t hash_xxh64(struct span bytes);
void hash_hex(uint64_t hash, char out[HASH_HEX]);
/* 16 bytes of getrandom(2) in hex. */
void hash_token(char out[TOKEN_HEX]);

#endif
