/* SPDX-License-Identifier: MIT */
/*
 * Which warnings came true (doc/rules.md#warnings): counts by the hour for each limit and profile,
 * and the latest outcomes one by one. watch.h finds them at a commit, cache/warnings.h brings the
 * records from Redis. Pure.
 *
 * An outcome is a line, readable with XRANGE; its time is that of the entry:
 *
 *  1 <outcome> <limit> <profile> <time of the warning, ms; 0: there was none> <name>
 *
 * 1 is the format; outcome, limit and profile are the numbers of their enums and of
 * warning_limits: a change of their order needs a new one. The name is percent-encoded.
 */
#ifndef TFT_WARNINGS_H
#define TFT_WARNINGS_H

#include "fleet/horizons.h"
#include "fleet/snapshot.h"

#define WARNINGS_FORMAT 1
#define WARNINGS_TOLD   100  /* outcomes that a commit tells one by one, and that a page shows */
#define WARNINGS_KEPT   1000 /* of these */
/* Minutes of a lead time: a warning is settled less than ACCURACY_LATE_MS after the longest horizon. */
#define WARNING_LEADS 64

enum warning_outcome {
	WARNING_HIT,   /* the limit was reached within the horizon */
	WARNING_MISS,  /* it was reached without a warning */
	WARNING_FALSE, /* it was not reached within the horizon */
	WARNING_LOST,  /* nothing was known of the server when the horizon ended */
	WARNING_OUTCOMES
};

struct warning_outcome_info {
	const char *name; /* on screen: false alarm */
	const char *slug; /* API: false-alarm */
	const char *glyph;
};

extern const struct warning_outcome_info warning_outcome_table[WARNING_OUTCOMES];

/* What warns of a limit: a predicted part of the risk, or a crossing of one of the daemon's limits. */
enum warning_kind { WARNING_RISK, WARNING_WARNING, WARNING_CRITICAL, WARNING_KINDS };

extern const char *const warning_kind_names[WARNING_KINDS]; /* API: risk, warning, critical */

struct warning_limit {
	enum warning_kind kind;
	unsigned index;            /* its enum component (predicted), or its enum crossing_index */
	const char *name;          /* on screen: CPU used */
	const char *slug;          /* API: cpu */
	enum kept_metric forecast; /* whose scores are about the same; KEPT_METRICS: none */
};

#define WARNING_LIMITS (4 + 2 * CROSSINGS)
extern const struct warning_limit warning_limits[WARNING_LIMITS];

/* The limit, and whether a value must be above it; a database has others. */
double warning_limit_of(size_t limit, bool database, bool *above);
/* In which a warning comes true: the first two of horizons.h. */
size_t warning_horizon(size_t limit);
const char *warning_unit(size_t limit);

struct warning_sums {
	int64_t outcomes[WARNING_OUTCOMES];
	int64_t leads[WARNING_LEADS]; /* of the hits, in whole minutes */
};

/* ---- a commit ---- */

/* What was settled in one hour of the clock. */
struct warnings_hour {
	int64_t at_ms; /* its start */
	struct warning_sums sums[WARNING_LIMITS][PROFILE_COUNT];
};

struct warning_event {
	enum warning_outcome outcome;
	size_t limit;
	enum profile profile;
	int64_t warned_ms; /* 0: WARNING_MISS */
	int64_t at_ms;     /* when it was settled: of a hit or a miss when the limit was reached */
	uint32_t name_at, name_len;
};

/* Appends the record; `out` fails if out of memory. */
void warnings_encode(const struct warnings_hour *hour, struct buf *out);
/* -1 if the bytes are not a complete record of this format; then the hour is empty. */
int warnings_decode(struct span bytes, struct warnings_hour *hour);
/* Appends the line of an event of this server, after a line feed if it is not the first. */
void warnings_put_line(const struct warning_event *event, struct span name, struct buf *out);

/* ---- a range ---- */

#define WARNINGS_ALL    PROFILE_COUNT /* all profiles together */
#define WARNINGS_GROUPS (PROFILE_COUNT + 1)

/* About 65 KB: not for the stack. */
struct warnings {
	int64_t from_ms, to_ms;
	struct warning_sums sums[WARNING_LIMITS][WARNINGS_GROUPS];
	struct buf events; /* struct warning_event, in order of time */
	struct buf names;
};

void warnings_init(struct warnings *warnings, int64_t from_ms, int64_t to_ms);
void warnings_free(struct warnings *warnings);
/* Each hour once; those outside of the range are skipped. */
void warnings_add_hour(struct warnings *warnings, const struct warnings_hour *hour);
/* -1 if the line is damaged. */
int warnings_add_line(struct warnings *warnings, int64_t at_ms, struct span line);
size_t warnings_count(const struct warnings *warnings);
const struct warning_event *warnings_events(const struct warnings *warnings);
struct span warning_name(const struct warnings *warnings, const struct warning_event *event);

/* hits / (hits + false alarms), hits / (hits + misses): 0..1; NaN: there are none. */
double warning_precision(const struct warning_sums *sums);
double warning_recall(const struct warning_sums *sums);
/* Median of the hits' lead times, of two in the middle the lower one, in minutes; NaN: no hit. */
double warning_lead(const struct warning_sums *sums);

#endif
