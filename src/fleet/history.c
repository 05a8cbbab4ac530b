/* SPDX-License-Identifier: MIT */
/* Records, points, gaps and columns of the history. */
#include "config.h"
#include "fleet/history.h"

#include <math.h>
#include <stdlib.h>

#include "base/html.h"
#include "base/json.h"
#include "base/numbers.h"
#include "base/text.h"

#define FORMAT     "1"
#define POINTS_MAX 1000000 /* the most that settings allow to be kept */
#define STEP_MS    120000  /* of a month, so that it is read in the time of a week */
#define RADIX      36      /* two digits hold every risk in tenths */

const char *const history_metric_words[HISTORY_METRICS] = {
	[HISTORY_PROB_30M] = "prob_30m",   [HISTORY_PROB_8H] = "prob_8h",
	[HISTORY_HEALTH] = "fleet_health", [HISTORY_RISK] = "risk",
	[HISTORY_LEVELS] = "levels",
};

const char *const history_range_words[HISTORY_RANGES] = {
	[HISTORY_30M] = "30m", [HISTORY_1H] = "1h", [HISTORY_8H] = "8h",
	[HISTORY_1D] = "1d",   [HISTORY_7D] = "7d", [HISTORY_30D] = "30d",
};

int64_t history_range_ms(enum history_range range)
{
	static const int minutes[HISTORY_RANGES] = {
		[HISTORY_30M] = 30,  [HISTORY_1H] = 60,    [HISTORY_8H] = 480,
		[HISTORY_1D] = 1440, [HISTORY_7D] = 10080, [HISTORY_30D] = 43200,
	};

	return minutes[range] * INT64_C(60000);
}

/* --- writing --- */

static void add_number(double value, struct buf *out)
{
	struct json number;

	buf_char(out, ' ');
	if (isfinite(value)) {
		json_init(&number, out);
		json_num(&number, NULL, value);
	} else {
		buf_char(out, '-');
	}
}

static void add_name(struct span name, struct buf *out)
{
	buf_char(out, ' ');
	if (name.len)
		html_url(out, name);
	else
		buf_char(out, '-');
}

static int64_t sum_of_risks(const struct snapshot *snap)
{
	int64_t sum = 0;

	for (size_t i = 0; i < snap->count; i++)
		sum += snap->servers[i].risk;
	return sum;
}

void history_encode(const struct snapshot *snap, struct buf *out)
{
	const struct server *worst = snap->count ? &snap->servers[0] : NULL;
	struct fleet_counts counts;

	snapshot_count(snap, &counts);
	buf_lit(out, FORMAT);
	add_number(snap->prob_30m, out);
	add_number(snap->prob_8h, out);
	for (int level = 0; level < LEVEL_COUNT; level++)
		add_number(counts.level[level], out);
	add_number(worst ? (double)sum_of_risks(snap) : NAN, out);
	add_number(worst ? worst->risk : NAN, out);
	add_name(worst ? worst->name : (struct span){NULL, 0}, out);
	add_name(snap->scenario.known ? span_str(snap->scenario.name) : (struct span){NULL, 0},
		 out);
}

void history_encode_servers(const struct snapshot *snap, struct buf *names, struct buf *risks)
{
	static const char digits[RADIX + 1] = "0123456789abcdefghijklmnopqrstuvwxyz";
	const struct server **order = snapshot_by_name(snap);

	for (size_t i = 0; order && i < snap->count; i++) {
		if (i)
			buf_char(names, ' ');
		html_url(names, order[i]->name);
		buf_char(risks, digits[order[i]->risk / RADIX]);
		buf_char(risks, digits[order[i]->risk % RADIX]);
	}
	free(order);
}

/* --- reading --- */

void history_init(struct history *h, int64_t interval_ms, int64_t range_ms, int64_t end_ms)
{
	*h = (struct history){
		.interval_ms = interval_ms, .from_ms = end_ms - range_ms, .to_ms = end_ms};
	buf_init(&h->points, POINTS_MAX * sizeof(struct history_point));
	buf_init(&h->texts, 64u * 1024 * 1024);
}

void history_thin_out(struct history *h, enum history_range range)
{
	if (range != HISTORY_30D || h->interval_ms >= STEP_MS)
		return;
	h->step_ms = STEP_MS;
	h->interval_ms = STEP_MS; /* of the points; decides what a gap is */
}

void history_free(struct history *h)
{
	buf_free(&h->points);
	buf_free(&h->texts);
}

const struct history_point *history_points(const struct history *h)
{
	return (const struct history_point *)(const void *)h->points.data;
}

static const struct history_point *last_point(const struct history *h)
{
	size_t count = history_count(h);

	return count ? history_points(h) + count - 1 : NULL;
}

