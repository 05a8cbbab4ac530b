/* SPDX-License-Identifier: MIT */
/*
 * The predictions calls that the workers of this host have made for themselves, in a small file
 * beside their listen socket: what a worker remembers ends with it, and its successor must not call
 * again at once. The file has a slot for each worker of the host; a call takes one that has not
 * been taken for the time that all of them share.
 */
#ifndef TFT_HOST_CALLS_H
#define TFT_HOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_CALLS_SUFFIX ".calls" /* after the path of the socket */

/* The file beside this unix socket, made when it is not there. A descriptor, or -1: the socket has
 * no path, or its directory is not ours to write in. */
int host_calls_open(int socket_fd);
/* Takes one of so many slots, if one was not taken in the `window_ms` before now_ms, a time of the
 * machine's monotonic clock. false: none is left. Only for who has the turn of this host. */
bool host_calls_take(int fd, int64_t slots, int64_t window_ms, int64_t now_ms);

#endif
