/* SPDX-License-Identifier: MIT */
/*
 * Incidents (doc/rules.md#incidents): episodes of the environment at STATUS_WARNING or worse, and of
 * a server at LEVEL_DANGER or worse. Each commit takes those that were open after the one before a
 * step further. Pure; cache/incidents.h brings the records from Redis.
 *
 * A record is a line for each episode that people can read with XRANGE:
 *
 *     1 <e or s> <first bucket> <last> <peak> <end> <status or profile> <risk> <rule> <servers> <name>
 *
 * 1 is the format. The first bucket is its time (epoch ms); last, peak and end are counted from it,
 * an end of 0 is none yet. Status (of an e, environment), profile (of an s, server) and rule are the
 * numbers of their enums, so that whoever changes the order of one makes a new format. Risk is in
 * tenths, the name is percent-encoded.
 */
#ifndef TFT_INCIDENTS_H
#define TFT_INCIDENTS_H

#include "fleet/snapshot.h"

#define INCIDENTS_GAP 2     /* so many buckets below the level, or missing, do not end an episode */
#define INCIDENTS_MAX 10000 /* ended ones that are kept */

struct incident {
	bool environment;
	int64_t from_ms, last_ms, peak_ms; /* times of the first, last and worst bucket in it */
	int64_t to_ms;                     /* when last's bucket ended; 0: open */
	enum status status;                /* environment: at the peak */
	enum profile profile;              /* of the server */
	/* At the peak, of the server, or of the worst one of the environment. */
	int risk;            /* tenths */
	enum component rule; /* that added most to it; COMPONENT_COUNT: none */
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
/* The lines of a record. What is none is left out. */
void incidents_add(struct incidents *incidents, struct span record);
size_t incidents_count(const struct incidents *incidents);
const struct incident *incidents_list(const struct incidents *incidents);
/* The server, or the worst one of the environment; empty: there was none. */
struct span incident_name(const struct incidents *incidents, const struct incident *incident);
/* What it is drawn with and chosen by: the level of the server's risk, or of the same word. */
enum level incident_level(const struct incident *incident);
/* Until it ended, or as far as it goes at now_ms. */
int64_t incident_duration_ms(const struct incident *incident, int64_t now_ms);
/* Those that are open first, then the newest end; of equal ones the environment first, then by
 * name. */
void incidents_sort(struct incidents *incidents);

/* open: the record of those open before the snapshot. next, closed: records of those open after it,
 * in the order of their names, and of those that it ends. Both fail when memory ends. */
void incidents_step(struct span open, const struct snapshot *snap, struct buf *next,
		    struct buf *closed);

#endif