void history_name(const struct history *h, struct history_text text, struct buf *out)
{
	struct span rest;

	if (text.len == 0)
		return;
	rest = (struct span){h->texts.data + text.at, text.len};
	while (rest.len)
		buf_char(out, text_take_encoded(&rest));
}

/* A JSON number in 0..max, or "-", which gives NaN. False for anything else. */
static bool read_number(struct span word, double max, double *value)
{
	const char *end;
	char text[32];

	*value = NAN;
	if (span_is(word, "-"))
		return true;
	if (word.len == 0 || word.len >= sizeof(text))
		return false;
	memcpy(text, word.ptr, word.len);
	text[word.len] = '\0';
	end = numbers_read(text, value);
	return end && *end == '\0' && *value >= 0 && *value <= max;
}

static bool read_count(struct span word, unsigned *count)
{
	int64_t n = text_decimal(word);

	*count = (unsigned)n;
	return n >= 0 && word.len <= 6;
}

/* A name that does not change from one point to the next, the usual case, is kept once. Names are
 * decoded only when shown. */
static struct history_text keep_name(struct history *h, struct span word,
				     struct history_text before)
{
	struct history_text text = {(uint32_t)h->texts.len, (uint32_t)word.len};

	if (word.len == 0 || span_is(word, "-"))
		return (struct history_text){0, 0};
	if (before.len && span_eq(word, (struct span){h->texts.data + before.at, before.len}))
		return before;
	buf_span_add(&h->texts, word);
	return buf_ok(&h->texts) ? text : (struct history_text){0, 0};
}

unsigned history_or_worse(const struct history_point *p, enum level level)
{
	unsigned n = 0;

	for (int i = 0; i <= (int)level; i++)
		n += p->level[i];
	return n;
}

static unsigned servers_of(const struct history_point *p)
{
	return history_or_worse(p, LEVEL_HEALTHY);
}

/* Ten decimals; the rest is noise from binary fractions. 0.07 gives 7 percent, not
 * 7.000000000000001. */
static double without_noise(double value)
{
	return nearbyint(value * 1e10) / 1e10;
}

static bool read_numbers(struct span *rest, struct history_point *p)
{
	double sum, highest;

	if (!span_is(text_cut(rest, ' '), FORMAT) ||
	    !read_number(text_cut(rest, ' '), 1, &p->prob_30m) ||
	    !read_number(text_cut(rest, ' '), 1, &p->prob_8h))
		return false;
	for (int level = 0; level < LEVEL_COUNT; level++)
		if (!read_count(text_cut(rest, ' '), &p->level[level]))
			return false;
	if (!read_number(text_cut(rest, ' '), (double)RISK_MAX * servers_of(p), &sum) ||
	    !read_number(text_cut(rest, ' '), RISK_MAX, &highest))
		return false;
	p->mean = servers_of(p) ? without_noise(sum / 10 / servers_of(p)) : NAN;
	p->highest = highest / 10;
	return true;
}

static bool is_next(const struct history *h, int64_t at_ms)
{
	const struct history_point *last = last_point(h);

	if (at_ms <= h->from_ms || at_ms > h->to_ms)
		return false;
	if (!last)
		return true;
	return h->step_ms ? at_ms / h->step_ms > last->at_ms / h->step_ms : at_ms > last->at_ms;
}

void history_add(struct history *h, int64_t at_ms, struct span record)
{
	static const struct history_point none;
	const struct history_point *last = last_point(h);
	struct history_point point = {.at_ms = at_ms};

	if (!is_next(h, at_ms) || !read_numbers(&record, &point))
		return;
	if (!last)
		last = &none;
	point.worst = keep_name(h, text_cut(&record, ' '), last->worst);
	point.scenario = keep_name(h, text_cut(&record, ' '), last->scenario);
	buf_add(&h->points, &point, sizeof(point));
}

static int radix_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

int history_risk(struct span risks, size_t index)
{
	int high, low;

	if (risks.len < 2 * index + 2)
		return -1;
	high = radix_digit(risks.ptr[2 * index]);
	low = radix_digit(risks.ptr[2 * index + 1]);
	return high < 0 || low < 0 || high * RADIX + low > RISK_MAX ? -1 : high * RADIX + low;
}

void history_add_server(struct history *h, int64_t at_ms, struct span risks, size_t index)
{
	struct history_point point = {.at_ms = at_ms, .prob_30m = NAN, .prob_8h = NAN, .mean = NAN};
	int risk = history_risk(risks, index);

	if (!is_next(h, at_ms) || risk < 0)
		return;
	point.highest = risk / 10.0;
	buf_add(&h->points, &point, sizeof(point));
}

