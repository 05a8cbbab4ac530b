/* SPDX-License-Identifier: MIT */
#ifndef DEMO_WAIT_H
#define DEMO_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Call once, before FCGX_Init (which takes over signals that have no handler). */
void wait_init(void);

/*
 * Wait until fd is ready for events, POLLIN or POLLOUT (fd < 0: nothing but time), or ms have
 * passed (ms < 0: for ever). False when the process has been asked to stop, by TERM, INT or HUP.
 * That is noticed only where the call would wait: with fd ready the answer is true.
 */
bool wait_for(int fd, short events, int64_t ms);

/* False when the process has been asked to stop. */
bool wait_go_on(void);

/* Milliseconds: of the monotonic clock, and since 1970. */
int64_t wait_monotonic_ms(void);
int64_t wait_wall_ms(void);

#endif
