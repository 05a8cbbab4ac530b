/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into redis-server by server.py: its wall clock is the number of microseconds at the
 * start of the file TFT_CLOCK. Time stands still until the test moves it, so a model can predict
 * every answer, including the remaining times to live.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *now_us;

__attribute__((constructor)) static void map_clock(void)
{
	const char *path = getenv("TFT_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page =
		fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*now_us), PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		abort();
	close(fd);
	now_us = page;
}

int gettimeofday(struct timeval *tv, void *zone)
{
	int64_t us = *now_us;

	(void)zone;
	tv->tv_sec = us / 1000000;
	tv->tv_usec = us % 1000000;
	return 0;
}

time_t time(time_t *seconds)
{
	time_t now = *now_us / 1000000;

	if (seconds)
		*seconds = now;
	return now;
}
