/* SPDX-License-Identifier: MIT */
/* Labels tell alerts apart and route them, so they never change while an alert fires. Annotations
 * are for people. */
#include "config.h"
#include "pages/alert_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/html.h"
#include "base/json.h"
#include "fleet/risk.h"
#include "pages/layout.h"

#define LASTS_INTERVALS 4
#define LASTS_MIN_MS    INT64_C(180000)
#define TEXT_MAX        8192

struct writer {
	const struct alert_post *post;
	const struct server **index; /* of the snapshot, by name; may be NULL */
	struct json json;
	struct buf text; /* one value at a time */
	/* The alert that is being written. */
	const struct firing *firing;
	struct span name;
	const struct server *server; /* NULL: it is not about one, or that one is gone */
};

static bool is_over(const struct writer *w)
{
	return w->firing->phase == FIRING_OVER;
}

static const char *level_name(const struct writer *w)
{
	return level_table[w->firing->severity].name;
}

/* ---- summaries, one sentence each ---- */

static void say_risk(struct writer *w)
{
	buf_span_add(&w->text, w->name);
	if (is_over(w) || !w->server) {
		buf_addf(&w->text, " is below %s", level_name(w));
		return;
	}
	buf_lit(&w->text, " is at risk ");
	fmt_tenths(&w->text, w->server->risk);
	buf_addf(&w->text, " (%s), %s or worse since ", level_table[level_of(w->server->risk)].name,
		 level_name(w));
	fmt_time(&w->text, w->firing->from_ms);
}

static const struct metric_info *metric_of(const struct writer *w)
{
	return &metric_table[crossing_table[w->firing->part].metric];
}

static void say_crossing(struct writer *w)
{
	const struct crossing *c = w->server ? &w->server->crossings[w->firing->part] : NULL;

	buf_span_add(&w->text, w->name);
	buf_addf(&w->text, ": %s", metric_of(w)->label);
	if (is_over(w) || !c || !c->steps)
		buf_addf(&w->text, " is no longer forecast to cross a limit within %d min",
			 FIRING_SOON_MIN);
	else
		buf_addf(&w->text, " is forecast to reach %.0f%% in %d min",
			 crossing_limit(c, (enum crossing_index)w->firing->part),
			 crossing_minutes(c));
}

static void say_silent(struct writer *w)
{
	buf_span_add(&w->text, w->name);
	buf_lit(&w->text, " sends ");
	buf_span_add(&w->text, is_over(w) ? SPAN("again") : SPAN("nothing new"));
}

static void say_feed(struct writer *w)
{
	buf_span_add(&w->text, is_over(w) ? SPAN("New data reach the daemon again")
					  : SPAN("No new data has reached the daemon"));
}

static void say_environment(struct writer *w)
{
	const struct status_rule *rule;
	struct fleet_counts counts;

	if (is_over(w) || !w->post->snap) {
		buf_addf(&w->text, "The environment is below %s", level_name(w));
		return;
	}
	snapshot_count(w->post->snap, &counts);
	rule = status_rule_of(counts.total, counts.or_worse);
	buf_addf(&w->text, "The environment is %s",
		 status_table[status_of_fleet(counts.total, counts.or_worse)].name);
	if (rule)
		buf_addf(&w->text, ": %u of %u servers %s", counts.or_worse[rule->from],
			 counts.total, rule->words);
}

static void say_data(struct writer *w)
{
	buf_span_add(&w->text, is_over(w) ? SPAN("The dashboard has new data again")
					  : SPAN("The dashboard has no new data"));
}

static void say_key(struct writer *w)
{
	buf_lit(&w->text, "The prediction daemon ");
	buf_span_add(&w->text,
		     is_over(w) ? SPAN("answers again") : SPAN("refuses the dashboard's API key"));
}

static void say_redis(struct writer *w)
{
	buf_lit(&w->text, "The shared cache of the dashboard is off");
}

