/* SPDX-License-Identifier: MIT */
/*
 * Creates and ends silences (doc/rules.md#silencing) in the first Alertmanager that answers: those
 * of one cluster tell each other. Takes up to 2 s for each that does not.
 */
#ifndef TFT_SILENCE_H
#define TFT_SILENCE_H

#include "fleet/silences.h"
#include "refresh/alerts.h"

#define SILENCE_SAID_MAX 200 /* bytes */

enum silence_outcome {
	SILENCE_DONE,
	SILENCE_REFUSED, /* it said why */
	SILENCE_FOREIGN, /* it is not for alerts of our fleet alone: it was left as it is */
	SILENCE_AWAY,    /* none answered */
};

struct silence_result {
	enum silence_outcome outcome;
	size_t member;                   /* the Alertmanager that answered, from 0 */
	char id[SILENCE_ID_MAX + 1];     /* of the silence; empty: not known */
	char said[SILENCE_SAID_MAX + 1]; /* foreign bytes, cut; may be empty */
};

/* json: its body (fleet/silencing.h). */
void silence_create(const struct alerting *alerting, struct span json,
		    struct silence_result *result);
/* id: as silence_is_id. */
void silence_end(const struct alerting *alerting, struct span id, struct silence_result *result);

#endif
