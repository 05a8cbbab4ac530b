/* SPDX-License-Identifier: MIT */
/* The fifteen metrics of the wire, their labels and units. */
#include "config.h"

#include "fleet/metric.h"

/* Percentages are clamped after they are derived, so values slightly above 100 are accepted. */
#define PERCENT_MOST 1e3

const struct metric_info metric_table[METRIC_COUNT] = {
	[METRIC_CPU_USER] = {"cpu_user_pct", "CPU user", "%", true, PERCENT_MOST},
	[METRIC_CPU_SYS] = {"cpu_sys_pct", "CPU system", "%", true, PERCENT_MOST},
	[METRIC_CPU_IOWAIT] = {"cpu_iowait_pct", "I/O wait", "%", true, PERCENT_MOST},
	[METRIC_CPU_IDLE] = {"cpu_idle_pct", "CPU idle", "%", true, PERCENT_MOST},
	[METRIC_JAVA_CPU] = {"java_cpu_pct", "Java CPU", "%", true, PERCENT_MOST},
	[METRIC_MEM_USED] = {"mem_used_pct", "Memory", "%", true, PERCENT_MOST},
	[METRIC_SWAP_USED] = {"swap_used_pct", "Swap", "%", true, PERCENT_MOST},
	[METRIC_DISK_USAGE] = {"disk_usage_pct", "Disk", "%", true, PERCENT_MOST},
	[METRIC_NET_IN] = {"net_in_mb_s", "Network in", "MB/s", false, 1e6},
	[METRIC_NET_OUT] = {"net_out_mb_s", "Network out", "MB/s", false, 1e6},
	[METRIC_BACK_CLOSE_WAIT] = {"back_close_wait", "Back-end close-wait", "sockets", false,
				    1e7},
	[METRIC_FRONT_CLOSE_WAIT] = {"front_close_wait", "Front-end close-wait", "sockets", false,
				     1e7},
	[METRIC_LOAD] = {"load_average", "Load", "", false, METRIC_LOAD_MOST},
	[METRIC_UPTIME_DAYS] = {"uptime_days", "Uptime", "days", false, 1e5},
	[METRIC_CASCADE_IMPACT] = {"cascade_impact", "Cascade impact", "", false, 1e6},
};
