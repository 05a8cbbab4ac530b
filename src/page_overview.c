/* SPDX-License-Identifier: MIT */
/* The overview (ui 4.1): key figures, forecast against fact, distribution, highest risks, alert
 * table or calm mode. */
#include "config.h"
#include "pages.h"

#include <stdint.h>

#include "chart.h"
#include "fmt.h"
#include "html.h"
#include "layout.h"
#include "risk.h"

#define PAGE_ROWS  200
#define BAR_COUNT  15
#define BUSY_COUNT 5
#define TREND_MIN  0.05
/* So many servers with limit crossings keep the page small. */
#define CROSSING_ROWS 50

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* "12 of 90 servers (13.3%)" */
static void put_share(unsigned part, unsigned total, struct buf *out)
{
	buf_addf(out, "%u of %u servers (", part, total);
	fmt_percent(out, total ? 100.0 * part / total : 0);
	html_lit(out, ")");
}

/* ---- key figures ---- */

/* The share that decided the status: the first row of this status whose limit is passed
 * (domain-rules 5). */
static void put_decision(enum status status, const struct fleet_counts *n, struct buf *out)
{
	const struct {
		enum status status;
		unsigned count, limit_percent;
		const char *words;
	} shares[] = {
		{STATUS_CRITICAL, n->over_80, 30, "Critical or worse"},
		{STATUS_CRITICAL, n->over_60, 50, "at Warning or worse"},
		{STATUS_WARNING, n->over_80, 10, "Critical or worse"},
		{STATUS_WARNING, n->over_60, 30, "at Warning or worse"},
		{STATUS_CAUTION, n->over_50, 10, "at risk 50 or above"},
	};

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		if (shares[i].status != status ||
		    100ull * shares[i].count <= (uint64_t)shares[i].limit_percent * n->total)
			continue;
		put_share(shares[i].count, n->total, out);
		buf_addf(out, " %s; limit %u%%", shares[i].words, shares[i].limit_percent);
		return;
	}
	if (!n->total) {
		html_lit(out, "no servers in the answer");
		return;
	}
	put_share(n->over_50, n->total, out);
	html_lit(out, " at risk 50 or above; limit 10%");
}

static void card_environment(const struct fleet_counts *n, enum status status, struct buf *out)
{
	html_lit(out, "<a id=\"kpi-environment\" class=\"card\" href=\"./?sev=critical-up\">"
		      "<h2>Environment status</h2><p class=\"value\">");
	layout_status(status, out);
	html_lit(out, "</p><p class=\"note\">");
	put_decision(status, n, out);
	html_lit(out, "</p></a>");
}

static void card_index(const char *id, const char *title, double index, struct buf *out)
{
	buf_addf(out, "<div id=\"%s\" class=\"card\"><h2>%s</h2><p class=\"value\">", id, title);
	fmt_percent(out, 100 * index);
	html_lit(out, "</p><p class=\"note\">upstream incident index, not a probability</p></div>");
}

static void card_fleet(const struct fleet_counts *n, struct buf *out)
{
	buf_addf(out,
		 "<a id=\"kpi-fleet\" class=\"card\" href=\"heatmap\"><h2>Fleet</h2>"
		 "<p class=\"value\">%u/%u</p><p class=\"note\">healthy (risk below 50); %u watch, "
		 "%u degrading",
		 n->healthy, n->total, n->level[LEVEL_WATCH], n->level[LEVEL_DEGRADING]);
	if (n->silent)
		buf_addf(out, "; <span class=\"silent\">%u server%s silent</span>", n->silent,
			 plural(n->silent));
	html_lit(out, "</p></a>");
}

static void put_cards(const struct snapshot *snap, const struct fleet_counts *n, enum status status,
		      struct buf *out)
{
	html_lit(out, "<h1>Overview</h1><section class=\"cards\" aria-label=\"Key figures\">");
	card_environment(n, status, out);
	card_index("kpi-30m", "Incident index, 30 min", snap->prob_30m, out);
	card_index("kpi-8h", "Incident index, 8 h", snap->prob_8h, out);
	card_fleet(n, out);
	html_lit(out, "</section>");
}

/* ---- actual and predicted (domain-rules 6) ---- */

static void put_upper(const char *word, struct buf *out)
{
	for (; *word; word++) {
		char c = *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word;

		html_text(out, (struct span){&c, 1});
	}
}

