/* SPDX-License-Identifier: MIT */
/*
 * The page table: one row per page and per API route. A new page is one new file and one row.
 *
 * A document is f(row, snapshot, condition, query): no clock, no host name, no user, so that every
 * host gives equal bytes. With data to show, the only part that depends on the condition is the
 * state: `div#state` of a page (ui 7), the members "condition" and "detail" of a JSON answer.
 */
#ifndef TFT_PAGES_H
#define TFT_PAGES_H

#include "fleet/condition.h"
#include "pages/query.h"
#include "fleet/snapshot.h"

/* What all pages of one deployment share. */
struct site {
	int64_t interval_ms;
	int64_t act_limit_ms;
	int64_t max_stale_ms;
	const char *asked_url; /* of the prediction daemon, without key, for the cold page */
};

struct view {
	const struct site *site;
	const struct snapshot *snap; /* NULL: no data to show (cold, warming, too old) */
	const struct condition *condition;
	const struct query *query;
	const struct warmup
		*warmup; /* of the snapshot, or the newest known when there is none; never NULL */
	int64_t last_gen_ms; /* without a snapshot: gen of the last data there was; 0: never any */
	/* What a page asks for by its `needs`; NULL where it cannot be had. */
	const struct server
		*server; /* PAGE_SERVER: of the snapshot, with its series if those can be had */
	const struct history *history;     /* PAGE_HISTORY: the asked range */
	const struct diagnosis *diagnosis; /* PAGE_DIAGNOSIS */
};

enum media { MEDIA_HTML, MEDIA_JSON, MEDIA_CSV, MEDIA_SVG };

/* Content type of an answer. */
static inline const char *page_type(enum media media)
{
	static const char *const types[] = {
		[MEDIA_HTML] = "text/html; charset=utf-8",
		[MEDIA_JSON] = "application/json",
		[MEDIA_CSV] = "text/csv; charset=utf-8",
		[MEDIA_SVG] = "image/svg+xml",
	};

	return types[media];
}

/* What a page needs besides the snapshot; serve gets it before the page is rendered. */
enum page_need {
	PAGE_SERVER = 1,     /* the path is a prefix, what follows a server's name (else 404) */
	PAGE_TOP_SERIES = 2, /* the forecasts of the first n servers that the query lets through */
	PAGE_HISTORY = 4,
	PAGE_DIAGNOSIS = 8
};

struct bad_value;

struct page {
	const char *name;   /* <route> of the key, [a-z0-9-]{1,32} */
	const char *path;   /* exact path: /heatmap; with PAGE_SERVER what comes before the name:
			       /server/; NULL: a form of another page, found by name */
	const char *suffix; /* what comes behind the name: .svg; NULL: nothing */
	const char *title;  /* NULL for API routes */
	enum media media;
	bool stored;     /* the default view is rendered at every refresh and kept in Redis */
	unsigned params; /* QUERY_BITs */
	/* HTML: the content of <main>. JSON: the members after the common ones. CSV, SVG: all. snap
	 * is never NULL, but for a standalone page. */
	void (*content)(const struct view *view, struct buf *out);
	/* Shows the page's form again where one of its values is not valid; NULL: it has none. */
	void (*form)(const struct bad_value *bad, struct buf *out);
	unsigned needs;   /* enum page_need, or-ed */
	const char *json; /* name of the API route that ?format=json gives, or NULL */
	const char *csv;  /* name of the row that ?format=csv gives, or NULL */
	bool standalone;  /* shown without data too */
};

extern const struct page page_table[];
extern const size_t page_count;

const struct page *page_find_name(const char *name);
const struct page *page_find_path(struct span path);
/* PAGE_SERVER: the name in a path that leads to this page. */
struct span page_server_name(const struct page *page, struct span path);
/* The whole document. Errors stay in `out`. */
void page_render(const struct page *page, const struct view *view, struct buf *out);
/* Error document (ui 4.9): full shell, constant text for the status; `hint` names the valid values
 * on 400, or NULL. */
