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
#include "fleet/alertmanager.h"
#include "fleet/condition.h"
#include "fleet/crossing.h"
#include "base/hash.h"
#include "fleet/level.h"
#include "fleet/metric.h"
#include "fleet/series.h"

struct horizons;

#define SNAPSHOT_NAME_MAX   255         /* bytes of a server name; longer ones are refused */
#define SNAPSHOT_SERVERS    20000       /* an answer with more servers is a bad answer */
#define SNAPSHOT_FIRING_MAX (16u << 20) /* bytes of the record of the alerts */

/* The origin of the cpu_user_pct forecast (doc/rules.md#provenance). */
enum model_kind { MODEL_UNKNOWN, MODEL_HEURISTIC, MODEL_TFT };

/* A value now and in the next 30 minutes (doc/rules.md#cpu-used, doc/rules.md#other-metrics),
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

/* Its risk over the last hour, in slots of equal time of which the last one ends with the snapshot.
 * In whole points, rounded down so that each stays on its side of a level's limit, plus 1; 0:
 * nothing is known. */
#define RECENT_SLOTS 20
#define RECENT_MS    3600000

struct recent {
	uint8_t most[RECENT_SLOTS];
	uint8_t least; /* of the whole hour */
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
	/* For each level the time of the bucket since which the server has been at this level or a
	 * worse one; 0: it is not. A moment keeps that of its present level only. */
	int64_t level_since_ms[LEVEL_HEALTHY];
	/* The one that silences it (silenced.h), of the snapshot's Alertmanager; NULL: none. Not in
	 * a moment. */
	const struct silence *silence;
	struct recent recent;
	/* To find silent servers: a fingerprint of the current values, since when it has been the
	 * same, and in how many snapshots. */
	uint64_t fingerprint;
	int64_t same_since_ms;
	uint32_t same_count;
	/* Both owned. The whole forecast, or NULL in a snapshot read from its compact form; the
	 * part of it that is kept (horizons.h), or NULL except in a moment. */
	struct series *series;
	struct horizons *horizons;
};

/* doc/upstream.md#status. known false: /status gave no answer, "warm-up unknown". */
struct warmup {
	bool known, done;
	int progress_percent, current_size, required_size;
	int64_t still_since_ms; /* since when no data have reached the daemon (ticks.h); 0: they do,
				   or it is unknown */
	int64_t at_ms;          /* when it was asked; 0: when the data of the page were */
};

#define SCENARIO_NAMES 10 /* the generator names at most this many */

/* doc/upstream.md#scenario-status. known false: no generator configured, or no answer. */
struct scenario {
	bool configured, known;
	char name[32];
	int affected, fleet_size;
	/* Names of affected servers, ascending: those sent that are printable ASCII shorter than 64
	 * bytes. */
	int name_count;
	char names[SCENARIO_NAMES][64];
	int64_t at_ms; /* as in struct warmup */
};

/* Does caching work? The numbers are those known when the refresh that made this snapshot ended, so
 * they are the same on every host. -1: unknown. */
struct served {
	int64_t fresh, stale, cold; /* requests for data, by what the shared cache had: all nodes,
				       since counting began */
	int64_t calls;              /* to the prediction daemon in that time, without this one */
	int64_t fetch_ms, bytes;    /* of the call that produced this snapshot */
	int64_t budget_left;        /* calls left in the minute that ended with this call */
};