static void put_actual(const struct scenario *s, struct buf *out)
{
	html_lit(out, "<dt>Actual</dt><dd>");
	if (!s->configured) {
		html_lit(out, "No scenario source configured");
	} else if (!s->known) {
		html_lit(out, "Scenario source unreachable");
	} else {
		html_lit(out, "<b>");
		put_upper(s->name, out);
		buf_addf(out, "</b> <small>%d of %d servers affected</small>", s->affected,
			 s->fleet_size);
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

static void put_insight(const struct snapshot *snap, enum status card, struct buf *out)
{
	const struct scenario *s = &snap->scenario;
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

static void put_comparison(const struct snapshot *snap, enum status status, struct buf *out)
{
	enum status card = status_of_index(snap->prob_30m, snap->prob_8h);

	html_lit(out,
		 "<section class=\"panel\" id=\"comparison\"><h2>Actual and predicted</h2><dl>");
	put_actual(&snap->scenario, out);
	buf_addf(out, "<dt>Predicted</dt><dd><b>%s</b> <small>upstream index</small></dd>",
		 status_table[card].capital);
	html_lit(out, "<dt>Environment</dt><dd>");
	layout_status(status, out);
	html_lit(out, "</dd></dl>");
	put_insight(snap, card, out);
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

static void put_bars(const struct snapshot *snap, struct buf *out)
{
	html_lit(
		out,
		"<section class=\"panel\" id=\"highest\"><h2>Highest risk</h2><ol class=\"bars\">");
	for (size_t i = 0; i < snap->count && i < BAR_COUNT; i++) {
		const struct server *s = &snap->servers[i];
		const struct level_info *level = &level_table[level_of(s->risk)];

		html_lit(out, "<li id=\"bar-");
		html_text(out, s->name);
		html_lit(out, "\">");
		layout_server(s->name, "server/", out);
		chart_risk_bar(s->risk, out);
		html_lit(out, "<b>");
		fmt_tenths(out, s->risk);
		buf_addf(out, "</b> <i class=\"chip sev-%s\">%s</i></li>", level->slug,
			 level->code);
	}
	html_lit(out, "</ol><p class=\"note\">ticks at 30, 50, 60, 70, 80 and 90</p></section>");
}

/* ---- alert table ---- */

static const struct {
	const char *title;
	enum sort_key sort; /* SORT_KEYS: no order of its own */
} columns[] = {
	{"Priority", SORT_KEYS},
	{"Server", SORT_NAME},
	{"Profile", SORT_PROFILE},
	{"Risk", SORT_RISK},
	{"CPU Now", SORT_CPU},
	{"CPU Predicted (30m)", SORT_CPU30},
	{"CPU Δ", SORT_DCPU},
	{"I/O Wait Now", SORT_IO},
	{"I/O Wait Predicted (30m)", SORT_IO30},
	{"I/O Wait Δ", SORT_DIO},
	{"Mem Now", SORT_MEM},
	{"Mem Predicted (30m)", SORT_MEM30},
	{"Mem Δ", SORT_DMEM},
};

/* A click on the order that is shown turns it round; else text begins at A, numbers at the largest.
 */
static void sort_by(struct query *q, enum sort_key sort)
{
	bool text = sort == SORT_NAME || sort == SORT_PROFILE;

	q->sort_descending = q->sort == sort ? !q->sort_descending : !text;
	q->sort = sort;
	q->page = 1;
	q->given &= ~(QUERY_BIT(QUERY_PAGE) | QUERY_BIT(QUERY_SORT));
	if (sort != SORT_RISK || !q->sort_descending)
		q->given |= QUERY_BIT(QUERY_SORT);
}

static void put_column(const struct view *view, const struct page *page, const char *title,
		       enum sort_key sort, struct buf *out)
{
	struct query q = *view->query;

	html_lit(out, "<th scope=\"col\"");
	if (sort == SORT_KEYS) {
		buf_addf(out, ">%s</th>", title);
		return;
	}
	if (q.sort == sort)
		buf_addf(out, " aria-sort=\"%s\"", q.sort_descending ? "descending" : "ascending");
	html_lit(out, "><a href=\"");
	sort_by(&q, sort);
	layout_url(page, &q, out);
	buf_addf(out, "#alerts\">%s</a></th>", title);
}

static void put_reading(enum mark_kind kind, const struct reading *r, struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(mark_of(kind, r->now)));
	fmt_percent(out, r->now);
	buf_addf(out, "</td><td%s>", layout_mark(mark_of(kind, r->predicted)));
	fmt_percent(out, r->predicted);
	html_lit(out, "</td><td>");
	fmt_delta(out, r->predicted - r->now, "%");
	html_lit(out, "</td>");
}

static enum mark_kind memory_kind(const struct server *s)
{
	return s->profile == PROFILE_DATABASE ? MARK_KIND_MEMORY_DB : MARK_KIND_MEMORY;
}

static void put_name(const struct server *s, const struct snapshot *snap, struct buf *out)
{
	html_lit(out, "<th scope=\"row\">");
	layout_server(s->name, "server/", out);
	if (!s->has_data)
		html_lit(out, " <small>no data</small>");
	layout_silent(s, snap, out);
	html_lit(out, "</th>");
}

static void put_row(const struct server *s, const struct snapshot *snap, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	buf_addf(out, "\"><td class=\"chip sev-%s\">%s</td>", level->slug, level->name);
	put_name(s, snap, out);
	buf_addf(out, "<td>%s</td><td>", profile_table[s->profile].name);
	fmt_tenths(out, s->risk);
	html_lit(out, "</td>");
	put_reading(MARK_KIND_CPU, &s->cpu, out);
	put_reading(MARK_KIND_IOWAIT, &s->iowait, out);
	put_reading(memory_kind(s), &s->memory, out);
	html_lit(out, "</tr>");
}

/* The rows of one page: [first, last) of `count`. */
struct part {
	size_t first, last, count;
};

/* A page behind the last is the last. */
static struct part part_of(const struct query *q, size_t count)
{
	size_t pages = count ? (count + PAGE_ROWS - 1) / PAGE_ROWS : 1;
	size_t page = (size_t)q->page < pages ? (size_t)q->page : pages;
	struct part part = {(page - 1) * PAGE_ROWS, page * PAGE_ROWS, count};

	if (part.last > count)
		part.last = count;
	return part;
}

static void put_page_link(const struct view *view, int page, const char *text, struct buf *out)
{
	struct query q = *view->query;

	q.page = page;
	q.given &= ~QUERY_BIT(QUERY_PAGE);
	if (page > 1)
		q.given |= QUERY_BIT(QUERY_PAGE);
	layout_link(page_find_name("overview"), &q, false, text, out);
}

static void put_paging(const struct view *view, const struct part *part, struct buf *out)
{
	int page = (int)(part->first / PAGE_ROWS) + 1;

	if (part->count <= PAGE_ROWS)
		return;
	buf_addf(out, "<p class=\"paging\">Rows %zu to %zu of %zu ", part->first + 1, part->last,
		 part->count);
	if (page > 1)
		put_page_link(view, page - 1, "Previous", out);
	if (part->last < part->count)
		put_page_link(view, page + 1, "Next", out);
	html_lit(out, "</p>");
}

static void put_table(const struct view *view, const struct row *row, const struct part *part,
		      struct buf *out)
{
	const struct page *page = page_find_name("overview");

	html_lit(out,
		 "<div class=\"scroll\"><table class=\"alerts\"><caption>Servers at risk; every "
		 "predicted value is a trend extrapolation</caption><thead><tr>");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		put_column(view, page, columns[i].title, columns[i].sort, out);
	html_lit(out, "</tr></thead><tbody>");
	for (size_t i = part->first; i < part->last; i++)
		put_row(row[i].server, view->snap, out);
	html_lit(out, "</tbody></table></div>");
	put_paging(view, part, out);
}

/* ---- filters ---- */

/* Values of the filter that the form does not have a field for. */
static void put_hidden(const struct query *query, struct buf *out)
{
	if (query->profile >= 0)
		buf_addf(out, "<input type=\"hidden\" name=\"profile\" value=\"%s\"/>",
			 profile_table[query->profile].slug);
	if (query->level >= 0)
		buf_addf(out, "<input type=\"hidden\" name=\"sev\" value=\"%s%s\"/>",
			 level_table[query->level].slug, query->level_up ? "-up" : "");
}

static void put_filters(const struct view *view, struct buf *out)
{
	const struct page *page = page_find_name("overview");

	html_lit(out, "<div class=\"filters\">");
	layout_profiles(page, view->query, out);
	html_lit(out, "<form action=\"./\"><label for=\"name\">Name contains</label>"
		      "<input id=\"name\" type=\"search\" name=\"q\" maxlength=\"64\"/>");
	put_hidden(view->query, out);
	html_lit(out, "<button>Filter</button></form>");
	if (layout_is_filtered(view->query)) {
		html_lit(out, "<p class=\"chosen\">Shown: ");
		layout_filter(view->query, out);
		html_lit(out, ". <a href=\"./#alerts\">Clear filters</a></p>");
	}
	html_lit(out, "</div>");
}

/* ---- below the table ---- */

/* Share of alerting servers, compared in integers (domain-rules 8). */
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
	put_upper(level_table[assess(n->over_50, n->total)].name, out);
	buf_addf(out, "</b> %u/%u servers (", n->over_50, n->total);
	fmt_percent(out, 100.0 * n->over_50 / n->total);
	html_lit(out, ")</p>");
}

struct trend {
	unsigned worsening, improving, steady;
};

/* Every alerting server is in exactly one class; absent differences compare false. */
static struct trend trend_of(const struct snapshot *snap)
{
	struct trend t = {0};

	for (size_t i = 0; i < snap->count && snap->servers[i].risk >= RISK_ALERT; i++) {
		const struct server *s = &snap->servers[i];
		double cpu = s->cpu.predicted - s->cpu.now;
		double memory = s->memory.predicted - s->memory.now;

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
	if (n->over_80)
		buf_addf(out, "<p class=\"action red\">%u server%s Critical or worse: act now.</p>",
			 n->over_80, plural(n->over_80));
	else if (n->level[LEVEL_DANGER])
		buf_addf(out,
			 "<p class=\"action amber\">%u server%s in Danger: prepare to act.</p>",
			 n->level[LEVEL_DANGER], plural(n->level[LEVEL_DANGER]));
	else if (n->level[LEVEL_WARNING])
		buf_addf(out,
			 "<p class=\"action amber\">%u server%s at Warning: watch closely.</p>",
			 n->level[LEVEL_WARNING], plural(n->level[LEVEL_WARNING]));
}

static void put_figures(const struct snapshot *snap, const struct fleet_counts *n, struct buf *out)
{
	struct trend t = trend_of(snap);

	buf_addf(out,
		 "<ul class=\"figures\"><li><b>%u</b> Critical+</li><li><b>%u</b> Danger</li>"
		 "<li><b>%u</b> Warning</li><li><b>%u</b> Degrading</li>"
		 "<li><b>%u</b> healthy, of these <b>%u</b> on Watch</li></ul>",
		 n->over_80, n->level[LEVEL_DANGER], n->level[LEVEL_WARNING],
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
	if (!n->over_50)
		return;
	html_lit(out, "<div class=\"summary\">");
	put_action(n, out);
	put_assessment(n, out);
	put_figures(view->snap, n, out);
	buf_addf(out,
		 "<p class=\"note\">%u alert%s, %zu row%s shown, %u hidden by filter</p></div>",
		 n->over_50, plural(n->over_50), part->last - part->first,
		 plural((unsigned)(part->last - part->first)),
		 n->over_50 - count_alerts(row, part->count));
}

/* ---- calm mode (domain-rules 9) ---- */

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

static void put_busy_row(const struct server *s, const struct snapshot *snap, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\">");
	put_name(s, snap, out);
	buf_addf(out, "<td>%s</td><td class=\"chip sev-%s\">%s</td>",
		 profile_table[s->profile].name, level->slug, level->name);
	put_busy_cell(MARK_KIND_CPU, s->cpu.now, out);
	put_busy_cell(memory_kind(s), s->memory.now, out);
	put_busy_cell(MARK_KIND_IOWAIT, s->iowait.now, out);
	put_busy_cell(MARK_KIND_SWAP, s->swap_now, out);
	buf_addf(out, "<td%s>", layout_mark(mark_of(MARK_KIND_LOAD, s->load.now)));
	fmt_number(out, s->load.now, 2);
	html_lit(out, "</td></tr>");
}

static void put_calm(const struct snapshot *snap, struct buf *out)
{
	struct row best[BUSY_COUNT];
	size_t count = find_busiest(snap, best);

	html_lit(out,
		 "<p class=\"calm\">No server is at risk 50 or above.</p><div class=\"scroll\">"
		 "<table class=\"busiest\"><caption>Busiest five by activity</caption><thead><tr>"
		 "<th scope=\"col\">Server</th><th scope=\"col\">Profile</th>"
		 "<th scope=\"col\">Status</th><th scope=\"col\">CPU</th>"
		 "<th scope=\"col\">Memory</th><th scope=\"col\">I/O Wait</th>"
		 "<th scope=\"col\">Swap</th><th scope=\"col\">Load</th></tr></thead><tbody>");
	for (size_t i = 0; i < count; i++)
		put_busy_row(best[i].server, snap, out);
	html_lit(out, "</tbody></table></div>");
}

static void put_alerts(const struct view *view, const struct fleet_counts *n, struct buf *out)
{
	const struct row *row;
	struct buf rows;
	struct part part;

	buf_addf(out, "<section class=\"panel\" id=\"alerts\"><h2>Alerts: %u of %u servers</h2>",
		 n->over_50, n->total);
	if (!n->over_50 && view->query->level < 0) {
		put_calm(view->snap, out);
		html_lit(out, "</section>");
		return;
	}
	part = part_of(view->query, page_alerts(view, &rows, out));
	row = (const struct row *)rows.data;
	put_filters(view, out);
	if (part.count) {
		put_table(view, row, &part, out);
	} else {
		html_lit(out, "<p class=\"empty\">No servers match ");
		layout_filter(view->query, out);
		html_lit(out, ".</p>");
	}
	put_summary(view, n, row, &part, out);
	html_lit(out, "</section>");
	buf_free(&rows);
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

static void put_server_crossings(const struct server *s, struct buf *out)
{
	const char *between = ": ";

	html_lit(out, "<li>");
	layout_server(s->name, "server/", out);
	for (int i = 0; i < CROSSINGS; i++) {
		if (!s->crossings[i].steps)
			continue;
		html_str(out, between);
		put_crossing(&s->crossings[i], (enum crossing_index)i, out);
		between = "; ";
	}
	html_lit(out, "</li>");
}

/* Those of one profile among the servers of [0, last). */
static void put_profile_crossings(const struct snapshot *snap, enum profile profile, size_t last,
				  struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < last; i++) {
		const struct server *s = &snap->servers[i];

		if (s->profile != profile || !crossing_count(s->crossings))
			continue;
		if (!any)
			buf_addf(out, "<h3>%s</h3><ul>", profile_table[profile].name);
		any = true;
		put_server_crossings(s, out);
	}
	if (any)
		html_lit(out, "</ul>");
}

/* Counts the servers that cross a limit; *last is behind the last one that is shown. */
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

static void put_crossings(const struct snapshot *snap, struct buf *out)
{
	size_t last;
	unsigned n = count_crossings(snap, &last);

	html_lit(out, "<section class=\"panel\" id=\"crossings\"><h2>Limit crossings</h2>");
	if (!n) {
		html_lit(out, "<p>No limit crossing is forecast within one hour.</p></section>");
		return;
	}
	buf_addf(out,
		 "<details><summary>The forecast of %u server%s crosses a limit within one "
		 "hour</summary>",
		 n, plural(n));
	for (int i = 0; i < PROFILE_COUNT; i++)
		put_profile_crossings(snap, (enum profile)i, last, out);
	if (n > CROSSING_ROWS)
		buf_addf(out,
			 "<p class=\"note\">The %d servers with the highest risk; the others tell "
			 "it "
			 "on their own pages.</p>",
			 CROSSING_ROWS);
	html_lit(out, "</details></section>");
}

void page_overview(const struct view *view, struct buf *out)
{
	struct fleet_counts n;
	enum status status;

	snapshot_count(view->snap, &n);
	status = status_of_fleet(n.total, n.over_80, n.over_60, n.over_50);
	put_cards(view->snap, &n, status, out);
	html_lit(out, "<div class=\"columns\"><div>");
	put_comparison(view->snap, status, out);
	put_levels(view, &n, out);
	html_lit(out, "</div>");
	put_bars(view->snap, out);
	html_lit(out, "</div>");
	put_alerts(view, &n, out);
	put_crossings(view->snap, out);
}
