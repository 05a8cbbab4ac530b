/* SPDX-License-Identifier: MIT */
/*
 * Servers are ordered by name, so that each name shares a prefix with the previous one. Each
 * quantity is a column: the difference between its values and the guess from earlier columns is
 * small (base/rice.h). zlib compresses what hardly differs from server to server.
 */
#include "config.h"
#include "fleet/moment.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/pack.h"
#include "base/range.h"
#include "fleet/head.h"
#include "fleet/names.h"
#include "fleet/risk.h"
#include "fleet/shown.h"

#define MAGIC "TFTm"
#define ALONE 0 /* in place of a base */
/* The packed part, per server: name and profile. */
#define SERVER_BYTES_MAX (2 + SNAPSHOT_NAME_MAX + 1)
#define HEAD_BYTES_MAX   8192
#define PART_BYTES_MAX   (HEAD_BYTES_MAX + (size_t)SNAPSHOT_SERVERS * SERVER_BYTES_MAX)
#define PERCENT_MOST     100
#define PEAK_MOST        PERCENT_MOST

/* ---- the columns ---- */

/* What a value is close to. */
enum guess {
	GUESS_NOTHING,
	GUESS_NOW,
	GUESS_CHANGE,   /* predicted - now, as printed: the change differs by a tenth at most */
	GUESS_PREDICTED /* worst */
};

/* A value of a server, kept in units of 1/scale. Reading by reading, in the order of the guesses:
 * now, predicted, change, worst. */
static const struct column {
	size_t at;
	int scale;
	enum guess guess;
	double most;
} columns[] = {
#define COLUMN(member, scale, guess, most)                                                         \
	{                                                                                          \
		offsetof(struct server, member), scale, guess, most                                \
	}
#define READING(member, scale_now, most)                                                           \
	COLUMN(member.now, scale_now, GUESS_NOTHING, most),                                        \
		COLUMN(member.predicted, 10, GUESS_NOW, most),                                     \
		COLUMN(member.change, 10, GUESS_CHANGE, most),                                     \
		COLUMN(member.worst, 10, GUESS_PREDICTED, most)
	READING(cpu, 10, PERCENT_MOST),
	READING(iowait, 10, PERCENT_MOST),
	READING(memory, 10, PERCENT_MOST),
	READING(load, 100, METRIC_LOAD_MOST), /* the busiest servers show it with two decimals */
	COLUMN(swap_now, 10, GUESS_NOTHING, PERCENT_MOST),
};

#define COLUMNS      (sizeof(columns) / sizeof(columns[0]))
#define HAS_DATA_BIT COLUMNS /* in the mask of a server's flags */

static double get_value(const struct server *server, const struct column *column)
{
	double value;

	memcpy(&value, (const char *)server + column->at, sizeof(value));
	return value;
}

static void set_value(struct server *server, const struct column *column, double value)
{
	memcpy((char *)server + column->at, &value, sizeof(value));
}

/* All columns of all servers, while they are written or read. */
struct columns {
	size_t count;      /* servers */
	int32_t *values;   /* owned; COLUMNS rows of `count` */
	int32_t *work;     /* owned; a row */
	int32_t *profiles; /* owned; a row */
};

static int columns_init(struct columns *c, size_t count)
{
	c->count = count;
	c->values = calloc(count ? count : 1, (COLUMNS + 2) * sizeof(*c->values));
	c->work = c->values ? c->values + COLUMNS * count : NULL;
	c->profiles = c->values ? c->work + count : NULL;
	return c->values ? 0 : -1;
}

static int32_t *row(const struct columns *c, size_t column)
{
	return c->values + column * c->count;
}

