/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a worker: its wall clock is wrong by TFT_CLOCK_OFFSET seconds, as on a host whose
 * time was never set. The monotonic clock stays right, as it does there.
 *
 *	cc -shared -fPIC -o clock.so clock.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t offset;
static int (*real_clock_gettime)(clockid_t id, struct timespec *now);

__attribute__((constructor)) static void read_offset(void)
{
	const char *text = getenv("TFT_CLOCK_OFFSET");

	if (!text)
		abort();
	offset = strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc;

	/* The sanitizers call this before any constructor has run. */
	if (!real_clock_gettime)
		*(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	rc = real_clock_gettime(id, now);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += offset;
	return rc;
}

int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	tv->tv_sec = now.tv_sec;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *seconds)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (seconds)
		*seconds = now.tv_sec;
	return now.tv_sec;
}
