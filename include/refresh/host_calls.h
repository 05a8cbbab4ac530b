/* SPDX-License-Identifier: MIT */
/*
 * The times of the calls that the workers of this host made on their own, in a small file beside
 * the listen socket. The file outlives a worker, so that a restarted worker does not call again at
 * once. It has one slot per worker of the host for predictions calls, and then one for posts of
 * alerts; a call takes a slot that has been free for `window_ms`.
 */
#ifndef TFT_HOST_CALLS_H
#define TFT_HOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_CALLS_SUFFIX ".calls" /* after the path of the socket */

/* Opens the file beside this unix socket, creating it if necessary. A descriptor, or -1: the socket
 * has no path, or its directory is not writable. */
int host_calls_open(int socket_fd);
/* Takes one of `slots` slots from the first one on that was not taken in the `window_ms` before now_ms (monotonic clock).
 * false: none is free. The caller must hold the host's lock. */
bool host_calls_take(int fd, int64_t first, int64_t slots, int64_t window_ms, int64_t now_ms);

#endif