/* The guess of a value from the earlier columns. */
static int32_t guess(const struct columns *c, size_t column, size_t i)
{
	int32_t now_units;

	switch (columns[column].guess) {
	case GUESS_NOW:
		return row(c, column - 1)[i] / (columns[column - 1].scale / 10);
	case GUESS_CHANGE:
		now_units = row(c, column - 2)[i] / (columns[column - 2].scale / 10);
		return range_residual(row(c, column - 1)[i], now_units);
	case GUESS_PREDICTED:
		return row(c, column - 2)[i];
	case GUESS_NOTHING:
		break;
	}
	return 0;
}

/* By how much the values of a column are more than their guesses, on average: of the servers of a
 * profile so far, or if there are none, of all so far. */
struct excess {
	int64_t sum[PROFILE_COUNT + 1], count[PROFILE_COUNT + 1]; /* the last one: of all */
};

static int32_t mean_excess(const struct excess *e, int32_t profile)
{
	int32_t of = e->count[profile] ? profile : PROFILE_COUNT;

	return e->count[of] ? (int32_t)(e->sum[of] / e->count[of]) : 0;
}

static void add_excess(struct excess *e, int32_t profile, int32_t value)
{
	e->sum[profile] += value;
	e->count[profile]++;
	e->sum[PROFILE_COUNT] += value;
	e->count[PROFILE_COUNT]++;
}

/* ---- sides ---- */

/* Whether the side matters: limits are whole numbers, and a value with two decimals is also printed
 * with one. A change has no limits. */
static bool has_side(size_t column, int32_t units)
{
	int scale = columns[column].scale;

	if (columns[column].guess == GUESS_CHANGE)
		return false;
	return units % scale == 0 || (scale == 100 && units % 10 == 5);
}

static double value_of(size_t column, int32_t units)
{
	return (double)units / columns[column].scale;
}

/* Smaller than any printed digit. */
static double nudge(size_t column)
{
	return 0.01 / columns[column].scale;
}

/* ---- writing ---- */

static int32_t units_of(const struct column *column, double value)
{
	if (isnan(value))
		return 0;
	return (int32_t)lround(column->scale == 10 ? shown(value) * 10 : value * column->scale);
}

static void fill(struct columns *c, const struct server *const *servers)
{
	for (size_t i = 0; i < c->count; i++)
		c->profiles[i] = (int32_t)servers[i]->profile;
	for (size_t column = 0; column < COLUMNS; column++)
		for (size_t i = 0; i < c->count; i++)
			row(c, column)[i] =
				units_of(&columns[column], get_value(servers[i], &columns[column]));
}

static void put_masks(const struct columns *c, const struct server *const *servers,
		      struct range_writer *out)
{
	for (size_t i = 0; i < c->count; i++) {
		uint32_t absent = servers[i]->has_data ? 0 : 1u << HAS_DATA_BIT;

		for (size_t column = 0; column < COLUMNS; column++)
			if (isnan(get_value(servers[i], &columns[column])))
				absent |= 1u << column;
		c->work[i] = (int32_t)absent;
	}
	range_put(out, c->work, c->count);
}

static void put_values(const struct columns *c, struct range_writer *out)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		struct excess excess = {{0}, {0}};

		for (size_t i = 0; i < c->count; i++) {
			int32_t more = range_residual(row(c, column)[i], guess(c, column, i));

			c->work[i] = range_residual(more, mean_excess(&excess, c->profiles[i]));
			add_excess(&excess, c->profiles[i], more);
		}
		range_put(out, c->work, c->count);
	}
}

static void put_sides(const struct columns *c, const struct server *const *servers,
		      struct range_writer *out)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		size_t n = 0;

		for (size_t i = 0; i < c->count; i++) {
			int32_t units = row(c, column)[i];
			double value = get_value(servers[i], &columns[column]);
			double whole = value_of(column, units);

			if (has_side(column, units))
				c->work[n++] = (value > whole) - (value < whole);
		}
		range_put(out, c->work, n);
	}
}

