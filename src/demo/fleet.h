/* SPDX-License-Identifier: MIT */
#ifndef DEMO_FLEET_H
#define DEMO_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

/*
 * The simulated servers. Every sample is a pure function of (state, server, metric, tick): profile
 * baseline, slow daily wave, smooth hashed noise, and the ramp of the scenario
 * (doc/upstream.md#scenarios). No sample is stored.
 *
 * Unlike the real generator, a scenario lowers the idle share of its servers: CPU used reacts.
 */

/* In the order of the wire (doc/upstream.md#metrics). */
/* clang-format off */
enum metric {
	CPU_USER, CPU_SYS, CPU_IOWAIT, CPU_IDLE, JAVA_CPU, MEM_USED, SWAP_USED, DISK_USAGE,
	NET_IN, NET_OUT, BACK_CLOSE_WAIT, FRONT_CLOSE_WAIT, LOAD_AVERAGE, UPTIME_DAYS, METRICS
};
/* clang-format on */

enum { FLEET_MIN = 7, FLEET_MAX = 1000, FLEET_NAME_MAX = 16 };

struct fleet {
	struct state state;
	int size;
	unsigned char kind[FLEET_MAX]; /* index of the profile */
	char name[FLEET_MAX][FLEET_NAME_MAX];
	bool busy[FLEET_MAX];              /* under strain even in the healthy scenario */
	bool hit[STATE_PHASES][FLEET_MAX]; /* affected in that phase */
};

void fleet_init(struct fleet *f, const struct state *s);

const char *fleet_metric_name(enum metric m);

/* One value, rounded as in a record of the generator: two decimals, or a whole number. */
double fleet_sample(const struct fleet *f, int server, enum metric m, int64_t tick);

/* The number of servers affected in the current phase. */
int fleet_affected(const struct fleet *f);

/* The number of records a server has sent by a tick. Some lose a few, so a fleet warms up
 * gradually. */
int64_t fleet_records(const struct fleet *f, int server, int64_t tick);

#endif
