/* SPDX-License-Identifier: MIT */
/* The overview (doc/pages.md#overview), what matters most first: the fleet in a sentence and its
 * worst servers, what changed, which limits will be crossed, all servers at a glance, the table of
 * alerts, the daemon's index. */
#include "config.h"
#include "pages/contents.h"

#include <stdint.h>
#include <stdlib.h>

#include "pages/chart.h"
#include "base/fmt.h"
#include "base/html.h"
#include "fleet/verdict.h"
#include "pages/layout.h"
#include "pages/pieces.h"
#include "pages/sentence.h"
#include "pages/state.h"

/* Servers shown one by one: those whose forecasts a request without the stored page reads too. */
#define CASES QUERY_N_DEFAULT
/* Servers listed with limit crossings, the first ones open; a limit keeps the page small. */
#define CROSSING_ROWS 30
#define CROSSING_OPEN 8

/* ---- the lead ---- */

/* "12 of 90 servers (13.3%)" */
static void put_share(unsigned part, unsigned total, struct buf *out)
{
	buf_addf(out, "%u of %u servers (", part, total);
	fmt_percent(out, total ? 100.0 * part / total : 0);
	html_lit(out, ")");
}

/* The share that decided the status (doc/rules.md#environment); if none did, the share that would
 * decide first. */
static void put_decision(const struct fleet_counts *n, struct buf *out)
{
	const struct status_rule *rule = status_rule_of(n->total, n->or_worse);

	if (!rule)
		rule = &status_rules[STATUS_RULES - 1];
	put_share(n->or_worse[rule->from], n->total, out);
	buf_addf(out, " %s; limit %u%%", rule->words, 10 * rule->over);
}

static void put_environment(const struct fleet_counts *n, const struct verdict *verdict,
			    struct buf *out)
{
	html_lit(out, "<p class=\"note\" id=\"environment\"><a href=\"docs#environment\">"
		      "Environment</a> ");
	layout_status(verdict->status, out);
	html_lit(out, " ");
	put_decision(n, out);
	if (verdict->alerts)
		html_lit(out, ". It looks at shares of the fleet, the word above at its worst "
			      "servers");
	html_lit(out, ".</p>");
}

/* Data that are old must not read as the present. */
static void put_as_of(const struct view *view, struct buf *out)
{
	enum state state = state_of(view);

	if (state != STATE_STALE && state != STATE_VERY_STALE)
		return;
	html_lit(out, "<b id=\"as-of\">As of ");
	fmt_time_element(out, view->snap->gen_ms);
	html_lit(out, ":</b> ");
}

/* ---- the worst servers ---- */

/* The address of the runbook with the names filled in (tft-dashboard.conf(5)). */
static void put_runbook_url(const char *url, const struct server *s, struct buf *out)
{
	static const struct span server = SPAN("{server}"), profile = SPAN("{profile}");

	for (; *url; url++) {
		if (strncmp(url, server.ptr, server.len) == 0) {
			html_url(out, s->name);
			url += server.len - 1;
		} else if (strncmp(url, profile.ptr, profile.len) == 0) {
			html_url(out, span_str(profile_table[s->profile].slug));
			url += profile.len - 1;
		} else {
			html_text(out, (struct span){url, 1});
		}
	}
}

static void put_next(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<p class=\"next\">Next: ");
	if (layout_has_page(s->name)) {
		html_lit(out, "<a href=\"server/");
		html_url(out, s->name);
		layout_at(view->query, "?", out);
		html_lit(out, "\">why and forecast</a>");
	}
	if (view->site->runbook_url && *view->site->runbook_url) {
		html_lit(out, " · <a rel=\"noopener\" href=\"");
		put_runbook_url(view->site->runbook_url, s, out);
		html_lit(out, "\">runbook</a>");
	}
	html_lit(out, "</p>");
}

