/* SPDX-License-Identifier: MIT */
/*
 * The part of the forecasts that is kept: for five metrics, three quantiles at five horizons and the
 * present value, in tenths; of the other metrics the present value alone. Once in PROTOCOL_THIN_MS a commit keeps those of the whole fleet
 * (`PREFIXhist:forecasts`, doc/cache.md#moments), to compare them with what happened (accuracy.h) and
 * to draw them on pages of the past.
 */
#ifndef TFT_HORIZONS_H
#define TFT_HORIZONS_H

#include "fleet/band.h"
#include "fleet/snapshot.h"

#define HORIZONS_FORMAT        3
#define HORIZONS_FORMAT_BEFORE 2 /* can be read */

enum { HORIZONS = 5 };

extern const size_t horizon_steps[HORIZONS]; /* of 5 minutes: 30 min, 1, 2, 4, 8 h */
int64_t horizon_ms(size_t horizon);

/* Of these only CPU user is ever forecast by a model (doc/rules.md#provenance). It is kept only if
 * it was, else it is absent. */
enum kept_metric {
	KEPT_CPU, /* used */
	KEPT_MEMORY,
	KEPT_IOWAIT,
	KEPT_LOAD,
	KEPT_CPU_USER,
	KEPT_METRICS
};

/* The metrics of which only the present value is kept, for their last hours. */
enum { OTHER_METRICS = 11 };
extern const enum metric other_metrics[OTHER_METRICS];

struct horizons {
	double now[KEPT_METRICS];
	struct quantiles at[KEPT_METRICS][HORIZONS];
	double other[OTHER_METRICS]; /* NaN: absent */
};

/* The present value; NaN: absent. */
double kept_now(const struct server *server, enum kept_metric metric);
/* The horizons of a server's forecast; without its series all are absent. */
void horizons_of(const struct server *server, enum model_kind model, struct horizons *out);
/* Appends the record of all servers; `out` fails if out of memory. */
void horizons_encode(const struct snapshot *s, struct buf *out);

/* A record that was read: servers by name, values in tenths. */
struct forecasts {
	struct snapshot
		*names;    /* owned; its servers have names alone, ascending: all, or one group */
	char scenario[32]; /* as the generator named it then; empty: not told */
	size_t horizons;   /* those that were read */
	int32_t *absent;   /* owned; what a server lacks, a bit each; behind it the values */
};

/* In tenths. */
struct forecast_tenths {
	int32_t now, p10, p50, p90;
};

/* Reads the present values and the first `horizons` ones: of all servers, or, if there is a name, of the
 * group that it is in; of none if it is in no group. -1 if the bytes are not a complete record of this
 * format, or if out of memory; *out is empty then. */
int forecasts_decode(struct span bytes, struct span name, size_t horizons, struct forecasts *out);
void forecasts_free(struct forecasts *forecasts);
/* Whether server i of the names had a forecast, and whether it had a present value too: only then
 * *out is set. */
bool forecasts_has(const struct forecasts *f, size_t i, enum kept_metric metric, size_t horizon);
bool forecasts_get(const struct forecasts *f, size_t i, enum kept_metric metric, size_t horizon,
		   struct forecast_tenths *out);
/* The forecast alone; NaN: absent. */
struct quantiles forecasts_quantiles(const struct forecasts *f, size_t i, enum kept_metric metric,
				     size_t horizon);

/* Present values: of a kept metric, and of one of other_metrics; NaN: absent. */
double forecasts_now(const struct forecasts *f, size_t i, enum kept_metric metric);
double forecasts_other(const struct forecasts *f, size_t i, size_t other);

/* Sets the horizons of each server in the record, or, if there is a name, in the group that it is in;
 * the snapshot owns them. -1 if the bytes are not a complete record of this format, or if out of
 * memory: then no further server has any. */
int horizons_decode(struct span bytes, struct span name, struct snapshot *s);
/* A band through the current value and the horizons, for a chart. */
void band_of_horizons(struct band *band, const struct server *server, enum kept_metric metric);

#endif
