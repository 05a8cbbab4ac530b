/* SPDX-License-Identifier: MIT */
/*
 * The last hour of the risks, as the history has it (fleet/history.h): the line of each server, and
 * since when it has been at its level if no earlier snapshot has that (doc/rules.md#since-when).
 * Pure; cache/archive.h brings the entries.
 *
 *	recent_begin(&hour, snap);
 *	recent_names(&hour, names);              // for the entries that follow
 *	recent_add(&hour, at_ms, risks);         // any number, ascending
 *	recent_end(&hour);
 */
#ifndef TFT_RECENT_H
#define TFT_RECENT_H

#include "fleet/snapshot.h"

struct recent_hour {
	struct snapshot *snap;         /* borrowed */
	bool levels;                   /* levels are to be noted */
	const struct server **by_name; /* owned; NULL: memory ended, nothing is noted */
	struct server **servers; /* owned; in the order of the names; NULL: not in the snapshot */
	size_t count;            /* of the last list of names */
};

/* Begins the lines anew. Levels are noted unless snapshot_carry has brought them. */
void recent_begin(struct recent_hour *hour, struct snapshot *snap);
/* Percent-encoded, ascending, separated by spaces. */
void recent_names(struct recent_hour *hour, struct span names);
/* The risks at that time, two digits each in the order of the names. Times before the hour count
 * for the levels alone. Times that are not before the snapshot do not count. */
void recent_add(struct recent_hour *hour, int64_t at_ms, struct span risks);
/* Adds the snapshot's own risks and frees the lists. */
void recent_end(struct recent_hour *hour);

#endif
