/* SPDX-License-Identifier: MIT */
/* The parameter table: one row per key says how its value is read, written and explained. The order
 * of the rows is the canonical order. */
#include "config.h"

#include "pages/query.h"

#include <math.h>
#include <stddef.h>

#include "base/fmt.h"
#include "base/html.h"
#include "base/iso.h"
#include "base/json.h"
#include "fleet/accuracy.h"
#include "base/text.h"
#include "base/utf8.h"

#define VALUE_MAX QUERY_Q_BYTES /* of a decoded value */
/* Names that ask for another time or another clock. */
#define TIME_NAMES "bucket,at,time,from,to,since,until,start,end,range,tz"
#define DECIMAL_MAX                                                                                \
	16 /* characters of a decimal number: fewer digits than a double represents exactly */

static const char *const metric_words[HEAT_METRICS] = {
	[HEAT_RISK] = "risk",
	[HEAT_CPU] = "cpu",
	[HEAT_MEMORY] = "memory",
	[HEAT_LOAD] = "load",
};
static const char *const period_words[PERIODS] = {
	[PERIOD_1D] = "1d", [PERIOD_7D] = "7d", [PERIOD_30D] = "30d"};
/* The first entry of these three is the default and has no name in a URL. */
static const char *const group_words[] = {
	[GROUP_AUTO] = NULL, [GROUP_NONE] = "none", [GROUP_PROFILE] = "profile"};