static const struct {
	const char *name;
	void (*say)(struct writer *w);
} kinds[FIRING_KINDS] = {
	[FIRING_RISK] = {SILENCES_ALERT, say_risk},
	[FIRING_CROSSING] = {"TftForecastCrossing", say_crossing},
	[FIRING_SILENT] = {"TftServerSilent", say_silent},
	[FIRING_FEED] = {"TftFeedSilent", say_feed},
	[FIRING_ENVIRONMENT] = {"TftEnvironment", say_environment},
	[FIRING_DATA] = {"TftNoData", say_data},
	[FIRING_KEY] = {"TftKeyRefused", say_key},
	[FIRING_REDIS] = {"TftCacheOff", say_redis},
};

/* ---- the other annotations ---- */

static void put_separator(struct writer *w)
{
	if (w->text.len)
		buf_lit(&w->text, ", ");
}

static void list_rules(struct writer *w)
{
	for (int c = 0; c < COMPONENT_COUNT; c++) {
		const struct risk_rule *rule = risk_rule((enum component)c);

		if (!w->server->points[c])
			continue;
		put_separator(w);
		buf_addf(&w->text, "%s ", rule->label);
		fmt_number(&w->text, risk_value(w->server, (enum component)c), 1);
		buf_lit(&w->text, " adds ");
		fmt_tenths(&w->text, rule->weight * w->server->points[c]);
	}
}

static void list_forecasts(struct writer *w)
{
	const struct {
		const char *label, *unit;
		const struct reading *reading;
	} rows[] = {
		{"CPU", "%", &w->server->cpu},
		{"I/O wait", "%", &w->server->iowait},
		{"memory", "%", &w->server->memory},
		{"load", "", &w->server->load},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_separator(w);
		buf_addf(&w->text, "%s ", rows[i].label);
		fmt_number(&w->text, rows[i].reading->now, 1);
		buf_addf(&w->text, "%s now, ", rows[i].unit);
		fmt_number(&w->text, rows[i].reading->predicted, 1);
		buf_addf(&w->text, "%s in 30 min", rows[i].unit);
	}
}

/* Of CPU, 30 minutes ahead, and of servers of this profile, if there are enough. */
static void say_accuracy(struct writer *w)
{
	const struct accuracy_score *score;

	if (!w->post->accuracy)
		return;
	score = accuracy_of(w->post->accuracy, ACCURACY_USUAL, KEPT_CPU, 0, w->server->profile);
	if (accuracy_verdict(score) == ACCURACY_FEW)
		return;
	buf_addf(&w->text,
		 "of the last day's 30-minute CPU forecasts for %s servers %d%% fell inside the "
		 "band that should hold %d%%; the mean error was ",
		 profile_table[w->server->profile].name, accuracy_percent(accuracy_coverage(score)),
		 ACCURACY_NOMINAL);
	fmt_percent(&w->text, accuracy_error(score));
}

/* The moment at which it was first seen. */
static void put_link(struct writer *w)
{
	if (!*w->post->public_url)
		return;
	buf_addf(&w->text, "%s/", w->post->public_url);
	if (w->name.len && layout_has_page(w->name)) {
		buf_lit(&w->text, "server/");
		html_url(&w->text, w->name);
	}
	if (w->firing->kind >= FIRING_DATA)
		return;
	buf_lit(&w->text, "?at=");
	fmt_iso_seconds(&w->text, w->firing->first_ms);
}

static void put_since(struct writer *w)
{
	fmt_iso_seconds(&w->text, w->firing->from_ms);
}

static void put_fault(struct writer *w)
{
	bool told = w->firing->kind == FIRING_DATA || w->firing->kind == FIRING_REDIS;

	if (told && !is_over(w) && w->post->fault)
		buf_span_add(&w->text, span_str(w->post->fault));
}

/* ---- an alert ---- */

