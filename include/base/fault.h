/* SPDX-License-Identifier: MIT */
/* Named points at which a test build (configure --enable-fault-hooks) stops or kills its process:
 * TFT_FAULT=point:stop or point:kill, armed while the file named by TFT_FAULT_ARM exists. Other
 * builds contain nothing of it. */
#ifndef TFT_FAULT_H
#define TFT_FAULT_H

#ifdef ENABLE_FAULT_HOOKS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void fault_point(const char *point)
{
	const char *fault = getenv("TFT_FAULT"), *arm = getenv("TFT_FAULT_ARM");
	size_t len = strlen(point);

	if (!fault || !arm || strncmp(fault, point, len) != 0 || fault[len] != ':' ||
	    unlink(arm) != 0)
		return;
	(void)raise(strcmp(fault + len + 1, "stop") == 0 ? SIGSTOP : SIGKILL);
}
#else
static inline void fault_point(const char *point)
{
	(void)point;
}
#endif

#endif
