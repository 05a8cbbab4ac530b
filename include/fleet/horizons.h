/* SPDX-License-Identifier: MIT */
/*
 * The part of the forecasts that is kept: for four metrics, three quantiles at five horizons, in
 * tenths. Once in PROTOCOL_THIN_MS a commit keeps those of the whole fleet (`PREFIXhist:forecasts`,
 * doc/cache.md#moments), to compare them with what happened and to draw them on pages of the past.
 */
#ifndef TFT_HORIZONS_H
#define TFT_HORIZONS_H

#include "fleet/band.h"
#include "fleet/snapshot.h"

#define HORIZONS_FORMAT 1

enum { HORIZONS = 5 };

extern const size_t horizon_steps[HORIZONS]; /* of 5 minutes: 30 min, 1, 2, 4, 8 h */

enum kept_metric { KEPT_CPU, KEPT_MEMORY, KEPT_IOWAIT, KEPT_LOAD, KEPT_METRICS };

struct horizons {
	struct quantiles at[KEPT_METRICS][HORIZONS];
};

/* The horizons of a forecast; NULL: all absent. */
void horizons_of(const struct series *series, struct horizons *out);
/* Appends the record of all servers; `out` fails if out of memory. */
void horizons_encode(const struct snapshot *s, struct buf *out);
/* Sets the horizons of each server in the record; the snapshot owns them. -1 if the bytes are not a
 * complete record of this format, or if out of memory: then no server has any. */
int horizons_decode(struct span bytes, struct snapshot *s);
/* A band through the current value and the horizons, for a chart. */
void band_of_horizons(struct band *band, const struct server *server, enum kept_metric metric);

#endif
