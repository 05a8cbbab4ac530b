/* SPDX-License-Identifier: MIT */
/*
 * The operator's page (doc/pages.md#advanced): the two actions, the prediction daemon, the cache
 * and the settings of the answering node. It is the only page that depends on the user, so it is
 * never stored.
 */
#include "config.h"
#include "pages/contents.h"

#include <inttypes.h>

#include "fleet/diagnosis.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"

static void put_moment(int64_t epoch_ms, struct buf *out)
{
	if (epoch_ms > 0)
		fmt_time_element(out, epoch_ms);
	else
		html_lit(out, "–");
}

static void put_number(int64_t number, struct buf *out)
{
	if (number >= 0)
		buf_addf(out, "%" PRId64, number);
	else
		html_lit(out, "–");
}

static void put_figure(const char *name, int64_t number, struct buf *out)
{
	buf_addf(out, "<dt>%s</dt><dd>", name);
	put_number(number, out);
	html_lit(out, "</dd>");
}

/* ---- actions ---- */

static void put_notice(enum notice notice, struct buf *out)
{
	static const char *const texts[NOTICES] = {
		[NOTICE_REFRESHED] = "The cache was flushed. New data are being fetched.",
		[NOTICE_UNCHANGED] = "The generator did not switch to the requested scenario. An "
				     "older generator does not know all of them.",
		[NOTICE_UNKNOWN] = "The generator does not report which scenario it plays.",
		[NOTICE_SILENCED] = "Alertmanager has taken the silence. The list of the last "
				    "actions has its end.",
		[NOTICE_SILENCE_ENDED] = "Alertmanager has ended the silence.",
	};

	if (notice == NOTICE_NONE)
		return;
	html_lit(out, "<p class=\"insight\" id=\"notice\" role=\"status\">");
	if (texts[notice])
		html_str(out, texts[notice]);
	else
		buf_addf(out, "The generator now plays the scenario %s.",
			 query_notice_name(notice));
	html_lit(out, "</p>");
}

static void put_role(const struct diagnosis *d, struct buf *out)
{
	const char *role = d->role == ROLE_OPERATOR ? "operator" : "viewer";

	html_lit(out, "<p id=\"role\">");
	if (*d->user) {
		html_lit(out, "You are ");
		html_text(out, span_str(d->user));
		buf_addf(out, " (%s).", role);
	} else {
		buf_addf(out, "You are not signed in. Without signing in, everyone is %s %s here.",
			 d->role == ROLE_OPERATOR ? "an" : "a", role);
	}
	if (d->role != ROLE_OPERATOR)
		html_lit(out, " Actions need the operator role.");
	html_lit(out, "</p>");
}

/* Why the scenario cannot be set, or NULL. */
static const char *obstacle(const struct diagnosis *d)
{
	if (!d->scenario->configured)
		return "No metrics generator is configured.";
	return d->scenario_fault;
}

static void put_scenario(const struct diagnosis *d, struct buf *out)
{
	html_lit(out, "<h3>Scenario of the metrics generator</h3><p id=\"scenario\">");
	if (obstacle(d)) {
		html_str(out, d->scenario->configured ? "The generator does not answer: " : "");
		html_str(out, obstacle(d));
	} else if (d->scenario->known) {
		html_lit(out, "Now: ");
		html_text(out, span_str(d->scenario->name));
		buf_addf(out, ", %d of %d servers affected", d->scenario->affected,
			 d->scenario->fleet_size);
		fmt_asked(out, d->scenario->at_ms);
	} else {
		html_lit(out, "Not known yet");
	}
	html_lit(out, "</p>");
}

static void put_choice(const char *scenario, bool enabled, struct buf *out)
{
	buf_addf(out, "<button name=\"scenario\" value=\"%s\"%s>%c%s</button>", scenario,
		 enabled ? "" : " disabled=\"disabled\"", scenario[0] - 'a' + 'A', scenario + 1);
}

static void put_scenario_form(const struct diagnosis *d, struct buf *out)
{
	bool enabled = d->role == ROLE_OPERATOR && !obstacle(d);

	buf_addf(out,
		 "<form method=\"post\" action=\"scenario\"><label><input type=\"checkbox\" "
		 "id=\"confirm\" "
		 "name=\"confirm\" value=\"1\" required=\"required\"%s/> Confirm</label>",
		 enabled ? "" : " disabled=\"disabled\"");
	for (int i = NOTICE_SCENARIO_FIRST; i <= NOTICE_SCENARIO_LAST; i++)
		put_choice(query_notice_name((enum notice)i), enabled, out);
	html_lit(out, "</form>");
}

