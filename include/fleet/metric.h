/* SPDX-License-Identifier: MIT */
/* The metrics of the wire (doc/upstream.md#metrics), in the order of the wire, as one table. */
#ifndef TFT_METRIC_H
#define TFT_METRIC_H

#include <math.h>
#include <stdbool.h>
#include "base/span.h"

enum metric {
	METRIC_CPU_USER,
	METRIC_CPU_SYS,
	METRIC_CPU_IOWAIT,
	METRIC_CPU_IDLE,
	METRIC_JAVA_CPU,
	METRIC_MEM_USED,
	METRIC_SWAP_USED,
	METRIC_DISK_USAGE,
	METRIC_NET_IN,
	METRIC_NET_OUT,
	METRIC_BACK_CLOSE_WAIT,
	METRIC_FRONT_CLOSE_WAIT,
	METRIC_LOAD,
	METRIC_UPTIME_DAYS,
	METRIC_CASCADE_IMPACT, /* only the latest upstream sends it */
	METRIC_COUNT
};

#define METRIC_LOAD_MOST 1e5

struct metric_info {
	const char *wire;  /* name on the wire and in the API: cpu_user_pct */
	const char *label; /* name on screen: CPU user */
	const char *unit;  /* %, MB/s, sockets, days or empty */
	bool percent;      /* values are clamped to 0..100 (doc/rules.md#conventions) */
	double most;       /* no value of it is larger, either sign (doc/rules.md#plausible) */
};

extern const struct metric_info metric_table[METRIC_COUNT];

/* What every number passes, whether it was read or worked out: NaN for one that is no finite number
 * within `most`. */
static inline double metric_gate(enum metric m, double value)
{
	return value >= -metric_table[m].most && value <= metric_table[m].most ? value
									       : (double)NAN;
}

#endif