/* Seconds before the snapshot, plus 1; 0: not silent. */
static void put_silence(const struct columns *c, const struct snapshot *s,
			const struct server *const *servers, struct range_writer *out)
{
	for (size_t i = 0; i < c->count; i++) {
		int64_t seconds = s->gen_ms / 1000 - servers[i]->same_since_ms / 1000;

		c->work[i] = server_is_silent(servers[i], s->gen_ms) && seconds < INT32_MAX
				     ? (int32_t)seconds + 1
				     : 0;
	}
	range_put(out, c->work, c->count);
}

/* Of those that are not Healthy, which follows from the values: buckets before this one plus 1; 0:
 * not known. */
static void put_levels(const struct columns *c, const struct snapshot *s,
		       const struct server *const *servers, struct range_writer *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		int64_t since_ms = server_level_since(servers[i]);
		int64_t buckets = since_ms && s->interval_ms ? s->bucket - since_ms / s->interval_ms
							     : INT32_MAX;

		if (level_of(servers[i]->risk) < LEVEL_HEALTHY)
			c->work[n++] =
				buckets >= 0 && buckets < INT32_MAX ? (int32_t)buckets + 1 : 0;
	}
	range_put(out, c->work, n);
}

/* Releases the list. */
static void put_list(struct buf *list, struct range_writer *out)
{
	if (!buf_ok(list))
		buf_fail(out->out);
	range_put(out, (const int32_t *)list->data, list->len / sizeof(int32_t));
	buf_free(list);
}

/* Each crossing is three numbers: index of its limits, steps (negative: the critical limit), peak
 * in tenths (-1: absent). */
enum { CROSSING_INDEX, CROSSING_STEP, CROSSING_PEAK, CROSSING_NUMBERS };

static int32_t crossing_number(const struct crossing *crossing, int32_t index, int number)
{
	switch (number) {
	case CROSSING_INDEX:
		return index;
	case CROSSING_STEP:
		return crossing->critical ? -crossing->steps : crossing->steps;
	default:
		return isnan(crossing->peak) ? -1 : (int32_t)lround(shown(crossing->peak) * 10);
	}
}

static void put_crossing_numbers(const struct server *const *servers, size_t count, int number,
				 struct range_writer *out)
{
	struct buf column;

	buf_init(&column, count * CROSSINGS * sizeof(int32_t));
	for (size_t i = 0; i < count; i++)
		for (int32_t k = 0; k < CROSSINGS; k++) {
			const struct crossing *crossing = &servers[i]->crossings[k];
			int32_t value = crossing_number(crossing, k, number);

			if (crossing->steps)
				buf_add(&column, &value, sizeof(value));
		}
	put_list(&column, out);
}

static void put_crossings(const struct columns *c, const struct server *const *servers,
			  struct range_writer *out)
{
	for (size_t i = 0; i < c->count; i++)
		c->work[i] = (int32_t)crossing_count(servers[i]->crossings);
	range_put(out, c->work, c->count);
	for (int number = 0; number < CROSSING_NUMBERS; number++)
		put_crossing_numbers(servers, c->count, number, out);
}

static void put_packed_part(const struct snapshot *s, const struct server *const *servers,
			    struct buf *out)
{
	head_put(out, s);
	bytes_put_int(out, s->count, 4);
	names_put(servers, s->count, out);
	for (size_t i = 0; i < s->count; i++)
		bytes_put_int(out, servers[i]->profile, 1);
}

static void put_columns(const struct snapshot *s, const struct server *const *servers,
			const struct columns *c, struct buf *out)
{
	struct range_writer w;

	range_begin(&w, out);
	put_masks(c, servers, &w);
	put_values(c, &w);
	put_sides(c, servers, &w);
	put_silence(c, s, servers, &w);
	put_levels(c, s, servers, &w);
	put_crossings(c, servers, &w);
	range_end(&w);
}

/* What a record is written or read beside: an earlier one, and its packed part. */
struct base {
	uint32_t id; /* the first bytes of its checksum; ALONE: there is none */
	struct buf part;
};

/* What a record has, whatever it is beside. */
struct content {
	struct buf part, columns;
};

