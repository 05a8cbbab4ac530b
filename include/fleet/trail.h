/* SPDX-License-Identifier: MIT */
/*
 * The last 8 hours of one server, and of another one to compare it with: its values, and what was
 * forecast on the way. Pure; cache/archive.h brings the records (horizons.h) from Redis.
 */
#ifndef TFT_TRAIL_H
#define TFT_TRAIL_H

#include "fleet/horizons.h"

/* Records are kept once in 5 minutes: the nearest one was made at most so long before or after. */
#define TRAIL_NEAR_MS 150000

/* The last hour every 5 minutes, what is before every 15: the horizons are among these times. */
enum {
	TRAIL_POINTS = 40,
	TRAIL_SERVERS = 2,
	TRAIL_CPU_USED = METRIC_COUNT, /* the row beside those of the metrics */
	TRAIL_ROWS
};

/* How long before the moment; the nearest first. */
int64_t trail_ago_ms(size_t point);
/* The point that is the horizon. */
size_t trail_point(size_t horizon);

struct trail_server {
	struct span name; /* borrowed; empty: none */
	/* NaN: absent. By metric: of the four that are kept, and of other_metrics. */
	double values[TRAIL_ROWS][TRAIL_POINTS];
	/* Made at a point, for 30 minutes later. */
	struct quantiles soon[KEPT_METRICS][TRAIL_POINTS];
	/* Made a horizon ago, for each horizon from then on until now. */
	struct quantiles made[HORIZONS][HORIZONS][KEPT_METRICS];
};

struct trail {
	int64_t at_ms;                 /* the moment */
	int64_t made_ms[TRAIL_POINTS]; /* 0: nothing is kept of that time */
	struct trail_server of[TRAIL_SERVERS];
};

/* other: to be compared with; empty: none. */
void trail_init(struct trail *trail, int64_t at_ms, struct span name, struct span other);
/* When the record of a point was made: the earliest and the latest time. */
struct trail_period {
	int64_t from_ms, to_ms;
};
struct trail_period trail_period(const struct trail *trail, size_t point);
/* Takes the record made at that time; that of no point is left out. -1 if the bytes are not such a
 * record, or if out of memory. */
int trail_take(struct trail *trail, int64_t made_ms, struct span record);
/* The row of a kept metric. */
size_t trail_row(enum kept_metric metric);

enum trail_fit { TRAIL_ABSENT, TRAIL_INSIDE, TRAIL_BELOW, TRAIL_ABOVE };

/* Where the value lies in the band, its limits included, as printed. */
enum trail_fit trail_fit(const struct quantiles *band, double value);

/* How good the 30-minute forecasts of these hours were; `now` is the value of the moment. */
struct trail_score {
	unsigned count, held; /* values with a forecast, and those inside its band */
	double error;         /* mean of |median - value|; NaN: none */
};
struct trail_score trail_score(const struct trail_server *server, enum kept_metric metric,
			       double now);

#endif
