/* SPDX-License-Identifier: MIT */
/* Pieces of pages that other pages, the API or the CSV files share. */
#ifndef TFT_PIECES_H
#define TFT_PIECES_H

#include "fleet/accuracy.h"
#include "fleet/changes.h"
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
/* The incidents that the query selects, in the order of view->incidents, which must not be NULL: an
 * array of const struct incident * (incidents.h). As table_rows. */
size_t page_incident_list(const struct view *view, struct buf *list, struct buf *out);
/* The rule that contributed most at the peak; NULL: none. */
const char *page_incident_reason(const struct incident *incident);
/* Statistics of the values that are present (doc/rules.md#heatmap). exact: else of the printed
 * values. */
struct heat_stats {
	const struct row *least, *most; /* NULL: no value is present */
	double average, deviation;      /* of the sample; NaN for fewer than two */
};
struct heat_stats page_heat_stats(const struct view *view, const struct row *row, size_t count,
				  bool exact);

/* The pieces of the server page. Why it has its risk: the rules that fired, the points that each
 * adds, the sum. */
void page_why(const struct server *server, struct buf *out);
/* CPU, I/O wait, memory and load: now, predicted, difference. */
void page_readings(const struct server *server, struct buf *out);
/* CPU used over the next 8 hours. */
void page_cpu_forecast(const struct view *view, const struct server *server, struct buf *out);

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
/* The cells that the query selects, the worst first; of CPU user those that a model forecast, of
 * ACCURACY_CHANGED those with values.
 * view->accuracy must not be NULL. Returns their number. */
size_t page_accuracy_cells(const struct view *view, enum accuracy_scenario scenario,
			   struct accuracy_cell cells[ACCURACY_CELLS_MAX]);
/* On the overview: the sentence on the 30-minute CPU forecasts of the last day, which leads to their
 * page; nothing with fewer than ACCURACY_ENOUGH values. */
void page_accuracy_line(const struct view *view, struct buf *out);

/* All curves of view->history, which is not empty, and their figures. */
void page_multiples(const struct view *view, struct buf *out);
/* The risk of a server over the last day; nothing without a history. */
void page_risk_history(const struct view *view, struct buf *out);
/* What was forecast for its values now; nothing where that is not known. */
void page_foretold(const struct view *view, struct buf *out);

#endif
