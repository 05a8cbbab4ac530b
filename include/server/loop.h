/* SPDX-License-Identifier: MIT */
/* The accept loop of one worker: one request at a time, refresh after the response, idle tick
 * between requests (doc/cache.md#processes). */
#ifndef TFT_LOOP_H
#define TFT_LOOP_H

#include "server/serve.h"

enum loop_result {
	LOOP_STOPPED, /* SIGTERM, SIGINT or SIGHUP: the request and refresh in hand were finished */
	LOOP_BROKEN   /* the listen socket cannot be used (any more) */
};

/* listen_fd: a listening socket, usually 0. node: for response headers. */
enum loop_result loop_run(struct serve *serve, int listen_fd, const char *node);

#endif