static void put_done(const struct diagnosis *d, struct buf *out)
{
	static const char *const columns[] = {
		"When", "Who", "Action", "Before, or whom", "After, or until", "Result", NULL};

	if (d->action_count == 0)
		return;
	layout_table_begin("Last actions, on all nodes", columns, out);
	for (size_t i = 0; i < d->action_count; i++) {
		const struct diagnosis_action *done = &d->actions[i];
		const char *who = d->role == ROLE_OPERATOR ? done->user : "an operator";
		const char *const cells[] = {who, done->action, done->from, done->to, done->result};

		html_lit(out, "<tr><td>");
		put_moment(done->at_ms, out);
		for (size_t k = 0; k < sizeof(cells) / sizeof(cells[0]); k++) {
			buf_addf(out, "</td><td data-l=\"%s\">", columns[k + 1]);
			html_text(out, span_str(cells[k]));
		}
		html_lit(out, "</td></tr>");
	}
	layout_table_end(out);
}

static void put_actions(const struct diagnosis *d, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"actions\"><h2>Actions</h2>");
	put_role(d, out);
	html_lit(out, "<form method=\"post\" action=\"refresh\">");
	buf_addf(out, "<button%s>Refresh now</button>",
		 d->role == ROLE_OPERATOR ? "" : " disabled=\"disabled\"");
	html_lit(out,
		 "<span>all cached data become out of date; calls the daemon once</span></form>");
	put_scenario(d, out);
	put_scenario_form(d, out);
	put_done(d, out);
	html_lit(out, "</section>");
}

/* ---- upstream ---- */

static void put_last_call(const struct view *view, struct buf *out)
{
	const struct condition *c = view->condition;
	const struct diagnosis *d = view->diagnosis;

	html_lit(out, "<dt>Last call</dt><dd id=\"last-call\">");
	if (c->reason != REASON_NONE) {
		html_str(out, reason_table[c->reason].text);
		html_lit(out, " since ");
		put_moment(c->since_ms, out);
	} else if (d->count) {
		html_str(out, d->calls[0].result);
		html_lit(out, ", ");
		put_moment(d->calls[0].at_ms, out);
	} else {
		html_lit(out, "–");
	}
	html_lit(out, "</dd>");
}

static void put_breaker(const struct condition *c, struct buf *out)
{
	html_lit(out, "<dt>Breaker</dt><dd id=\"breaker\">");
	if (c->reason == REASON_NONE) {
		html_lit(out, "closed");
	} else {
		html_lit(out, "open until ");
		put_moment(c->next_try_ms, out);
	}
	html_lit(out, "</dd>");
}

static void put_warmup(const struct warmup *w, struct buf *out)
{
	html_lit(out, "<dt>Warm-up</dt><dd id=\"warmup\">");
	if (!w->known)
		html_lit(out, "warm-up unknown");
	else
		buf_addf(out, "%s, %d %% of the servers, %d of %d records",
			 w->done ? "complete" : "not complete", w->progress_percent,
			 w->current_size, w->required_size);
	fmt_asked(out, w->at_ms);
	html_lit(out, "</dd>");
}

static void put_calls(const struct diagnosis *d, struct buf *out)
{
	static const char *const columns[] = {"Asked at",   "Result", "HTTP status", "Call ms",
					      "Refresh ms", "Bytes",  NULL};

	layout_table_begin("Last prediction calls, on all nodes", columns, out);
	for (size_t i = 0; i < d->count; i++) {
		const struct diagnosis_call *call = &d->calls[i];

		html_lit(out, "<tr><td>");
		put_moment(call->at_ms, out);
		html_lit(out, "</td><td>");
		html_str(out, call->result);
		buf_addf(out,
			 "</td><td data-l=\"HTTP status\">%ld</td><td data-l=\"Call ms\">%" PRId64
			 "</td><td data-l=\"Refresh ms\">%" PRId64
			 "</td><td data-l=\"Bytes\">%" PRId64 "</td></tr>",
			 call->status, call->fetch_ms, call->total_ms, call->bytes);
	}
	layout_table_end(out);
}

static void put_upstream(const struct view *view, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"upstream\"><h2>Prediction daemon</h2><dl>");
	put_last_call(view, out);
	html_lit(out, "<dt>Data shown</dt><dd id=\"data\">");
	put_moment(view->snap ? view->snap->gen_ms : view->last_gen_ms, out);
	html_lit(out, "</dd>");
	put_warmup(view->warmup, out);
	if (view->diagnosis->role == ROLE_OPERATOR) {
		html_lit(out, "<dt>Address</dt><dd><code>");
		html_str(out, view->site->asked_url);
		html_lit(out, "</code></dd>");
	}
	put_breaker(view->condition, out);
	put_figure("Calls left in this minute", view->diagnosis->budget_left, out);
	html_lit(out, "</dl>");
	put_calls(view->diagnosis, out);
	html_lit(out, "</section>");
}

