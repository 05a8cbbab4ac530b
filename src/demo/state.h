/* SPDX-License-Identifier: MIT */
#ifndef DEMO_STATE_H
#define DEMO_STATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The state that the two roles share, in one small file. The past of the fleet is computed from it
 * (fleet.h), so a restarted process continues where the old one stopped.
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

/* A period under one scenario, until the next phase begins. */
struct phase {
	int64_t since;     /* tick at which it was set */
	int32_t scenario;  /* enum scenario */
	int32_t escalated; /* critical was set while degrading: same servers, and the ramp
			      continues */
	uint64_t draw;     /* decides which servers are affected */
};

enum { STATE_PHASES = 8 };

struct state {
	char magic[8];
	uint64_t seed;
	int64_t start_ms; /* wall clock at tick 0 */
	int64_t tick_ms;
	int64_t servers;
	int64_t fed_batches, fed_records; /* received by POST /feed/data */
	uint64_t draws;                   /* draws made so far */
	int64_t phase_count;              /* 1 ... STATE_PHASES; the last one is the current one */
	struct phase phases[STATE_PHASES];
};

struct state state_fresh(uint64_t seed, int64_t servers, int64_t tick_ms, int64_t start_ms);

/*
 * A descriptor for the calls below, or -1: errno is EINVAL if the file was made for another seed,
 * fleet size or tick length, or is not a state file; otherwise as set by the system call.
 */
int state_open(const char *path, const struct state *wanted);

bool state_read(int fd, struct state *s);
bool state_lock(int fd, struct state *s);
bool state_save(int fd, const struct state *s);

/* The number of ticks elapsed at a wall clock time, never negative. */
int64_t state_tick(const struct state *s, int64_t wall_ms);

/* The current phase. */
const struct phase *state_now(const struct state *s);

/* Begins a phase. Setting the current scenario again restarts its ramp and draws other servers
 * (doc/upstream.md#scenario-set). */
void state_set_scenario(struct state *s, enum scenario scenario, int64_t tick);

const char *state_scenario_name(int scenario);

/* SCENARIO_COUNT if there is no such scenario; case matters. */
enum scenario state_scenario_find(const char *name);

#endif
