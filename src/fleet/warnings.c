/* SPDX-License-Identifier: MIT */
/* Outcomes of warnings: the limits, the records, what follows from the counts. */
#include "config.h"
#include "fleet/warnings.h"

#include <assert.h>
#include <math.h>

#include "base/html.h"
#include "base/pack.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fleet/risk.h"

#define MAGIC    "TFTw"
#define BODY_MAX (1u << 20)
#define HOUR_MS  INT64_C(3600000)
#define FORMAT   "1"
#define TIME_MAX INT64_C(1000000000000000) /* ms: in the year 33658 */

const struct warning_outcome_info warning_outcome_table[WARNING_OUTCOMES] = {
	[WARNING_HIT] = {"came true", "hit", "\u2713"},
	[WARNING_MISS] = {"missed", "miss", "\u2717"},
	[WARNING_FALSE] = {"false alarm", "false-alarm", "\u25cb"},
	[WARNING_LOST] = {"not known", "unknown", "\u2026"},
};

const char *const warning_kind_names[WARNING_KINDS] = {
	[WARNING_RISK] = "risk", [WARNING_WARNING] = "warning", [WARNING_CRITICAL] = "critical"};

#define BOTH(index, name, slug, forecast)                                                          \
	{WARNING_WARNING, index, name, slug, forecast},                                            \
	{                                                                                          \
		WARNING_CRITICAL, index, name, slug, forecast                                      \
	}

const struct warning_limit warning_limits[WARNING_LIMITS] = {
	{WARNING_RISK, COMPONENT_CPU_PREDICTED, "CPU used", "cpu", KEPT_CPU},
	{WARNING_RISK, COMPONENT_IOWAIT_PREDICTED, "I/O wait", "iowait", KEPT_IOWAIT},
	{WARNING_RISK, COMPONENT_MEMORY_PREDICTED, "Memory", "memory", KEPT_MEMORY},
	{WARNING_RISK, COMPONENT_LOAD_PREDICTED, "Load", "load", KEPT_LOAD},
	BOTH(CROSSING_CPU_USER, "CPU user", "cpu_user", KEPT_CPU_USER),
	BOTH(CROSSING_MEM_USED, "Memory", "memory", KEPT_MEMORY),
	BOTH(CROSSING_IOWAIT, "I/O wait", "iowait", KEPT_IOWAIT),
	BOTH(CROSSING_SWAP_USED, "Swap", "swap", KEPT_METRICS),
	BOTH(CROSSING_DISK_USAGE, "Disk", "disk", KEPT_METRICS),
};

/* The lowest step of a predicted part is where it begins to count. */
static double lowest_step(enum component component, bool database)
{
	const struct risk_step *steps = risk_steps(component, database);
	size_t i = 0;

	while (i + 1 < RISK_STEPS && steps[i + 1].points)
		i++;
	return steps[i].limit;
}

double warning_limit_of(size_t limit, bool database, bool *above)
{
	const struct warning_limit *l = &warning_limits[limit];

	*above = false;
	if (l->kind == WARNING_WARNING)
		return crossing_table[l->index].warning;
	if (l->kind == WARNING_CRITICAL)
		return crossing_table[l->index].critical;
	*above = risk_rule((enum component)l->index)->above;
	return lowest_step((enum component)l->index, database);
}

size_t warning_horizon(size_t limit)
{
	return warning_limits[limit].kind == WARNING_RISK ? 0 : 1;
}

const char *warning_unit(size_t limit)
{
	return warning_limits[limit].forecast == KEPT_LOAD ? "" : "%";
}

/* ---- the record of an hour ---- */

#define CELLS (WARNING_LIMITS * PROFILE_COUNT)
/* Counts beyond this do not come from us, and adding hundreds of smaller ones cannot overflow. */
#define COUNT_MOST (INT64_C(1) << 40)

static_assert(CELLS < UINT8_MAX, "the number of a cell has one byte");