static void put_reasons(const struct server *s, struct buf *out)
{
	enum crossing_index first = crossing_soonest(s->crossings);

	html_lit(out, "<p>");
	sentence_reason(s, out);
	if (first < CROSSINGS) {
		html_lit(out, "; ");
		sentence_crossing(&s->crossings[first], first, out);
	}
	html_lit(out, "</p>");
}

static void put_case(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<li id=\"case-");
	html_text(out, s->name);
	html_lit(out, "\"><h2>");
	layout_server(view->query, s->name, "server/", out);
	html_lit(out, " ");
	layout_level(level_of(s->risk), out);
	html_lit(out, "</h2><p><b>");
	fmt_tenths(out, s->risk);
	html_lit(out, "</b><small>");
	sentence_since(s, view->snap, out);
	html_lit(out, "</small>");
	layout_silent(s, view->snap, out);
	layout_silenced(s, view->snap, out);
	html_lit(out, "</p>");
	chart_outlook(s, view->snap->interval_ms, out);
	put_reasons(s, out);
	put_next(view, s, out);
	html_lit(out, "</li>");
}

/* The worst servers that need attention, of those that the filters let through. */
static void put_cases(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	size_t shown = 0;

	for (size_t i = 0; i < snap->count && snap->servers[i].risk >= RISK_ALERT; i++) {
		if (shown == CASES || !query_match(view->query, &snap->servers[i]))
			continue;
		if (!shown++)
			html_lit(out, "<ol class=\"cases\">");
		put_case(view, &snap->servers[i], out);
	}
	if (shown)
		html_lit(out, "</ol><p class=\"note\">Line: <a href=\"docs#word-risk\">risk</a> of "
			      "the last hour, then the median and the <a "
			      "href=\"docs#word-band\">band</a> of the next 2 hours by the "
			      "forecast, paler where the band is too wide to say anything. "
			      "<a href=\"docs#word-since\">Since</a>: at that level or worse. "
			      "<a href=\"#alerts\">All in the table</a></p>");
}

static void put_lead(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct verdict verdict = verdict_of(n);

	buf_addf(out,
		 "<h1>Overview</h1><section class=\"panel sev-%s\" id=\"attention\" "
		 "aria-label=\"What needs attention\"><p id=\"sentence\">",
		 verdict_slug(&verdict));
	put_as_of(view, out);
	buf_addf(out, "<span class=\"chip sev-%s\">%s</span> ", verdict_slug(&verdict),
		 verdict_name(&verdict));
	sentence_put(view, SENTENCE_HTML, out);
	html_lit(out, "</p>");
	put_cases(view, out);
	if (n->total)
		put_environment(n, &verdict, out);
	html_lit(out, "</section>");
}

/* ---- the daemon's index and the generator's scenario (doc/rules.md#index) ---- */

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

/* Why the index and the status may differ. */
static void put_difference(enum status status, enum status card, struct buf *out)
{
	if (card <= status)
		return;
	buf_addf(out,
		 " The environment status is %s: it follows from the risk of each server, the "
		 "index does not.",
		 status_table[status].name);
}

static void put_insight(const struct snapshot *snap, const struct scenario *s, enum status status,
			enum status card, struct buf *out)
{
	bool healthy = span_is(span_str(s->name), "healthy");
	bool alarm = card == STATUS_CRITICAL || card == STATUS_WARNING;

	if (!s->configured || !s->known)
		return;
	if (healthy && alarm) {
		html_lit(out,
			 "<p class=\"insight early\">The index alone warns: the fleet is reported "
			 "healthy, the index reads ");
		put_both_indexes(snap, out);
		html_lit(out, ".");
	} else if (alarm) {
		html_lit(out,
			 "<p class=\"insight confirmed\">Confirmed: the upstream index agrees with "
			 "the running scenario.");
	} else if (healthy && card == STATUS_HEALTHY) {
		html_lit(out, "<p class=\"insight stable\">All stable: the fleet is reported "
			      "healthy, and the upstream index agrees.");
	} else {
		return;
	}
	put_difference(status, card, out);
	html_lit(out, "</p>");
}

