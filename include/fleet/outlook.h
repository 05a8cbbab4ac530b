/* SPDX-License-Identifier: MIT */
/*
 * The risk that a server would have in the next hours if its forecast came true
 * (doc/rules.md#outlook): the score, of the forecast values in place of the present ones. Pure.
 */
#ifndef TFT_OUTLOOK_H
#define TFT_OUTLOOK_H

#include "fleet/snapshot.h"

#define OUTLOOK_STEPS 24  /* of 5 minutes, the first one 5 minutes ahead */
#define OUTLOOK_VAGUE 500 /* tenths: from a band so wide on the forecast says nothing */

struct outlook {
	size_t len;  /* 0: there is no forecast */
	size_t sure; /* steps before the band is too wide */
	int low[OUTLOOK_STEPS], median[OUTLOOK_STEPS], high[OUTLOOK_STEPS]; /* tenths */
};

/* From the server's forecast, or from the part of it that a moment keeps. */
void outlook_of(const struct server *server, struct outlook *out);

#endif
