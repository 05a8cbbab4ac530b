/* SPDX-License-Identifier: MIT */
/* Times as people and programs write them in an address. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/iso.h"

#define NOON INT64_C(1763899200000) /* 2025-11-23T12:00:00Z */

static const struct {
	const char *text;
	int64_t ms; /* -1: refused */
} rows[] = {
	/* The forms. */
	{"2025-11-23", NOON - 12 * 3600000},
	{"2025-11-23T12:00", NOON},
	{"2025-11-23T12:00Z", NOON},
	{"2025-11-23t12:00z", NOON},
	{"2025-11-23 12:00:07", NOON + 7000},
	{"2025-11-23T12:00:07.5Z", NOON + 7500},
	{"2025-11-23T12:00:07,25Z", NOON + 7250},
	{"2025-11-23T12:00:07.123987Z", NOON + 7123},
	{"2025-11-23T12:00:07.009", NOON + 7009},
	{"2025-11-23T13:30+01:30", NOON},
	{"2025-11-23T13:30+0130", NOON},
	{"2025-11-23T13:30 01:30", NOON}, /* a plus that nobody has encoded */
	{"2025-11-23T10:30-01:30", NOON},
	{"2025-11-23T10:30:00.000-0130", NOON},
	/* The limits. */
	{"1970-01-01", 0},
	{"1970-01-01T00:00:00.001Z", 1},
	{"1970-01-01T01:00+01:00", 0},
	{"1970-01-01T00:59+01:00", -1},
	{"1969-12-31", -1},
	{"1969-12-31T23:00-01:00", -1},
	{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
	{"2025-00-23", -1},
	{"2025-01-01", INT64_C(1735689600000)},
	{"2025-12-31", INT64_C(1767139200000)},
	{"2025-13-01", -1},
	{"2025-11-00", -1},
	{"2025-11-30", NOON + 7 * INT64_C(86400000) - 12 * 3600000},
	{"2025-11-31", -1},
	{"2025-12-32", -1},
	{"2024-02-29", INT64_C(1709164800000)},
	{"2025-02-29", -1},
	{"2025-11-23T00:00", NOON - 12 * 3600000},
	{"2025-11-23T23:59:59", NOON + 12 * 3600000 - 1000},
	{"2025-11-23T24:00", -1},
	{"2025-11-23T12:60", -1},
	{"2025-11-23T12:00:60", -1},
	{"2025-11-23T12:00+23:59", NOON - (23 * 60 + 59) * 60000},
	{"2025-11-23T12:00+00:00", NOON},
	{"2025-11-23T12:00+24:00", -1},
	{"2025-11-23T12:00+01:60", -1},
	/* What is no time. */
	{"", -1},
	{"now", -1},
	{"25-11-23", -1},
	{"2025-1-23", -1},
	{"2025/11/23", -1},
	{"2025-11-23T", -1},
	{"2025-11-23Z", -1},
	{"2025-11-23T12", -1},
	{"2025-11-23T12:", -1},
	{"2025-11-23T1:00", -1},
	{"2025-11-23T12-00", -1},
	{"2025-11-23x12:00", -1},
	{"2025-11-23T12:00:", -1},
	{"2025-11-23T12:00:7", -1},
	{"2025-11-23T12:00:07.", -1},
	{"2025-11-23T12:00:07.Z", -1},
	{"2025-11-23T12:00ZZ", -1},
	{"2025-11-23T12:00Z ", -1},
	{"2025-11-23T12:00*01:30", -1},
	{"2025-11-23T12:00+01", -1},
	{"2025-11-23T12:00+1:30", -1},
	{"2025-11-23T12:00+01:30:00", -1},
	{"+2025-11-23", -1},
	{"-025-11-23", -1},
};

/* From a copy that ends where the text does, so that a sanitizer sees a read beyond it. */
static int64_t parse(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	int64_t ms;

	memcpy(copy, text, len);
	ms = iso_parse((struct span){copy, len});
	free(copy);
	return ms;
}

static void times_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (parse(rows[i].text) != rows[i].ms)
			fail_msg("\"%s\" is read as %lld", rows[i].text,
				 (long long)parse(rows[i].text));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
