/* SPDX-License-Identifier: MIT */
/* Pieces of pages that other pages, the API or the CSV files share. */
#ifndef TFT_PIECES_H
#define TFT_PIECES_H

#include "fleet/accuracy.h"
#include "fleet/changes.h"
#include "fleet/warnings.h"
#include "pages/table.h"
#include "pages/view.h"

struct incident;

/* The rows of the alert table, in the order of the query: servers with risk >= 50, or, with a
 * severity filter, all servers of that level. */
size_t page_alerts(const struct view *view, struct buf *rows, struct buf *out);
/* The alerts of the overview: filters, table and summary, or the busiest servers when there are no
 * alerts. */
void page_alert_panel(const struct view *view, const struct fleet_counts *counts, struct buf *out);
/* The rows of the alerting plan, as table_rows: an array of struct alert (rules.h), the environment
 * first, then servers in the order of the query. */
size_t page_alerting_list(const struct view *view, struct buf *list, struct buf *out);
/* What an Alertmanager does with the alerts. */
void page_alertmanager(const struct view *view, struct buf *out);
/* The incidents that the query selects, in the order of view->incidents, which must not be NULL: an
 * array of const struct incident * (incidents.h), or in that of a column. As table_rows. */
size_t page_incident_list(const struct view *view, struct buf *list, struct buf *out);
/* The rule that contributed most at the peak; NULL: none. */
const char *page_incident_reason(const struct incident *incident);
/* A link to the server as it was in the bucket of at_ms, or to the fleet if it has no page; its text
 * is the time shown_ms. */
void page_moment(struct span server, int64_t at_ms, int64_t shown_ms, struct buf *out);
/* Statistics of the values that are present (doc/rules.md#heatmap). exact: else of the printed
 * values. */
struct heat_stats {
	const struct row *least, *most; /* NULL: no value is present */
	double average, deviation;      /* of the sample; NaN for fewer than two */
};
struct heat_stats page_heat_stats(const struct view *view, const struct row *row, size_t count,
				  bool exact);

/* The servers beside one in the orders of risk and of names; NULL: none. */
struct neighbours {
	size_t rank; /* from 1 */
	const struct server *worse, *better;
	const struct server *before, *after;
};
struct neighbours page_neighbours(const struct snapshot *snap, const struct server *server);

/* The pieces of the server page. Why it has its risk: the rules that fired, the points that each
 * adds, the sum; steps: as a waterfall, too. */
void page_why(const struct server *server, bool steps, struct buf *out);
/* CPU, I/O wait, memory and load: now, predicted, difference. */
void page_readings(const struct server *server, struct buf *out);
/* CPU used over the next 8 hours. */
void page_cpu_forecast(const struct view *view, const struct server *server, struct buf *out);
/* Why there is no forecast of it. */
void page_no_forecast(const struct view *view, const struct server *server, struct buf *out);
/* The last and next hours of view->server: of the metrics that make the risk, and of the others. */
void page_courses(const struct view *view, struct buf *out);
void page_other_courses(const struct view *view, struct buf *out);

/* What changed, to be freed in any case; filtered: of the servers that the query lets through, else
 * of the whole fleet. false: the view has no moment to compare with, or memory ended, and `out`
 * fails. */
bool page_find_changes(const struct view *view, bool filtered, struct changes *changes,
		       struct buf *out);
/* A line in words: "I/O wait rose on 6 servers at 06:05:00 UTC, 4 of them Database". */
void page_change_words(const struct changes *changes, const struct change_line *line,
		       struct buf *out);
/* The most important ones, on the overview. */
void page_change_panel(const struct view *view, struct buf *out);

/* A cell of the table of scores. */
struct accuracy_cell {
	enum kept_metric metric;
	size_t horizon;
	const struct accuracy_score *score;
	enum accuracy_verdict verdict;
};
#define ACCURACY_CELLS_MAX (KEPT_METRICS * HORIZONS)
/* The cells that the query selects, in its order, by default the worst first; of CPU user those that
 * a model forecast, of ACCURACY_CHANGED those with values.
 * view->accuracy must not be NULL. Returns their number. */
size_t page_accuracy_cells(const struct view *view, enum accuracy_scenario scenario,
			   struct accuracy_cell cells[ACCURACY_CELLS_MAX]);

/* The section of warnings; view->warnings must not be NULL. */
void page_warnings(const struct view *view, struct buf *out);
/* The limits that the query selects, the counts of its profile, and the latest outcomes that it
 * selects, by default the newest first; both in its order. They return their number. */
size_t page_warning_limits(const struct view *view, size_t limits[WARNING_LIMITS]);
const struct warning_sums *page_warning_sums(const struct view *view, size_t limit);
size_t page_warning_events(const struct view *view,
			   const struct warning_event *events[WARNINGS_TOLD]);
/* Beside predicted values: the verdict on the last day's forecasts of this metric, horizon and group
 * (a profile or ACCURACY_ALL), as glyph and words: "too narrow, band held 71% of 80%", or "not enough
 * yet: 12 of 100". view->accuracy must not be NULL, and be that of a day. */
void page_trust(const struct view *view, enum kept_metric metric, size_t horizon, size_t group,
		struct buf *out);
/* The same in the head of a predicted column, for 30 min and all profiles: glyph and word, the share
 * in its title; nothing where the scores are not known. */
void page_trust_mark(const struct view *view, enum kept_metric metric, struct buf *out);
/* A line of them at a table with these predicted columns, for 30 min and all profiles; nothing where
 * the scores are not known. */
void page_trust_line(const struct view *view, const enum kept_metric *metrics, size_t count,
		     struct buf *out);

/* All curves of view->history, which is not empty, and their figures. */
void page_multiples(const struct view *view, struct buf *out);
/* The risk of a server over the last day; nothing without a history. */
void page_risk_history(const struct view *view, struct buf *out);
/* What was forecast for its values now; nothing where that is not known. */
void page_foretold(const struct view *view, struct buf *out);

#endif
