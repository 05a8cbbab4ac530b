/* SPDX-License-Identifier: MIT */
/* The parameter table: one row per key says how its value is read, written and explained. Row order
 * is the canonical order. */
#include "config.h"

#include "pages/query.h"

#include <math.h>

#include "base/html.h"
#include "base/json.h"
#include "fleet/snapshot.h"
#include "base/utf8.h"

#define VALUE_MAX   64 /* bytes of a decoded value */
#define PAGE_MAX    50
#define DECIMAL_MAX 16 /* characters of a decimal number; fewer digits than a double holds */
#define EVERY_MIN   10
#define EVERY_MAX   300
#define REFRESH_MIN 5
#define REFRESH_MAX 300
/* Names that ask for another time than now, or for another clock. */
#define TIME_NAMES "bucket,at,time,from,to,since,until,start,end,range,tz"

static const char *const metric_words[HEAT_METRICS] = {
	[HEAT_RISK] = "risk",
	[HEAT_CPU] = "cpu",
	[HEAT_MEMORY] = "memory",
	[HEAT_LOAD] = "load",
};
static const char *const group_words[] = {[GROUP_NONE] = "none", [GROUP_PROFILE] = "profile"};
/* The first word of these two is the default and has no name in a URL. */
static const char *const view_words[] = {[VIEW_KIOSK] = "kiosk", [VIEW_COMPACT] = "compact"};
static const char *const format_words[] = {[FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};
static const char *const sort_words[SORT_KEYS] = {
	[SORT_RISK] = "risk", [SORT_NAME] = "name",   [SORT_PROFILE] = "profile",
	[SORT_CPU] = "cpu",   [SORT_CPU30] = "cpu30", [SORT_CPU90] = "cpu90",
	[SORT_DCPU] = "dcpu", [SORT_IO] = "io",       [SORT_IO30] = "io30",
	[SORT_DIO] = "dio",   [SORT_MEM] = "mem",     [SORT_MEM30] = "mem30",
	[SORT_DMEM] = "dmem", [SORT_VALUE] = "value", [SORT_COST] = "cost",
};

static const char *const notice_words[NOTICES] = {
	[NOTICE_REFRESHED] = "refreshed", [NOTICE_HEALTHY] = "healthy",
	[NOTICE_DEGRADING] = "degrading", [NOTICE_CRITICAL] = "critical",
	[NOTICE_UNCHANGED] = "unchanged", [NOTICE_UNKNOWN] = "unknown",
};

static const char *const tab_words[QUERY_TABS_MAX] = {
	"overview",    "heatmap",  "top",  "history", "cost",
	"remediation", "alerting", "docs", "roadmap",
};

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* What reading a value can give. */
enum found { FOUND_BAD = -1, FOUND_DEFAULT, FOUND_OTHER };

/* Index of the word, -1 for none. */
static int find_word(const char *const *words, int count, struct span value)
{
	int i;

	for (i = 0; i < count; i++)
		if (words[i] != NULL && span_is(value, words[i]))
			return i;
	return -1;
}

static enum found found_word(int index)
{
	return index < 0 ? FOUND_BAD : index == 0 ? FOUND_DEFAULT : FOUND_OTHER;
}

/* Decimal digits only, no sign, no space; numbers above max give max + 1. -1: not a number. */
static int read_number(struct span value, int max)
{
	int number = 0;
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return -1;
		if (number <= max)
			number = number * 10 + (value.ptr[i] - '0');
	}
	return number <= max ? number : max + 1;
}

static enum found read_profile(struct query *q, struct span value)
{
	int p;

	for (p = 0; p < PROFILE_COUNT; p++) {
		if (!span_is(value, profile_table[p].slug))
			continue;
		q->profile = p;
		return FOUND_OTHER;
	}
	return FOUND_BAD;
}

static void write_profile(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(profile_table[q->profile].slug));
}

static enum found read_sev(struct query *q, struct span value)
{
	static const struct span up = {"-up", 3};
	int l;

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

static void write_sev(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(level_table[q->level].slug));
	if (q->level_up)
		buf_lit(out, "-up");
}

static enum found read_metric(struct query *q, struct span value)
{
	int i = find_word(metric_words, HEAT_METRICS, value);

	if (i >= 0)
		q->metric = (enum heat_metric)i;
	return found_word(i);
}

static void write_metric(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(metric_words[q->metric]));
}

static enum found read_history(struct query *q, struct span value)
{
	int i = find_word(history_metric_words, HISTORY_METRICS, value);

	if (i >= 0)
		q->history = (enum history_metric)i;
	return found_word(i);
}

static void write_history(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(history_metric_words[q->history]));
}

