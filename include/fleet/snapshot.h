/* SPDX-License-Identifier: MIT */
/*
 * Everything derived from one successful predictions answer. Built by decode, scored by risk, then
 * read-only: pages, API and history are functions of it. Absent numbers are NaN
 * (doc/rules.md#conventions: absent is never 0).
 */
#ifndef TFT_SNAPSHOT_H
#define TFT_SNAPSHOT_H

#include <stdint.h>
#include "base/buf.h"
#include "fleet/crossing.h"
#include "base/hash.h"
#include "fleet/level.h"
#include "fleet/metric.h"
#include "fleet/series.h"

struct horizons;

#define SNAPSHOT_NAME_MAX 255   /* bytes of a server name; longer ones are refused */
#define SNAPSHOT_SERVERS  20000 /* more in one answer is a bad answer */

/* Where the forecast of cpu_user_pct came from (doc/rules.md#provenance). */
enum model_kind { MODEL_UNKNOWN, MODEL_HEURISTIC, MODEL_TFT };

/* One value now and its next 30 minutes (doc/rules.md#cpu-used, doc/rules.md#other-metrics),
 * clamped. */
struct reading {
	double now;
	double predicted; /* CPU: median */
	double worst;     /* CPU: worst case */
	double best;      /* CPU only, else NaN */
	double change;    /* predicted - now */
};

/* Components of the score, in the order of doc/rules.md#risk: now and predicted for each. */
enum component {
	COMPONENT_CPU_NOW,
	COMPONENT_CPU_PREDICTED,
	COMPONENT_IOWAIT_NOW,
	COMPONENT_IOWAIT_PREDICTED,
	COMPONENT_MEMORY_NOW,
	COMPONENT_MEMORY_PREDICTED,
	COMPONENT_LOAD_NOW,
	COMPONENT_LOAD_PREDICTED,
	COMPONENT_COUNT
};

struct server {
	struct span name; /* valid UTF-8; points into the snapshot's name store */
	enum profile profile;
	int risk; /* tenths, 0..1000 */
	uint8_t points[COMPONENT_COUNT];
	struct reading cpu, iowait, memory, load;
	double swap_now;
	struct crossing crossings[CROSSINGS];
	bool has_data; /* at least one known metric was present */
	/* Silent servers: a fingerprint of the current values, and since when and in how many
	 * snapshots it has been the same. */
	uint64_t fingerprint;
	int64_t same_since_ms;
	uint32_t same_count;
	/* Both owned. The whole forecast, or NULL in a snapshot that was read back; what is kept of it
	 * (horizons.h), or NULL but in a moment. */
	struct series *series;
	struct horizons *horizons;
};

/* Contract 4. known false: /status gave no answer, "warm-up unknown". */
struct warmup {
	bool known, done;
	int progress_percent, current_size, required_size;
	int64_t still_since_ms; /* since when no data have reached the daemon (ticks.h); 0: they do,
				   or it is not known */
	int64_t at_ms;          /* when it was asked; 0: when the data of the page were */
};

#define SCENARIO_NAMES 10 /* the generator names no more */

/* Contract 10.1. known false: no generator configured, or no answer. */
struct scenario {
	bool configured, known;
	char name[32];
	int affected, fleet_size;
	/* Of the affected, as far as they were sent and are printable ASCII of fewer than 64 bytes:
	 * in ascending order. */
	int name_count;
	char names[SCENARIO_NAMES][64];
	int64_t at_ms; /* as for the warm-up */
};

/* Does caching work? What was known when the refresh that made this snapshot ended, so that it is
 * the same on every host. -1: unknown. */
struct served {
	int64_t fresh, stale, cold; /* requests for data by what the shared cache had, all nodes,
				       since counting began */
	int64_t calls;           /* of the prediction daemon in that time, this one not counted */
	int64_t fetch_ms, bytes; /* of the call that gave this snapshot */
	int64_t budget_left;     /* calls left in the minute that ended with this one */
};

struct snapshot {
	char id[HASH_HEX]; /* the same on every page made from it */
	int64_t bucket;    /* gen / interval, by Redis' clock */
	int64_t interval_ms;
	int64_t gen_ms;  /* when its refresh was claimed: the data's age counts from here */
	int64_t fill_ms; /* how long refreshes take (90th percentile, rounded up to 100 ms) */
	enum model_kind model;
	char prediction_time[40]; /* as given by the upstream, printable ASCII, may be empty */
	double prob_30m, prob_8h; /* 0..1 or NaN */
	struct warmup warmup;
	struct scenario scenario;
	struct served served;
	unsigned refused;    /* members of predictions that could not be read */
	unsigned odd_values; /* values that were there, but no number that their metric can be */
	size_t count;
	struct server *servers; /* owned; risk descending, then name ascending */
	struct buf names;       /* owned; storage of the names */
};

/* Fleet counts (doc/rules.md#environment). */
struct fleet_counts {
	unsigned total, healthy, silent;
	unsigned level[LEVEL_COUNT];
	unsigned or_worse[LEVEL_COUNT]; /* at this level or a worse one */
};

/* NULL when memory ends. */
struct snapshot *snapshot_new(void);
/* Releases everything and sets *s to NULL; NULL is accepted. */
void snapshot_free(struct snapshot **s);
/* A new, all-absent server at the end; the name is copied. Valid until the next call (the array may
 * move); names are fixed up by snapshot_seal. NULL when memory or a ceiling ended. */
struct server *snapshot_add(struct snapshot *s, struct span name);
/* After the last server is added and scored: drops earlier servers of equal name (the last one
 * wins), fixes names, sorts. */
int snapshot_seal(struct snapshot *s);
/* The same for the servers of a snapshot that was sealed and stored; -1 when they are out of order,
 * or one is doubled. */
int snapshot_reseal(struct snapshot *s);
/* NULL when no server has exactly this name. */
const struct server *snapshot_find(const struct snapshot *s, struct span name);
/* The servers by name, to be freed by the caller; NULL when there are none (or no snapshot), or
 * memory ended. */
const struct server **snapshot_by_name(const struct snapshot *s);
void snapshot_count(const struct snapshot *s, struct fleet_counts *counts);
/* Takes same_since and same_count over from the snapshot before (NULL: none). Call after seal. */
void snapshot_carry(struct snapshot *s, const struct snapshot *previous);
/* Silent: the same current values in 3 or more successive snapshots over at least 60 s. */
bool server_is_silent(const struct server *server, int64_t gen_ms);
/* Which marks its memory has: a database fills it on purpose. */
enum mark_kind server_memory_kind(const struct server *server);
/* When every server that has data is silent: since when nothing new has come from any of them; else
 * 0. */
int64_t snapshot_silent_since(const struct snapshot *s);

#endif
