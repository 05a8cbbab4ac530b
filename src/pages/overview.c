/* SPDX-License-Identifier: MIT */
/* The overview (doc/pages.md#overview): key figures, actual and predicted state, distribution,
 * highest risks, alerts, limit crossings. */
#include "config.h"
#include "pages/contents.h"

#include <stdint.h>

#include "pages/chart.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "pages/pieces.h"

#define BAR_COUNT 15
/* Servers listed with limit crossings; a limit keeps the page small. */
#define CROSSING_ROWS 50

/* "12 of 90 servers (13.3%)" */
static void put_share(unsigned part, unsigned total, struct buf *out)
{
	buf_addf(out, "%u of %u servers (", part, total);
	fmt_percent(out, total ? 100.0 * part / total : 0);
	html_lit(out, ")");
}

/* ---- key figures ---- */

/* The share that decided the status (doc/rules.md#environment); if none did, the share that would
 * decide first. */
static void put_decision(const struct fleet_counts *n, struct buf *out)
{
	const struct status_rule *rule = status_rule_of(n->total, n->or_worse);

	if (!n->total) {
		html_lit(out, "no servers in the answer");
		return;
	}
	if (!rule)
		rule = &status_rules[STATUS_RULES - 1];
	put_share(n->or_worse[rule->from], n->total, out);
	buf_addf(out, " %s; limit %u%%", rule->words, 10 * rule->over);
}

static void card_environment(const struct view *view, const struct fleet_counts *n,
			     enum status status, struct buf *out)
{
	html_lit(out, "<a id=\"kpi-environment\" class=\"card\" href=\"./?sev=critical-up");
	layout_at(view->query, "&amp;", out);
	html_lit(out, "\"><h2>Environment status</h2><p class=\"value\">");
	layout_status(status, out);
	html_lit(out, "</p><p class=\"note\">");
	put_decision(n, out);
	html_lit(out, "</p></a>");
}

static void card_index(const char *id, const char *title, double index, struct buf *out)
{
	buf_addf(out, "<div id=\"%s\" class=\"card\"><h2>%s</h2><p class=\"value\">", id, title);
	fmt_percent(out, 100 * index);
	html_lit(out, "</p><p class=\"note\">upstream incident index, not a probability</p></div>");
}

static void card_fleet(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	html_lit(out, "<a id=\"kpi-fleet\" class=\"card\" href=\"heatmap");
	layout_at(view->query, "?", out);
	buf_addf(out,
		 "\"><h2>Fleet</h2><p class=\"value\">%u/%u</p><p class=\"note\">healthy (risk "
		 "below 50); %u watch, "
		 "%u degrading",
		 n->healthy, n->total, n->level[LEVEL_WATCH], n->level[LEVEL_DEGRADING]);
	if (n->silent)
		buf_addf(out, "; <span class=\"silent\">%u server%s silent</span>", n->silent,
			 fmt_plural(n->silent));
	html_lit(out, "</p></a>");
}

static void put_cards(const struct view *view, const struct fleet_counts *n, enum status status,
		      struct buf *out)
{
	html_lit(out, "<h1>Overview</h1><section class=\"cards\" aria-label=\"Key figures\">");
	card_environment(view, n, status, out);
	card_index("kpi-30m", "Incident index, 30 min", view->snap->prob_30m, out);
	card_index("kpi-8h", "Incident index, 8 h", view->snap->prob_8h, out);
	card_fleet(view, n, out);
	html_lit(out, "</section>");
}

/* ---- actual and predicted (doc/rules.md#index) ---- */

/* The generator names at most ten servers, some of which the daemon may not know. */
static void put_affected(const struct view *view, const struct scenario *s, struct buf *out)
{
	for (int i = 0; i < s->name_count; i++) {
		struct span name = span_str(s->names[i]);

		html_str(out, i ? ", " : ": ");
		if (snapshot_find(view->snap, name))
			layout_server(view->query, name, "server/", out);
		else
			html_text(out, name);
	}
	if (s->name_count && s->affected > s->name_count)
		buf_addf(out, " and %d more", s->affected - s->name_count);
}

