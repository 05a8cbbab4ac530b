/* SPDX-License-Identifier: MIT */
/*
 * Incidents (doc/rules.md#incidents): episodes of the environment at STATUS_WARNING or worse, and
 * of a server at LEVEL_DANGER or worse. Each commit goes one step on from those that were open
 * after the commit before. Pure; cache/archive.h brings the records from Redis.
 *
 * A record has a line for each episode, readable with XRANGE:
 *
 *  1 <e or s> <first bucket> <last> <peak> <end> <status or profile> <risk> <rule> <servers> <name>
 *
 * 1 is the format. The first bucket is its time (epoch ms); last, peak and end are counted from it,
 * an end of 0 means that it is open. Status (of an e, environment), profile (of an s, server) and
 * rule are the numbers of their enums: a change of their order needs a new format. Risk is in
 * tenths, the name is percent-encoded.
 */
#ifndef TFT_INCIDENTS_H
#define TFT_INCIDENTS_H

#include "fleet/snapshot.h"

#define INCIDENTS_GAP 2     /* so many buckets below the level or missing do not end an episode */
#define INCIDENTS_MAX 10000 /* ended ones that are kept */

struct incident {
	bool environment;
	int64_t from_ms, last_ms, peak_ms; /* times of the first, last and worst bucket in it */
	int64_t to_ms;                     /* end of the last bucket; 0: open */
	enum status status;                /* environment: at the peak */
	enum profile profile;              /* of the server */
	/* At the peak, of the server, or of the worst one of the environment. */
	int risk;            /* tenths */
	enum component rule; /* with the most points; COMPONENT_COUNT: none */
	unsigned servers;    /* environment: at LEVEL_CRITICAL or worse then */
	uint32_t name_at, name_len;
};

/* Owned. */
struct incidents {
	struct buf list; /* struct incident */
	struct buf names;
};

void incidents_init(struct incidents *incidents);
void incidents_free(struct incidents *incidents);
/* Adds the lines of a record, but for damaged ones: the number of those. */
size_t incidents_add(struct incidents *incidents, struct span record);
size_t incidents_count(const struct incidents *incidents);
const struct incident *incidents_list(const struct incidents *incidents);
/* The server, or the worst one of the environment; empty if there was none. */
struct span incident_name(const struct incidents *incidents, const struct incident *incident);
/* The level for its colour and for filters: of the server's risk, or the level with the name of the
 * status. */
enum level incident_level(const struct incident *incident);
/* Until it ended, or until now_ms. */
int64_t incident_duration_ms(const struct incident *incident, int64_t now_ms);
/* Open ones first, then by their end, the newest first; of equal ones the environment first, then
 * by name. */
void incidents_sort(struct incidents *incidents);

/* open: the record of those open before the snapshot. next: the record of those open after it,
 * ordered by name. closed: the record of those that it ends. Both fail when memory ends. Returns
 * the number of damaged lines in `open`, which are forgotten. */
size_t incidents_step(struct span open, const struct snapshot *snap, struct buf *next,
		      struct buf *closed);

#endif