static enum found read_group(struct query *q, struct span value)
{
	int i = find_word(group_words, COUNT(group_words), value);

	if (i >= 0)
		q->group = (enum group_by)i;
	return found_word(i);
}

static void write_group(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(group_words[q->group]));
}

/* q->sort holds the default of the page until here. */
static enum found read_sort(struct query *q, struct span value)
{
	bool descending = value.ptr[0] == '-';
	int i = find_word(sort_words, SORT_KEYS,
			  (struct span){value.ptr + descending, value.len - descending});

	if (i < 0)
		return FOUND_BAD;
	if (q->sort == (enum sort_key)i && q->sort_descending == descending)
		return FOUND_DEFAULT;
	q->sort = (enum sort_key)i;
	q->sort_descending = descending;
	return FOUND_OTHER;
}

static void write_sort(const struct query *q, struct buf *out)
{
	if (q->sort_descending)
		buf_char(out, '-');
	buf_span_add(out, span_str(sort_words[q->sort]));
}

static enum found read_n(struct query *q, struct span value)
{
	int n = read_number(value, QUERY_N_MAX);

	if (n < QUERY_N_DEFAULT || n > QUERY_N_MAX)
		return FOUND_BAD;
	q->n = n;
	return n == QUERY_N_DEFAULT ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_n(const struct query *q, struct buf *out)
{
	buf_addf(out, "%d", q->n);
}

static enum found read_page(struct query *q, struct span value)
{
	int page = read_number(value, PAGE_MAX);

	if (page < 1 || page > PAGE_MAX)
		return FOUND_BAD;
	q->page = page;
	return page == 1 ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_page(const struct query *q, struct buf *out)
{
	buf_addf(out, "%d", q->page);
}

static enum found read_range(struct query *q, struct span value)
{
	int i = find_word(history_range_words, HISTORY_RANGES, value);

	if (i >= 0)
		q->range = (enum history_range)i;
	return found_word(i);
}

static void write_range(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(history_range_words[q->range]));
}

static enum found read_view(struct query *q, struct span value)
{
	int i = find_word(view_words, COUNT(view_words), value);

	if (i >= 0)
		q->view = (enum view_kind)i;
	return found_word(i);
}

static void write_view(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(view_words[q->view]));
}

static enum found read_format(struct query *q, struct span value)
{
	int i = find_word(format_words, COUNT(format_words), value);

	if (i >= 0)
		q->format = (enum format)i;
	return found_word(i);
}

static void write_format(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(format_words[q->format]));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, with at most COST_DECIMALS of them behind a point. NaN: anything else, or too many to be
 * exact. */
static double read_decimal(struct span value)
{
	double number = 0, unit = 1;
	int decimals = -1; /* no point yet */

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (is_digit(c)) {
			number = 10 * number + (c - '0');
			decimals += decimals >= 0;
		} else if (c == '.' && decimals < 0 && i > 0) {
			decimals = 0;
		} else {
			return (double)NAN;
		}
	}
	if (value.len > DECIMAL_MAX || decimals == 0 || decimals > COST_DECIMALS)
		return (double)NAN;
	for (; decimals > 0; decimals--)
		unit *= 10;
	return number / unit;
}

static enum found read_cost(struct query *q, enum cost_input input, struct span value)
{
	const struct cost_input_info *info = &cost_input_table[input];
	double number = read_decimal(value);

	if (!(number >= info->min && number <= info->max))
		return FOUND_BAD;
	q->cost[input] = number;
	return number == info->standard ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_cost(const struct query *q, enum cost_input input, struct buf *out)
{
	struct json number;

	json_init(&number, out);
	json_num(&number, NULL, q->cost[input]);
}

#define COST_PARAMETER(name, input)                                                                \
	static enum found read_##name(struct query *q, struct span value)                          \
	{                                                                                          \
		return read_cost(q, input, value);                                                 \
	}                                                                                          \
	static void write_##name(const struct query *q, struct buf *out)                           \
	{                                                                                          \
		write_cost(q, input, out);                                                         \
	}

COST_PARAMETER(cost_per_hour, COST_PER_HOUR)
COST_PARAMETER(avg_hours, COST_HOURS)
COST_PARAMETER(prevention_pct, COST_PREVENTION)
COST_PARAMETER(project_cost, COST_PROJECT)

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static enum found read_q(struct query *q, struct span value)
{
	size_t i, n;
	uint32_t c;

	for (i = 0; i < value.len; i += n) {
		n = utf8_next(value, i, &c);
		if (n == 0 || utf8_is_hidden(c))
			return FOUND_BAD;
	}
	for (i = 0; i < value.len; i++)
		q->q[i] = lower(value.ptr[i]);
	q->q[value.len] = '\0';
	return FOUND_OTHER;
}

static void write_q(const struct query *q, struct buf *out)
{
	html_url(out, span_str(q->q));
}

/* Cuts the text before the first `mark` off *rest, which is left behind it. */
static struct span cut(struct span *rest, char mark)
{
	const char *end = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
	struct span head = *rest;

