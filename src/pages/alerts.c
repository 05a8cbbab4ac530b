/* SPDX-License-Identifier: MIT */
/* The alerts of the overview (doc/pages.md#overview, doc/rules.md#alert-table): the table of the
 * servers at risk and its summary, or the busiest servers when none is at risk. */
#include "config.h"
#include "pages/contents.h"

#include "pages/chart.h"
#include "pages/filter.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "fleet/risk.h"
#include "fleet/rules.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "pages/silence_form.h"

#define BUSY_COUNT 5
#define LINE_ROWS  50 /* with a line: 200 would be too many elements (doc/limits.md#budgets) */
#define TREND_MIN  0.05

/* ---- the table ---- */

static const struct table alert_table = {
	"overview",
	"alerts",
	"alerts",
	{
		{"Level, since", SORT_SINCE, false},
		{"Server", SORT_NAME, false},
		{"Profile", SORT_PROFILE, false},
		{"Risk", SORT_RISK, false},
		{"CPU Now", SORT_CPU, false},
		{"CPU Predicted (30m)", SORT_CPU30, false},
		{"CPU Δ", SORT_DCPU, false},
		{"I/O Wait Now", SORT_IO, false},
		{"I/O Wait Predicted (30m)", SORT_IO30, false},
		{"I/O Wait Δ", SORT_DIO, false},
		{"Mem Now", SORT_MEM, false},
		{"Mem Predicted (30m)", SORT_MEM30, false},
		{"Mem Δ", SORT_DMEM, false},
	},
};

static void put_reading(enum mark_kind kind, const struct reading *r, struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(mark_of(kind, r->now)));
	fmt_percent(out, r->now);
	buf_addf(out, "</td><td%s>", layout_mark(mark_of(kind, r->predicted)));
	fmt_percent(out, r->predicted);
	html_lit(out, "</td><td>");
	fmt_change(out, r->change, "%");
	html_lit(out, "</td>");
}

static void put_name(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<th scope=\"row\">");
	layout_server(view->query, s->name, "server/", out);
	if (!s->has_data)
		html_lit(out, " <small>no data</small>");
	layout_silent(s, view->snap, out);
	layout_silenced(s, view->snap, out);
	html_lit(out, "</th>");
}

static bool is_open(const struct query *query, const struct server *s)
{
	return (query->given & QUERY_BIT(QUERY_ROW)) && span_is(s->name, query->row);
}

/* Leads to the details below the row, and back. */
static void put_risk(const struct view *view, const struct server *s, struct buf *out)
{
	bool open = is_open(view->query, s);
	struct query q = *view->query;

	query_open_row(&q, open ? (struct span){"", 0} : s->name);
	html_lit(out, "<a href=\"");
	layout_url(page_find_name("overview"), &q, out);
	html_lit(out, "#srv-");
	html_url(out, s->name);
	buf_addf(out, "\"%s>", open ? " aria-expanded=\"true\"" : "");
	fmt_tenths(out, s->risk);
	html_lit(out, "</a>");
}

/* A page about this server alone. */
static void put_page_link(const struct view *view, const char *page, const char *text,
			  const struct server *s, struct buf *out)
{
	buf_addf(out, ", <a href=\"%s?q=", page);
	html_url(out, s->name);
	layout_at(view->query, "&amp;", out);
	buf_addf(out, "\">%s</a>", text);
}

static void put_details(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<tr id=\"why-");
	html_text(out, s->name);
	html_lit(out, "\" class=\"details\"><td colspan=\"13\"><div class=\"columns\">");
	html_lit(out, "<div>");
	page_why(s, false, out);
	html_lit(out, "</div><div>");
	page_readings(s, out);
	html_lit(out, "<p>More about ");
	layout_server(view->query, s->name, "server/", out);
	put_page_link(view, "changes", "changes", s, out);
	put_page_link(view, "incidents", "incidents", s, out);
	html_lit(out, "</p>");
	silence_form_server(view, s, "", out);
	html_lit(out, "</div></div></td></tr>");
}

/* line: with the last hour of its risk. */
static void put_row(const struct view *view, const struct server *s, bool line, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	buf_addf(out, "\"%s><td class=\"chip sev-%s\">%s", s->silence ? " data-silenced=\"\"" : "",
		 level->slug, level->name);
	layout_since(s, view->snap, out);
	html_lit(out, "</td>");
	put_name(view, s, out);
	buf_addf(out, "<td>%s</td><td>", profile_table[s->profile].name);
	put_risk(view, s, out);
	if (line)
		chart_recent(s, view->snap->interval_ms, out);
	html_lit(out, "</td>");
	put_reading(MARK_KIND_CPU, &s->cpu, out);
	put_reading(MARK_KIND_IOWAIT, &s->iowait, out);
	put_reading(server_memory_kind(s), &s->memory, out);
	html_lit(out, "</tr>");
	if (is_open(view->query, s))
		put_details(view, s, out);
}

