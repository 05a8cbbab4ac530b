/* SPDX-License-Identifier: MIT */
/* Which warnings came true (doc/pages.md#forecasts): counts for each limit, and the latest outcomes
 * with links to their moments. */
#include "config.h"
#include "pages/pieces.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/warnings.h"
#include "pages/layout.h"

bool page_warning_is_wanted(const struct query *query, size_t limit)
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

size_t page_warning_events(const struct view *view,
			   const struct warning_event *events[WARNINGS_TOLD])
{
	const struct warning_event *all = warnings_events(view->warnings);
	int profile = view->query->profile;
	size_t count = 0;

	for (size_t i = warnings_count(view->warnings); i > 0 && count < WARNINGS_TOLD; i--)
		if (page_warning_is_wanted(view->query, all[i - 1].limit) &&
		    (profile < 0 || profile == (int)all[i - 1].profile))
			events[count++] = &all[i - 1];
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
		{"Limit", SORT_KEYS, false},
		{"Horizon", SORT_KEYS, false},
		{"Came true", SORT_KEYS, true},
		{"Missed", SORT_KEYS, true},
		{"False alarms", SORT_KEYS, true},
		{"Precision", SORT_KEYS, true},
		{"Recall", SORT_KEYS, true},
		{"Median lead", SORT_KEYS, true},
		{"Not known", SORT_KEYS, true},
	},
};

static void put_count(const char *name, int64_t count, struct buf *out)
{
	buf_addf(out, "<td data-l=\"%s\" class=\"num\">%lld</td>", name, (long long)count);
}

static void put_share(const char *name, double share, struct buf *out)
{
	buf_addf(out, "<td data-l=\"%s\" class=\"num\">", name);
	if (isnan(share))
		html_lit(out, "–</td>");
	else
		buf_addf(out, "%d%%</td>", accuracy_percent(share));
}

static void put_lead(double minutes, struct buf *out)
{
	html_lit(out, "<td data-l=\"Median lead\" class=\"num\">");
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
	put_count("Came true", sums->outcomes[WARNING_HIT], out);
	put_count("Missed", sums->outcomes[WARNING_MISS], out);
	put_count("False alarms", sums->outcomes[WARNING_FALSE], out);
	put_share("Precision", warning_precision(sums), out);
	put_share("Recall", warning_recall(sums), out);
	put_lead(warning_lead(sums), out);
	put_count("Not known", sums->outcomes[WARNING_LOST], out);
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
	size_t count = 0;

	for (size_t l = 0; l < WARNING_LIMITS; l++) {
		const struct warning_sums *sums = page_warning_sums(view, l);

		if (!page_warning_is_wanted(view->query, l) || !has_outcome(sums))
			continue;
		put_row(view->query, l, sums, out);
		count++;
	}
	return count;
}

/* ---- the latest outcomes ---- */

static const struct table event_table = {
	"accuracy",
	"outcomes",
	"plan wide",
	{
		{"Settled", SORT_KEYS, false},
		{"Server", SORT_KEYS, false},
		{"Profile", SORT_KEYS, false},
		{"Limit", SORT_KEYS, false},
		{"Outcome", SORT_KEYS, false},
		{"Warned", SORT_KEYS, false},
		{"Lead", SORT_KEYS, true},
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
	table_begin(&event_table, "The latest outcomes, the newest first", view, out);
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