static void content_make(struct content *content, const struct snapshot *s, size_t max)
{
	const struct server **servers = snapshot_by_name(s);
	struct columns c;

	buf_init(&content->part, PART_BYTES_MAX);
	buf_init(&content->columns, max);
	if (columns_init(&c, s->count) != 0 || (s->count && !servers)) {
		buf_fail(&content->part);
	} else {
		fill(&c, servers);
		put_packed_part(s, servers, &content->part);
		put_columns(s, servers, &c, &content->columns);
	}
	free(c.values);
	free(servers);
}

static void content_free(struct content *content)
{
	buf_free(&content->part);
	buf_free(&content->columns);
}

static void put_record(const struct content *content, const struct base *base, struct buf *out)
{
	struct buf body;

	buf_init(&body, out->max);
	if (!buf_ok(&content->part) || !buf_ok(&content->columns))
		buf_fail(&body);
	bytes_put_int(&body, base->id, sizeof(base->id));
	pack_put_bare(buf_span(&content->part), buf_span(&base->part), &body);
	buf_span_add(&body, buf_span(&content->columns));
	pack_seal(MAGIC, MOMENT_FORMAT, &body, out);
	buf_free(&body);
}

/* ---- the base ---- */

static void get_bare(struct bytes_reader *r, const struct base *base, struct buf *part)
{
	buf_init(part, PART_BYTES_MAX);
	r->bad |= bytes_get_int(r, sizeof(base->id)) != base->id;
	pack_get_bare(r, buf_span(&base->part), part);
}

/* False: the record cannot be read, or has a base itself. */
static bool base_open(struct base *base, struct span record)
{
	static const struct base none = {ALONE, {0}};
	struct bytes_reader id = {.rest = record}, r = pack_open(record, MAGIC, MOMENT_FORMAT);

	(void)bytes_get(&id, sizeof(MAGIC));
	base->id = (uint32_t)bytes_get_int(&id, sizeof(base->id));
	get_bare(&r, &none, &base->part);
	return !r.bad && base->id != ALONE;
}

static void put_alone(const struct content *content, struct buf *out)
{
	static const struct base none = {ALONE, {0}};

	put_record(content, &none, out);
}

static void put_beside(const struct content *content, struct span record, struct buf *out)
{
	struct base base;

	if (base_open(&base, record))
		put_record(content, &base, out);
	buf_free(&base.part);
}

void moment_encode(const struct snapshot *s, struct buf *out)
{
	struct content content;

	content_make(&content, s, out->max);
	put_alone(&content, out);
	content_free(&content);
}

void moment_encode_both(const struct snapshot *s, struct span record, struct buf *alone,
			struct buf *beside)
{
	struct content content;

	content_make(&content, s, alone->max);
	put_alone(&content, alone);
	put_beside(&content, record.len ? record : buf_span(alone), beside);
	content_free(&content);
}

/* ---- reading ---- */

static void get_packed_part(struct bytes_reader *r, struct snapshot *s)
{
	head_get(r, s);
	names_get(r, s, 0, (size_t)bytes_get_upto(r, 4, SNAPSHOT_SERVERS));
	for (size_t i = 0; i < s->count; i++)
		s->servers[i].profile = (enum profile)bytes_get_upto(r, 1, PROFILE_COUNT - 1);
	r->bad |= r->rest.len > 0;
}

/* Takes the part over. */
static void get_packed(struct bytes_reader *r, struct buf *part, struct snapshot *s)
{
	struct bytes_reader inner = {.rest = buf_span(part), .bad = r->bad};

	get_packed_part(&inner, s);
	r->bad = inner.bad;
	buf_free(part);
}

static void get_values(struct range_reader *in, const struct columns *c)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		struct excess excess = {{0}, {0}};

		range_get(in, row(c, column), c->count);
		for (size_t i = 0; i < c->count; i++) {
			int32_t more = range_value(row(c, column)[i],
						   mean_excess(&excess, c->profiles[i]));

			add_excess(&excess, c->profiles[i], more);
			row(c, column)[i] = range_value(more, guess(c, column, i));
		}
	}
}

