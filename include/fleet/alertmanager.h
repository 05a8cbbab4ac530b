/* SPDX-License-Identifier: MIT */
/*
 * What an Alertmanager told of our fleet (doc/rules.md#silences): its alerts, its silences, itself.
 * One record, which is stored, and travels with each snapshot. fleet/told.h makes it from the
 * answers. Pure.
 */
#ifndef TFT_ALERTMANAGER_H
#define TFT_ALERTMANAGER_H

#include "fleet/condition.h"
#include "fleet/silences.h"

#define ALERTMANAGER_ALERTS_MAX 1000 /* the rest is counted and left out */
#define ALERTMANAGER_RECORD_MAX (1u << 20)

/* It passes on what is active. What has just arrived may still be held back by either of the
 * others. */
struct told_alert {
	/* Labels as we send them (pages/alert_json.h); those in the second line may be empty. */
	struct span name;
	struct span server, metric;
	enum level severity;
	struct span receivers; /* names, separated by ", " */
	int64_t from_ms;
	bool is_new; /* not yet looked at: "unprocessed" */
	bool is_silenced;
	const struct silence *silence; /* the one of these that ends last; NULL: it is not in the
					  list */
	bool is_inhibited;             /* by another alert */
	bool is_muted;                 /* by a time interval; since 0.28 */
};

/* Texts are borrowed from the record. */
struct alertmanager {
	int64_t read_ms; /* when its answers came, by Redis' clock; 0: never */
	struct span version;
	struct span cluster;       /* ready, settling, disabled */
	unsigned peers;            /* of the cluster, itself among them */
	struct told_alert *alerts; /* owned; the most severe first, then by name and server */
	size_t alert_count;
	struct silences silences;
	unsigned alerts_left_out, silences_left_out; /* too many, too long, or not understood */
};

/* The stored form: of an alert, whose silence is the number of one in the list, from 1; 0: none ...
 */
void alertmanager_put_alert(const struct told_alert *alert, size_t silence, struct buf *out);
/* ... and of all. The two lists are given in their stored form, *a has their lengths. */
void alertmanager_put(const struct alertmanager *a, struct span silences, struct span alerts,
		      struct buf *out);
/* Reads the record, which must outlive *alertmanager. Everything is empty if it is damaged, or if
 * out of memory. */
void alertmanager_read(struct span record, struct alertmanager *alertmanager);
void alertmanager_free(struct alertmanager *alertmanager);

#endif
