/* SPDX-License-Identifier: MIT */
/*
 * The query parameters (doc/pages.md#parameters), as one table: key, values, canonical order. Pure.
 *
 * Unknown keys are ignored, save those that ask for another time: the present must not be taken for
 * an answer to them. Of a doubled key the first counts, a known key with a bad value is an
 * error that names the key's valid values. Only `refresh` is clamped. Bad percent sequences are
 * taken literally. An empty value means the default: forms send all their fields.
 */
#ifndef TFT_QUERY_H
#define TFT_QUERY_H

#include "base/buf.h"
#include "fleet/heat.h"
#include "fleet/history.h"
#include "fleet/level.h"
#include "fleet/rules.h"

enum query_key {
	QUERY_PROFILE,
	QUERY_SEV,
	QUERY_METRIC,  /* metric of the heatmap */
	QUERY_HISTORY, /* metric of the history */
	QUERY_GROUP,
	QUERY_SORT,
	QUERY_N,
	QUERY_PAGE,
	QUERY_RANGE,
	QUERY_VIEW,
	QUERY_FORMAT,
	QUERY_COST_PER_HOUR, /* the four in the order of enum cost_input */
	QUERY_AVG_HOURS,
	QUERY_PREVENTION_PCT,
	QUERY_PROJECT_COST,
	QUERY_Q,
	QUERY_TABS,
	QUERY_EVERY,
	QUERY_REFRESH,
	QUERY_NOTICE,
	QUERY_TIME, /* names of a time that the page does not know; no value is valid */
	QUERY_KEYS
};

#define QUERY_N_DEFAULT 5
#define QUERY_N_MAX     20

/* Pages that a wall screen may take turns with. */
#define QUERY_TABS_MAX      9
#define QUERY_EVERY_DEFAULT 30

#define QUERY_BIT(key) (1u << (key))

enum group_by { GROUP_NONE, GROUP_PROFILE };
enum view_kind { VIEW_FULL, VIEW_KIOSK, VIEW_COMPACT };
enum format { FORMAT_HTML, FORMAT_JSON, FORMAT_CSV };

/* What an action has brought about (doc/pages.md#advanced): the page that follows says it. */
enum notice {
	NOTICE_NONE,
	NOTICE_REFRESHED,
	NOTICE_HEALTHY, /* the scenario that was asked for is there; named like it */
	NOTICE_DEGRADING,
	NOTICE_CRITICAL,
	NOTICE_CASCADE,
	NOTICE_UNCHANGED, /* the generator tells another one */
	NOTICE_UNKNOWN,   /* the generator does not tell */
	NOTICES,
	/* The scenarios that can be chosen (doc/upstream.md#scenario-set). */
	NOTICE_SCENARIO_FIRST = NOTICE_HEALTHY,
	NOTICE_SCENARIO_LAST = NOTICE_CASCADE
};

/* Columns of the alert table, the heatmap (`value`) and the plans, as in
 * doc/pages.md#parameters. */
enum sort_key {
	SORT_RISK,
	SORT_NAME,
	SORT_PROFILE,
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
	SORT_KEYS
};

#define QUERY_Q_MAX   64 /* characters to search for */
#define QUERY_Q_BYTES (4 * QUERY_Q_MAX)

struct query {
	unsigned given; /* QUERY_BIT of every key that was there with a value other than its default
			 */
	int profile;    /* enum profile, or -1: all */
	int level;      /* enum level, or -1: all */
	bool level_up;  /* and everything worse */
	enum heat_metric metric;
	enum history_metric history;
	enum history_range range;
	enum group_by group;
	enum sort_key
		sort; /* when not given: risk, and after query_parse with metric allowed value */
	bool sort_descending; /* true when not given */
	int n;                /* servers of the top page */
	int page;             /* from 1 */
	enum view_kind view;
	enum format format;
	double cost[COST_INPUTS];
	char q[QUERY_Q_BYTES + 1];          /* valid UTF-8, lower-cased ASCII, may be empty */
	unsigned char tabs[QUERY_TABS_MAX]; /* see query_tab_name */
	int tab_count;                      /* 0: not given */
	int every_s;                        /* each of them stays so long, 10..300 */
	int refresh_s;                      /* 0 off, else 5..300 */
	enum notice notice;
};

/* Everything at its default. */
void query_init(struct query *q);
/* On an initialised *q. raw: the query string without '?'. allowed: QUERY_BITs of the page; other
 * known keys are ignored like unknown ones. 0, or -1 with *bad set to the first key whose value is
 * not valid; such a key keeps its default, the others are read all the same. */
int query_parse(struct query *q, struct span raw, unsigned allowed, enum query_key *bad);
/* Changes the order. allowed: as for query_parse, of the page whose query it is. */
void query_sort(struct query *q, unsigned allowed, enum sort_key sort, bool descending);
/* The canonical text, without '?'; empty for the default view. */
void query_write(const struct query *q, struct buf *out);
/* The value of one given key, as in a URL. */
void query_write_value(const struct query *q, enum query_key key, struct buf *out);
const char *query_key_name(enum query_key key);
/* Valid values of a key in words, for the 400 page and the docs. */
const char *query_key_values(enum query_key key);
const char *query_metric_name(enum heat_metric metric);
const char *query_notice_name(enum notice notice);
/* Name of the page that a value of `tabs` stands for. */
const char *query_tab_name(unsigned char tab);
/* Whether a server passes profile, sev and q. */
struct server;
bool query_match(const struct query *q, const struct server *server);

#endif
