/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/host_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int host_calls_open(int socket_fd)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address);
	char path[sizeof(address.sun_path) + sizeof(HOST_CALLS_SUFFIX)];

	if (getsockname(socket_fd, (struct sockaddr *)&address, &len) != 0 ||
	    address.sun_family != AF_UNIX || address.sun_path[0] != '/')
		return -1;
	(void)snprintf(path, sizeof(path), "%.*s" HOST_CALLS_SUFFIX, (int)sizeof(address.sun_path),
		       address.sun_path);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

/* A time in the future was written before the machine was restarted. */
static bool is_free(int64_t taken_ms, int64_t window_ms, int64_t now_ms)
{
	return taken_ms <= 0 || taken_ms > now_ms || now_ms - taken_ms >= window_ms;
}

bool host_calls_take(int fd, int64_t first, int64_t slots, int64_t window_ms, int64_t now_ms)
{
	int64_t taken_ms;

	for (int64_t i = first; i < first + slots; i++) {
		off_t at = (off_t)i * (off_t)sizeof(taken_ms);

		/* Slots past the end of the file have never been used. */
		if (pread(fd, &taken_ms, sizeof(taken_ms), at) == sizeof(taken_ms) &&
		    !is_free(taken_ms, window_ms, now_ms))
			continue;
		return pwrite(fd, &now_ms, sizeof(now_ms), at) == sizeof(now_ms);
	}
	return false;
}