static void put_index(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	enum status card = status_of_index(snap->prob_30m, snap->prob_8h);

	html_lit(out, "<section class=\"panel\" id=\"comparison\"><h2>Upstream index and "
		      "scenario</h2><dl>");
	put_actual(view, view->scenario, out);
	buf_addf(out,
		 "<dt>Predicted</dt><dd><b>%s</b> <small>by the <a href=\"docs#index\">"
		 "index</a>: ",
		 status_table[card].capital);
	put_both_indexes(snap, out);
	html_lit(out, "</small></dd></dl>");
	put_insight(snap, view->scenario, status_of_fleet(n->total, n->or_worse), card, out);
	html_lit(out, "<p class=\"note\">The index is the daemon’s own sum of points, not a "
		      "probability: it may be above 90% for a healthy fleet.</p></section>");
}

/* ---- all servers at a glance ---- */

static void put_levels(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct page *page = page_find_name("overview");
	struct query q = *view->query;

	html_lit(out, "<ul class=\"legend\">");
	q.given = (q.given | QUERY_BIT(QUERY_SEV)) & ~QUERY_BIT(QUERY_PAGE);
	q.level_up = false;
	for (int i = 0; i < LEVEL_COUNT; i++) {
		if (!n->level[i] && i != view->query->level)
			continue;
		q.level = i;
		html_lit(out, "<li><a href=\"");
		layout_url(page, &q, out);
		buf_addf(out, "#alerts\"%s><i class=\"chip sev-%s\">%s</i> <b>%u</b></a></li>",
			 i == view->query->level ? " aria-current=\"true\"" : "",
			 level_table[i].slug, level_table[i].name, n->level[i]);
	}
	html_lit(out, "</ul>");
}

/* ", 2 Critical, 1 Danger" */
static void put_alerts(const unsigned level[LEVEL_COUNT], struct buf *out)
{
	for (int i = 0; i <= LEVEL_DEGRADING; i++)
		if (level[i])
			buf_addf(out, ", %u %s", level[i], level_table[i].name);
}

static void put_profile(const struct view *view, enum profile profile,
			const unsigned level[LEVEL_COUNT], struct buf *out)
{
	struct query q;
	unsigned all = 0;

	for (int i = 0; i < LEVEL_COUNT; i++)
		all += level[i];
	if (!all)
		return;
	query_init(&q);
	query_set_at(&q, view->query->at_ms);
	q.profile = (int)profile;
	query_give(&q, QUERY_PROFILE, true);
	html_lit(out, "<li>");
	layout_link(page_find_name("heatmap"), &q, false, profile_table[profile].name, out);
	html_lit(out, " ");
	chart_cells(level, out);
	buf_addf(out, " <small>%u", all);
	put_alerts(level, out);
	html_lit(out, "</small></li>");
}

static void put_fleet(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	unsigned level[PROFILE_COUNT][LEVEL_COUNT] = {{0}};

	if (!n->total)
		return;
	for (size_t i = 0; i < view->snap->count; i++)
		level[view->snap->servers[i].profile][level_of(view->snap->servers[i].risk)]++;
	buf_addf(out,
		 "<section class=\"panel\" id=\"fleet\"><h2>Fleet: %u/%u healthy (risk below "
		 "%d)</h2>",
		 n->healthy, n->total, RISK_ALERT / 10);
	put_levels(view, n, out);
	html_lit(out, "<ul class=\"strip\">");
	for (int p = 0; p < PROFILE_COUNT; p++)
		put_profile(view, (enum profile)p, level[p], out);
	html_lit(out, "</ul></section>");
}

/* ---- limit crossings ---- */