	if (end == NULL) {
		*rest = (struct span){NULL, 0};
		return head;
	}
	head.len = (size_t)(end - head.ptr);
	*rest = (struct span){end + 1, rest->len - head.len - 1};
	return head;
}

static enum found read_tabs(struct query *q, struct span value)
{
	unsigned char tabs[QUERY_TABS_MAX];
	int count = 0;

	while (value.len > 0) {
		int i = find_word(tab_words, QUERY_TABS_MAX, cut(&value, ','));

		if (i < 0 || count == QUERY_TABS_MAX)
			return FOUND_BAD;
		tabs[count++] = (unsigned char)i;
	}
	memcpy(q->tabs, tabs, sizeof(tabs[0]) * (size_t)count);
	q->tab_count = count;
	return FOUND_OTHER;
}

static void write_tabs(const struct query *q, struct buf *out)
{
	for (int i = 0; i < q->tab_count; i++) {
		if (i > 0)
			buf_char(out, ',');
		buf_span_add(out, span_str(tab_words[q->tabs[i]]));
	}
}

static enum found read_every(struct query *q, struct span value)
{
	int s = read_number(value, EVERY_MAX);

	if (s < EVERY_MIN || s > EVERY_MAX)
		return FOUND_BAD;
	q->every_s = s;
	return s == QUERY_EVERY_DEFAULT ? FOUND_DEFAULT : FOUND_OTHER;
}

static void write_every(const struct query *q, struct buf *out)
{
	buf_addf(out, "%d", q->every_s);
}

static enum found read_refresh(struct query *q, struct span value)
{
	int s = read_number(value, REFRESH_MAX);

	if (s < 0)
		return FOUND_BAD;
	if (s == 0)
		return FOUND_DEFAULT;
	q->refresh_s = s < REFRESH_MIN ? REFRESH_MIN : s > REFRESH_MAX ? REFRESH_MAX : s;
	return FOUND_OTHER;
}

static void write_refresh(const struct query *q, struct buf *out)
{
	buf_addf(out, "%d", q->refresh_s);
}

static enum found read_notice(struct query *q, struct span value)
{
	int i = find_word(notice_words, NOTICES, value);

