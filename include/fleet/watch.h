/* SPDX-License-Identifier: MIT */
/*
 * Warnings from bucket to bucket (doc/rules.md#warnings). Each commit goes one step on from the
 * record that the commit before left: for each server and limit, whether its value was below the
 * limit, has just been at it, or was warned of, and when. Pure; cache/warnings.h brings the record
 * from Redis.
 *
 * The body of the record, after magic and checksum: its time, then for each server, by name, its
 * name, three sets of limits with 2 bytes each (known; of these warned of; of these at the limit)
 * and for each limit that is in one of the last two how long ago, in ms.
 */
#ifndef TFT_WATCH_H
#define TFT_WATCH_H

#include "fleet/warnings.h"

#define WATCH_FORMAT 1
/* A value that comes back to its limit within this time has not left it. */
#define WATCH_AWAY_MS 300000

/* Whether the server's value is known, and at the limit. */
enum watch_seen { WATCH_NOTHING, WATCH_BELOW, WATCH_AT };
enum watch_seen watch_see(const struct server *server, size_t limit);
/* Whether its forecast reaches the limit within the horizon, from a value below it. */
bool watch_warns(const struct server *server, size_t limit);

struct watch_step {
	struct span before;          /* the record of the commit before; empty: there is none */
	const struct snapshot *snap; /* with its series */
	struct warnings_hour *hour;  /* outcomes are added */
	struct buf *told;            /* the first WARNINGS_TOLD of them, lines of warnings.h */
	struct buf *after;           /* the record after it; fails when memory ends */
	size_t outcomes;             /* set: how many there are */
};

/* -1: the record is damaged, and nothing is known of the time before. */
int watch_step(struct watch_step *step);

#endif
