/* SPDX-License-Identifier: MIT */
/* Inline SVG with integer coordinates. Fills come from the class of the level: the content security
 * policy allows no style attributes. */
#ifndef TFT_CHART_H
#define TFT_CHART_H

#include "fleet/snapshot.h"

/* A bar from 0 to 100 with ticks at the level bounds, for one risk in tenths. A decoration: the
 * number is beside it. */
void chart_risk_bar(int risk, struct buf *out);

/* Its risk over the last hour, 250 bytes at most, with its numbers as the text alternative; nothing
 * where less than two slots of it are known. */
void chart_recent(const struct server *server, int64_t interval_ms, struct buf *out);

/* The same hour and the outlook of the next two (fleet/outlook.h) in one drawing: what is known as a
 * solid line, what is forecast as a band that is paler where it says nothing. Nothing where neither
 * is known. */
void chart_outlook(const struct server *server, int64_t interval_ms, struct buf *out);
/* A small cell for each server, by level, the worst first. A decoration: the counts are beside it. */
void chart_cells(const unsigned level[LEVEL_COUNT], struct buf *out);

#endif