static int compare_crossings(const void *left, const void *right)
{
	const struct server *a = *(const struct server *const *)left;
	const struct server *b = *(const struct server *const *)right;
	int steps_a = a->crossings[crossing_soonest(a->crossings)].steps;
	int steps_b = b->crossings[crossing_soonest(b->crossings)].steps;

	if (steps_a != steps_b)
		return steps_a - steps_b;
	/* By risk, then name: the order of the snapshot. */
	return (a > b) - (a < b);
}

/* Those that cross a limit, the soonest first, to be freed; NULL: there are none, or no memory. */
static const struct server **find_crossings(const struct snapshot *snap, size_t *count,
					    struct buf *out)
{
	const struct server **list;
	size_t n = 0;

	for (size_t i = 0; i < snap->count; i++)
		n += crossing_count(snap->servers[i].crossings) > 0;
	*count = n;
	list = n ? malloc(n * sizeof(const struct server *)) : NULL;
	if (n && !list)
		buf_fail(out);
	if (!list)
		return NULL;
	for (size_t i = snap->count; i-- > 0;)
		if (crossing_count(snap->servers[i].crossings))
			list[--n] = &snap->servers[i];
	qsort(list, *count, sizeof(list[0]), compare_crossings);
	return list;
}

/* "memory reaches its critical limit (98%) in about 5 min, peak 99.1%" */
static void put_crossing(const struct server *s, int i, const char *between, struct buf *out)
{
	html_str(out, between);
	sentence_crossing(&s->crossings[i], (enum crossing_index)i, out);
	html_lit(out, ", peak ");
	fmt_percent(out, s->crossings[i].peak);
}

static void put_server_crossings(const struct view *view, const struct server *s, struct buf *out)
{
	const char *between = ": ";

	html_lit(out, "<li>");
	layout_level(level_of(s->risk), out);
	html_lit(out, " ");
	layout_server(view->query, s->name, "server/", out);
	for (int at = 0; at < CROSSING_STEPS * CROSSINGS; at++) {
		if (s->crossings[at % CROSSINGS].steps != at / CROSSINGS + 1)
			continue;
		put_crossing(s, at % CROSSINGS, between, out);
		between = "; ";
	}
	html_lit(out, "</li>");
}

static void put_crossing_list(const struct view *view, const struct server *const *list,
			      size_t count, struct buf *out)
{
	size_t shown = count < CROSSING_ROWS ? count : CROSSING_ROWS;

	html_lit(out, "<ul class=\"crossings\">");
	for (size_t i = 0; i < shown; i++) {
		if (i == CROSSING_OPEN)
			buf_addf(out, "</ul><details><summary>%zu more</summary><ul>",
				 count - CROSSING_OPEN);
		put_server_crossings(view, list[i], out);
	}
	html_lit(out, "</ul>");
	if (shown > CROSSING_OPEN)
		html_lit(out, "</details>");
	if (count > shown)
		buf_addf(out,
			 "<p class=\"note\">Only the first %zu servers; the others show their "
			 "crossings on their own pages.</p>",
			 shown);
}

static void put_crossings(const struct view *view, struct buf *out)
{
	size_t count;
	const struct server **list = find_crossings(view->snap, &count, out);

	html_lit(out, "<section class=\"panel\" id=\"crossings\">");
	if (list) {
		buf_addf(out,
			 "<h2>%zu server%s will cross a <a href=\"docs#word-limit\">limit</a> "
			 "within one "
			 "hour, if the trend holds</h2>",
			 count, fmt_plural((unsigned)count));
		put_crossing_list(view, list, count, out);
	} else {
		html_lit(out,
			 "<h2>No <a href=\"docs#word-limit\">limit</a> will be crossed within one "
			 "hour, if the trend holds</h2>");
	}
	html_lit(out, "</section>");
	free(list);
}

void page_overview(const struct view *view, struct buf *out)
{
	struct fleet_counts n;

	snapshot_count(view->snap, &n);
	put_lead(view, &n, out);
	page_change_panel(view, out);
	put_crossings(view, out);
	put_fleet(view, &n, out);
	page_alert_panel(view, &n, out);
	put_index(view, &n, out);
}
