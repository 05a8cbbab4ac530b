/* SPDX-License-Identifier: MIT */
/*
 * Numbers and times as people read them (doc/rules.md#conventions, doc/pages.md#formats). Absent
 * values (NaN) and values that no metric can have (1e15 and above) give an en dash. The text needs
 * no escaping in HTML. Everything appends to a struct buf.
 */
#ifndef TFT_FMT_H
#define TFT_FMT_H

#include <stdint.h>
#include "base/buf.h"

void fmt_percent(struct buf *b, double value);              /* 57.3% */
void fmt_number(struct buf *b, double value, int decimals); /* 13.9 */
void fmt_scale(struct buf *b, double value); /* on the scale of a chart: 7.5, 8, 12 */
/* +2.3, -1.0, and 0.0 without sign below 0.05 in size; `unit` is "%" or "". */
void fmt_delta(struct buf *b, double value, const char *unit);
/* The same behind an arrow, for what has changed or will. */
void fmt_change(struct buf *b, double value, const char *unit);
void fmt_tenths(struct buf *b, int tenths);     /* 80.0 */
void fmt_money(struct buf *b, double dollars);  /* $1,264,375 */
void fmt_time(struct buf *b, int64_t epoch_ms); /* 12:31:05 UTC */
/* With the day in front from 24 hours before now on, where the time alone would be taken for
 * today's. */
void fmt_time_before(struct buf *b, int64_t epoch_ms, int64_t now_ms);
void fmt_date(struct buf *b, int64_t epoch_ms);        /* 28 November 2026 */
void fmt_minute(struct buf *b, int64_t epoch_ms);      /* 12:31 */
void fmt_iso(struct buf *b, int64_t epoch_ms);         /* 2026-11-23T12:00:00.123Z */
void fmt_iso_seconds(struct buf *b, int64_t epoch_ms); /* 2026-11-23T12:00:00Z */
/* <time datetime="2026-11-23T12:31:05Z">12:31:05 UTC</time>; the browser script rewrites the text
 * to the local zone. */
void fmt_time_element(struct buf *b, int64_t epoch_ms);
/* The same with the day: 2026-11-23 12:31:05 UTC */
void fmt_day_element(struct buf *b, int64_t epoch_ms);
/* 12 s, 4 min, 2 h 5 min, 3 d 4 h */
void fmt_duration(struct buf *b, int64_t ms);
/* " (asked at 12:31:05 UTC)"; nothing for 0. */
void fmt_asked(struct buf *b, int64_t epoch_ms);
/* The plural ending for n things: "s", or "" for one. */
const char *fmt_plural(unsigned n);

#endif