static const char *const scale_words[] = {NULL, "full"};
static const char *const view_words[] = {[VIEW_KIOSK] = "kiosk", [VIEW_COMPACT] = "compact"};
static const char *const format_words[] = {[FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};
/* What the lists of a page are of: servers, incidents, forecasts and their warnings. */
enum { OF_SERVERS = 1, OF_INCIDENTS = 2, OF_SCORES = 4 };

static const struct order {
	const char *word;
	unsigned of; /* lists that have such a column */
} orders[SORT_KEYS] = {
	[SORT_RISK] = {"risk", OF_SERVERS | OF_INCIDENTS},
	[SORT_NAME] = {"name", OF_SERVERS | OF_INCIDENTS | OF_SCORES},
	[SORT_PROFILE] = {"profile", OF_SERVERS | OF_INCIDENTS | OF_SCORES},
	[SORT_SINCE] = {"since", OF_SERVERS},
	[SORT_CPU] = {"cpu", OF_SERVERS},
	[SORT_CPU30] = {"cpu30", OF_SERVERS},
	[SORT_CPU90] = {"cpu90", OF_SERVERS},
	[SORT_DCPU] = {"dcpu", OF_SERVERS},
	[SORT_IO] = {"io", OF_SERVERS},
	[SORT_IO30] = {"io30", OF_SERVERS},
	[SORT_DIO] = {"dio", OF_SERVERS},
	[SORT_MEM] = {"mem", OF_SERVERS},
	[SORT_MEM30] = {"mem30", OF_SERVERS},
	[SORT_DMEM] = {"dmem", OF_SERVERS},
	[SORT_VALUE] = {"value", OF_SERVERS},
	[SORT_COST] = {"cost", OF_SERVERS},
	[SORT_FROM] = {"from", OF_INCIDENTS},
	[SORT_TO] = {"to", OF_INCIDENTS},
	[SORT_DURATION] = {"duration", OF_INCIDENTS},
	[SORT_AT] = {"at", OF_INCIDENTS},
	[SORT_REASON] = {"reason", OF_INCIDENTS},
	[SORT_SERVERS] = {"servers", OF_INCIDENTS},
	[SORT_METRIC] = {"metric", OF_SCORES},
	[SORT_HORIZON] = {"horizon", OF_SCORES},
	[SORT_VERDICT] = {"verdict", OF_SCORES},
	[SORT_COVERAGE] = {"coverage", OF_SCORES},
	[SORT_VALUES] = {"values", OF_SCORES},
	[SORT_ERROR] = {"error", OF_SCORES},
	[SORT_BIAS] = {"bias", OF_SCORES},
	[SORT_SKILL] = {"skill", OF_SCORES},
	[SORT_SILENT] = {"silent", OF_SCORES},
	[SORT_ABSENT] = {"absent", OF_SCORES},
	[SORT_INTERVAL] = {"interval", OF_SCORES},
	[SORT_HITS] = {"hits", OF_SCORES},
	[SORT_MISSES] = {"misses", OF_SCORES},
	[SORT_FALSE] = {"false", OF_SCORES},
	[SORT_UNKNOWN] = {"unknown", OF_SCORES},
	[SORT_PRECISION] = {"precision", OF_SCORES},
	[SORT_RECALL] = {"recall", OF_SCORES},
	[SORT_LEAD] = {"lead", OF_SCORES},
	[SORT_SETTLED] = {"settled", OF_SCORES},
	[SORT_OUTCOME] = {"outcome", OF_SCORES},
	[SORT_WARNED] = {"warned", OF_SCORES},
};

static const char *const column_words[HIDE_COLUMNS] = {
	[HIDE_PROFILE] = "profile", [HIDE_CPU] = "cpu", [HIDE_IO] = "io", [HIDE_MEM] = "mem"};

static const char *const notice_words[NOTICES] = {
	[NOTICE_REFRESHED] = "refreshed",
	[NOTICE_HEALTHY] = "healthy",
	[NOTICE_DEGRADING] = "degrading",
	[NOTICE_CRITICAL] = "critical",
	[NOTICE_CASCADE] = "cascade",
	[NOTICE_UNCHANGED] = "unchanged",
	[NOTICE_UNKNOWN] = "unknown",
	[NOTICE_SILENCED] = "silenced",
	[NOTICE_SILENCE_ENDED] = "silence-ended",
};

static const char *const tab_words[QUERY_TABS_MAX] = {
	"overview",    "heatmap",  "top",  "history", "cost",
	"remediation", "alerting", "docs", "roadmap",
};

/* The results of reading a value. */
enum found { FOUND_BAD = -1, FOUND_DEFAULT, FOUND_OTHER };

struct key;

/* How the value of a key is read and written. */
struct key_kind {
	/* value: decoded, 1..VALUE_MAX bytes. Changes the query only if the value is valid. */
	enum found (*read)(struct query *q, const struct key *key, struct span value);
	void (*write)(const struct query *q, const struct key *key, struct buf *out);
};

struct key {
	const char *name;
	const char *values; /* in words */
	const struct key_kind *kind;
	size_t at; /* offset of the member of struct query */
	/* Words: the first is the default; NULL: it has no word in a URL. */
	const char *const *words;
	int count;
	/* Numbers, bounds included. */
	int min, max, standard;
};

/* Index of the word, or -1. */
static int find_word(const char *const *words, int count, struct span value)
{
	int i;

	for (i = 0; i < count; i++)
		if (words[i] && span_is(value, words[i]))
			return i;
	return -1;
}

/* The member is an int, or an enum that counts from 0. */
static int get_member(const struct query *q, const struct key *key)
{
	int value;

	memcpy(&value, (const char *)q + key->at, sizeof(value));
	return value;
}

static void set_member(struct query *q, const struct key *key, int value)
{
	memcpy((char *)q + key->at, &value, sizeof(value));
}

/* ---- words ---- */

static enum found read_word(struct query *q, const struct key *key, struct span value)
{
	int i = find_word(key->words, key->count, value);

	if (i < 0)
		return FOUND_BAD;
	set_member(q, key, i);
	return i == 0 ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_word(const struct query *q, const struct key *key, struct buf *out)
{
	buf_span_add(out, span_str(key->words[get_member(q, key)]));
}

static const struct key_kind word_kind = {read_word, write_word};

/* ---- whole numbers ---- */

static enum found read_number(struct query *q, const struct key *key, struct span value)
{
	int64_t n = text_decimal(value);

	if (n < key->min || n > key->max)
		return FOUND_BAD;
	set_member(q, key, (int)n);
	return n == key->standard ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_number(const struct query *q, const struct key *key, struct buf *out)
{
	buf_addf(out, "%d", get_member(q, key));
}

static const struct key_kind number_kind = {read_number, write_number};

/* Clamped; 0 means off. */
static enum found read_refresh(struct query *q, const struct key *key, struct span value)
{
	int64_t s = text_decimal(value);

	if (s < 0)
		return FOUND_BAD;
	if (s == 0)
		return FOUND_DEFAULT;
	q->refresh_s = s < key->min ? key->min : s > key->max ? key->max : (int)s;
	return FOUND_OTHER;
}

static const struct key_kind refresh_kind = {read_refresh, write_number};

/* ---- profile, level, forecasts, order ---- */

static enum found read_profile(struct query *q, const struct key *key, struct span value)
{
	int p;

	(void)key;
	for (p = 0; p < PROFILE_COUNT; p++) {
		if (!span_is(value, profile_table[p].slug))
			continue;
		q->profile = p;
		return FOUND_OTHER;
	}
	return FOUND_BAD;
}

static void write_profile(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	buf_span_add(out, span_str(profile_table[q->profile].slug));
}

static enum found read_sev(struct query *q, const struct key *key, struct span value)
{
	static const struct span up = {"-up", 3};
	int l;

	(void)key;
	for (l = 0; l < LEVEL_COUNT; l++) {
		struct span slug = span_str(level_table[l].slug);
		struct span rest = {NULL, 0};

		if (value.len < slug.len || memcmp(value.ptr, slug.ptr, slug.len) != 0)
			continue;
		rest = (struct span){value.ptr + slug.len, value.len - slug.len};
		if (rest.len > 0 && !span_eq(rest, up))
			continue;
		q->level = l;
		q->level_up = rest.len > 0;
		return FOUND_OTHER;
	}
	return FOUND_BAD;
}

static void write_sev(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	buf_span_add(out, span_str(level_table[q->level].slug));
	if (q->level_up)
		buf_lit(out, "-up");
}

static enum found read_kept(struct query *q, const struct key *key, struct span value)
{
	(void)key;
	for (int m = 0; m < KEPT_METRICS; m++) {
		if (!span_is(value, accuracy_metric_table[m].slug))
			continue;
		q->kept = m;
		return FOUND_OTHER;
	}
	return FOUND_BAD;
}

static void write_kept(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	buf_span_add(out, span_str(accuracy_metric_table[q->kept].slug));
}

static enum found read_horizon(struct query *q, const struct key *key, struct span value)
{
	(void)key;
	for (int h = 0; h < HORIZONS; h++) {
		if (!span_is(value, accuracy_horizon_table[h].slug))
			continue;
		q->horizon = h;
		return FOUND_OTHER;
	}
	return FOUND_BAD;
}

static void write_horizon(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	buf_span_add(out, span_str(accuracy_horizon_table[q->horizon].slug));
}

static const struct key_kind kept_kind = {read_kept, write_kept};
static const struct key_kind horizon_kind = {read_horizon, write_horizon};
static const struct key_kind profile_kind = {read_profile, write_profile};
static const struct key_kind severity_kind = {read_sev, write_sev};

static unsigned list_of(enum sort_key standard)
{
	return standard == SORT_TO        ? OF_INCIDENTS
	       : standard == SORT_VERDICT ? OF_SCORES
					  : OF_SERVERS;
}

/* Until here q->sort holds the default of the page. */
static enum found read_sort(struct query *q, const struct key *key, struct span value)
{
	bool descending = value.ptr[0] == '-';
	struct span word = {value.ptr + descending, value.len - descending};
	unsigned of = list_of(q->sort);
	int i = 0;

	(void)key;
	while (i < SORT_KEYS && !((orders[i].of & of) && span_is(word, orders[i].word)))
		i++;
	if (i == SORT_KEYS)
		return FOUND_BAD;
	if (q->sort == (enum sort_key)i && q->sort_descending == descending)
		return FOUND_DEFAULT;
	q->sort = (enum sort_key)i;
	q->sort_descending = descending;
	return FOUND_OTHER;
}

static void write_sort(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	if (q->sort_descending)
		buf_char(out, '-');
	buf_span_add(out, span_str(orders[q->sort].word));
}

static const struct key_kind order_kind = {read_sort, write_sort};

/* ---- decimals ---- */

/* Digits, at most COST_DECIMALS of them after a point. NaN for anything else, or for more digits
 * than are exact. */
static double read_decimal(struct span value)
{
	struct span rest = value;
	double number = (double)text_take_decimal(&rest), unit = 1;
	size_t decimals;

	if (value.len > DECIMAL_MAX || number < 0)
		return (double)NAN;
	if (rest.len == 0)
		return number;
	decimals = rest.len - 1;
	if (rest.ptr[0] != '.' || decimals == 0 || decimals > COST_DECIMALS)
		return (double)NAN;
	for (size_t i = 0; i < decimals; i++)
		unit *= 10;
	rest = (struct span){rest.ptr + 1, decimals};
	return (number * unit + (double)text_decimal(rest)) / unit;
}

/* The four keys are in the order of enum cost_input. */
static enum cost_input input_of(const struct key *key);

static enum found read_cost(struct query *q, const struct key *key, struct span value)
{
	enum cost_input input = input_of(key);
	const struct cost_input_info *info = &cost_input_table[input];
	double number = read_decimal(value);

	if (!(number >= info->min && number <= info->max))
		return FOUND_BAD;
	q->cost[input] = number;
	return number == info->standard ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_cost(const struct query *q, const struct key *key, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_num(&j, NULL, q->cost[input_of(key)]);
}

static const struct key_kind cost_kind = {read_cost, write_cost};

/* ---- text and lists ---- */

static enum found read_q(struct query *q, const struct key *key, struct span value)
{
	size_t i, n, count = 0;
	uint32_t c;

	(void)key;
	for (i = 0; i < value.len; i += n) {
		n = utf8_next(value, i, &c);
		if (n == 0 || utf8_is_hidden(c) || ++count > QUERY_Q_MAX)
			return FOUND_BAD;
	}
	for (i = 0; i < value.len; i++)
		q->q[i] = text_lower(value.ptr[i]);
	q->q[value.len] = '\0';
	return FOUND_OTHER;
}

static void write_q(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	html_url(out, span_str(q->q));
}

static const struct key_kind text_kind = {read_q, write_q};

/* As long as a name can be, and not cut off at a NUL. */
static enum found read_with(struct query *q, const struct key *key, struct span value)
{
	uint32_t c;

	(void)key;
	if (value.len > SNAPSHOT_NAME_MAX || memchr(value.ptr, '\0', value.len))
		return FOUND_BAD;
	for (size_t i = 0, n; i < value.len; i += n) {
		n = utf8_next(value, i, &c);
		if (n == 0)
			return FOUND_BAD;
	}
	query_set_with(q, value);
	return FOUND_OTHER;
}

static void write_with(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	html_url(out, query_with(q));
}

static const struct key_kind server_kind = {read_with, write_with};
/* It is only compared with names. */
static enum found read_row(struct query *q, const struct key *key, struct span value)
{
	(void)key;
	memcpy(q->row, value.ptr, value.len);
	q->row[value.len] = '\0';
	return FOUND_OTHER;
}

static void write_row(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	html_url(out, span_str(q->row));
}

static const struct key_kind row_kind = {read_row, write_row};

static enum found read_tabs(struct query *q, const struct key *key, struct span value)
{
	unsigned char tabs[QUERY_TABS_MAX];
	int count = 0;

	(void)key;
	while (value.len > 0) {
		int i = find_word(tab_words, QUERY_TABS_MAX, text_cut(&value, ','));

		if (i < 0 || count == QUERY_TABS_MAX)
			return FOUND_BAD;
		tabs[count++] = (unsigned char)i;
	}
	memcpy(q->tabs, tabs, sizeof(tabs[0]) * (size_t)count);
	q->tab_count = count;
	return FOUND_OTHER;
}

static void write_tabs(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	for (int i = 0; i < q->tab_count; i++) {
		if (i > 0)
			buf_char(out, ',');
		buf_span_add(out, span_str(tab_words[q->tabs[i]]));
	}
}

static const struct key_kind tabs_kind = {read_tabs, write_tabs};

static enum found read_hide(struct query *q, const struct key *key, struct span value)
{
	unsigned hidden = 0;

	(void)key;
	while (value.len > 0) {
		int i = find_word(column_words, HIDE_COLUMNS, text_cut(&value, ','));

		if (i < 0)
			return FOUND_BAD;
		hidden |= 1u << i;
	}
	q->hidden = hidden;
	return FOUND_OTHER;
}

static void write_hide(const struct query *q, const struct key *key, struct buf *out)
{
	const char *comma = "";

	(void)key;
	for (int i = 0; i < HIDE_COLUMNS; i++) {
		if (!(q->hidden & 1u << i))
			continue;
		buf_addf(out, "%s%s", comma, column_words[i]);
		comma = ",";
	}
}

static const struct key_kind columns_kind = {read_hide, write_hide};

/* ---- a moment ---- */

#define AT_MIN      INT64_C(946684800000)    /* what is before 2000 is a mistake */
#define AT_MAX      INT64_C(253402300799999) /* the end of 9999 */
#define SECONDS_LEN 11                       /* more digits are milliseconds */

/* Negative: no number. */
static int64_t read_epoch(struct span value)
{
	int64_t n = text_decimal(value);

	return value.len <= SECONDS_LEN ? 1000 * n : n;
}

/* Milliseconds since 1970; -1: no moment. */
static int64_t read_moment(struct span value)
{
	int64_t ms = read_epoch(value);

	if (ms < 0)
		ms = iso_parse(value);
	return ms < AT_MIN || ms > AT_MAX ? -1 : ms;
}

static void write_moment(int64_t ms, struct buf *out)
{
	if (ms % 1000)
		fmt_iso(out, ms);
	else
		fmt_iso_seconds(out, ms);
}

static enum found read_at(struct query *q, const struct key *key, struct span value)
{
	int64_t ms = read_moment(value);

	(void)key;
	if (ms < 0)
		return FOUND_BAD;
	q->at_ms = ms;
	return FOUND_OTHER;
}

static void write_at(const struct query *q, const struct key *key, struct buf *out)
{
	(void)key;
	write_moment(q->at_ms, out);
}

static const struct key_kind moment_kind = {read_at, write_at};

/* ---- what is compared with ---- */

static const struct span_word {
	const char *word;
	int64_t span_ms;
	const char *words;
} since_table[] = {
	{"15m", QUERY_SINCE_MS, "15 minutes"},
	{"1h", INT64_C(3600000), "hour"},
	{"8h", INT64_C(28800000), "8 hours"},
	{"24h", INT64_C(86400000), "24 hours"},
};

#define SINCE_WORDS (sizeof(since_table) / sizeof(since_table[0]))

/* NULL: a moment. */
static const struct span_word *since_of(const struct query *q)
{
	for (size_t i = 0; i < SINCE_WORDS; i++)
		if (since_table[i].span_ms == q->since_span_ms)
			return &since_table[i];
	return NULL;
}

bool query_choose_since(struct query *q, size_t i)
{
	if (i >= SINCE_WORDS)
		return false;
	q->since_span_ms = since_table[i].span_ms;
	query_give(q, QUERY_SINCE, i > 0);
	return true;
}

static enum found read_since(struct query *q, const struct key *key, struct span value)
{
	int64_t ms = read_moment(value);

	(void)key;
	for (size_t i = 0; i < SINCE_WORDS; i++) {
		if (!span_is(value, since_table[i].word))
			continue;
		(void)query_choose_since(q, i);
		return i == 0 ? FOUND_DEFAULT : FOUND_OTHER;
	}
	if (ms < 0)
		return FOUND_BAD;
	query_set_since(q, ms);
	return FOUND_OTHER;
}

static void write_since(const struct query *q, const struct key *key, struct buf *out)
{
	const struct span_word *since = since_of(q);

	(void)key;
	if (since)
		buf_span_add(out, span_str(since->word));
	else
		write_moment(q->since_at_ms, out);
}

static const struct key_kind since_kind = {read_since, write_since};

/* ---- the table ---- */

#define COUNT(array)                       (int)(sizeof(array) / sizeof((array)[0]))
#define MEMBER(member)                     offsetof(struct query, member)
#define WORDS(member, array)               &word_kind, MEMBER(member), array, COUNT(array), 0, 0, 0
#define NUMBER(member, min, max, standard) &number_kind, MEMBER(member), NULL, 0, min, max, standard
#define OTHER(kind)                        &kind##_kind, 0, NULL, 0, 0, 0, 0

/* clang-format off: it would align the rows like a matrix. */
static const struct key keys[QUERY_KEYS] = {
	[QUERY_PROFILE] = {"profile", "ml, db, web, conductor, etl, risk, generic", OTHER(profile)},
	[QUERY_SEV] = {"sev",
		       "imminent, critical, danger, warning, degrading, watch, healthy, each "
		       "also with -up to include everything worse",
		       OTHER(severity)},
	[QUERY_METRIC] = {"metric", "risk, cpu, memory, load", WORDS(metric, metric_words)},
	[QUERY_HISTORY] = {"metric", "prob_30m, prob_8h, fleet_health, risk, levels", &word_kind,
			   MEMBER(history), history_metric_words, HISTORY_METRICS, 0, 0, 0},
	[QUERY_KEPT] = {"metric", "cpu, memory, iowait, load, cpu_user", OTHER(kept)},
	[QUERY_HORIZON] = {"horizon", "30m, 1h, 2h, 4h, 8h", OTHER(horizon)},
	[QUERY_GROUP] = {"group", "none, profile", WORDS(group, group_words)},
	[QUERY_SORT] = {"sort",
			"risk, name, profile, since, cpu, cpu30, cpu90, dcpu, io, io30, dio, mem, "
			"mem30, dmem, value, cost, each also with a leading - for descending; of "
			"incidents risk, name, profile, from, to, duration, at, reason, servers; "
			"of forecasts metric, horizon, verdict, coverage, values, error, bias, "
			"skill, silent, absent",
			OTHER(order)},
	[QUERY_HIDE] = {"hide", "profile, cpu, io, mem, separated by commas", OTHER(columns)},
	[QUERY_N] = {"n", "5 to 20", NUMBER(n, QUERY_N_DEFAULT, QUERY_N_MAX, QUERY_N_DEFAULT)},
	[QUERY_PAGE] = {"page", "1 to 200", NUMBER(page, 1, 200, 1)},
	[QUERY_RANGE] = {"range", "30m, 1h, 8h, 1d, 7d, 30d", &word_kind, MEMBER(range),
			 history_range_words, HISTORY_RANGES, 0, 0, 0},
	[QUERY_PERIOD] = {"range", "1d, 7d, 30d", WORDS(period, period_words)},
	[QUERY_SCALE] = {"scale", "full", WORDS(scale, scale_words)},
	[QUERY_SINCE] = {"since",
			 "15m, 1h, 8h, 24h, a time of UTC as 2026-11-28T06:11:00Z, or seconds or "
			 "milliseconds since 1970",
			 OTHER(since)},
	[QUERY_VIEW] = {"view", "kiosk, compact", WORDS(view, view_words)},
	[QUERY_FORMAT] = {"format", "json, csv", WORDS(format, format_words)},
	[QUERY_COST_PER_HOUR] = {"cost_per_hour", COST_RANGE, OTHER(cost)},
	[QUERY_AVG_HOURS] = {"avg_hours", COST_RANGE, OTHER(cost)},
	[QUERY_PREVENTION_PCT] = {"prevention_pct", COST_RANGE_PERCENT, OTHER(cost)},
	[QUERY_PROJECT_COST] = {"project_cost", COST_RANGE, OTHER(cost)},
	[QUERY_Q] = {"q", "text of at most 64 characters, valid UTF-8, no control characters",
		     OTHER(text)},
	[QUERY_WITH] = {"with", "the name of a server", OTHER(server)},
	[QUERY_ROW] = {"row", "the name of a server", OTHER(row)},
	[QUERY_TABS] = {"tabs",
			"up to nine of overview, heatmap, top, history, cost, remediation, "
			"alerting, docs, roadmap, separated by commas",
			OTHER(tabs)},
	[QUERY_EVERY] = {"every", "seconds (10 to 300)",
			 NUMBER(every_s, 10, 300, QUERY_EVERY_DEFAULT)},
	[QUERY_REFRESH] = {"refresh", "0, or seconds (5 to 300)", &refresh_kind, MEMBER(refresh_s),
			   NULL, 0, 5, 300, 0},
	[QUERY_NOTICE] = {"notice",
			  "refreshed, healthy, degrading, critical, cascade, unchanged, unknown, "
			  "silenced, silence-ended",
			  WORDS(notice, notice_words)},
	[QUERY_AT] = {"at",
		      "a time of UTC as 2026-11-28T06:11:00Z, or seconds or milliseconds since "
		      "1970",
		      OTHER(moment)},
	[QUERY_TIME] = {TIME_NAMES, "none: this page shows the present", NULL, 0, NULL, 0, 0, 0, 0},
};
/* clang-format on */

static enum cost_input input_of(const struct key *key)
{
	return (enum cost_input)(key - &keys[QUERY_COST_PER_HOUR]);
}

void query_init(struct query *q)
{
	*q = (struct query){.profile = -1,
			    .kept = -1,
			    .horizon = -1,
			    .level = -1,
			    .sort = SORT_RISK,
			    .sort_descending = true,
			    .n = QUERY_N_DEFAULT,
			    .since_span_ms = QUERY_SINCE_MS,
			    .every_s = QUERY_EVERY_DEFAULT,
			    .page = 1};
	for (int i = 0; i < COST_INPUTS; i++)
		q->cost[i] = cost_input_table[i].standard;
}

/* Decodes a form value. -1 if it is longer than VALUE_MAX. */
static int decode_value(struct span raw, char out[VALUE_MAX], size_t *len)
{
	for (*len = 0; raw.len; (*len)++) {
		bool plus = *raw.ptr == '+';
		char c = text_take_encoded(&raw);

		if (*len == VALUE_MAX)
			return -1;
		out[*len] = plus ? ' ' : c;
	}
	return 0;
}

/* A form sends every field, so an empty value means the default. */
static enum found read_value(struct query *q, enum query_key key, struct span raw)
{
	char value[VALUE_MAX];
	size_t len;

	if (decode_value(raw, value, &len) != 0)
		return FOUND_BAD;
	return len == 0 ? FOUND_DEFAULT
			: keys[key].kind->read(q, &keys[key], (struct span){value, len});
}

/* Looks among the keys in `wanted`: names are unique within a page, but two pages may use one name
 * for different keys. */
static int find_key(struct span name, unsigned wanted)
{
	int k;

	for (k = 0; k < QUERY_KEYS; k++)
		if ((wanted & QUERY_BIT(k)) && span_is(name, keys[k].name))
			break;
	return k;
}

static bool is_time(struct span name)
{
	struct span names = SPAN(TIME_NAMES);

	while (names.len > 0)
		if (span_eq(text_cut(&names, ','), name))
			return true;
	return false;
}

/* The key that a name in a query means, after the keys in `seen`; QUERY_KEYS: none. */
static int key_of(struct span name, unsigned allowed, unsigned seen)
{
	int key = find_key(name, allowed & ~seen);

	if (key == QUERY_KEYS && find_key(name, seen) == QUERY_KEYS && is_time(name))
		return QUERY_TIME;
	return key;
}

/* Tiles keep their places while values change. The worst scores and the newest incidents come first. Else a list is
 * ordered by the metric, where one can be chosen, or by risk. */
static enum sort_key standard_sort(unsigned allowed)
{
	if (allowed & QUERY_BIT(QUERY_GROUP))
		return SORT_NAME;
	if (allowed & QUERY_BIT(QUERY_KEPT))
		return SORT_VERDICT;
	if (allowed & QUERY_BIT(QUERY_PERIOD))
		return SORT_TO;
	return allowed & QUERY_BIT(QUERY_METRIC) ? SORT_VALUE : SORT_RISK;
}

bool query_is_standard_order(const struct query *q, unsigned allowed)
{
	return q->sort == standard_sort(allowed) && q->sort_descending == (q->sort != SORT_NAME);
}

int query_parse(struct query *q, struct span raw, unsigned allowed, enum query_key *bad)
{
	unsigned seen = 0;
	int rc = 0;

	q->sort = standard_sort(allowed);
	q->sort_descending = q->sort != SORT_NAME;
	while (raw.len > 0) {
		struct span value = text_cut(&raw, '&');
		struct span name = text_cut(&value, '=');
		int key = key_of(name, allowed, seen);
		enum found found;

		if (key == QUERY_KEYS)
			continue;
		seen |= QUERY_BIT(key);
		found = key == QUERY_TIME ? FOUND_BAD : read_value(q, (enum query_key)key, value);
		if (found == FOUND_OTHER)
			q->given |= QUERY_BIT(key);
		if (found == FOUND_BAD && rc == 0) {
			*bad = (enum query_key)key;
			rc = -1;
		}
	}
	return rc;
}

void query_give(struct query *q, enum query_key key, bool given)
{
	if (given)
		q->given |= QUERY_BIT(key);
	else
		q->given &= ~QUERY_BIT(key);
}

void query_set_at(struct query *q, int64_t at_ms)
{
	q->at_ms = at_ms;
	query_give(q, QUERY_AT, at_ms != 0);
}

void query_set_since(struct query *q, int64_t at_ms)
{
	q->since_span_ms = 0;
	q->since_at_ms = at_ms;
	query_give(q, QUERY_SINCE, true);
}

void query_set_with(struct query *q, struct span name)
{
	memcpy(q->with, name.ptr, name.len);
	q->with[name.len] = '\0';
	query_give(q, QUERY_WITH, name.len > 0);
}

struct span query_with(const struct query *q)
{
	return span_str(q->with);
}

int64_t query_since_ms(const struct query *q, int64_t shown_ms)
{
	return q->since_span_ms ? shown_ms - q->since_span_ms : q->since_at_ms;
}

const char *query_since_words(const struct query *q)
{
	const struct span_word *since = since_of(q);

	return since ? since->words : NULL;
}

void query_sort(struct query *q, unsigned allowed, enum sort_key sort, bool descending)
{
	q->sort = sort;
	q->sort_descending = descending;
	query_give(q, QUERY_SORT, !query_is_standard_order(q, allowed));
}

void query_toggle(struct query *q, enum hidden_column column)
{
	q->hidden ^= 1u << column;
	query_give(q, QUERY_HIDE, q->hidden != 0);
}

const char *query_column_name(enum hidden_column column)
{
	return column_words[column];
}

void query_open_row(struct query *q, struct span name)
{
	size_t len = name.len < sizeof(q->row) ? name.len : 0;

	memcpy(q->row, name.ptr, len);
	q->row[len] = '\0';
	query_give(q, QUERY_ROW, len > 0);
}

void query_write(const struct query *q, struct buf *out)
{
	bool first = true;
	int k;

	for (k = 0; k < QUERY_KEYS; k++) {
		if (!(q->given & QUERY_BIT(k)))
			continue;
		if (!first)
			buf_char(out, '&');
		first = false;
		buf_span_add(out, span_str(keys[k].name));
		buf_char(out, '=');
		keys[k].kind->write(q, &keys[k], out);
	}
}

void query_write_value(const struct query *q, enum query_key key, struct buf *out)
{
	keys[key].kind->write(q, &keys[key], out);
}

const char *query_key_name(enum query_key key)
{
	return keys[key].name;
}

const char *query_key_values(enum query_key key)
{
	return keys[key].values;
}

const char *query_metric_name(enum heat_metric metric)
{
	return metric_words[metric];
}

const char *query_tab_name(unsigned char tab)
{
	return tab_words[tab];
}

const char *query_period_name(enum period period)
{
	return period_words[period];
}

int64_t query_period_ms(enum period period)
{
	static const int days[PERIODS] = {[PERIOD_1D] = 1, [PERIOD_7D] = 7, [PERIOD_30D] = 30};

	return days[period] * INT64_C(86400000);
}

const char *query_notice_name(enum notice notice)
{
	return notice_words[notice];
}

/* `needle` is in lower case. */
static bool contains(struct span text, struct span needle)
{
	size_t at, i;

	for (at = 0; at + needle.len <= text.len; at++) {
		for (i = 0; i < needle.len && text_lower(text.ptr[at + i]) == needle.ptr[i]; i++)
			;
		if (i == needle.len)
			return true;
	}
	return false;
}

bool query_match(const struct query *q, const struct server *server)
{
	int level = (int)level_of(server->risk);

	if (q->profile >= 0 && (int)server->profile != q->profile)
		return false;
	if (q->level >= 0 && (q->level_up ? level > q->level : level != q->level))
		return false;
	return contains(server->name, span_str(q->q));
}
