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

#define BUSY_COUNT 5
#define LINE_ROWS  50 /* with a line: 200 would be too many elements (doc/limits.md#budgets) */
#define TREND_MIN  0.05

/* ---- the table ---- */

static const struct table alert_table = {
	"overview",
	"alerts",
	"alerts",
	{
		{"Priority", SORT_KEYS, false},
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
	fmt_delta(out, r->change, "%");
	html_lit(out, "</td>");
}

static void put_name(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<th scope=\"row\">");
	layout_server(view->query, s->name, "server/", out);
	if (!s->has_data)
		html_lit(out, " <small>no data</small>");
	layout_silent(s, view->snap, out);
	html_lit(out, "</th>");
}

/* line: with the last hour of its risk. */
static void put_row(const struct view *view, const struct server *s, bool line, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	buf_addf(out, "\"><td class=\"chip sev-%s\">%s", level->slug, level->name);
	layout_since(s, view->snap, out);
	html_lit(out, "</td>");
	put_name(view, s, out);
	buf_addf(out, "<td>%s</td><td>", profile_table[s->profile].name);
	fmt_tenths(out, s->risk);
	if (line)
		chart_recent(s, view->snap->interval_ms, out);
	html_lit(out, "</td>");
	put_reading(MARK_KIND_CPU, &s->cpu, out);
	put_reading(MARK_KIND_IOWAIT, &s->iowait, out);
	put_reading(server_memory_kind(s), &s->memory, out);
	html_lit(out, "</tr>");
}

static void put_table(const struct view *view, const struct row *row, const struct part *part,
		      struct buf *out)
{
	table_begin(&alert_table, "Servers at risk; every predicted value is a trend extrapolation",
		    view->query, out);
	for (size_t i = part->first; i < part->last; i++)
		put_row(view, row[i].server, i - part->first < LINE_ROWS, out);
	table_end(&alert_table, part, view->query, out);
}

/* ---- below the table ---- */

/* Share of alerting servers, compared in integers (doc/rules.md#alert-table). */
static enum level assess(unsigned n, unsigned total)
{
	if (20 * n < total)
		return LEVEL_HEALTHY;
	if (20 * n < 3 * total)
		return LEVEL_WATCH;
	return 10 * n < 3 * total ? LEVEL_DEGRADING : LEVEL_CRITICAL;
}

static void put_assessment(const struct fleet_counts *n, struct buf *out)
{
	html_lit(out, "<p class=\"assessment\">Assessment <b>");
	layout_upper(level_table[assess(n->or_worse[LEVEL_DEGRADING], n->total)].name, out);
	buf_addf(out, "</b> %u/%u servers (", n->or_worse[LEVEL_DEGRADING], n->total);
	fmt_percent(out, 100.0 * n->or_worse[LEVEL_DEGRADING] / n->total);
	html_lit(out, ")</p>");
}

struct trend {
	unsigned worsening, improving, steady;
};

/* Every alerting server is in exactly one class. Absent differences are NaN and compare false. */
static struct trend trend_of(const struct snapshot *snap)
{
	struct trend t = {0};

	for (size_t i = 0; i < snap->count && snap->servers[i].risk >= RISK_ALERT; i++) {
		const struct server *s = &snap->servers[i];
		double cpu = s->cpu.change;
		double memory = s->memory.change;

		if (cpu >= TREND_MIN || memory >= TREND_MIN)
			t.worsening++;
		else if (cpu <= -TREND_MIN || memory <= -TREND_MIN)
			t.improving++;
		else
			t.steady++;
	}
	return t;
}

static void put_action(const struct fleet_counts *n, struct buf *out)
{
	if (n->or_worse[LEVEL_CRITICAL])
		buf_addf(out, "<p class=\"action red\">%u server%s Critical or worse: act now.</p>",
			 n->or_worse[LEVEL_CRITICAL], fmt_plural(n->or_worse[LEVEL_CRITICAL]));
	else if (n->level[LEVEL_DANGER])
		buf_addf(out,
			 "<p class=\"action amber\">%u server%s in Danger: prepare to act.</p>",
			 n->level[LEVEL_DANGER], fmt_plural(n->level[LEVEL_DANGER]));
	else if (n->level[LEVEL_WARNING])
		buf_addf(out,
			 "<p class=\"action amber\">%u server%s at Warning: watch closely.</p>",
			 n->level[LEVEL_WARNING], fmt_plural(n->level[LEVEL_WARNING]));
}

