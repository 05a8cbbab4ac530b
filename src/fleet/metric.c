/* SPDX-License-Identifier: MIT */
/* The fifteen metrics of the wire, their labels and units. */
#include "config.h"

#include "fleet/metric.h"

const struct metric_info metric_table[METRIC_COUNT] = {
	[METRIC_CPU_USER] = {"cpu_user_pct", "CPU user", "%", true},
	[METRIC_CPU_SYS] = {"cpu_sys_pct", "CPU system", "%", true},
	[METRIC_CPU_IOWAIT] = {"cpu_iowait_pct", "I/O wait", "%", true},
	[METRIC_CPU_IDLE] = {"cpu_idle_pct", "CPU idle", "%", true},
	[METRIC_JAVA_CPU] = {"java_cpu_pct", "Java CPU", "%", true},
	[METRIC_MEM_USED] = {"mem_used_pct", "Memory", "%", true},
	[METRIC_SWAP_USED] = {"swap_used_pct", "Swap", "%", true},
	[METRIC_DISK_USAGE] = {"disk_usage_pct", "Disk", "%", true},
	[METRIC_NET_IN] = {"net_in_mb_s", "Network in", "MB/s", false},
	[METRIC_NET_OUT] = {"net_out_mb_s", "Network out", "MB/s", false},
	[METRIC_BACK_CLOSE_WAIT] = {"back_close_wait", "Back-end close-wait", "sockets", false},
	[METRIC_FRONT_CLOSE_WAIT] = {"front_close_wait", "Front-end close-wait", "sockets", false},
	[METRIC_LOAD] = {"load_average", "Load", "", false},
	[METRIC_UPTIME_DAYS] = {"uptime_days", "Uptime", "days", false},
	[METRIC_CASCADE_IMPACT] = {"cascade_impact", "Cascade impact", "", false},
};