	if (i >= 0)
		q->notice = (enum notice)i;
	return found_word(i);
}

static void write_notice(const struct query *q, struct buf *out)
{
	buf_span_add(out, span_str(notice_words[q->notice]));
}

static const struct {
	const char *name;
	const char *values; /* in words */
	/* value: decoded, 1..VALUE_MAX bytes. Changes the query only when the value is valid. */
	enum found (*read)(struct query *q, struct span value);
	void (*write)(const struct query *q, struct buf *out);
} keys[QUERY_KEYS] = {
	[QUERY_PROFILE] = {"profile", "ml, db, web, conductor, etl, risk, generic", read_profile,
			   write_profile},
	[QUERY_SEV] = {"sev",
		       "imminent, critical, danger, warning, degrading, watch, healthy, each also "
		       "with -up for it and everything worse",
		       read_sev, write_sev},
	[QUERY_METRIC] = {"metric", "risk, cpu, memory, load", read_metric, write_metric},
	[QUERY_HISTORY] = {"metric", "prob_30m, prob_8h, fleet_health, risk, levels", read_history,
			   write_history},
	[QUERY_GROUP] = {"group", "none, profile", read_group, write_group},
	[QUERY_SORT] = {"sort",
			"risk, name, profile, cpu, cpu30, cpu90, dcpu, io, io30, dio, mem, mem30, "
			"dmem, value, cost, each also with - in front for descending",
			read_sort, write_sort},
	[QUERY_N] = {"n", "5 to 20", read_n, write_n},
	[QUERY_PAGE] = {"page", "1 to 50", read_page, write_page},
	[QUERY_RANGE] = {"range", "30m, 1h, 8h, 1d, 7d", read_range, write_range},
	[QUERY_VIEW] = {"view", "kiosk, compact", read_view, write_view},
	[QUERY_FORMAT] = {"format", "json, csv", read_format, write_format},
	[QUERY_COST_PER_HOUR] = {"cost_per_hour", COST_RANGE, read_cost_per_hour,
				 write_cost_per_hour},
	[QUERY_AVG_HOURS] = {"avg_hours", COST_RANGE, read_avg_hours, write_avg_hours},
	[QUERY_PREVENTION_PCT] = {"prevention_pct", COST_RANGE_PERCENT, read_prevention_pct,
				  write_prevention_pct},
	[QUERY_PROJECT_COST] = {"project_cost", COST_RANGE, read_project_cost, write_project_cost},
	[QUERY_Q] = {"q", "text of at most 64 bytes, valid UTF-8, no control characters", read_q,
		     write_q},
	[QUERY_TABS] = {"tabs",
			"up to nine of overview, heatmap, top, history, cost, remediation, "
			"alerting, docs, roadmap with commas between them",
			read_tabs, write_tabs},
	[QUERY_EVERY] = {"every", "seconds (10 to 300)", read_every, write_every},
	[QUERY_REFRESH] = {"refresh", "0, or seconds (5 to 300)", read_refresh, write_refresh},
	[QUERY_NOTICE] = {"notice", "refreshed, healthy, degrading, critical, unchanged, unknown",
			  read_notice, write_notice},
	[QUERY_TIME] = {TIME_NAMES, "none: this page shows the present", NULL, NULL},
};

void query_init(struct query *q)
{
	*q = (struct query){.profile = -1,
			    .level = -1,
			    .sort = SORT_RISK,
			    .sort_descending = true,
			    .n = QUERY_N_DEFAULT,
			    .every_s = QUERY_EVERY_DEFAULT,
			    .page = 1};
	for (int i = 0; i < COST_INPUTS; i++)
		q->cost[i] = cost_input_table[i].standard;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a form value. -1 when it is longer than VALUE_MAX. Bad percent sequences are taken
 * literally. */
static int decode_value(struct span raw, char out[VALUE_MAX], size_t *len)
{
	size_t i, n = 0;

	for (i = 0; i < raw.len; i++, n++) {
		char c = raw.ptr[i];

		if (n == VALUE_MAX)
			return -1;
		if (c == '+') {
			c = ' ';
		} else if (c == '%' && raw.len - i > 2 && hex(raw.ptr[i + 1]) >= 0 &&
			   hex(raw.ptr[i + 2]) >= 0) {
			c = (char)(hex(raw.ptr[i + 1]) << 4 | hex(raw.ptr[i + 2]));
			i += 2;
		}
		out[n] = c;
	}
	*len = n;
	return 0;
}

/* A form sends every field, so an empty value means the default. */
static enum found read_value(struct query *q, enum query_key key, struct span raw)
{
	char value[VALUE_MAX];
	size_t len;

	if (decode_value(raw, value, &len) != 0)
		return FOUND_BAD;
	return len == 0 ? FOUND_DEFAULT : keys[key].read(q, (struct span){value, len});
}

/* Of the keys in `wanted`: a page has one key of a name, but two pages may give a name different
 * values. */
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
		if (span_eq(cut(&names, ','), name))
			return true;
	return false;
}

/* What a name of an address means that has `seen` before it; QUERY_KEYS: nothing. */
static int key_of(struct span name, unsigned allowed, unsigned seen)
{
	int key = find_key(name, allowed & ~seen);

	if (key == QUERY_KEYS && find_key(name, seen) == QUERY_KEYS && is_time(name))
		return QUERY_TIME;
	return key;
}

/* Where a metric can be chosen it is also what the list is ordered by. */
static enum sort_key standard_sort(unsigned allowed)
{
	return allowed & QUERY_BIT(QUERY_METRIC) ? SORT_VALUE : SORT_RISK;
}

int query_parse(struct query *q, struct span raw, unsigned allowed, enum query_key *bad)
{
	unsigned seen = 0;
	int rc = 0;

	q->sort = standard_sort(allowed);
	while (raw.len > 0) {
		struct span value = cut(&raw, '&');
		struct span name = cut(&value, '=');
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

void query_sort(struct query *q, unsigned allowed, enum sort_key sort, bool descending)
{
	q->sort = sort;
	q->sort_descending = descending;
	q->given &= ~QUERY_BIT(QUERY_SORT);
	if (sort != standard_sort(allowed) || !descending)
		q->given |= QUERY_BIT(QUERY_SORT);
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
		keys[k].write(q, out);
	}
}

void query_write_value(const struct query *q, enum query_key key, struct buf *out)
{
	keys[key].write(q, out);
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

const char *query_notice_name(enum notice notice)
{
	return notice_words[notice];
}

/* `needle` is in lower case. */
static bool contains(struct span text, struct span needle)
{
	size_t at, i;

	for (at = 0; at + needle.len <= text.len; at++) {
		for (i = 0; i < needle.len && lower(text.ptr[at + i]) == needle.ptr[i]; i++)
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
	if (q->level >= 0 && level != q->level && !(q->level_up && level < q->level))
		return false;
	return contains(server->name, span_str(q->q));
}
