/* SPDX-License-Identifier: MIT */
/*
 * The one verdict that leads (doc/rules.md#verdict): title, icon, chip, badge and the first sentence
 * of the overview say it alike. It is the worse of two: the worst level that a server is at, and the
 * status of the environment, which looks at shares alone. Pure.
 */
#ifndef TFT_VERDICT_H
#define TFT_VERDICT_H

#include "fleet/snapshot.h"

struct verdict {
	enum level level; /* LEVEL_HEALTHY: no server is at Degrading or worse */
	unsigned count;   /* servers at this level; with `share`: those that the rule counts */
	unsigned alerts, total; /* servers at Degrading or worse, and all of them */
	enum status status;     /* of the environment; STATUS_UNKNOWN: there are no servers */
	const struct status_rule *share; /* the status is worse than the worst server; else NULL */
};

struct verdict verdict_of(const struct fleet_counts *counts);
/* Its word, Imminent Failure, and the part of the CSS class that goes with it; "Unknown" without
 * servers. */
const char *verdict_name(const struct verdict *verdict);
const char *verdict_slug(const struct verdict *verdict);

#endif
