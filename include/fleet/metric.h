/* SPDX-License-Identifier: MIT */
/* The metrics of the wire (doc/upstream.md#metrics) as one table, in the order of the wire. */
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
	METRIC_CASCADE_IMPACT, /* sent only by the latest daemon */
	METRIC_COUNT
};

#define METRIC_LOAD_MOST 1e5

struct metric_info {
	const char *wire;  /* name on the wire and in the API: cpu_user_pct */
	const char *label; /* name on screen: CPU user */
	const char *unit;  /* %, MB/s, sockets, days or empty */
	bool percent;      /* values are clamped to 0..100 (doc/rules.md#conventions) */
	double most;       /* largest plausible magnitude (doc/rules.md#plausible) */
};

extern const struct metric_info metric_table[METRIC_COUNT];

/* Every number passes through this, whether read or computed: NaN unless it is finite and within
 * `most`. */
static inline double metric_gate(enum metric m, double value)
{
	return value >= -metric_table[m].most && value <= metric_table[m].most ? value
									       : (double)NAN;
}

#endif
