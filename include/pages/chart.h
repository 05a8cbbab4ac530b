/* SPDX-License-Identifier: MIT */
/* Inline SVG with integer coordinates. Fills come from the class of the level: the content security
 * policy allows no style attributes. */
#ifndef TFT_CHART_H
#define TFT_CHART_H

#include "fleet/snapshot.h"

/* One stacked bar of the seven level counts (doc/rules.md#distribution), with <title> and
 * <desc>; nothing at 0 servers. */
void chart_levels(const struct fleet_counts *counts, struct buf *out);
/* A bar from 0 to 100 with ticks at the level bounds, for one risk in tenths. A decoration: the
 * number is beside it. */
void chart_risk_bar(int risk, struct buf *out);

/* Its risk over the last hour, 250 bytes at most, with its numbers as the text alternative; nothing
 * where less than two slots of it are known. */
void chart_recent(const struct server *server, int64_t interval_ms, struct buf *out);

#endif
