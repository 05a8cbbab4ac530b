/* SPDX-License-Identifier: MIT */
/* Which warnings came true (doc/pages.md#forecasts): counts for each limit, and the latest outcomes
 * with links to their moments. */
#include "config.h"
#include "pages/pieces.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/warnings.h"
#include "pages/layout.h"

/* ---- which, and in which order ---- */

static bool is_wanted(const struct query *query, size_t limit)
{
	return (query->kept < 0 || query->kept == (int)warning_limits[limit].forecast) &&
	       (query->horizon < 0 || query->horizon == (int)warning_horizon(limit));
}

const struct warning_sums *page_warning_sums(const struct view *view, size_t limit)
{
	const struct query *query = view->query;

	return &view->warnings
			->sums[limit][query->profile < 0 ? WARNINGS_ALL : (size_t)query->profile];
}

/* As printed; 0: the order is that of another table. */
static double value_of_limit(const struct view *view, size_t limit)
{
	const struct warning_sums *sums = page_warning_sums(view, limit);

	switch (view->query->sort) {
	case SORT_METRIC:
		return (double)limit;
	case SORT_HORIZON:
		return (double)warning_horizon(limit);
	case SORT_HITS:
		return (double)sums->outcomes[WARNING_HIT];
	case SORT_MISSES:
		return (double)sums->outcomes[WARNING_MISS];
	case SORT_FALSE:
		return (double)sums->outcomes[WARNING_FALSE];
	case SORT_UNKNOWN:
		return (double)sums->outcomes[WARNING_LOST];
	case SORT_PRECISION:
		return table_percent(warning_precision(sums));
	case SORT_RECALL:
		return table_percent(warning_recall(sums));
	case SORT_LEAD:
		return warning_lead(sums);
	default:
		return 0;
	}
}

static int compare_limits(const void *left, const void *right, void *context)
{
	const size_t *a = left, *b = right;
	const struct view *view = context;
	int c = table_compare(view->query, (struct sort_value){value_of_limit(view, *a), SPAN("")},
			      (struct sort_value){value_of_limit(view, *b), SPAN("")});

	return c ? c : (*a > *b) - (*a < *b);
}

size_t page_warning_limits(const struct view *view, size_t limits[WARNING_LIMITS])
{
	struct view sorted = *view;
	size_t count = 0;

	for (size_t l = 0; l < WARNING_LIMITS; l++)
		if (is_wanted(view->query, l))
			limits[count++] = l;
	qsort_r(limits, count, sizeof(limits[0]), compare_limits, &sorted);
	return count;
}

/* NAN: absent; 0: the order is that of text_of_event, or of another table. */
static double value_of_event(const struct warning_event *event, enum sort_key sort)
{
	switch (sort) {
	case SORT_SETTLED:
		return (double)event->at_ms;
	case SORT_METRIC:
		return (double)event->limit;
	case SORT_OUTCOME:
		return event->outcome;
	case SORT_WARNED:
		return event->warned_ms ? (double)event->warned_ms : (double)NAN;
	case SORT_LEAD:
		return event->outcome == WARNING_HIT ? (double)(event->at_ms - event->warned_ms)
						     : (double)NAN;
	default:
		return 0;
	}
}

static struct span text_of_event(const struct view *view, const struct warning_event *event)
{
	if (view->query->sort == SORT_NAME)
		return warning_name(view->warnings, event);
	if (view->query->sort == SORT_PROFILE)
		return span_str(profile_table[event->profile].name);
	return SPAN("");
}

/* Of equal ones the newest comes first: they are stored in order of time. */
static int compare_events(const void *left, const void *right, void *context)
{
	const struct warning_event *a = *(const struct warning_event *const *)left;
	const struct warning_event *b = *(const struct warning_event *const *)right;
	const struct view *view = context;
	enum sort_key sort = view->query->sort;
	int c = table_compare(view->query,
			      (struct sort_value){value_of_event(a, sort), text_of_event(view, a)},
			      (struct sort_value){value_of_event(b, sort), text_of_event(view, b)});

	return c ? c : (a < b) - (a > b);
}

