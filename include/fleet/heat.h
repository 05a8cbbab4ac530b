/* SPDX-License-Identifier: MIT */
/* The values that a heatmap can show (doc/rules.md#heatmap). */
#ifndef TFT_HEAT_H
#define TFT_HEAT_H

#include "fleet/snapshot.h"

enum heat_metric { HEAT_RISK, HEAT_CPU, HEAT_MEMORY, HEAT_LOAD, HEAT_METRICS };

/* Risk in 0..100, percent, or load; NaN: absent. */
double heat_value(const struct server *server, enum heat_metric metric);

#endif
