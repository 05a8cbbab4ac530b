/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program: its wall clock is wrong by TFT_CLOCK_OFFSET seconds, as on a host whose
 * time was never set. The monotonic clock stays right, as it does there. TFT_CLOCK_FILE instead holds
 * the seconds as a binary int64, which may change while the program runs.
 *
 *	cc -shared -fPIC -o clock.so clock.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static int64_t fixed;
static const volatile int64_t *offset = &fixed;
static int (*real_clock_gettime)(clockid_t id, struct timespec *now);

static const int64_t *map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		abort();
	return at;
}

__attribute__((constructor)) static void read_offset(void)
{
	const char *text = getenv("TFT_CLOCK_OFFSET");
	const char *path = getenv("TFT_CLOCK_FILE");

	if (!text == !path)
		abort();
	if (path)
		offset = map(path);
	else
		fixed = strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc;

	/* The sanitizers call this before any constructor has run. */
	if (!real_clock_gettime)
		*(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	rc = real_clock_gettime(id, now);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += *offset;
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