static void put_table(const struct view *view, const struct row *row, const struct part *part,
		      struct buf *out)
{
	table_begin(&alert_table,
		    "Every predicted value is a trend extrapolation. A risk opens its reasons.",
		    view, out);
	for (size_t i = part->first; i < part->last; i++)
		put_row(view, row[i].server, i - part->first < LINE_ROWS, out);
	table_end(&alert_table, part, view->query, out);
}

/* ---- what the forecast says of them ---- */

struct trend {
	unsigned worsening, improving, steady;
};

/* Every alerting server is in exactly one class. Absent differences are NaN and compare false. */
static struct trend trend_of(const struct view *view)
{
	const struct snapshot *snap = view->snap;
	struct query query = *view->query;
	struct trend t = {0};

	query.level = -1;
	for (size_t i = 0; i < snap->count && snap->servers[i].risk >= RISK_ALERT; i++) {
		const struct server *s = &snap->servers[i];
		double cpu = s->cpu.change;
		double memory = s->memory.change;

		if (!query_match(&query, s))
			continue;
		if (cpu >= TREND_MIN || memory >= TREND_MIN)
			t.worsening++;
		else if (cpu <= -TREND_MIN || memory <= -TREND_MIN)
			t.improving++;
		else
			t.steady++;
	}
	return t;
}

static void put_trend(const struct view *view, struct buf *out)
{
	struct trend t = trend_of(view);

	if (t.worsening + t.improving + t.steady)
		buf_addf(out,
			 "<ul class=\"figures\"><li><a href=\"docs#trends\">Trend</a></li>"
			 "<li><b>%u</b> worsening</li><li><b>%u</b> improving</li>"
			 "<li><b>%u</b> steady</li></ul>",
			 t.worsening, t.improving, t.steady);
}

static unsigned count_alerts(const struct row *row, size_t count)
{
	unsigned alerts = 0;

	for (size_t i = 0; i < count; i++)
		alerts += row[i].server->risk >= RISK_ALERT;
	return alerts;
}

/* What is not shown; n: of the whole fleet. */
static void put_shown(const struct fleet_counts *n, const struct row *row, const struct part *part,
		      struct buf *out)
{
	unsigned shown = (unsigned)(part->last - part->first);

	if (shown == n->or_worse[LEVEL_DEGRADING])
		return;
	buf_addf(out, "<p class=\"note\">%u alert%s, %u row%s shown, %u hidden by filter</p>",
		 n->or_worse[LEVEL_DEGRADING], fmt_plural(n->or_worse[LEVEL_DEGRADING]), shown,
		 fmt_plural(shown), n->or_worse[LEVEL_DEGRADING] - count_alerts(row, part->count));
}

/* ---- calm mode (doc/rules.md#busiest-five) ---- */

static bool is_busier(const struct row *a, const struct row *b)
{
	if (a->value != b->value)
		return a->value > b->value;
	return span_cmp(a->server->name, b->server->name) < 0;
}

/* The most active of the servers that the filters let through, in order; returns how many. */
static size_t find_busiest(const struct view *view, struct row best[BUSY_COUNT])
{
	const struct snapshot *snap = view->snap;
	size_t count = 0;

	for (size_t i = 0; i < snap->count; i++) {
		struct row row = {&snap->servers[i], risk_activity(&snap->servers[i])};
		size_t at = count < BUSY_COUNT ? count : BUSY_COUNT;

		if (!query_match(view->query, row.server))
			continue;
		count += count < BUSY_COUNT;
		for (; at > 0 && is_busier(&row, &best[at - 1]); at--)
			if (at < BUSY_COUNT)
				best[at] = best[at - 1];
		if (at < BUSY_COUNT)
			best[at] = row;
	}
	return count;
}

static void put_busy_cell(enum mark_kind kind, double value, struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(mark_of(kind, value)));
	fmt_percent(out, value);
	html_lit(out, "</td>");
}