size_t page_warning_events(const struct view *view,
			   const struct warning_event *events[WARNINGS_TOLD])
{
	const struct warning_event *all = warnings_events(view->warnings);
	struct view sorted = *view;
	int profile = view->query->profile;
	size_t count = 0;

	for (size_t i = warnings_count(view->warnings); i > 0 && count < WARNINGS_TOLD; i--)
		if (is_wanted(view->query, all[i - 1].limit) &&
		    (profile < 0 || profile == (int)all[i - 1].profile))
			events[count++] = &all[i - 1];
	qsort_r(events, count, sizeof(events[0]), compare_events, &sorted);
	return count;
}

/* ---- the limits ---- */

static const char *const kind_words[WARNING_KINDS] = {
	[WARNING_RISK] = "predicted risk",
	[WARNING_WARNING] = "warning limit",
	[WARNING_CRITICAL] = "critical limit",
};

/* "Memory ≥ 95%, Database ≥ 98%" */
static void put_limit(const struct query *query, size_t limit, struct buf *out)
{
	bool above, only_database = query->profile == PROFILE_DATABASE;
	double usual = warning_limit_of(limit, only_database, &above),
	       database = warning_limit_of(limit, true, &above);

	buf_addf(out, "%s %s %.0f%s", warning_limits[limit].name, above ? "&gt;" : "≥", usual,
		 warning_unit(limit));
	if (query->profile < 0 && database > usual)
		buf_addf(out, ", Database ≥ %.0f%s", database, warning_unit(limit));
}

static const struct table limit_table = {
	"accuracy",
	"warnings",
	"plan wide",
	{
		{"Limit", SORT_METRIC, false},
		{"Horizon", SORT_HORIZON, false},
		{"Came true", SORT_HITS, true},
		{"Missed", SORT_MISSES, true},
		{"False alarms", SORT_FALSE, true},
		{"Precision", SORT_PRECISION, true},
		{"Recall", SORT_RECALL, true},
		{"Median lead", SORT_LEAD, true},
		{"Not known", SORT_UNKNOWN, true},
	},
};

static void put_share(const char *name, double share, struct buf *out)
{
	table_number(name, out);
	table_put_percent(share, out);
	html_lit(out, "</td>");
}

static void put_lead(double minutes, struct buf *out)
{
	table_number("Median lead", out);
	if (isnan(minutes))
		html_lit(out, "–</td>");
	else
		buf_addf(out, "%.0f min</td>", minutes);
}

static void put_row(const struct query *query, size_t limit, const struct warning_sums *sums,
		    struct buf *out)
{
	html_lit(out, "<tr><th scope=\"row\">");
	put_limit(query, limit, out);
	buf_addf(out, " <small>%s</small></th><td data-l=\"Horizon\">%s</td>",
		 kind_words[warning_limits[limit].kind],
		 accuracy_horizon_table[warning_horizon(limit)].name);
	table_put_count("Came true", sums->outcomes[WARNING_HIT], out);
	table_put_count("Missed", sums->outcomes[WARNING_MISS], out);
	table_put_count("False alarms", sums->outcomes[WARNING_FALSE], out);
	put_share("Precision", warning_precision(sums), out);
	put_share("Recall", warning_recall(sums), out);
	put_lead(warning_lead(sums), out);
	table_put_count("Not known", sums->outcomes[WARNING_LOST], out);
	html_lit(out, "</tr>");
}

static bool has_outcome(const struct warning_sums *sums)
{
	for (int i = 0; i < WARNING_OUTCOMES; i++)
		if (sums->outcomes[i])
			return true;
	return false;
}

