/* SPDX-License-Identifier: MIT */
/*
 * Forecasts as they are kept: of four metrics, the three quantiles at five horizons, in tenths. Once
 * in PROTOCOL_THIN_MS each commit keeps those of the whole fleet (`PREFIXhist:forecasts`,
 * doc/cache.md#moments), to be compared with what came, and drawn on pages of the past.
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

/* Those of a forecast; NULL: all absent. */
void horizons_of(const struct series *series, struct horizons *out);
/* The record of all servers; `out` fails when memory ends. */
void horizons_encode(const struct snapshot *s, struct buf *out);
/* Gives each server of the snapshot that the record knows its horizons, which the snapshot owns. -1
 * when the bytes are not a whole record of this format, or memory ended: then none has any. */
int horizons_decode(struct span bytes, struct snapshot *s);
/* A band through the value of now and the horizons, for a chart. */
void band_of_horizons(struct band *band, const struct server *server, enum kept_metric metric);

#endif