static void put_busy_row(const struct view *view, const struct server *s, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\">");
	put_name(view, s, out);
	buf_addf(out, "<td>%s</td><td class=\"chip sev-%s\">%s</td>",
		 profile_table[s->profile].name, level->slug, level->name);
	put_busy_cell(MARK_KIND_CPU, s->cpu.now, out);
	put_busy_cell(server_memory_kind(s), s->memory.now, out);
	put_busy_cell(MARK_KIND_IOWAIT, s->iowait.now, out);
	put_busy_cell(MARK_KIND_SWAP, s->swap_now, out);
	buf_addf(out, "<td%s>", layout_mark(mark_of(MARK_KIND_LOAD, s->load.now)));
	fmt_number(out, s->load.now, 1);
	html_lit(out, "</td></tr>");
}

static void put_busiest(const struct view *view, struct buf *out)
{
	struct row best[BUSY_COUNT];
	size_t count = find_busiest(view, best);

	if (!count) {
		if (view->snap->count)
			filter_nothing(view->query, out);
		return;
	}
	html_lit(out, "<div class=\"scroll\"><table class=\"busiest\"><caption>Busiest five by "
		      "activity</caption><thead><tr>"
		      "<th scope=\"col\">Server</th><th scope=\"col\">Profile</th>"
		      "<th scope=\"col\">Level</th><th scope=\"col\">CPU</th>"
		      "<th scope=\"col\">Memory</th><th scope=\"col\">I/O Wait</th>"
		      "<th scope=\"col\">Swap</th><th scope=\"col\">Load</th></tr></thead><tbody>");
	for (size_t i = 0; i < count; i++)
		put_busy_row(view, best[i].server, out);
	html_lit(out, "</tbody></table></div>");
}

/* ---- the panel ---- */

size_t page_alerts(const struct view *view, struct buf *rows, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	bool any_level = view->query->level >= 0;

	return table_rows(view, any_level ? snap->count : rules_count(snap, RISK_ALERT), rows, out);
}

static void put_columns(const struct page *page, const struct query *query, struct buf *out)
{
	static const char *const titles[HIDE_COLUMNS] = {"Profile", "CPU", "I/O wait", "Memory"};

	html_lit(out, "<p><span>Columns</span>");
	for (int i = 0; i < HIDE_COLUMNS; i++) {
		struct query q = *query;

		query_toggle(&q, (enum hidden_column)i);
		html_lit(out, " ");
		layout_link(page, &q, !(query->hidden & 1u << i), titles[i], out);
	}
	html_lit(out, "</p>");
}

static void put_tools(const struct view *view, const struct page *page, struct buf *out)
{
	html_lit(out, "<div class=\"filters\">");
	filter_name(page, "alerts", view->query, out);
	put_columns(page, view->query, out);
	layout_downloads(page, view->query, out);
	html_lit(out, "</div>");
	silence_form_chosen(view, out);
}

static void put_list(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	static const enum kept_metric predicted[] = {KEPT_CPU, KEPT_IOWAIT, KEPT_MEMORY};
	struct buf rows;
	struct part part = table_part(view->query, page_alerts(view, &rows, out));
	const struct row *row = (const struct row *)rows.data;

	page_trust_line(view, predicted, sizeof(predicted) / sizeof(predicted[0]), out);
	if (part.count)
		put_table(view, row, &part, out);
	else
		filter_nothing(view->query, out);
	put_shown(n, row, &part, out);
	buf_free(&rows);
}

static void put_heading(const struct view *view, const struct fleet_counts *n, bool calm,
			struct buf *out)
{
	struct fleet_counts chosen;

	if (calm) {
		html_lit(out, "<h2>No alerts. The busiest servers</h2>");
		return;
	}
	table_count(view, &chosen);
	buf_addf(out, "<h2>Alerts: %u of %u servers%s</h2>", chosen.or_worse[LEVEL_DEGRADING],
		 chosen.total, chosen.total < n->total ? " chosen" : "");
}

void page_alert_panel(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct page *page = page_find_name("overview");
	bool calm = !n->or_worse[LEVEL_DEGRADING] && view->query->level < 0;

	html_lit(out, "<section class=\"panel\" id=\"alerts\">");
	put_heading(view, n, calm, out);
	html_lit(out, "<div class=\"pick\">");
	filter_matrix(page, "alerts", LEVEL_DEGRADING, view, out);
	html_lit(out, "<div class=\"tools\">");
	put_tools(view, page, out);
	put_trend(view, out);
	html_lit(out, "</div></div>");
	if (calm)
		put_busiest(view, out);
	else
		put_list(view, n, out);
	html_lit(out, "</section>");
}