/* Rows of the limits that had an outcome; returns their number. */
static size_t put_rows(const struct view *view, struct buf *out)
{
	size_t limits[WARNING_LIMITS], count = page_warning_limits(view, limits), rows = 0;

	for (size_t i = 0; i < count; i++) {
		const struct warning_sums *sums = page_warning_sums(view, limits[i]);

		if (!has_outcome(sums))
			continue;
		put_row(view->query, limits[i], sums, out);
		rows++;
	}
	return rows;
}

/* ---- the latest outcomes ---- */

static const struct table event_table = {
	"accuracy",
	"outcomes",
	"plan wide",
	{
		{"Settled", SORT_SETTLED, false},
		{"Server", SORT_NAME, false},
		{"Profile", SORT_PROFILE, false},
		{"Limit", SORT_METRIC, false},
		{"Outcome", SORT_OUTCOME, false},
		{"Warned", SORT_WARNED, false},
		{"Lead", SORT_LEAD, true},
	},
};

static void put_warned(const struct warning_event *event, struct span name, struct buf *out)
{
	html_lit(out, "<td data-l=\"Warned\">");
	if (event->warned_ms)
		page_moment(name, event->warned_ms, event->warned_ms, out);
	else
		html_lit(out, "–");
	html_lit(out, "</td><td data-l=\"Lead\" class=\"num\">");
	if (event->outcome == WARNING_HIT)
		fmt_duration(out, event->at_ms - event->warned_ms);
	else
		html_lit(out, "–");
	html_lit(out, "</td></tr>");
}

static void put_event(const struct view *view, const struct warning_event *event, struct buf *out)
{
	const struct warning_outcome_info *outcome = &warning_outcome_table[event->outcome];
	struct span name = warning_name(view->warnings, event);
	struct query of_server = *view->query;

	of_server.profile = (int)event->profile;
	html_lit(out, "<tr><th scope=\"row\">");
	page_moment(name, event->at_ms, event->at_ms, out);
	html_lit(out, "</th><td data-l=\"Server\">");
	layout_server(view->query, name, "server/", out);
	buf_addf(out, "</td><td data-l=\"Profile\">%s</td><td data-l=\"Limit\">",
		 profile_table[event->profile].name);
	put_limit(&of_server, event->limit, out);
	buf_addf(out,
		 "</td><td data-l=\"Outcome\"><span><b aria-hidden=\"true\">%s</b> %s</span></td>",
		 outcome->glyph, outcome->name);
	put_warned(event, name, out);
}

static void put_events(const struct view *view, struct buf *out)
{
	const struct warning_event *events[WARNINGS_TOLD];
	size_t count = page_warning_events(view, events);
	struct part all = {0, count, count};

	if (!count)
		return;
	table_begin(&event_table, "The latest outcomes", view, out);
	for (size_t i = 0; i < count; i++)
		put_event(view, events[i], out);
	table_end(&event_table, &all, view->query, out);
}

/* ---- the section ---- */

static void put_tables(const struct view *view, struct buf *out)
{
	struct part none = {0, 0, 0};
	struct buf rows;

	buf_init(&rows, 1u << 20);
	if (put_rows(view, &rows) && buf_ok(&rows)) {
		table_begin(&limit_table, "Warnings by limit", view, out);
		buf_span_add(out, buf_span(&rows));
		table_end(&limit_table, &none, view->query, out);
		put_events(view, out);
	} else {
		html_lit(out, "<p class=\"empty\">Not enough yet: no warning has been settled in "
			      "this range, and no limit was reached.</p>");
	}
	if (!buf_ok(&rows))
		buf_fail(out);
	buf_free(&rows);
}

void page_warnings(const struct view *view, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"warnings\"><h2>Warnings that came true</h2>");
	put_tables(view, out);
	html_lit(out, "<p class=\"note\">A warning: the forecast reaches a limit within the "
		      "horizon, from a value below it. Precision: the share of the warnings that "
		      "came true. Recall: the share of the limits reached that had a warning. <a "
		      "href=\"docs#accuracy\">How it is worked out</a></p></section>");
}