/* A member, unless its text is empty. */
static void put_text(struct writer *w, const char *key, void (*say)(struct writer *w))
{
	buf_reset(&w->text);
	say(w);
	if (!buf_ok(&w->text))
		buf_fail(w->json.out);
	else if (w->text.len)
		json_str(&w->json, key, buf_span(&w->text));
}

static void put_time(struct writer *w, const char *key, int64_t at_ms)
{
	buf_reset(&w->text);
	fmt_iso(&w->text, at_ms);
	json_str(&w->json, key, buf_span(&w->text));
}

static void put_labels(struct writer *w)
{
	json_object(&w->json, "labels");
	json_cstr(&w->json, "alertname", kinds[w->firing->kind].name);
	json_cstr(&w->json, "severity", level_table[w->firing->severity].slug);
	json_cstr(&w->json, "fleet", w->post->fleet);
	if (w->name.len) {
		json_str(&w->json, "server", w->name);
		json_cstr(&w->json, "profile", profile_table[profile_of(w->name)].slug);
	}
	if (w->firing->kind == FIRING_CROSSING)
		json_cstr(&w->json, "metric", metric_of(w)->wire);
	json_end(&w->json);
}

static void put_annotations(struct writer *w)
{
	bool forecasts = w->server && !is_over(w) &&
			 (w->firing->kind == FIRING_RISK || w->firing->kind == FIRING_CROSSING);

	json_object(&w->json, "annotations");
	put_text(w, "summary", kinds[w->firing->kind].say);
	put_text(w, "since", put_since);
	put_text(w, "cause", put_fault);
	if (forecasts) {
		put_text(w, "rules", list_rules);
		put_text(w, "forecast", list_forecasts);
		put_text(w, "accuracy", say_accuracy);
	}
	put_text(w, "link", put_link);
	json_end(&w->json);
}

static int by_name(const void *name, const void *member)
{
	return span_cmp(*(const struct span *)name, (*(const struct server *const *)member)->name);
}

static const struct server *find_server(const struct writer *w, struct span name)
{
	const struct server *const *found = NULL;

	if (w->index && name.len)
		found = bsearch(&name, (const void *)w->index, w->post->snap->count,
				sizeof(*w->index), by_name);
	return found ? *found : NULL;
}

static int64_t lasts_until(const struct alert_post *post)
{
	int64_t lasts_ms = LASTS_INTERVALS * post->interval_ms;

	return post->now_ms + (lasts_ms > LASTS_MIN_MS ? lasts_ms : LASTS_MIN_MS);
}

/* One that began and ended with the same data is refused. */
static int64_t end_of(const struct writer *w)
{
	int64_t least_ms = w->firing->from_ms + 1;

	if (!is_over(w))
		return lasts_until(w->post);
	return w->firing->to_ms > least_ms ? w->firing->to_ms : least_ms;
}

static void put_alert(struct writer *w, const struct firing *firing)
{
	w->firing = firing;
	w->name = firing_name(w->post->firings, firing);
	w->server = find_server(w, w->name);
	json_object(&w->json, NULL);
	put_labels(w);
	put_annotations(w);
	put_time(w, "startsAt", firing->from_ms);
	put_time(w, "endsAt", end_of(w));
	put_text(w, "generatorURL", put_link);
	json_end(&w->json);
}

size_t alert_json(const struct alert_post *post, struct buf *out)
{
	struct writer w = {.post = post, .index = snapshot_by_name(post->snap)};
	const struct firing *firing = firings_list(post->firings);
	size_t count = 0;

	buf_init(&w.text, TEXT_MAX);
	json_init(&w.json, out);
	json_array(&w.json, NULL);
	for (size_t i = 0; i < firings_count(post->firings); i++) {
		if (firing[i].phase == FIRING_PENDING)
			continue;
		put_alert(&w, &firing[i]);
		count++;
	}
	json_end(&w.json);
	free(w.index);
	buf_free(&w.text);
	return count;
}
