/* SPDX-License-Identifier: MIT */
/* The incidents (doc/pages.md#incidents, doc/rules.md#incidents): those that are open, then those
 * that ended, each with links to its moments. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/incidents.h"
#include "fleet/risk.h"
#include "pages/filter.h"
#include "pages/layout.h"
#include "pages/pieces.h"
#include "pages/table.h"

/* ---- which ---- */

static bool is_wanted(const struct query *query, const struct incidents *incidents,
		      const struct incident *incident)
{
	struct server server = {.profile = incident->profile,
				.risk = level_table[incident_level(incident)].from};

	if (incident->environment)
		return query->profile < 0 && query_match(query, &server);
	server.name = incident_name(incidents, incident);
	return query_match(query, &server);
}

const char *page_incident_reason(const struct incident *incident)
{
	return incident->rule == COMPONENT_COUNT ? NULL : risk_rule(incident->rule)->label;
}

/* ---- in which order ---- */

struct order {
	struct query query;
	const struct incidents *incidents;
	int64_t now_ms;
};

/* 0 where the order is that of text_of; NAN: absent. */
static double number_of(const struct order *order, const struct incident *i)
{
	switch (order->query.sort) {
	case SORT_FROM:
		return (double)i->from_ms;
	case SORT_TO:
		return i->to_ms ? (double)i->to_ms : (double)INFINITY;
	case SORT_DURATION:
		return (double)incident_duration_ms(i, order->now_ms);
	case SORT_RISK:
		return i->risk;
	case SORT_AT:
		return (double)i->peak_ms;
	case SORT_SERVERS:
		return i->environment ? (double)i->servers : (double)NAN;
	case SORT_PROFILE:
		return i->environment ? (double)NAN : 0;
	case SORT_REASON:
		return page_incident_reason(i) ? 0 : (double)NAN;
	default:
		return 0;
	}
}

static struct span text_of(const struct order *order, const struct incident *i)
{
	const char *reason = page_incident_reason(i);

	if (order->query.sort == SORT_PROFILE)
		return span_str(profile_table[i->profile].name);
	if (order->query.sort == SORT_REASON && reason)
		return span_str(reason);
	if (order->query.sort == SORT_NAME)
		return i->environment ? SPAN("Environment") : incident_name(order->incidents, i);
	return SPAN("");
}

/* What is equal stays in the order of the records. */
static int compare(const void *left, const void *right, void *context)
{
	const struct incident *a = *(const struct incident *const *)left;
	const struct incident *b = *(const struct incident *const *)right;
	const struct order *order = context;
	int c = table_compare(&order->query,
			      (struct sort_value){number_of(order, a), text_of(order, a)},
			      (struct sort_value){number_of(order, b), text_of(order, b)});

	return c ? c : (a > b) - (a < b);
}

size_t page_incident_list(const struct view *view, struct buf *list, struct buf *out)
{
	const struct incident *incident = incidents_list(view->incidents);
	struct order order = {*view->query, view->incidents, snapshot_bucket_ms(view->snap)};
	size_t count = incidents_count(view->incidents);

	buf_init(list, count * sizeof(incident));
	for (; count; count--, incident++)
		if (is_wanted(view->query, view->incidents, incident))
			buf_add(list, (const void *)&incident, sizeof(incident));
	if (!buf_ok(list))
		buf_fail(out);
	count = list->len / sizeof(incident);
	if (count > 1 && (order.query.given & QUERY_BIT(QUERY_SORT)))
		qsort_r(list->data, count, sizeof(incident), compare, &order);
	return count;
}

/* ---- controls ---- */

static void put_controls(const struct query *query, struct buf *out)
{
	const struct page *page = page_find_name("incidents");

	html_lit(out, "<div class=\"filters\">");
	filter_periods(page, query, out);
	filter_servers(page, "incidents", query, out);
	html_lit(out, "</div>");
	layout_downloads(page, query, out);
}

/* ---- the table ---- */

static const struct table incident_table = {
	"incidents",
	"incidents",
	"plan wide",
	{
		{"What", SORT_NAME, false},
		{"Profile", SORT_PROFILE, false},
		{"From", SORT_FROM, false},
		{"To", SORT_TO, false},
		{"Duration", SORT_DURATION, true},
		{"Peak", SORT_KEYS, false},
		{"Risk", SORT_RISK, true},
		{"At", SORT_AT, false},
		{"Reason", SORT_REASON, false},
		{"Critical or worse", SORT_SERVERS, true},
	},
};

void page_moment(struct span server, int64_t at_ms, int64_t shown_ms, struct buf *out)
{
	struct query q;

	query_init(&q);
	query_set_at(&q, at_ms);
	html_lit(out, "<a href=\"");
	if (server.len && layout_has_page(server)) {
		html_lit(out, "server/");
		html_url(out, server);
		layout_at(&q, "?", out);
	} else {
		layout_url(page_find_name("overview"), &q, out);
	}
	html_lit(out, "\">");
	fmt_day_element(out, shown_ms);
	html_lit(out, "</a>");
}