static bool is_empty(const struct warning_sums *sums)
{
	for (int i = 0; i < WARNING_OUTCOMES; i++)
		if (sums->outcomes[i])
			return false;
	return true;
}

static void put_cell(const struct warning_sums *sums, struct buf *out)
{
	for (int i = 0; i < WARNING_OUTCOMES; i++)
		bytes_put_varint(out, sums->outcomes[i]);
	for (int i = 0; i < WARNING_LEADS; i++) {
		if (!sums->leads[i])
			continue;
		bytes_put_int(out, (uint64_t)i, 1);
		bytes_put_varint(out, sums->leads[i]);
	}
	bytes_put_int(out, WARNING_LEADS, 1);
}

void warnings_encode(const struct warnings_hour *hour, struct buf *out)
{
	const struct warning_sums *sums = &hour->sums[0][0];
	struct buf body;

	buf_init(&body, BODY_MAX);
	bytes_put_int(&body, (uint64_t)hour->at_ms, 8);
	for (size_t i = 0; i < CELLS; i++) {
		if (is_empty(&sums[i]))
			continue;
		bytes_put_int(&body, i, 1);
		put_cell(&sums[i], &body);
	}
	pack_seal(MAGIC, WARNINGS_FORMAT, &body, out);
	buf_free(&body);
}

static int64_t get_count(struct bytes_reader *r)
{
	int64_t count = bytes_get_varint(r);

	r->bad |= count < 0 || count > COUNT_MOST;
	return count;
}

static void get_cell(struct bytes_reader *r, struct warning_sums *sums)
{
	int64_t hits = 0;
	int lead;

	for (int i = 0; i < WARNING_OUTCOMES; i++)
		sums->outcomes[i] = get_count(r);
	while ((lead = bytes_get_upto(r, 1, WARNING_LEADS)) < WARNING_LEADS && !r->bad)
		hits += sums->leads[lead] = get_count(r);
	r->bad |= hits != sums->outcomes[WARNING_HIT];
}

int warnings_decode(struct span bytes, struct warnings_hour *hour)
{
	struct bytes_reader r = pack_open(bytes, MAGIC, WARNINGS_FORMAT);

	memset(hour, 0, sizeof(*hour));
	hour->at_ms = (int64_t)bytes_get_int(&r, 8);
	r.bad |= hour->at_ms < 0 || hour->at_ms > TIME_MAX || hour->at_ms % HOUR_MS != 0;
	while (r.rest.len > 0 && !r.bad)
		get_cell(&r, &hour->sums[0][0] + bytes_get_upto(&r, 1, CELLS - 1));
	if (r.bad)
		memset(hour, 0, sizeof(*hour));
	return r.bad ? -1 : 0;
}

/* ---- lines ---- */

static void put_number(int64_t n, struct buf *out)
{
	buf_char(out, ' ');
	buf_int(out, n);
}

void warnings_put_line(const struct warning_event *event, struct span name, struct buf *out)
{
	if (out->len)
		buf_char(out, '\n');
	buf_lit(out, FORMAT);
	put_number(event->outcome, out);
	put_number((int64_t)event->limit, out);
	put_number(event->profile, out);
	put_number(event->warned_ms, out);
	buf_char(out, ' ');
	html_url(out, name);
}

/* The next number of a line and the blank after it; -1: there is none, or it is above the limit. */
static int64_t take_number(struct span *line, int64_t max)
{
	int64_t n = text_decimal(text_cut(line, ' '));

	return n <= max ? n : -1;
}

