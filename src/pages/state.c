/* SPDX-License-Identifier: MIT */
/* How the condition of the data is shown: the badge, the band and the remarks of div#state, and the
 * help that replaces the numbers. */
#include "config.h"
#include "pages/state.h"

#include <inttypes.h>

#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"

/* The value of data-state, and the badge's text where it does not show the time of the data. */
static const struct {
	const char *slug, *badge;
} states[STATE_COUNT] = {
	[STATE_NO_DATA] = {"no-data", "No data"},
	[STATE_VERY_STALE] = {"very-stale", NULL},
	[STATE_STALE] = {"stale", NULL},
	[STATE_COLD] = {"cold", "Collecting first data"},
	[STATE_WARMING] = {"warming", "Warming up"},
	[STATE_UPDATING] = {"updating", NULL},
	[STATE_LIVE] = {"live", NULL},
	[STATE_PAST] = {"past", NULL},
};

bool state_has_data(const struct view *view)
{
	return view->snap && view->condition->age != AGE_NO_DATA;
}

/* When the data were fetched, whether shown or too old to be shown; 0: there never were any. */
static int64_t data_time(const struct view *view)
{
	return view->snap ? view->snap->gen_ms : view->last_gen_ms;
}

enum state state_of(const struct view *view)
{
	const struct condition *c = view->condition;

	if (view->at_ms)
		return STATE_PAST;
	if (!state_has_data(view) && data_time(view))
		return STATE_NO_DATA;
	if (!state_has_data(view))
		return c->reason == REASON_WARMING ? STATE_WARMING : STATE_COLD;
	if (c->age == AGE_VERY_STALE)
		return STATE_VERY_STALE;
	if (c->age == AGE_STALE || c->reason != REASON_NONE)
		return STATE_STALE;
	return c->age == AGE_UPDATING || c->flushed ? STATE_UPDATING : STATE_LIVE;
}

static void time_after(const char *words, int64_t epoch_ms, struct buf *out)
{
	html_str(out, words);
	fmt_time_element(out, epoch_ms);
}

/* What is wrong with the daemon, since when, and the next try. Nothing while it answers. */
static void reason(const struct condition *c, struct buf *out)
{
	/* What the daemon does makes a sentence; what happened to the call follows a colon. */
	bool verb =
		c->reason == REASON_WARMING || c->reason == REASON_KEY || c->reason == REASON_LIMIT;

	if (c->reason == REASON_NONE)
		return;
	html_str(out, verb ? " Prediction daemon " : " Prediction daemon: ");
	html_str(out, reason_table[c->reason].text);
	if (!verb && c->since_ms)
		time_after(" since ", c->since_ms, out);
	html_lit(out, ".");
	if (c->next_try_ms) {
		time_after(" Next try due ", c->next_try_ms, out);
		html_lit(out, ".");
	}
}

/* "Data is older than 10 minutes (12:17:00 UTC). Do not act on these numbers." */
static void too_old(const struct view *view, struct buf *out)
{
	int64_t s = view->site->act_limit_ms / 1000;

	buf_addf(out, "<strong>Data is older than %" PRId64 " %s (", s < 60 ? s : s / 60,
		 s < 60    ? "seconds"
		 : s < 120 ? "minute"
			   : "minutes");
	fmt_time_element(out, data_time(view));
	html_lit(out, "). Do not act on these numbers.</strong>");
}

/* Of the moment that is shown: the newest one until the time that was asked for. */
static int64_t moment_time(const struct view *view)
{
	return view->snap->bucket * view->snap->interval_ms;
}

/* "06:11:00 UTC, 28 November 2026": the script leaves it as it is. */
static void put_moment(int64_t epoch_ms, struct buf *out)
{
	html_lit(out, "<time datetime=\"");
	fmt_iso_seconds(out, epoch_ms);
	html_lit(out, "\">");
	fmt_time(out, epoch_ms);
	html_lit(out, ", ");
	fmt_date(out, epoch_ms);
	html_lit(out, "</time>");
}

static void past_band(const struct view *view, struct span live, struct buf *out)
{
	html_lit(out, "<p class=\"band\"><strong>As it was at ");
	put_moment(moment_time(view), out);
	html_lit(out, "</strong>");
	if (moment_time(view) != view->at_ms) {
		html_lit(out, ", the newest moment kept until ");
		fmt_time(out, view->at_ms);
	}
	html_lit(out, ". <a id=\"live\" href=\"");
	buf_span_add(out, live);
	html_lit(out, "\">Back to live</a></p>");
}

static void put_word(const char *root, const char *word, struct buf *out)
{
	buf_addf(out, "<a href=\"%sdocs#word-%s\">%s</a>", root, word, word);
}

static void band(const struct view *view, enum state state, const char *root, struct buf *out)
{
	/* The remark about the warm-up is enough. */
	if (state == STATE_WARMING || state >= STATE_UPDATING)
		return;
	html_lit(out, "<p class=\"band\">");
	switch (state) {
	case STATE_NO_DATA:
		time_after("No data since ", data_time(view), out);
		html_lit(out, ".");
		break;
	case STATE_VERY_STALE:
		too_old(view, out);
		break;
	case STATE_STALE:
		html_lit(out, "Showing ");
		put_word(root, "stale", out);
		time_after(" data from ", data_time(view), out);
		html_lit(out, ".");
		break;
	default:
		html_str(out, states[state].badge);
		html_lit(out, ".");
		break;
	}
	reason(view->condition, out);
	html_lit(out, "</p>");
}