static void put_figures(const struct snapshot *snap, const struct fleet_counts *n, struct buf *out)
{
	struct trend t = trend_of(snap);

	buf_addf(out,
		 "<ul class=\"figures\"><li><b>%u</b> Critical+</li><li><b>%u</b> Danger</li>"
		 "<li><b>%u</b> Warning</li><li><b>%u</b> Degrading</li>"
		 "<li><b>%u</b> healthy, of these <b>%u</b> on Watch</li></ul>",
		 n->or_worse[LEVEL_CRITICAL], n->level[LEVEL_DANGER], n->level[LEVEL_WARNING],
		 n->level[LEVEL_DEGRADING], n->healthy, n->level[LEVEL_WATCH]);
	buf_addf(out,
		 "<ul class=\"figures\"><li>Trend</li><li><b>%u</b> worsening</li>"
		 "<li><b>%u</b> improving</li><li><b>%u</b> steady</li></ul>",
		 t.worsening, t.improving, t.steady);
}

static unsigned count_alerts(const struct row *row, size_t count)
{
	unsigned alerts = 0;

	for (size_t i = 0; i < count; i++)
		alerts += row[i].server->risk >= RISK_ALERT;
	return alerts;
}

static void put_summary(const struct view *view, const struct fleet_counts *n,
			const struct row *row, const struct part *part, struct buf *out)
{
	if (!n->or_worse[LEVEL_DEGRADING])
		return;
	html_lit(out, "<div class=\"summary\">");
	put_action(n, out);
	put_assessment(n, out);
	put_figures(view->snap, n, out);
	buf_addf(out,
		 "<p class=\"note\">%u alert%s, %zu row%s shown, %u hidden by filter</p></div>",
		 n->or_worse[LEVEL_DEGRADING], fmt_plural(n->or_worse[LEVEL_DEGRADING]),
		 part->last - part->first, fmt_plural((unsigned)(part->last - part->first)),
		 n->or_worse[LEVEL_DEGRADING] - count_alerts(row, part->count));
}

/* ---- calm mode (doc/rules.md#busiest-five) ---- */

static bool is_busier(const struct row *a, const struct row *b)
{
	if (a->value != b->value)
		return a->value > b->value;
	return span_cmp(a->server->name, b->server->name) < 0;
}

/* The most active servers, in order; returns how many there are. */
static size_t find_busiest(const struct snapshot *snap, struct row best[BUSY_COUNT])
{
	size_t count = 0;

	for (size_t i = 0; i < snap->count; i++) {
		struct row row = {&snap->servers[i], risk_activity(&snap->servers[i])};
		size_t at = count < BUSY_COUNT ? count++ : BUSY_COUNT;

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
	fmt_number(out, s->load.now, 2);
	html_lit(out, "</td></tr>");
}

static void put_calm(const struct view *view, struct buf *out)
{
	struct row best[BUSY_COUNT];
	size_t count = find_busiest(view->snap, best);

	html_lit(out,
		 "<p class=\"calm\">No server is at risk 50 or above.</p><div class=\"scroll\">"
		 "<table class=\"busiest\"><caption>Busiest five by activity</caption><thead><tr>"
		 "<th scope=\"col\">Server</th><th scope=\"col\">Profile</th>"
		 "<th scope=\"col\">Status</th><th scope=\"col\">CPU</th>"
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

static void put_list(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct page *page = page_find_name("overview");
	struct buf rows;
	struct part part = table_part(view->query, page_alerts(view, &rows, out));
	const struct row *row = (const struct row *)rows.data;

	html_lit(out, "<div class=\"filters\">");
	filter_profiles(page, view->query, out);
	filter_name(page, "alerts", view->query, out);
	html_lit(out, "</div>");
	if (part.count)
		put_table(view, row, &part, out);
	else
		filter_nothing(view->query, out);
	put_summary(view, n, row, &part, out);
	buf_free(&rows);
}

void page_alert_panel(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	buf_addf(out, "<section class=\"panel\" id=\"alerts\"><h2>Alerts: %u of %u servers</h2>",
		 n->or_worse[LEVEL_DEGRADING], n->total);
	if (!n->or_worse[LEVEL_DEGRADING] && view->query->level < 0)
		put_calm(view, out);
	else
		put_list(view, n, out);
	html_lit(out, "</section>");
}