/* ---- alerts ---- */

/* As pages show it. */
static void put_told(const struct snapshot *snap, struct buf *out)
{
	html_lit(out, "<dt>Silences read</dt><dd id=\"alerts-read\">");
	put_moment(snap->alertmanager.read_ms, out);
	if (snap->untold != REASON_NONE) {
		html_lit(out, "; not since ");
		put_moment(snap->untold_ms, out);
		html_lit(out, ": ");
		html_str(out, reason_table[snap->untold].text);
	}
	html_lit(out, "</dd>");
}

static void put_alerts(const struct view *view, struct buf *out)
{
	const struct diagnosis *d = view->diagnosis;

	html_lit(out, "<section class=\"panel\" id=\"alerts\"><h2>Alerts</h2>");
	if (!d->has_alertmanager) {
		html_lit(out, "<p>No Alertmanager is configured: nothing is sent.</p></section>");
		return;
	}
	html_lit(out, "<dl><dt>Last taken</dt><dd id=\"alerts-taken\">");
	put_moment(d->alerts_ms, out);
	html_lit(out, "</dd>");
	if (d->alerts_fault) {
		html_lit(out, "<dt>Not taken</dt><dd id=\"alerts-fault\">");
		html_str(out, d->alerts_fault);
		html_lit(out, " since ");
		put_moment(d->alerts_fault_ms, out);
		html_lit(out, "; sent again in each interval</dd>");
	}
	if (view->snap)
		put_told(view->snap, out);
	html_lit(out, "</dl></section>");
}

/* ---- cache ---- */

static const char *redis_state(const struct condition *condition)
{
	if (condition->cache_refuses)
		return condition->cache_refuses;
	return condition->cache_off ? "cannot be reached" : "answers";
}

static void put_cache(const struct view *view, struct buf *out)
{
	const struct diagnosis *d = view->diagnosis;

	buf_addf(
		out,
		"<section class=\"panel\" id=\"cache\"><h2>Cache</h2><dl><dt>Redis</dt><dd>%s</dd>",
		redis_state(view->condition));
	put_figure("Bucket now", d->bucket, out);
	put_figure("Bucket of the data", d->data_bucket, out);
	html_lit(out, "<dt>Next bucket</dt><dd>");
	put_moment(d->next_bucket_ms, out);
	html_lit(out, "</dd><dt>Epoch</dt><dd id=\"epoch\">");
	html_text(out, *d->epoch ? span_str(d->epoch) : SPAN("–"));
	html_lit(out, "</dd></dl><h3>Requests of node ");
	html_str(out, d->node);
	html_lit(out, "</h3><dl>");
	put_figure("Hits", d->fresh, out);
	put_figure("Stale", d->stale, out);
	put_figure("Cold", d->cold, out);
	put_figure("Without Redis", d->down, out);
	html_lit(out, "</dl></section>");
}

/* ---- configuration ---- */

/* For operators only: they contain names of operators and addresses of other programs. */
static void put_settings(const struct diagnosis *d, struct buf *out)
{
	static const char *const columns[] = {"Option", "Value", "Source", NULL};

	if (d->role != ROLE_OPERATOR) {
		html_lit(out, "<p class=\"calm\">Shown to operators.</p>");
		return;
	}
	layout_table_begin("Effective values of this node; secrets are not shown", columns, out);
	for (size_t i = 0; i < d->setting_count; i++) {
		const struct diagnosis_setting *s = &d->settings[i];

		html_lit(out, "<tr><th scope=\"row\"><span title=\"");
		html_str(out, s->help);
		html_lit(out, "\">");
		html_str(out, s->name);
		html_lit(out, "</span></th><td><code>");
		html_str(out, s->value);
		buf_addf(out, "</code></td><td>%s</td></tr>", s->source);
	}
	layout_table_end(out);
}

static void put_configuration(const struct diagnosis *d, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"configuration\"><h2>Configuration</h2>");
	put_settings(d, out);
	html_lit(out, "<p class=\"note\"><a href=\"metrics\">Counters for Prometheus</a> "
		      "<a href=\"api/v1/status\">Status as JSON</a> "
		      "<a href=\"api/v1/openapi.json\">Description of the API</a></p></section>");
}

void page_advanced(const struct view *view, struct buf *out)
{
	html_lit(out, "<h1>Advanced</h1>");
	if (!view->diagnosis) {
		html_lit(out,
			 "<p class=\"calm\">Only a running dashboard can show its own state.</p>");
		return;
	}
	put_notice(view->query->notice, out);
	put_actions(view->diagnosis, out);
	put_upstream(view, out);
	put_alerts(view, out);
	put_cache(view, out);
	put_configuration(view->diagnosis, out);
}
