/* SPDX-License-Identifier: MIT */
/* What is sent to an Alertmanager: its `POST /api/v2/alerts` (doc/rules.md#alerts). Pure. */
#ifndef TFT_ALERT_JSON_H
#define TFT_ALERT_JSON_H

#include "fleet/accuracy.h"
#include "fleet/firing.h"

struct alert_post {
	const char *fleet;      /* the label of that name */
	const char *public_url; /* of the dashboard, for links; empty: not known */
	const struct firings *firings;
	const struct snapshot *snap;     /* that they are about; NULL: none */
	const struct accuracy *accuracy; /* of the last day; NULL: not known */
	const char *fault; /* what FIRING_DATA and FIRING_REDIS tell of the cause; NULL: nothing */
	int64_t now_ms, interval_ms; /* alerts last four intervals from now on, at least 3 min */
};

/* Appends the array of those that fire and those that are over; their number. `out` fails if out
 * of memory. */
size_t alert_json(const struct alert_post *post, struct buf *out);

#endif
