/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/sentence.h"

#include <string.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/accuracy.h"
#include "fleet/risk.h"
#include "fleet/rules.h"
#include "fleet/verdict.h"
#include "pages/layout.h"

#define NAMES 3 /* of the servers at the worst level */

/* ---- pieces ---- */

static const char *const crossing_words[CROSSINGS] = {
	[CROSSING_CPU_USER] = "CPU user",   [CROSSING_MEM_USED] = "memory",
	[CROSSING_IOWAIT] = "I/O wait",     [CROSSING_SWAP_USED] = "swap",
	[CROSSING_DISK_USAGE] = "the disk",
};

void sentence_crossing(const struct crossing *crossing, enum crossing_index index, struct buf *out)
{
	buf_addf(out, "%s reaches its %s limit (%.0f%%) in about %d min", crossing_words[index],
		 crossing->critical ? "critical" : "warning", crossing_limit(crossing, index),
		 crossing_minutes(crossing));
}

static const char *const component_words[COMPONENT_COUNT] = {
	[COMPONENT_CPU_NOW] = "CPU",         [COMPONENT_CPU_PREDICTED] = "CPU",
	[COMPONENT_IOWAIT_NOW] = "I/O wait", [COMPONENT_IOWAIT_PREDICTED] = "I/O wait",
	[COMPONENT_MEMORY_NOW] = "memory",   [COMPONENT_MEMORY_PREDICTED] = "memory",
	[COMPONENT_LOAD_NOW] = "load",       [COMPONENT_LOAD_PREDICTED] = "load",
};

void sentence_reason(const struct server *server, struct buf *out)
{
	enum component top = risk_top(server);
	bool predicted;

	if (top == COMPONENT_COUNT)
		return;
	predicted = risk_rule(top)->predicted;
	buf_addf(out, "%s %s ", component_words[top], predicted ? "may reach" : "is at");
	fmt_number(out, risk_value(server, top), 1);
	if (top != COMPONENT_LOAD_NOW && top != COMPONENT_LOAD_PREDICTED)
		buf_lit(out, "%");
	if (predicted)
		buf_lit(out, " within 30 min");
}

void sentence_since(const struct server *server, const struct snapshot *snap, struct buf *out)
{
	int64_t since_ms = server_level_since(server);

	if (!since_ms)
		return;
	buf_addf(out, since_ms <= snap->watched_from_ms ? " at least since " : " since ");
	fmt_time_before(out, since_ms, snapshot_bucket_ms(snap));
}

/* ---- what there is to say ---- */

enum fleet {
	FLEET_NONE,
	FLEET_HEALTHY,
	FLEET_WATCH,
	FLEET_ONE,
	FLEET_SEVERAL,
	FLEET_SHARE,
	FLEETS
};
enum trend { TREND_NONE, TREND_MORE, TREND_FEWER, TREND_SAME, TRENDS };

/* {word}: see `words` below. */
static const char *const fleet_says[FLEETS] = {
	[FLEET_NONE] = "There are no servers in the answer.",
	[FLEET_HEALTHY] = "{all} healthy.",
	[FLEET_WATCH] = "{all} healthy, {watch} on Watch; the highest risk is {risk}, {worst}.",
	[FLEET_ONE] = "{alerts} of {total} {servers-need} attention: {worst} {level}{since}, "
		      "{reason}.",
	[FLEET_SEVERAL] = "{alerts} of {total} {servers-need} attention, {count} at {level}: "
			  "{names}. {worst}{since}: {reason}.",
	[FLEET_SHARE] = "{alerts} of {total} {servers-need} attention, {count} of them {rule}, "
			"which is more than {limit}% of the fleet: {names}. {worst}{since}: "
			"{reason}.",
};
static const char *const trend_says[TRENDS] = {
	[TREND_NONE] = "",
	[TREND_MORE] = " {change} more than {ago} ago.",
	[TREND_FEWER] = " {change} fewer than {ago} ago.",
	[TREND_SAME] = " As many as {ago} ago.",
};
static const char silenced_says[] = " {silenced} silenced.";
static const char *const sureness_says[ACCURACY_VERDICTS] = {
	[ACCURACY_FEW] = "Too few forecasts have come true yet to say how sure they are.",
	[ACCURACY_WORSE] = "30-minute CPU forecasts held {held}% of the time, and “no change” "
			   "would have been a "
			   "better guess.",
	[ACCURACY_NARROW] = "30-minute CPU forecasts held {held}% of the time; they should hold "
			    "{nominal}%.",
	[ACCURACY_WIDE] = "30-minute CPU forecasts held {held}% of the time, more than the "
			  "{nominal}% they should: their bands say little.",
	[ACCURACY_GOOD] = "30-minute CPU forecasts held {held}% of the time, about the {nominal}% "
			  "they should.",
};