struct http_error {
	int status;
	const char *title; /* Not found */
	const char *text;  /* one sentence, constant */
};
/* path: what was asked for; the links lead from there. */
void page_error(const struct http_error *error, const char *hint, enum media media,
		struct span path, struct buf *out);
/* 400 for a value of the query: names the parameter and its values, and shows the form of the page
 * again, with that one field at its default. Nothing is repeated of what was not understood. */
struct bad_value {
	const struct page *page;
	const struct query *query; /* as query_parse left it */
	enum query_key key;
};
void page_bad_value(const struct http_error *error, const struct bad_value *bad, enum media media,
		    struct buf *out);

/* The rows of the alert table: risk >= 50, or with a severity filter whatever has that level; in
 * the order of the query. */
size_t page_alerts(const struct view *view, struct buf *rows, struct buf *out);
/* The alerts of the overview: filters, table, summary; or the busiest servers when there are none.
 */
void page_alert_panel(const struct view *view, const struct fleet_counts *counts, struct buf *out);
/* The rows of the alerting plan: an array of struct alert (rules.h), the environment first, then
 * servers in the order of the query. As table_rows. */
size_t page_alerting_list(const struct view *view, struct buf *list, struct buf *out);
/* Value of a server for a heatmap metric (domain-rules 11); NaN absent. */
double page_heat(const struct server *server, enum heat_metric metric);

/* Of the values that are present (domain-rules 11). row: of a list, see table.h. */
struct row;
struct heat_stats {
	const struct row *least, *most; /* NULL: no value is present */
	double average, deviation;      /* of the sample; NaN for fewer than two */
};
struct heat_stats page_heat_stats(const struct view *view, const struct row *row, size_t count);

/* Pieces of the pages about one server. Why it has its risk: the rules that fired, what each adds,
 * the sum. */
void page_why(const struct server *server, struct buf *out);
/* CPU, I/O wait, memory and load: now, predicted, difference. */
void page_readings(const struct server *server, struct buf *out);
/* Which marks its memory has: a database fills it on purpose. */
enum mark_kind page_memory_kind(const struct server *server);
/* CPU used in the next 8 hours. */
void page_cpu_forecast(const struct server *server, struct buf *out);

/* The pages and routes; each only appends to `out`. */
void page_overview(const struct view *view, struct buf *out);
void page_heatmap(const struct view *view, struct buf *out);
void page_top(const struct view *view, struct buf *out);
void page_server(const struct view *view, struct buf *out);
void api_fleet(const struct view *view, struct buf *out);
void api_alerts(const struct view *view, struct buf *out);
void page_cost(const struct view *view, struct buf *out);
void page_cost_form(const struct bad_value *bad, struct buf *out);
void page_remediation(const struct view *view, struct buf *out);
void page_alerting(const struct view *view, struct buf *out);
void page_docs(const struct view *view, struct buf *out);
void page_roadmap(const struct view *view, struct buf *out);
void page_advanced(const struct view *view, struct buf *out);
void api_heatmap(const struct view *view, struct buf *out);
void api_top(const struct view *view, struct buf *out);
void api_server(const struct view *view, struct buf *out);
void api_cost(const struct view *view, struct buf *out);
void api_remediation(const struct view *view, struct buf *out);
void api_alerting(const struct view *view, struct buf *out);
void csv_overview(const struct view *view, struct buf *out);
void csv_heatmap(const struct view *view, struct buf *out);
void csv_top(const struct view *view, struct buf *out);
void csv_server(const struct view *view, struct buf *out);
void csv_cost(const struct view *view, struct buf *out);
void csv_remediation(const struct view *view, struct buf *out);
void csv_alerting(const struct view *view, struct buf *out);
/* Of view->server, or without one of the fleet. */
void page_badge(const struct view *view, struct buf *out);
void page_history(const struct view *view, struct buf *out);
void api_history(const struct view *view, struct buf *out);
void csv_history(const struct view *view, struct buf *out);
/* A part of the server page: its risk over the last day. Nothing without a history. */
void page_risk_history(const struct view *view, struct buf *out);

#endif
