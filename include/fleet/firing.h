/* SPDX-License-Identifier: MIT */
/*
 * The alerts that an Alertmanager is told of (doc/rules.md#alerts). Each refresh goes one step on
 * from the record in the snapshot before, so every host agrees on what fires and since when. A
 * condition fires when it has lasted for `after` buckets, and is over when it has been gone for as
 * many. Pure; pages/alert_json.h writes what is sent.
 */
#ifndef TFT_FIRING_H
#define TFT_FIRING_H

#include "base/buf.h"
#include "fleet/level.h"
#include "fleet/snapshot.h"

#define FIRING_OVER_MS  INT64_C(300000) /* for so long the end of an alert is told */
#define FIRING_SOON_MIN 30              /* a limit that is crossed later is no alert yet */
#define FIRING_MAX      20000           /* alerts in a record */

enum firing_kind {
	FIRING_RISK,        /* a server is at this level or a worse one */
	FIRING_CROSSING,    /* the forecast of a server crosses a limit within FIRING_SOON_MIN */
	FIRING_SILENT,      /* a server is silent */
	FIRING_FEED,        /* the daemon receives no data */
	FIRING_ENVIRONMENT, /* the status is Warning, Critical */
	/* The dashboard's own: they fire and end at once. */
	FIRING_DATA,  /* no data for longer than act_limit */
	FIRING_KEY,   /* the daemon refuses the key */
	FIRING_REDIS, /* Redis cannot be used */
	FIRING_KINDS
};

enum firing_phase { FIRING_PENDING, FIRING_ON, FIRING_OVER, FIRING_PHASES };

struct firing {
	enum firing_kind kind;
	enum level severity;
	unsigned part; /* FIRING_CROSSING: enum crossing_index; else 0 */
	enum firing_phase phase;
	int64_t from_ms;  /* since when */
	int64_t first_ms; /* the first bucket in which it was seen */
	int64_t to_ms;    /* the first bucket in which it was gone; 0: it is there */
	uint32_t name_at, name_len;
};

/* Owned. Ordered by kind, name, part, severity. */
struct firings {
	struct buf list; /* struct firing */
	struct buf names;
};

struct firing_rules {
	enum level from;      /* the mildest level of a server that fires */
	int64_t after;        /* buckets, 1 or more */
	int64_t act_limit_ms; /* age of the data from which their absence fires */
};

void firings_init(struct firings *firings);
void firings_free(struct firings *firings);
/* Adds those of a record (struct snapshot, firing). Nothing if it is not complete. */
void firings_read(struct firings *firings, struct span record);
size_t firings_count(const struct firings *firings);
const struct firing *firings_list(const struct firings *firings);
/* Of the server; empty if it is not about one. */
struct span firing_name(const struct firings *firings, const struct firing *firing);

/* What went wrong until this refresh; both may be 0. */
struct firing_outage {
	int64_t data_ms; /* gen_ms of the last data */
	int64_t key_ms;  /* since when the daemon has refused the key */
};

/* Sets snap->firing, by a step from the record before (empty: none). After snapshot_carry. */
void firing_step(struct span before, const struct firing_rules *rules,
		 const struct firing_outage *outage, struct snapshot *snap);
/* What is told while refreshes fail: what fired with the last data (last, NULL: there are none),
 * unless nobody should act on them any more, and the outage itself. firings: initialised by the
 * caller. */
void firing_without_data(const struct snapshot *last, const struct firing_rules *rules,
			 const struct firing_outage *outage, int64_t now_ms,
			 struct firings *firings);
/* Adds one of the dashboard's own. */
void firing_add_own(struct firings *firings, enum firing_kind kind, int64_t from_ms);

#endif