struct snapshot {
	char id[HASH_HEX]; /* the same on every page made from it */
	int64_t bucket;    /* gen / interval, by Redis' clock */
	int64_t interval_ms;
	int64_t gen_ms;          /* when its refresh was claimed: the data's age counts from here */
	int64_t watched_from_ms; /* the first bucket that level_since_ms is known of; 0: none yet */
	int64_t fill_ms; /* how long refreshes take (90th percentile, rounded up to 100 ms) */
	enum model_kind model;
	char prediction_time[40]; /* as sent by the upstream, printable ASCII, may be empty */
	double prob_30m, prob_8h; /* 0..1 or NaN */
	struct warmup warmup;
	struct scenario scenario;
	struct served served;
	unsigned refused;    /* members of predictions that could not be read */
	unsigned odd_values; /* values that were sent but are not possible for their metric */
	size_t count;
	struct server *servers; /* owned; risk descending, then name ascending */
	struct buf names;       /* owned; storage of the names */
	struct buf firing;      /* owned; the record of the alerts (firing.h); not in a moment */
	/* Why and since when no Alertmanager has taken the alerts; REASON_NONE: one has, or nothing
	 * is sent. Not in a moment. */
	enum reason unsent;
	int64_t unsent_ms;
	/* What an Alertmanager told last (silenced.h), the record that it is read from, and why and
	 * since when it tells nothing. Not in a moment. */
	struct alertmanager alertmanager;
	struct buf told;
	enum reason untold;
	int64_t untold_ms;
};

/* Fleet counts (doc/rules.md#environment). */
struct fleet_counts {
	unsigned total, healthy, silent;
	unsigned silenced; /* of those at Degrading or worse */
	unsigned level[LEVEL_COUNT];
	unsigned or_worse[LEVEL_COUNT]; /* at this level or a worse one */
};

/* NULL if out of memory. */
struct snapshot *snapshot_new(void);
/* Releases everything and sets *s to NULL; NULL is accepted. */
void snapshot_free(struct snapshot **s);
/* Releases the forecasts, which are most of its memory. */
void snapshot_drop_series(struct snapshot *s);
/* Appends a server with everything absent; the name is copied. Valid until the next call, as the
 * array may move; snapshot_seal fixes up the names. NULL if out of memory or at a ceiling. */
struct server *snapshot_add(struct snapshot *s, struct span name);
/* Call after the last server is added and scored: drops all but the last server of a repeated name,
 * fixes up the names, sorts. */
int snapshot_seal(struct snapshot *s);
/* The same for a snapshot that was sealed and stored; -1 if servers are out of order or
 * repeated. */
int snapshot_reseal(struct snapshot *s);
/* NULL if no server has exactly this name. */
const struct server *snapshot_find(const struct snapshot *s, struct span name);
/* The servers ordered by name, freed by the caller; NULL if there are none, no snapshot, or no
 * memory. */
const struct server **snapshot_by_name(const struct snapshot *s);
void snapshot_count(const struct snapshot *s, struct fleet_counts *counts);
/* The same as if all servers that are silenced were healthy. */
void snapshot_count_unsilenced(const struct snapshot *s, struct fleet_counts *counts);
/* The same for some of its servers: adds one; fills in the sums when all are added. */
void fleet_counts_add(struct fleet_counts *counts, const struct server *server, int64_t gen_ms);
void fleet_counts_end(struct fleet_counts *counts);
/* Takes over from the previous snapshot (NULL: none) since when values have been the same and
 * levels have lasted. Without one, what recent.h has found stays. Call after seal. */
void snapshot_carry(struct snapshot *s, const struct snapshot *previous);
/* The time of its bucket. */
int64_t snapshot_bucket_ms(const struct snapshot *s);
/* Records that the server was at this level at that time. */
void server_note_level(struct server *server, enum level level, int64_t at_ms);
/* Since when it has been at its level or a worse one; 0 if it is Healthy, or if that is unknown. */
int64_t server_level_since(const struct server *server);
/* Silent: the same current values in at least 3 successive snapshots over at least 60 s. */
bool server_is_silent(const struct server *server, int64_t gen_ms);
/* The marks that apply to its memory: a database fills its memory on purpose. */
enum mark_kind server_memory_kind(const struct server *server);
/* If every server with data is silent: since when none of them has sent anything new; else 0. */
int64_t snapshot_silent_since(const struct snapshot *s);

#endif