/* A value beyond the range of its metric is absent. */
static double gate(size_t column, double value)
{
	double most = columns[column].most;

	if (columns[column].guess == GUESS_CHANGE)
		return fabs(value) <= most ? value : (double)NAN;
	return head_within(value, most);
}

/* The sides of a column are in the order of the servers that have one. */
static void get_sides(struct range_reader *in, const struct columns *c, struct snapshot *s)
{
	for (size_t column = 0; column < COLUMNS; column++) {
		size_t n = 0, next = 0;

		for (size_t i = 0; i < c->count; i++)
			n += has_side(column, row(c, column)[i]);
		range_get(in, c->work, n);
		for (size_t i = 0; i < c->count; i++) {
			int32_t units = row(c, column)[i];
			int32_t side = has_side(column, units) ? c->work[next++] : 0;

			set_value(&s->servers[i], &columns[column],
				  gate(column, value_of(column, units) + side * nudge(column)));
		}
	}
}

static void leave_out(const int32_t *absent, struct snapshot *s)
{
	for (size_t i = 0; i < s->count; i++) {
		s->servers[i].has_data = !((uint32_t)absent[i] >> HAS_DATA_BIT & 1);
		for (size_t column = 0; column < COLUMNS; column++)
			if ((uint32_t)absent[i] >> column & 1)
				set_value(&s->servers[i], &columns[column], NAN);
	}
}

static void get_silence(struct range_reader *in, const struct columns *c, struct snapshot *s)
{
	range_get(in, c->work, c->count);
	for (size_t i = 0; i < c->count; i++) {
		int64_t since_s = s->gen_ms / 1000 - (c->work[i] - INT64_C(1));

		if (!c->work[i])
			continue;
		in->r->bad |= c->work[i] < 0 || since_s < 0;
		s->servers[i].same_since_ms = since_s * 1000;
		s->servers[i].same_count = UINT32_MAX;
	}
}

static void get_levels(struct range_reader *in, const struct columns *c, struct snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += level_of(s->servers[i].risk) < LEVEL_HEALTHY;
	range_get(in, c->work, n);
	for (size_t i = c->count; i-- > 0;) {
		enum level level = level_of(s->servers[i].risk);

		if (level == LEVEL_HEALTHY || c->work[--n] == 0)
			continue;
		in->r->bad |= c->work[n] < 0 || c->work[n] > s->bucket;
		if (!in->r->bad)
			s->servers[i].level_since_ms[level] =
				(s->bucket + 1 - c->work[n]) * s->interval_ms;
	}
}

static void set_crossing(struct server *server, int32_t index, int32_t steps, int32_t peak,
			 bool *bad)
{
	struct crossing *crossing;

	if (index < 0 || index >= CROSSINGS || !steps || steps < -CROSSING_STEPS ||
	    steps > CROSSING_STEPS) {
		*bad = true;
		return;
	}
	crossing = &server->crossings[index];
	crossing->critical = steps < 0;
	crossing->steps = (uint8_t)abs(steps);
	crossing->peak = head_within(peak / 10.0, PEAK_MOST);
}

/* counts: of each server. The numbers are stored column by column. */
static void get_crossing_numbers(struct range_reader *in, const int32_t *counts, size_t total,
				 struct snapshot *s)
{
	int32_t *numbers = calloc(total + 1, CROSSING_NUMBERS * sizeof(*numbers));
	size_t at = 0;

	if (!numbers) {
		in->r->bad = true;
		return;
	}
	for (size_t number = 0; number < CROSSING_NUMBERS; number++)
		range_get(in, numbers + number * total, total);
	for (size_t i = 0; i < s->count && !in->r->bad; i++)
		for (int32_t k = 0; k < counts[i]; k++, at++)
			set_crossing(&s->servers[i], numbers[at], numbers[total + at],
				     numbers[2 * total + at], &in->r->bad);
	free(numbers);
}

