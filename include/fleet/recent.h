/* SPDX-License-Identifier: MIT */
/*
 * The last hour of the risks, as the history has it (fleet/history.h): the line of each server, and,
 * where no snapshot before tells, since when it has been at its level (doc/rules.md#since-when). Pure; archive.h brings the
 * entries.
 *
 *	recent_begin(&hour, snap);
 *	recent_names(&hour, names);              // of the entries that follow
 *	recent_add(&hour, at_ms, risks);         // any number, in the order of time
 *	recent_end(&hour);
 */
#ifndef TFT_RECENT_H
#define TFT_RECENT_H

#include "fleet/snapshot.h"

struct recent_hour {
	struct snapshot *snap;         /* borrowed */
	bool levels;                   /* nothing is known of its levels yet */
	const struct server **by_name; /* owned; NULL: memory ended, nothing is noted */
	struct server **servers;       /* owned; in the order of the names; NULL: of none of ours */
	size_t count;                  /* of the names that were told last */
};

/* The lines are begun anew; levels are noted if the snapshot has not been carried yet
 * (snapshot_carry). */
void recent_begin(struct recent_hour *hour, struct snapshot *snap);
/* Percent-encoded, ascending, separated by spaces. */
void recent_names(struct recent_hour *hour, struct span names);
/* The risks at that time, two digits each in the order of the names. What lies before the hour
 * counts for the levels alone, what is not earlier than the snapshot not at all. */
void recent_add(struct recent_hour *hour, int64_t at_ms, struct span risks);
/* Notes what the snapshot itself says, and gives back what was taken. */
void recent_end(struct recent_hour *hour);

#endif
