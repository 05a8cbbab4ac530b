/* SPDX-License-Identifier: MIT */
/*
 * What was forecast for one moment of one server, 30 min, 1, 2, 4 and 8 h before. Pure;
 * cache/archive.h brings the records from Redis.
 */
#ifndef TFT_FORETOLD_H
#define TFT_FORETOLD_H

#include "fleet/horizons.h"

/* Forecasts are kept once in 5 minutes: the nearest one was made at most so long before or after. */
#define FORETOLD_NEAR_MS 150000

struct foretold {
	struct span name;                               /* of the server; borrowed */
	int64_t at_ms;                                  /* the moment */
	int64_t made_ms[HORIZONS];                      /* 0: none is kept of that time */
	struct quantiles value[HORIZONS][KEPT_METRICS]; /* NaN: absent */
};

/* When the forecasts of a horizon were made: the earliest and the latest time. */
struct foretold_period {
	int64_t from_ms, to_ms;
};

void foretold_init(struct foretold *foretold, int64_t at_ms, struct span name);
struct foretold_period foretold_period(const struct foretold *foretold, size_t horizon);
/* Takes the forecasts of the fleet made at that time, a record of horizons.h; those of no horizon are
 * left out. -1 if the bytes are not such a record, or if out of memory. */
int foretold_take(struct foretold *foretold, int64_t made_ms, struct span record);

enum foretold_fit { FORETOLD_ABSENT, FORETOLD_INSIDE, FORETOLD_BELOW, FORETOLD_ABOVE };

/* Where the value lies in the band, its limits included, as printed. */
enum foretold_fit foretold_fit(const struct quantiles *band, double value);

#endif
