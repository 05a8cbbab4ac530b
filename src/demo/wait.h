/* SPDX-License-Identifier: MIT */
#ifndef DEMO_WAIT_H
#define DEMO_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Call once, before FCGX_Init, which installs handlers for signals that have none. */
void wait_init(void);

/*
 * Waits until fd is ready for events, POLLIN or POLLOUT (fd < 0: only for time to pass), or until
 * ms have passed (ms < 0: no limit). False if the process has been told to stop by TERM, INT or
 * HUP. That is noticed only when the call has to wait: if fd is ready, the result is true.
 */
bool wait_for(int fd, short events, int64_t ms);

/* False if the process has been told to stop. */
bool wait_go_on(void);

/* Milliseconds of the monotonic clock, and since 1970. */
int64_t wait_monotonic_ms(void);
int64_t wait_wall_ms(void);

#endif