static void put_actual(const struct view *view, const struct scenario *s, struct buf *out)
{
	html_lit(out, "<dt>Actual</dt><dd>");
	if (!s->configured) {
		html_lit(out, "No scenario source configured");
	} else if (!s->known) {
		html_lit(out, "Scenario source unreachable");
	} else {
		html_lit(out, "<b>");
		layout_upper(s->name, out);
		buf_addf(out, "</b> <small>%d of %d servers affected", s->affected, s->fleet_size);
		put_affected(view, s, out);
		fmt_asked(out, s->at_ms);
		html_lit(out, "</small>");
	}
	html_lit(out, "</dd>");
}

static void put_both_indexes(const struct snapshot *snap, struct buf *out)
{
	fmt_percent(out, 100 * snap->prob_30m);
	html_lit(out, " for 30 minutes, ");
	fmt_percent(out, 100 * snap->prob_8h);
	html_lit(out, " for 8 hours");
}

static void put_insight(const struct snapshot *snap, const struct scenario *s, enum status card,
			struct buf *out)
{
	bool healthy = span_is(span_str(s->name), "healthy");
	bool alarm = card == STATUS_CRITICAL || card == STATUS_WARNING;

	if (!s->configured || !s->known)
		return;
	if (healthy && alarm) {
		html_lit(out,
			 "<p class=\"insight early\">Early warning: the fleet is reported healthy, "
			 "the upstream index reads ");
		put_both_indexes(snap, out);
		html_lit(out, ".</p>");
	} else if (alarm) {
		html_lit(out,
			 "<p class=\"insight confirmed\">Confirmed: the forecast agrees with the "
			 "running scenario.</p>");
	} else if (healthy && card == STATUS_HEALTHY) {
		html_lit(out, "<p class=\"insight stable\">All stable: the fleet is reported "
			      "healthy, and "
			      "the forecast agrees.</p>");
	}
}

static void put_comparison(const struct view *view, enum status status, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	enum status card = status_of_index(snap->prob_30m, snap->prob_8h);

	html_lit(out,
		 "<section class=\"panel\" id=\"comparison\"><h2>Actual and predicted</h2><dl>");
	put_actual(view, view->scenario, out);
	buf_addf(out, "<dt>Predicted</dt><dd><b>%s</b> <small>upstream index</small></dd>",
		 status_table[card].capital);
	html_lit(out, "<dt>Environment</dt><dd>");
	layout_status(status, out);
	html_lit(out, "</dd></dl>");
	put_insight(snap, view->scenario, card, out);
	page_accuracy_line(view, out);
	html_lit(out, "</section>");
}

/* ---- distribution ---- */

static void put_levels(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct page *page = page_find_name("overview");
	struct query q = *view->query;

	html_lit(out, "<section class=\"panel\" id=\"distribution\"><h2>Servers by level</h2>");
	chart_levels(n, out);
	html_lit(out, "<ul class=\"legend\">");
	q.given = (q.given | QUERY_BIT(QUERY_SEV)) & ~QUERY_BIT(QUERY_PAGE);
	q.level_up = false;
	for (int i = 0; i < LEVEL_COUNT; i++) {
		q.level = i;
		html_lit(out, "<li><a href=\"");
		layout_url(page, &q, out);
		buf_addf(out, "#alerts\"%s><i class=\"chip sev-%s\">%s</i> <b>%u</b></a></li>",
			 i == view->query->level ? " aria-current=\"true\"" : "",
			 level_table[i].slug, level_table[i].name, n->level[i]);
	}
	html_lit(out, "</ul></section>");
}