int history_find_server(struct span names, struct span name)
{
	struct buf word;
	int found = -1;

	buf_init(&word, 3 * SNAPSHOT_NAME_MAX);
	html_url(&word, name);
	for (int i = 0; names.len && found < 0; i++)
		if (span_eq(text_cut(&names, ' '), buf_span(&word)))
			found = i;
	buf_free(&word);
	return found;
}

/* --- values, gaps, statistics --- */

double history_value(const struct history_point *p, enum history_metric metric)
{
	unsigned total, alerts;

	switch (metric) {
	case HISTORY_PROB_30M:
		return without_noise(p->prob_30m * 100);
	case HISTORY_PROB_8H:
		return without_noise(p->prob_8h * 100);
	case HISTORY_HEALTH:
		total = servers_of(p);
		alerts = history_or_worse(p, LEVEL_DEGRADING);
		return total ? without_noise((double)(total - alerts) / total * 100) : NAN;
	case HISTORY_RISK:
		return p->mean;
	case HISTORY_LEVELS:
		return history_or_worse(p, LEVEL_DEGRADING);
	case HISTORY_ALL:
	case HISTORY_METRICS:
		break;
	}
	return p->highest;
}

/* Iterates over the points that have a value. */
struct walk {
	const struct history *h;
	enum history_metric metric;
	size_t next;
	const struct history_point *point; /* the current one */
	double value;
	bool joined; /* with the previous one */
};

static bool step(struct walk *w)
{
	const struct history_point *points = history_points(w->h), *before = w->point;
	size_t count = history_count(w->h);
	bool absent = false;

	for (; w->next < count; w->next++, absent = true) {
		w->value = history_value(&points[w->next], w->metric);
		if (isnan(w->value))
			continue;
		w->point = &points[w->next++];
		/* 2.5 intervals, in integers. */
		w->joined = before && !absent &&
			    2 * (w->point->at_ms - before->at_ms) <= 5 * w->h->interval_ms;
		return true;
	}
	return false;
}

void history_stats(const struct history *h, enum history_metric metric, struct history_stats *stats)
{
	struct walk w = {.h = h, .metric = metric};
	const struct history_point *last = last_point(h);
	double sum = 0;

	*stats = (struct history_stats){.current = NAN, .average = NAN, .min = NAN, .max = NAN};
	if (last)
		stats->current = history_value(last, metric);
	while (step(&w)) {
		stats->gaps += stats->points > 0 && !w.joined;
		stats->points++;
		sum += w.value;
		if (!(w.value >= stats->min))
			stats->min = w.value;
		if (!(w.value <= stats->max)) {
			stats->max = w.value;
			stats->peak = w.point;
		}
	}
	if (stats->points)
		stats->average = sum / (double)stats->points;
}

/* --- columns --- */

static bool is_worse(const struct history_point *a, const struct history_point *b,
		     enum history_metric metric)
{
	if (metric != HISTORY_LEVELS)
		return history_value(a, metric) > history_value(b, metric);
	for (int level = 0; level < LEVEL_COUNT; level++)
		if (a->level[level] != b->level[level])
			return a->level[level] > b->level[level];
	return false;
}

/* Until a column is complete, its mean holds the sum. */
static void begin_column(const struct walk *w, struct history_column *c)
{
	*c = (struct history_column){.at_ms = w->point->at_ms,
				     .min = w->value,
				     .mean = w->value,
				     .max = w->value,
				     .last = w->value,
				     .peak = w->point,
				     .joined = w->joined};
}

static void extend_column(const struct walk *w, struct history_column *c)
{
	c->at_ms = w->point->at_ms;
	c->mean += w->value;
	c->min = fmin(c->min, w->value);
	c->max = fmax(c->max, w->value);
	c->last = w->value;
	if (is_worse(w->point, c->peak, w->metric))
		c->peak = w->point;
}

size_t history_thin(const struct history *h, enum history_metric metric,
		    struct history_column *columns, size_t count)
{
	struct walk w = {.h = h, .metric = metric};
	int64_t range = h->to_ms - h->from_ms, slot = -1;
	size_t n = 0, points = 0;

	while (step(&w)) {
		/* The range excludes its start, so slots go from 0 to count - 1. */
		int64_t here = (w.point->at_ms - h->from_ms - 1) * (int64_t)count / range;

		if (here == slot) {
			extend_column(&w, &columns[n - 1]);
			points++;
			continue;
		}
		if (n)
			columns[n - 1].mean /= (double)points;
		begin_column(&w, &columns[n++]);
		slot = here;
		points = 1;
	}
	if (n)
		columns[n - 1].mean /= (double)points;
	return n;
}
