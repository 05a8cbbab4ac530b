/* SPDX-License-Identifier: MIT */
/* The clocks that all times come from. Other tests have one of their own in place of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t us_of(clockid_t id)
{
	struct timespec now;

	assert_int_equal(clock_gettime(id, &now), 0);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void each_is_that_of_the_system(void **state)
{
	static const struct {
		clockid_t id;
		int64_t (*read)(void);
		int unit_us;
	} rows[] = {
		{CLOCK_MONOTONIC, clock_mono_us, 1},
		{CLOCK_MONOTONIC, clock_mono_ms, 1000},
		{CLOCK_REALTIME, clock_wall_ms, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t before = us_of(rows[i].id) / rows[i].unit_us, now = rows[i].read();

		assert_in_range(now, before, us_of(rows[i].id) / rows[i].unit_us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_that_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
