/* SPDX-License-Identifier: MIT */
/* The value that is printed, compared with what printf prints. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fleet/shown.h"

static void compare(double value)
{
	char text[400];
	double found = shown(value);

	(void)snprintf(text, sizeof(text), "%.1f", value);
	if (found != strtod(text, NULL) || !!signbit(found) != (text[0] == '-'))
		fail_msg("%.20g: %.20g instead of %s", value, found, text);
}

static void with_neighbours(double value)
{
	compare(value);
	compare(nextafter(value, INFINITY));
	compare(nextafter(value, -INFINITY));
}

static void the_middle_of_two_tenths_is_rounded_as_printf_does(void **state)
{
	(void)state;
	for (int i = -200000; i <= 200000; i++)
		with_neighbours(i / 100.0);
	/* Ties: they go to the even digit. */
	for (int i = -4000; i <= 4000; i++)
		with_neighbours(i / 16.0);
}

static void large_and_small_values_too(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		double value = (double)rand() / 1000 + (double)rand() / RAND_MAX / 1000;

		compare(value);
		compare(-value * 1e-6);
		with_neighbours(floor(value * 1e6) + 0.05);
	}
	compare(0.0);
	compare(-0.0);
	assert_true(shown(1e15) == 1e15 && isinf(shown(-INFINITY)));
	assert_true(isnan(shown(NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_middle_of_two_tenths_is_rounded_as_printf_does),
		cmocka_unit_test(large_and_small_values_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