static void get_crossings(struct range_reader *in, const struct columns *c, struct snapshot *s)
{
	size_t total = 0;

	range_get(in, c->work, c->count);
	for (size_t i = 0; i < c->count; i++) {
		in->r->bad |= c->work[i] < 0 || c->work[i] > CROSSINGS;
		total += in->r->bad ? 0 : (size_t)c->work[i];
	}
	if (!in->r->bad)
		get_crossing_numbers(in, c->work, total, s);
}

static void get_columns(struct range_reader *in, struct snapshot *s)
{
	struct columns c;
	int32_t *absent = calloc(s->count ? s->count : 1, sizeof(*absent));

	if (!absent || columns_init(&c, s->count) != 0) {
		free(absent);
		in->r->bad = true;
		return;
	}
	for (size_t i = 0; i < s->count; i++)
		c.profiles[i] = (int32_t)s->servers[i].profile;
	range_get(in, absent, s->count);
	get_values(in, &c);
	get_sides(in, &c, s);
	leave_out(absent, s);
	for (size_t i = 0; i < s->count; i++)
		risk_score(&s->servers[i]);
	get_silence(in, &c, s);
	get_levels(in, &c, s);
	get_crossings(in, &c, s);
	free(absent);
	free(c.values);
}

static void get_rest(struct range_reader *in, struct snapshot *s)
{
	size_t count = s->count;

	if (!in->r->bad)
		get_columns(in, s);
	in->r->bad |= in->r->rest.len > 0 || snapshot_seal(s) != 0 || s->count != count;
}

static void get_body(struct bytes_reader *r, const struct base *base, struct snapshot *s)
{
	struct range_reader in;
	struct buf part;

	get_bare(r, base, &part);
	get_packed(r, &part, s);
	range_open(&in, r);
	get_rest(&in, s);
}

/* Format 2: a head of zlib's own, Rice codes. */
static void get_older_body(struct bytes_reader *r, struct snapshot *s)
{
	struct range_reader in = {.r = r, .rice = true};
	struct buf part;

	buf_init(&part, PART_BYTES_MAX);
	pack_get(r, &part);
	get_packed(r, &part, s);
	get_rest(&in, s);
}

/* Takes the snapshot over. */
static struct snapshot *checked(struct snapshot *s, bool bad)
{
	if (bad)
		snapshot_free(&s);
	return s;
}

static struct snapshot *decode_beside(struct span bytes, const struct base *base)
{
	struct bytes_reader r = pack_open(bytes, MAGIC, MOMENT_FORMAT);
	struct snapshot *s = snapshot_new();

	if (s && !r.bad)
		get_body(&r, base, s);
	return checked(s, r.bad);
}

static struct snapshot *decode_older(struct span bytes)
{
	struct bytes_reader r = pack_open(bytes, MAGIC, MOMENT_FORMAT_BEFORE);
	struct snapshot *s = snapshot_new();

	if (s && !r.bad)
		get_older_body(&r, s);
	return checked(s, r.bad);
}

static int format_of(struct span record)
{
	return record.len < sizeof(MAGIC) ? -1 : record.ptr[sizeof(MAGIC) - 1];
}

static bool is_alone(struct span record)
{
	struct bytes_reader r = pack_open(record, MAGIC, MOMENT_FORMAT);

	return bytes_get_int(&r, sizeof(uint32_t)) == ALONE;
}

struct snapshot *moment_decode(struct span bytes, struct span beside)
{
	struct base base = {ALONE, {0}};
	struct snapshot *s = NULL;

	if (format_of(bytes) == MOMENT_FORMAT_BEFORE)
		return decode_older(bytes);
	if (is_alone(bytes))
		return decode_beside(bytes, &base);
	if (base_open(&base, beside))
		s = decode_beside(bytes, &base);
	buf_free(&base.part);
	return s;
}