/* Nothing once it is complete. */
static void warmup(const struct warmup *w, struct buf *out)
{
	if (!w->known) {
		html_lit(out, "<li>Warm-up unknown.</li>");
		return;
	}
	if (w->done)
		return;
	buf_addf(out, "<li>The daemon is warming up: %d %% of the servers have %d records; mean %d",
		 w->progress_percent, w->required_size, w->current_size);
	fmt_asked(out, w->at_ms);
	buf_addf(out,
		 ". <progress max=\"100\" value=\"%d\" aria-label=\"Warm-up\"></progress></li>",
		 w->progress_percent);
}

int64_t state_silent_since(const struct view *view)
{
	int64_t stopped_ms = view->warmup->still_since_ms;

	return stopped_ms ? stopped_ms : snapshot_silent_since(view->snap);
}

static void silence(const struct view *view, struct buf *out)
{
	int64_t since_ms = state_silent_since(view);

	if (!since_ms)
		return;
	html_lit(out, "<p class=\"band frozen\">");
	time_after("No new data has reached the daemon since ", since_ms, out);
	html_lit(out, ".");
	if (since_ms <= view->snap->gen_ms)
		html_lit(out, " Every server shows the values it had then.");
	html_lit(out, "</p>");
}

static void put_refusal(const struct condition *condition, struct buf *out)
{
	if (!condition->cache_refuses)
		return;
	html_lit(out, "<li class=\"cache-off\">The shared cache takes no new data: Redis ");
	html_str(out, condition->cache_refuses);
	html_lit(out, ".</li>");
}

/* What the Alertmanager does not do, and why. */
static void put_alertmanager(const char *kind, const char *words, int64_t since_ms,
			     enum reason reason, struct buf *out)
{
	if (reason == REASON_NONE)
		return;
	buf_addf(out, "<li class=\"%s\">", kind);
	time_after(words, since_ms, out);
	html_lit(out, ": ");
	html_str(out, reason_table[reason].text);
	html_lit(out, ".</li>");
}

static void remarks_on_data(const struct snapshot *snap, const char *root, struct buf *out)
{
	struct fleet_counts n;

	snapshot_count(snap, &n);
	if (n.silent) {
		buf_addf(out, "<li>%u server%s ", n.silent, fmt_plural(n.silent));
		put_word(root, "silent", out);
		html_lit(out, ": the values no longer change.</li>");
	}
	if (snap->refused)
		buf_addf(out, "<li>%u of %u servers could not be read.</li>", snap->refused,
			 n.total + snap->refused);
	put_alertmanager("unsent", "No Alertmanager has taken the alerts since ", snap->unsent_ms,
			 snap->unsent, out);
	put_alertmanager("untold", "Silences cannot be read from the Alertmanager since ",
			 snap->untold_ms, snap->untold, out);
	if (snap->odd_values)
		buf_addf(out, "<li>%u value%s left out: not possible for the metric.</li>",
			 snap->odd_values, fmt_plural(snap->odd_values));
}

static void remarks(const struct view *view, const char *root, struct buf *out)
{
	bool has_data = state_has_data(view);

	html_lit(out, "<ul class=\"remarks\">");
	if (view->condition->cache_off)
		html_lit(out, "<li class=\"cache-off\">Shared cache off: this node fetches on its "
			      "own.</li>");
	put_refusal(view->condition, out);
	if (has_data && view->condition->flushed)
		html_lit(out, "<li>The cache was flushed: new data are being fetched.</li>");
	if (has_data)
		remarks_on_data(view->snap, root, out);
	warmup(view->warmup, out);
	html_lit(out, "</ul>");
}

static void put_badge(const struct view *view, enum state state, struct buf *out)
{
	if (states[state].badge)
		html_str(out, states[state].badge);
	else if (state == STATE_PAST)
		time_after("Past: ", moment_time(view), out);
	else
		time_after("As of ", data_time(view), out);
}

void state_put(const struct view *view, const char *root, struct span live, struct buf *out)
{
	enum state state = state_of(view);

	buf_addf(out, "<div id=\"state\" data-state=\"%s\" role=\"status\"><p id=\"badge\">",
		 states[state].slug);
	put_badge(view, state, out);
	html_lit(out, "</p>");
	if (state == STATE_PAST)
		past_band(view, live, out);
	else
		band(view, state, root, out);
	if (state_has_data(view))
		silence(view, out);
	remarks(view, root, out);
	html_lit(out, "</div>");
}

/* ---- pages without data ---- */

static void asked(const struct view *view, struct buf *out)
{
	html_lit(out, "<p>Asked: <code>");
	html_str(out, view->site->asked_url);
	html_lit(out, "/predictions/current</code>.</p>");
}

static void what_to_check(struct buf *out)
{
	html_lit(out,
		 "<h2>What to check</h2><ul><li>Is the prediction daemon running, and does it "
		 "answer at "
		 "the address above?</li><li>Does the daemon accept the configured API key?</li>"
		 "<li>Does the daemon receive data from the metrics source?</li></ul>");
}

void state_no_data(const struct view *view, struct buf *out)
{
	enum state state = state_of(view);

	html_lit(out, "<section class=\"help\"><h1>");
	switch (state) {
	case STATE_NO_DATA:
		time_after("No data since ", data_time(view), out);
		break;
	case STATE_WARMING:
		html_lit(out, "The daemon is warming up");
		break;
	default:
		html_lit(out, "Collecting first data");
		break;
	}
	html_lit(out, "</h1>");
	if (state == STATE_WARMING) {
		html_lit(out, "<p>It answers, but has too few records to predict from. Numbers "
			      "appear here as "
			      "soon as it has enough.</p>");
		asked(view, out);
	} else {
		asked(view, out);
		what_to_check(out);
	}
	html_lit(out, "</section>");
}
