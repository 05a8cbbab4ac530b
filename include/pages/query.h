/* SPDX-License-Identifier: MIT */
/*
 * The query parameters (doc/pages.md#parameters) as one table: keys, values, canonical order. Pure.
 *
 * Unknown keys are ignored, except those that ask for another time where the page has only the
 * present, which would be the wrong answer. Of a repeated key the first counts. A known key with a
 * bad value is an error that names the valid values. Only `refresh` is clamped. Malformed percent
 * sequences are taken literally. An empty value means the default, because forms send all their
 * fields.
 */
#ifndef TFT_QUERY_H
#define TFT_QUERY_H

#include "base/buf.h"
#include "fleet/heat.h"
#include "fleet/history.h"
#include "fleet/level.h"
#include "fleet/rules.h"
#include "fleet/snapshot.h"

enum query_key {
	QUERY_PROFILE,
	QUERY_SEV,
	QUERY_METRIC,  /* metric of the heatmap */
	QUERY_HISTORY, /* metric of the history */
	QUERY_KEPT,    /* metric of the scores of forecasts */
	QUERY_HORIZON, /* of these forecasts */
	QUERY_GROUP,
	QUERY_SORT,
	QUERY_HIDE, /* columns that are not shown */
	QUERY_N,
	QUERY_PAGE,
	QUERY_RANGE,
	QUERY_PERIOD, /* range of incidents and of scores */
	QUERY_SCALE,
	QUERY_SINCE, /* what the shown moment is compared with */
	QUERY_VIEW,
	QUERY_FORMAT,
	QUERY_COST_PER_HOUR, /* this and the next three are in the order of enum cost_input */
	QUERY_AVG_HOURS,
	QUERY_PREVENTION_PCT,
	QUERY_PROJECT_COST,
	QUERY_Q,
	QUERY_WITH, /* the server that one is compared with */
	QUERY_ROW,  /* the row with its details */
	QUERY_TABS,
	QUERY_EVERY,
	QUERY_REFRESH,
	QUERY_NOTICE,
	QUERY_AT,   /* a moment of the past */
	QUERY_TIME, /* names of a time that the page does not take; no value is valid */
	QUERY_KEYS
};

#define QUERY_SINCE_MS INT64_C(900000) /* the default */

#define QUERY_N_DEFAULT 5
#define QUERY_N_MAX     20

/* Pages that a wall screen may rotate through. */
#define QUERY_TABS_MAX      9
#define QUERY_EVERY_DEFAULT 30

#define QUERY_BIT(key) (1u << (key))

enum period { PERIOD_1D, PERIOD_7D, PERIOD_30D, PERIODS };
enum scale {
	SCALE_FIT,
	SCALE_FULL
}; /* of the values of a chart: to its data, or all there can be */
enum group_by { GROUP_AUTO, GROUP_NONE, GROUP_PROFILE }; /* GROUP_AUTO: by size of the fleet */
enum view_kind { VIEW_FULL, VIEW_KIOSK, VIEW_COMPACT };
enum format { FORMAT_HTML, FORMAT_JSON, FORMAT_CSV };

/* The result of an action (doc/pages.md#advanced), shown by the page that follows it. */
enum notice {
	NOTICE_NONE,
	NOTICE_REFRESHED,
	NOTICE_HEALTHY, /* this and the next three: the requested scenario now plays */
	NOTICE_DEGRADING,
	NOTICE_CRITICAL,
	NOTICE_CASCADE,
	NOTICE_UNCHANGED, /* the generator reports another one */
	NOTICE_UNKNOWN,   /* the generator does not report any */
	NOTICE_SILENCED,
	NOTICE_SILENCE_ENDED,
	NOTICES,
	/* The scenarios that can be chosen (doc/upstream.md#scenario-set). */
	NOTICE_SCENARIO_FIRST = NOTICE_HEALTHY,
	NOTICE_SCENARIO_LAST = NOTICE_CASCADE
};

/* Columns of the alert table that can be hidden, as bits. */
enum hidden_column { HIDE_PROFILE, HIDE_CPU, HIDE_IO, HIDE_MEM, HIDE_COLUMNS };

/* Columns of the tables (doc/pages.md#parameters): of the alerts, the heatmap (`value`) and the plans,
 * which list servers; of incidents; of scores of forecasts. */
enum sort_key {
	SORT_RISK,
	SORT_NAME,
	SORT_PROFILE,
	SORT_SINCE, /* since when at its level or a worse one */
	SORT_CPU,
	SORT_CPU30,
	SORT_CPU90, /* worst case of the next 30 minutes */
	SORT_DCPU,
	SORT_IO,
	SORT_IO30,
	SORT_DIO,
	SORT_MEM,
	SORT_MEM30,
	SORT_DMEM,
	SORT_VALUE,
	SORT_COST, /* potential cost of an incident */
	SORT_FROM,
	SORT_TO, /* open ones are the latest */
	SORT_DURATION,
	SORT_AT, /* of the peak */
	SORT_REASON,
	SORT_SERVERS, /* at Critical or worse */
	SORT_METRIC,
	SORT_HORIZON,
	SORT_VERDICT, /* the more, the worse */
	SORT_COVERAGE,
	SORT_VALUES,
	SORT_ERROR,
	SORT_BIAS,
	SORT_SKILL,
	SORT_SILENT,
	SORT_ABSENT,
	SORT_INTERVAL, /* by its lower end */
	SORT_HITS,     /* of warnings */
	SORT_MISSES,
	SORT_FALSE,
	SORT_UNKNOWN,
	SORT_PRECISION,
	SORT_RECALL,
	SORT_LEAD,
	SORT_SETTLED, /* of outcomes of warnings */
	SORT_OUTCOME,
	SORT_WARNED,
	SORT_KEYS
};

