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

#include "condition.h"
#include "query.h"
#include "snapshot.h"

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

enum media { MEDIA_HTML, MEDIA_JSON, MEDIA_CSV };

/* Content type of an answer. */
static inline const char *page_type(enum media media)
{
	static const char *const types[] = {
		[MEDIA_HTML] = "text/html; charset=utf-8",
		[MEDIA_JSON] = "application/json",
		[MEDIA_CSV] = "text/csv; charset=utf-8",
	};

	return types[media];
}

/* What a page needs besides the snapshot; serve gets it before the page is rendered. */
enum page_need {
	PAGE_SERVER = 1,     /* the path is a prefix, the rest of it a server's name (else 404) */
	PAGE_TOP_SERIES = 2, /* the forecasts of the first n servers that the query lets through */
	PAGE_HISTORY = 4,
	PAGE_DIAGNOSIS = 8
};

struct page {
	const char *name;  /* <route> of the key, [a-z0-9-]{1,32} */
	const char *path;  /* exact path: /heatmap; with PAGE_SERVER what comes before the name:
			      /server/; NULL: a form of another page, found by name */
	const char *title; /* NULL for API routes */
	enum media media;
	bool stored;     /* the default view is rendered at every refresh and kept in Redis */
	unsigned params; /* QUERY_BITs */
	/* HTML: the content of <main>. JSON: the members after the common ones. CSV: all. snap is
	 * never NULL, but for a standalone page. */
	void (*content)(const struct view *view, struct buf *out);
	unsigned needs;   /* enum page_need, or-ed */
	const char *json; /* name of the API route that ?format=json gives, or NULL */
	const char *csv;  /* name of the row that ?format=csv gives, or NULL */
	bool standalone;  /* shown without data too */
};

extern const struct page page_table[];
extern const size_t page_count;

const struct page *page_find_name(const char *name);
const struct page *page_find_path(struct span path);
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

/* A server on a list, with the number the list is ordered by (0 for orders by text). */
struct row {
	const struct server *server;
	double value;
};

/*
 * Fills `rows` (initialised here, freed by the caller) with one struct row per server with at least
 * `min_risk` that the query lets through, in the order of `sort`; absent values last, ties by name
 * (domain-rules 1). Returns their number. When memory ends there are none and `out` fails.
 */
size_t page_rows(const struct view *view, int min_risk, enum sort_key sort, bool descending,
		 struct buf *rows, struct buf *out);
/* The rows of the alert table: risk >= 50, or with a severity filter whatever has that level; in
 * the order of the query. */
size_t page_alerts(const struct view *view, struct buf *rows, struct buf *out);
/* Value of a server for a heatmap metric (domain-rules 11); NaN absent. */
double page_heat(const struct server *server, enum heat_metric metric);

/* Of the values that are present (domain-rules 11). */
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
void page_history(const struct view *view, struct buf *out);
void api_history(const struct view *view, struct buf *out);
void csv_history(const struct view *view, struct buf *out);
/* A part of the server page: its risk over the last day. Nothing without a history. */
void page_risk_history(const struct view *view, struct buf *out);

#endif