static bool take_line(struct span *line, int64_t at_ms, struct warning_event *event)
{
	bool known = span_is(text_cut(line, ' '), FORMAT);
	int64_t outcome = take_number(line, WARNING_OUTCOMES - 1),
		limit = take_number(line, WARNING_LIMITS - 1),
		profile = take_number(line, PROFILE_COUNT - 1), warned = take_number(line, at_ms);

	if (!known || outcome < 0 || limit < 0 || profile < 0 || warned < 0)
		return false;
	*event = (struct warning_event){.outcome = (enum warning_outcome)outcome,
					.limit = (size_t)limit,
					.profile = (enum profile)profile,
					.warned_ms = warned,
					.at_ms = at_ms};
	return (outcome == WARNING_MISS) == (warned == 0);
}

/* ---- a range ---- */

void warnings_init(struct warnings *warnings, int64_t from_ms, int64_t to_ms)
{
	memset(warnings, 0, sizeof(*warnings));
	warnings->from_ms = from_ms;
	warnings->to_ms = to_ms;
	buf_init(&warnings->events, 2 * WARNINGS_KEPT * sizeof(struct warning_event));
	buf_init(&warnings->names, 2 * WARNINGS_KEPT * SNAPSHOT_NAME_MAX);
}

void warnings_free(struct warnings *warnings)
{
	buf_free(&warnings->events);
	buf_free(&warnings->names);
}

static void add_sums(struct warning_sums *to, const struct warning_sums *from)
{
	for (int i = 0; i < WARNING_OUTCOMES; i++)
		to->outcomes[i] += from->outcomes[i];
	for (int i = 0; i < WARNING_LEADS; i++)
		to->leads[i] += from->leads[i];
}

void warnings_add_hour(struct warnings *warnings, const struct warnings_hour *hour)
{
	if (hour->at_ms < warnings->from_ms || hour->at_ms >= warnings->to_ms)
		return;
	for (size_t l = 0; l < WARNING_LIMITS; l++)
		for (size_t p = 0; p < PROFILE_COUNT; p++) {
			add_sums(&warnings->sums[l][p], &hour->sums[l][p]);
			add_sums(&warnings->sums[l][WARNINGS_ALL], &hour->sums[l][p]);
		}
}

int warnings_add_line(struct warnings *warnings, int64_t at_ms, struct span line)
{
	size_t at = warnings->names.len;
	struct warning_event event;
	struct span name;

	if (!take_line(&line, at_ms, &event))
		return -1;
	while (line.len)
		buf_char(&warnings->names, text_take_encoded(&line));
	event.name_at = (uint32_t)at;
	event.name_len = (uint32_t)(warnings->names.len - at);
	if (!buf_ok(&warnings->names) || !event.name_len || event.name_len > SNAPSHOT_NAME_MAX)
		return -1;
	name = warning_name(warnings, &event);
	if (!utf8_valid(name))
		return -1;
	buf_add(&warnings->events, &event, sizeof(event));
	return 0;
}

size_t warnings_count(const struct warnings *warnings)
{
	return warnings->events.len / sizeof(struct warning_event);
}

const struct warning_event *warnings_events(const struct warnings *warnings)
{
	return (const struct warning_event *)(const void *)warnings->events.data;
}

struct span warning_name(const struct warnings *warnings, const struct warning_event *event)
{
	return (struct span){warnings->names.data + event->name_at, event->name_len};
}

/* ---- what follows from the counts ---- */

static double share(int64_t part, int64_t rest)
{
	return part + rest > 0 ? (double)part / (double)(part + rest) : (double)NAN;
}

double warning_precision(const struct warning_sums *sums)
{
	return share(sums->outcomes[WARNING_HIT], sums->outcomes[WARNING_FALSE]);
}

double warning_recall(const struct warning_sums *sums)
{
	return share(sums->outcomes[WARNING_HIT], sums->outcomes[WARNING_MISS]);
}

double warning_lead(const struct warning_sums *sums)
{
	int64_t before = 0, half = (sums->outcomes[WARNING_HIT] + 1) / 2;

	for (int i = 0; i < WARNING_LEADS && half > 0; i++) {
		before += sums->leads[i];
		if (before >= half)
			return i;
	}
	return NAN;
}
