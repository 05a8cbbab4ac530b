/* SPDX-License-Identifier: MIT */
/* The memory of this process that is in RAM. */
#ifndef TFT_RESIDENT_H
#define TFT_RESIDENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static inline long resident_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	long total, resident;

	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%ld %ld", &total, &resident), 2);
	fclose(statm);
	return resident * sysconf(_SC_PAGESIZE);
}

#endif
