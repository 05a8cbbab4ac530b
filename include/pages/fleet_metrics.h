/* SPDX-License-Identifier: MIT */
/* The fleet for Prometheus, in the text format 0.0.4: /metrics/fleet. tft-dashboard-protocol(7)
 * explains each series. */
#ifndef TFT_FLEET_METRICS_H
#define TFT_FLEET_METRICS_H

#include "fleet/snapshot.h"

/* Every series but the time of the data. An absent value has no line. */
void fleet_metrics_values(const struct snapshot *snap, struct buf *out);
/* The time of the data, in epoch ms. It is all that is left of data that are too old, so that nobody
 * alerts on old numbers. */
void fleet_metrics_time(int64_t gen_ms, struct buf *out);

#endif
