/* SPDX-License-Identifier: MIT */
/* Recorded answers and their expected values, from tests/data/payloads. */
#ifndef TFT_GOLDEN_H
#define TFT_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <zlib.h>

#include "fleet/decode.h"

static inline gzFile golden_open(const char *prefix, const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	gzFile file;

	(void)snprintf(path, sizeof(path), "%s/tests/data/payloads/%s%s.json.gz",
		       srcdir ? srcdir : ".", prefix, name);
	file = gzopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

static inline struct snapshot *golden_snapshot(const char *name)
{
	struct decode *decode = decode_new();
	struct snapshot *snap = NULL;
	gzFile file = golden_open("", name);
	char chunk[65536];
	int n;

	assert_non_null(decode);
	while ((n = gzread(file, chunk, sizeof(chunk))) > 0)
		assert_int_equal(decode_feed(decode, chunk, (size_t)n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(decode_finish(decode, &snap), REASON_NONE);
	gzclose(file);
	decode_free(&decode);
	return snap;
}

/* The caller releases it. */
static inline struct json_object *golden_values(const char *name)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *values = NULL;
	gzFile file = golden_open("golden-", name);
	char chunk[65536];
	int n;

	while ((n = gzread(file, chunk, sizeof(chunk))) > 0)
		values = json_tokener_parse_ex(tokener, chunk, n);
	assert_non_null(values);
	gzclose(file);
	json_tokener_free(tokener);
	return values;
}

static inline struct json_object *golden_get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("the expected values have no %s", key);
	return value;
}

static inline double golden_number(struct json_object *object, const char *key)
{
	return json_object_get_double(golden_get(object, key));
}

static inline const char *golden_text(struct json_object *object, const char *key)
{
	return json_object_get_string(golden_get(object, key));
}

#endif