#define QUERY_Q_MAX   64 /* characters to search for */
#define QUERY_Q_BYTES (4 * QUERY_Q_MAX)

struct query {
	unsigned given; /* QUERY_BIT of every key with a value other than its default */
	int profile;    /* enum profile, or -1: all */
	int level;      /* enum level, or -1: all */
	bool level_up;  /* includes everything worse */
	enum heat_metric metric;
	enum history_metric history;
	int kept;    /* enum kept_metric, or -1: all */
	int horizon; /* < HORIZONS, or -1: all */
	enum history_range range;
	enum period period;
	enum scale scale;
	int64_t since_span_ms; /* so long before the moment that is shown; 0: at since_at_ms */
	int64_t since_at_ms;   /* epoch */
	enum group_by group;
	enum sort_key sort; /* when not given: risk; after query_parse the default of the page */
	bool sort_descending;
	unsigned hidden; /* bit of every hidden column */
	int n;           /* servers of the top page */
	int page;        /* from 1 */
	enum view_kind view;
	enum format format;
	double cost[COST_INPUTS];
	char q[QUERY_Q_BYTES + 1];          /* valid UTF-8, lower-cased ASCII, may be empty */
	char with[SNAPSHOT_NAME_MAX + 1];   /* valid UTF-8, may be empty */
	char row[QUERY_Q_BYTES + 1];        /* name of a server, may be empty */
	unsigned char tabs[QUERY_TABS_MAX]; /* see query_tab_name */
	int tab_count;                      /* 0: not given */
	int every_s;                        /* how long each of them is shown, 10..300 */
	int refresh_s;                      /* 0 off, else 5..300 */
	enum notice notice;
	int64_t at_ms; /* epoch; 0: the present */
};

/* Sets everything to its default. */
void query_init(struct query *q);
/* *q is initialised. raw: the query string without '?'. allowed: the QUERY_BITs of the page; other
 * known keys are ignored like unknown ones. Returns 0, or -1 with *bad set to the first key whose
 * value is not valid; such a key keeps its default, and the others are still read. */
int query_parse(struct query *q, struct span raw, unsigned allowed, enum query_key *bad);
/* Says whether the value of a key is to be written: it is not when it is the default. */
void query_give(struct query *q, enum query_key key, bool given);
/* Asks for this moment; 0: for the present. */
void query_set_at(struct query *q, int64_t at_ms);
/* Compares with the i-th of the spans that have a word; false: there are fewer. */
bool query_choose_since(struct query *q, size_t i);
/* Compares with this moment, whatever was chosen. */
void query_set_since(struct query *q, int64_t at_ms);
/* The moment to compare with where that of shown_ms is shown (epoch). */
int64_t query_since_ms(const struct query *q, int64_t shown_ms);
/* The span in words, "15 minutes"; NULL: it is a moment. */
const char *query_since_words(const struct query *q);
/* Compares with this server; empty: with none. The name has at most SNAPSHOT_NAME_MAX bytes. */
void query_set_with(struct query *q, struct span name);
struct span query_with(const struct query *q);
/* Changes the order. allowed: the QUERY_BITs of the page, as for query_parse. */
void query_sort(struct query *q, unsigned allowed, enum sort_key sort, bool descending);
/* Whether the order is the default of a page with these parameters. */
bool query_is_standard_order(const struct query *q, unsigned allowed);
/* Shows or hides a column. */
void query_toggle(struct query *q, enum hidden_column column);
const char *query_column_name(enum hidden_column column);
/* Asks for the details of this server; empty: of none. A name that is too long is none. */
void query_open_row(struct query *q, struct span name);
/* The canonical text, without '?'; empty for the default view. */
void query_write(const struct query *q, struct buf *out);
/* The value of one given key, as in a URL. */
void query_write_value(const struct query *q, enum query_key key, struct buf *out);
const char *query_key_name(enum query_key key);
/* The valid values of a key in words, for the 400 page and the documentation page. */
const char *query_key_values(enum query_key key);
const char *query_metric_name(enum heat_metric metric);
const char *query_period_name(enum period period);
int64_t query_period_ms(enum period period);
const char *query_notice_name(enum notice notice);
/* Name of the page that a value of `tabs` stands for. */
const char *query_tab_name(unsigned char tab);
/* Whether a server matches profile, sev and q. */
bool query_match(const struct query *q, const struct server *server);

#endif