static void put_bars(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;

	html_lit(
		out,
		"<section class=\"panel\" id=\"highest\"><h2>Highest risk</h2><ol class=\"bars\">");
	for (size_t i = 0; i < snap->count && i < BAR_COUNT; i++) {
		const struct server *s = &snap->servers[i];
		const struct level_info *level = &level_table[level_of(s->risk)];

		html_lit(out, "<li id=\"bar-");
		html_text(out, s->name);
		html_lit(out, "\">");
		layout_server(view->query, s->name, "server/", out);
		chart_risk_bar(s->risk, out);
		html_lit(out, "<b>");
		fmt_tenths(out, s->risk);
		buf_addf(out, "</b> <i class=\"chip sev-%s\">%s</i></li>", level->slug,
			 level->code);
	}
	html_lit(out, "</ol><p class=\"note\">ticks at 30, 50, 60, 70, 80 and 90</p></section>");
}

/* ---- limit crossings ---- */

/* "Memory critical (98%) in 5 min, peak 99.1%" */
static void put_crossing(const struct crossing *c, enum crossing_index index, struct buf *out)
{
	const struct metric_info *info = &metric_table[crossing_table[index].metric];

	buf_addf(out, "%s %s (%.0f%%) in %d min, peak ", info->label,
		 c->critical ? "critical" : "warning", crossing_limit(c, index),
		 crossing_minutes(c));
	fmt_percent(out, c->peak);
}

static void put_server_crossings(const struct view *view, const struct server *s, struct buf *out)
{
	const char *between = ": ";

	html_lit(out, "<li>");
	layout_server(view->query, s->name, "server/", out);
	for (int i = 0; i < CROSSINGS; i++) {
		if (!s->crossings[i].steps)
			continue;
		html_str(out, between);
		put_crossing(&s->crossings[i], (enum crossing_index)i, out);
		between = "; ";
	}
	html_lit(out, "</li>");
}

/* The crossings of one profile, among the servers [0, last). */
static void put_profile_crossings(const struct view *view, enum profile profile, size_t last,
				  struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < last; i++) {
		const struct server *s = &view->snap->servers[i];

		if (s->profile != profile || !crossing_count(s->crossings))
			continue;
		if (!any)
			buf_addf(out, "<h3>%s</h3><ul>", profile_table[profile].name);
		any = true;
		put_server_crossings(view, s, out);
	}
	if (any)
		html_lit(out, "</ul>");
}

/* Counts the servers that cross a limit; *last is one past the last one shown. */
static unsigned count_crossings(const struct snapshot *snap, size_t *last)
{
	unsigned n = 0;

	*last = 0;
	for (size_t i = 0; i < snap->count; i++) {
		if (!crossing_count(snap->servers[i].crossings))
			continue;
		if (n++ < CROSSING_ROWS)
			*last = i + 1;
	}
	return n;
}

static void put_crossings(const struct view *view, struct buf *out)
{
	size_t last;
	unsigned n = count_crossings(view->snap, &last);

	html_lit(out, "<section class=\"panel\" id=\"crossings\"><h2>Limit crossings</h2>");
	if (!n) {
		html_lit(out, "<p>No limit crossing is forecast within one hour.</p></section>");
		return;
	}
	buf_addf(out,
		 "<details><summary>The forecast of %u server%s crosses a limit within one "
		 "hour</summary>",
		 n, fmt_plural(n));
	for (int i = 0; i < PROFILE_COUNT; i++)
		put_profile_crossings(view, (enum profile)i, last, out);
	if (n > CROSSING_ROWS)
		buf_addf(out,
			 "<p class=\"note\">Only the %d servers with the highest risk; the others "
			 "show their crossings on their own pages.</p>",
			 CROSSING_ROWS);
	html_lit(out, "</details></section>");
}

void page_overview(const struct view *view, struct buf *out)
{
	struct fleet_counts n;
	enum status status;

	snapshot_count(view->snap, &n);
	status = status_of_fleet(n.total, n.or_worse);
	put_cards(view, &n, status, out);
	html_lit(out, "<div class=\"columns\"><div>");
	put_comparison(view, status, out);
	put_levels(view, &n, out);
	html_lit(out, "</div>");
	put_bars(view, out);
	html_lit(out, "</div>");
	page_change_panel(view, out);
	page_alert_panel(view, &n, out);
	put_crossings(view, out);
}