static void put_what(const struct query *query, const struct incident *i, struct span server,
		     struct buf *out)
{
	html_lit(out, "<tr><th scope=\"row\">");
	if (i->environment)
		html_lit(out, "Environment");
	else
		layout_server(query, server, "server/", out);
	buf_addf(out, "</th><td data-l=\"Profile\">%s</td>",
		 i->environment ? "–" : profile_table[i->profile].name);
}

static void put_times(const struct incident *i, struct span server, int64_t now_ms, struct buf *out)
{
	html_lit(out, "<td data-l=\"From\">");
	page_moment(server, i->from_ms, i->from_ms, out);
	html_lit(out, "</td><td data-l=\"To\">");
	/* The link leads to its last bucket: the next one may be missing. */
	if (i->to_ms)
		page_moment(server, i->last_ms, i->to_ms, out);
	else
		html_lit(out, "<b>open</b>");
	html_lit(out, "</td><td data-l=\"Duration\" class=\"num\">");
	fmt_duration(out, incident_duration_ms(i, now_ms));
	html_lit(out, "</td>");
}

static void put_reason(const struct query *query, const struct incident *i, struct span worst,
		       struct buf *out)
{
	const char *reason = page_incident_reason(i);

	html_lit(out, "<td data-l=\"Reason\">");
	html_str(out, reason ? reason : "–");
	if (i->environment && worst.len) {
		html_lit(out, ", worst ");
		layout_server(query, worst, "server/", out);
	}
	html_lit(out, "</td><td data-l=\"Critical or worse\" class=\"num\">");
	if (i->environment)
		buf_addf(out, "%u", i->servers);
	else
		html_lit(out, "–");
	html_lit(out, "</td></tr>");
}

static void put_peak(const struct incident *i, struct span server, struct buf *out)
{
	html_lit(out, "<td data-l=\"Peak\">");
	if (i->environment)
		layout_status(i->status, out);
	else
		layout_level(incident_level(i), out);
	html_lit(out, "</td><td data-l=\"Risk\" class=\"num\">");
	fmt_tenths(out, i->risk);
	html_lit(out, "</td><td data-l=\"At\">");
	page_moment(server, i->peak_ms, i->peak_ms, out);
	html_lit(out, "</td>");
}

static void put_row(const struct view *view, const struct incident *i, struct buf *out)
{
	struct span name = incident_name(view->incidents, i), server = name;

	if (i->environment)
		server.len = 0;
	put_what(view->query, i, server, out);
	put_times(i, server, snapshot_bucket_ms(view->snap), out);
	put_peak(i, server, out);
	put_reason(view->query, i, name, out);
}

static void put_table(const struct view *view, const struct incident *const *incident, size_t count,
		      struct buf *out)
{
	struct part part = table_part(view->query, count);

	table_begin(&incident_table,
		    view->query->given & QUERY_BIT(QUERY_SORT)
			    ? "Ordered by the column with the arrow"
			    : "Open ones first, then by their end, the newest first",
		    view, out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view, incident[i], out);
	table_end(&incident_table, &part, view->query, out);
}

/* ---- the page ---- */

static void put_counts(const struct incident *const *incident, size_t count, struct buf *out)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += !incident[i]->to_ms;
	buf_addf(out,
		 "<ul class=\"figures\"><li>Open <b>%zu</b></li><li>Ended <b>%zu</b></li></ul>",
		 open, count - open);
}

static void put_list(const struct view *view, struct buf *out)
{
	struct buf list;
	size_t count = page_incident_list(view, &list, out);
	const struct incident *const *incident =
		(const struct incident *const *)(const void *)list.data;

	put_counts(incident, count, out);
	if (count)
		put_table(view, incident, count, out);
	else
		buf_addf(out, "<p class=\"empty\">No incidents%s.</p>",
			 incidents_count(view->incidents) ? " match" : " in this time");
	buf_free(&list);
}

void page_incidents(const struct view *view, struct buf *out)
{
	html_lit(out, "<h1>Incidents</h1>");
	put_controls(view->query, out);
	buf_addf(out, "<section class=\"panel\" id=\"incidents\"><h2>Incidents, last %s</h2>",
		 filter_period(view->query->period));
	html_lit(out, "<p>The environment at Warning or worse, a server at Danger or worse.</p>");
	if (view->incidents)
		put_list(view, out);
	else
		html_lit(out, "<p class=\"empty\">Incidents are kept in the shared cache, which "
			      "cannot be reached. Nothing is lost.</p>");
	html_lit(out, "</section>");
}