struct say {
	const struct view *view;
	enum sentence_form form;
	struct verdict verdict;
	struct fleet_counts counts;
	const struct server *worst;         /* NULL: there are no servers */
	unsigned before;                    /* alerts then */
	const struct accuracy_score *score; /* NULL: not known */
};

static enum fleet fleet_of(const struct say *say)
{
	if (!say->worst)
		return FLEET_NONE;
	if (say->verdict.share)
		return FLEET_SHARE;
	if (!say->verdict.alerts)
		return say->counts.level[LEVEL_WATCH] ? FLEET_WATCH : FLEET_HEALTHY;
	return say->verdict.count == 1 ? FLEET_ONE : FLEET_SEVERAL;
}

static enum trend trend_of(const struct say *say)
{
	unsigned now = say->verdict.alerts;

	if (!say->view->since || !say->view->since->then || (!now && !say->before))
		return TREND_NONE;
	return now > say->before ? TREND_MORE : now < say->before ? TREND_FEWER : TREND_SAME;
}

/* ---- words ---- */

static void put_server(const struct say *say, const struct server *server, struct buf *out)
{
	if (say->form == SENTENCE_HTML)
		layout_server(say->view->query, server->name, "server/", out);
	else
		buf_span_add(out, server->name);
}

static void say_all(const struct say *say, struct buf *out)
{
	if (say->verdict.total == 1)
		buf_lit(out, "The only server is");
	else
		buf_addf(out, "All %u servers are", say->verdict.total);
}

static void say_watch(const struct say *say, struct buf *out)
{
	buf_addf(out, "%u", say->counts.level[LEVEL_WATCH]);
}

static void say_risk(const struct say *say, struct buf *out)
{
	fmt_tenths(out, say->worst->risk);
}

static void say_worst(const struct say *say, struct buf *out)
{
	put_server(say, say->worst, out);
}

static void say_alerts(const struct say *say, struct buf *out)
{
	buf_addf(out, "%u", say->verdict.alerts);
}

static void say_total(const struct say *say, struct buf *out)
{
	buf_addf(out, "%u", say->verdict.total);
}

static void say_servers_need(const struct say *say, struct buf *out)
{
	buf_addf(out, "server%s %s", fmt_plural(say->verdict.total),
		 say->verdict.alerts == 1 ? "needs" : "need");
}

static void say_count(const struct say *say, struct buf *out)
{
	if (say->verdict.count == say->verdict.alerts && !say->verdict.share)
		buf_lit(out, "all");
	else
		buf_addf(out, "%u", say->verdict.count);
}

static void say_level(const struct say *say, struct buf *out)
{
	buf_addf(out, "%s", level_table[level_of(say->worst->risk)].name);
}

static void say_rule(const struct say *say, struct buf *out)
{
	buf_addf(out, "%s", say->verdict.share->words);
}

static void say_limit(const struct say *say, struct buf *out)
{
	buf_addf(out, "%u", 10 * say->verdict.share->over);
}

/* The servers that the count is of come first. */
static void say_names(const struct say *say, struct buf *out)
{
	unsigned count = say->verdict.count, shown = count > NAMES ? NAMES : count;

	for (unsigned i = 0; i < shown; i++) {
		if (i)
			buf_span_add(out, i + 1 < count ? SPAN(", ") : SPAN(" and "));
		put_server(say, &say->view->snap->servers[i], out);
	}
	if (count > shown)
		buf_addf(out, " and %u more", count - shown);
}

static void say_since(const struct say *say, struct buf *out)
{
	sentence_since(say->worst, say->view->snap, out);
}

/* What comes next is more important than what is. */
static void say_reason(const struct say *say, struct buf *out)
{
	enum crossing_index first = crossing_soonest(say->worst->crossings);

	if (first < CROSSINGS)
		sentence_crossing(&say->worst->crossings[first], first, out);
	else
		sentence_reason(say->worst, out);
}

