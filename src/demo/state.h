/* SPDX-License-Identifier: MIT */
#ifndef DEMO_STATE_H
#define DEMO_STATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the two roles share, one small file. The past of the fleet is computed from it (fleet.h), so
 * a restarted process goes on where the old one was.
 *
 *	fd = state_open(path, &wanted);		creates it, or checks that it fits
 *	state_read(fd, &s);			a consistent copy
 *	state_lock(fd, &s), change s, state_save(fd, &s)
 *
 * bool functions: false = the file cannot be read or written, errno says why; the lock is released.
 */
enum scenario {
	SCENARIO_HEALTHY,
	SCENARIO_DEGRADING,
	SCENARIO_CRITICAL,
	SCENARIO_CASCADE,
	SCENARIO_COUNT
};

/* One stretch of time under one scenario, until the next phase begins. */
struct phase {
	int64_t since;     /* tick at which it was set */
	int32_t scenario;  /* enum scenario */
	int32_t escalated; /* critical set while degrading: same servers, ramp goes on from where it
			      was */
	uint64_t draw;     /* which servers are affected */
};

enum { STATE_PHASES = 8 };

struct state {
	char magic[8];
	uint64_t seed;
	int64_t start_ms; /* wall clock at tick 0 */
	int64_t tick_ms;
	int64_t servers;
	int64_t fed_batches, fed_records; /* what POST /feed/data brought */
	uint64_t draws;                   /* draws made so far */
	int64_t phase_count;              /* 1 ... STATE_PHASES; the last one is the present */
	struct phase phases[STATE_PHASES];
};

struct state state_fresh(uint64_t seed, int64_t servers, int64_t tick_ms, int64_t start_ms);

/*
 * A descriptor for the calls below, or -1: errno EINVAL when the file was made for another seed,
 * fleet size or tick length (or is no state file at all), otherwise as set by the system call.
 */
int state_open(const char *path, const struct state *wanted);

bool state_read(int fd, struct state *s);
bool state_lock(int fd, struct state *s);
bool state_save(int fd, const struct state *s);

/* Ticks gone by at a wall clock time, never negative. */
int64_t state_tick(const struct state *s, int64_t wall_ms);

/* The present phase. */
const struct phase *state_now(const struct state *s);

/* Begin a phase. Setting the present scenario again restarts its ramp and draws other servers
 * (doc/upstream.md#scenario-set). */
void state_set_scenario(struct state *s, enum scenario scenario, int64_t tick);

const char *state_scenario_name(int scenario);

/* SCENARIO_COUNT when the name is none; case matters. */
enum scenario state_scenario_find(const char *name);

#endif
