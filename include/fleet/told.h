/* SPDX-License-Identifier: MIT */
/*
 * The answers of an Alertmanager's API (v2, as in 0.25 to 0.28) become the record of
 * fleet/alertmanager.h. They are foreign JSON: one element of a list is parsed at a time, within
 * limits, and what cannot be ours is left out.
 */
#ifndef TFT_TOLD_H
#define TFT_TOLD_H

#include "fleet/alertmanager.h"

#define TOLD_RECEIVERS_MAX 200               /* bytes of their names; the others are left out */
#define TOLD_ENDED_MS      INT64_C(86400000) /* for so long a silence that has ended is kept */
#define TOLD_ELEMENT_MAX   32768             /* bytes of one alert or silence */

/* To GET /api/v2/alerts, /silences, /status. */
struct told {
	struct span alerts, silences, status;
	struct span fleet; /* the label of ours */
	int64_t now_ms;
};

/* Appends the record. REASON_NONE; REASON_BAD: one of them is not what an Alertmanager answers;
 * REASON_INTERNAL: out of memory. */
enum reason told_decode(const struct told *told, struct buf *record);
/* Whether the answer to GET /api/v2/silence/<id> is a silence for alerts of this fleet alone. */
bool told_is_ours(struct span silence, struct span fleet);

#endif