static void say_change(const struct say *say, struct buf *out)
{
	unsigned now = say->verdict.alerts, before = say->before;

	buf_addf(out, "%u", now > before ? now - before : before - now);
}

static void say_ago(const struct say *say, struct buf *out)
{
	fmt_duration(out, snapshot_bucket_ms(say->view->snap) -
				  snapshot_bucket_ms(say->view->since->then));
}

static void say_silenced(const struct say *say, struct buf *out)
{
	buf_addf(out, "%u %s", say->counts.silenced, say->counts.silenced == 1 ? "is" : "are");
}

static void say_held(const struct say *say, struct buf *out)
{
	buf_addf(out, "%d", accuracy_percent(accuracy_coverage(say->score)));
}

static void say_nominal(const struct say *say, struct buf *out)
{
	(void)say;
	buf_addf(out, "%d", ACCURACY_NOMINAL);
}

static const struct {
	const char *name;
	void (*put)(const struct say *say, struct buf *out);
} words[] = {
	{"all", say_all},           {"watch", say_watch},
	{"risk", say_risk},         {"worst", say_worst},
	{"alerts", say_alerts},     {"total", say_total},
	{"count", say_count},       {"servers-need", say_servers_need},
	{"level", say_level},       {"rule", say_rule},
	{"limit", say_limit},       {"names", say_names},
	{"since", say_since},       {"reason", say_reason},
	{"change", say_change},     {"ago", say_ago},
	{"held", say_held},         {"nominal", say_nominal},
	{"silenced", say_silenced},
};

static void put_word(const struct say *say, struct span name, struct buf *out)
{
	size_t i = 0;

	while (!span_is(name, words[i].name))
		i++;
	words[i].put(say, out);
}

/* A row of the tables, with its words filled in. */
static void put_row(const struct say *say, const char *row, struct buf *out)
{
	const char *open;

	for (; (open = strchr(row, '{')); row = strchr(open, '}') + 1) {
		buf_span_add(out, (struct span){row, (size_t)(open - row)});
		put_word(say, (struct span){open + 1, strcspn(open + 1, "}")}, out);
	}
	buf_span_add(out, span_str(row));
}

/* ---- the sentence ---- */

static struct say collect(const struct view *view, enum sentence_form form)
{
	const struct snapshot *snap = view->snap;
	struct say say = {.view = view, .form = form};

	snapshot_count(snap, &say.counts);
	say.verdict = verdict_of(&say.counts);
	say.worst = snap->count ? &snap->servers[0] : NULL;
	if (view->since && view->since->then)
		say.before = (unsigned)rules_count(view->since->then, RISK_ALERT);
	if (view->accuracy)
		say.score = accuracy_of(view->accuracy, ACCURACY_USUAL, KEPT_CPU, 0, ACCURACY_ALL);
	return say;
}

/* Leads to the scores, which are those of a day. */
static void put_sureness(const struct say *say, struct buf *out)
{
	const char *row = sureness_says[accuracy_verdict(say->score)];
	struct query whole;

	buf_lit(out, " ");
	if (say->form == SENTENCE_TEXT) {
		put_row(say, row, out);
		return;
	}
	query_init(&whole);
	query_set_at(&whole, say->view->query->at_ms);
	html_lit(out, "<a id=\"forecasts\" href=\"");
	layout_url(page_find_name("accuracy"), &whole, out);
	html_lit(out, "\">");
	put_row(say, row, out);
	html_lit(out, "</a>");
}

void sentence_put(const struct view *view, enum sentence_form form, struct buf *out)
{
	const struct say say = collect(view, form);

	if (form == SENTENCE_HTML)
		html_lit(out, "<span class=\"says\">");
	put_row(&say, fleet_says[fleet_of(&say)], out);
	if (say.counts.silenced)
		put_row(&say, silenced_says, out);
	if (form == SENTENCE_HTML)
		html_lit(out, "<span id=\"trend\">");
	put_row(&say, trend_says[trend_of(&say)], out);
	if (form == SENTENCE_HTML)
		html_lit(out, "</span></span>");
	if (say.score)
		put_sureness(&say, out);
}
