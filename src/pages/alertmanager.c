/* SPDX-License-Identifier: MIT */
/* What an Alertmanager does with our alerts (doc/pages.md#alerting): which ones fire, who is told,
 * what is silenced, as of the snapshot. */
#include "config.h"
#include "pages/pieces.h"

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/silenced.h"
#include "pages/layout.h"
#include "pages/silence_form.h"

#define ROWS_MAX 100 /* of each table; the API has all */

/* ---- the first line ---- */

static void put_cluster(const struct alertmanager *a, struct buf *out)
{
	html_lit(out, "Alertmanager ");
	html_text(out, a->version);
	html_lit(out, ", ");
	if (a->peers)
		buf_addf(out, "cluster of %u ", a->peers);
	else
		html_lit(out, "cluster ");
	html_text(out, a->cluster);
	html_lit(out, ", as of ");
	fmt_time_element(out, a->read_ms);
	html_lit(out, ".");
}

static void put_status(const struct snapshot *snap, struct buf *out)
{
	html_lit(out, "<p id=\"alertmanager\">");
	if (snap->alertmanager.read_ms)
		put_cluster(&snap->alertmanager, out);
	else
		html_lit(out, "Its state has not been read yet.");
	if (snap->untold != REASON_NONE) {
		html_lit(out, " <b>It cannot be read since ");
		fmt_time_element(out, snap->untold_ms);
		html_lit(out, ": ");
		html_str(out, reason_table[snap->untold].text);
		html_lit(out, ".</b>");
	}
	html_lit(out, "</p>");
}

/* ---- alerts ---- */

static void put_state(const struct told_alert *alert, const struct snapshot *snap, struct buf *out)
{
	if (alert->silence)
		layout_silence(alert->silence, snap, out);
	else if (alert->is_silenced)
		html_lit(out, "silenced");
	else if (alert->is_inhibited)
		html_lit(out, "held back by a more severe one");
	else if (alert->is_muted)
		html_lit(out, "muted by a time interval");
	else if (alert->is_new)
		html_lit(out, "just arrived");
	else
		html_lit(out, "passed on");
}

static void put_subject(const struct view *view, const struct told_alert *alert, struct buf *out)
{
	if (alert->server.len)
		layout_server(view->query, alert->server, "server/", out);
	else
		html_lit(out, "–");
	if (!alert->metric.len)
		return;
	html_lit(out, " <small>");
	html_text(out, alert->metric);
	html_lit(out, "</small>");
}

static void put_alert(const struct view *view, const struct told_alert *alert, struct buf *out)
{
	html_lit(out, "<tr><td>");
	layout_level(alert->severity, out);
	html_lit(out, "</td><th scope=\"row\">");
	html_text(out, alert->name);
	html_lit(out, "</th><td data-l=\"Server\">");
	put_subject(view, alert, out);
	html_lit(out, "</td><td data-l=\"Since\">");
	fmt_day_element(out, alert->from_ms);
	html_lit(out, "</td><td data-l=\"Receivers\">");
	html_text(out, alert->receivers);
	html_lit(out, "</td><td data-l=\"State\">");
	put_state(alert, view->snap, out);
	html_lit(out, "</td></tr>");
}

/* What is not shown: rows beyond those of a page, and what was never taken. */
static void put_rest(size_t rows, unsigned left_out, struct buf *out)
{
	if (rows > ROWS_MAX)
		buf_addf(out,
			 "<p class=\"note\">%zu more: <a href=\"api/v1/alerting\">API</a>.</p>",
			 rows - ROWS_MAX);
	if (left_out)
		buf_addf(out,
			 "<p class=\"note\">%u left out: too many, too long or not "
			 "understood.</p>",
			 left_out);
}

static void put_alerts(const struct view *view, struct buf *out)
{
	static const char *const columns[] = {"Severity",  "Alert", "Server", "Since",
					      "Receivers", "State", NULL};
	const struct alertmanager *a = &view->snap->alertmanager;

	html_lit(out, "<section class=\"panel wide\" id=\"firing\"><h2>Firing</h2>");
	if (a->alert_count) {
		layout_table_begin("What Alertmanager has of this fleet, the most severe first",
				   columns, out);
		for (size_t i = 0; i < a->alert_count && i < ROWS_MAX; i++)
			put_alert(view, &a->alerts[i], out);
		layout_table_end(out);
	} else {
		html_lit(out, "<p class=\"calm\">Nothing fires.</p>");
	}
	put_rest(a->alert_count, a->alerts_left_out, out);
	html_lit(out, "</section>");
}

/* ---- silences ---- */

static void put_matcher(const struct silence_matcher *m, struct buf *out)
{
	static const char *const signs[2][2] = {{"!=", "="}, {"!~", "=~"}};

	html_lit(out, "<code>");
	html_text(out, m->label);
	html_str(out, signs[m->is_regex][m->is_equal]);
	html_lit(out, "&quot;");
	html_text(out, m->value);
	html_lit(out, "&quot;</code> ");
}

static void put_silence(const struct view *view, const struct silence *s, struct buf *out)
{
	enum silence_state state = silence_state_at(s, silenced_at(view->snap));

	html_lit(out, "<tr id=\"silence-");
	html_text(out, s->id);
	buf_addf(out, "\"><td>%s</td><th scope=\"row\">", silence_state_names[state]);
	for (size_t i = 0; i < s->matcher_count; i++)
		put_matcher(&s->matchers[i], out);
	html_lit(out, "</th><td data-l=\"From\">");
	fmt_day_element(out, s->from_ms);
	html_lit(out, "</td><td data-l=\"Until\">");
	fmt_day_element(out, s->until_ms);
	if (s->is_ours && state != SILENCE_ENDED)
		silence_form_end(view, s->id, out);
	html_lit(out, "</td><td data-l=\"By\">");
	html_text(out, s->author);
	html_lit(out, "</td><td data-l=\"Why\">");
	html_text(out, s->comment);
	html_lit(out, "</td></tr>");
}

static void put_silences(const struct view *view, struct buf *out)
{
	static const char *const columns[] = {"State", "What", "From", "Until", "By", "Why", NULL};
	const struct snapshot *snap = view->snap;
	const struct silences *silences = &snap->alertmanager.silences;

	html_lit(out, "<section class=\"panel wide\" id=\"silences\"><h2>Silences</h2>");
	if (silences->count) {
		layout_table_begin("Those that can concern this fleet; ended ones of the last day",
				   columns, out);
		for (size_t i = 0; i < silences->count && i < ROWS_MAX; i++)
			put_silence(view, &silences->list[i], out);
		layout_table_end(out);
	} else {
		html_lit(out, "<p class=\"calm\">There are none.</p>");
	}
	put_rest(silences->count, snap->alertmanager.silences_left_out, out);
	html_lit(out, "</section>");
}

void page_alertmanager(const struct view *view, struct buf *out)
{
	put_status(view->snap, out);
	put_alerts(view, out);
	put_silences(view, out);
}
