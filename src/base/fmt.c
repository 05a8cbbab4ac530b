/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/fmt.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ABSENT     "\xe2\x80\x93" /* U+2013 en dash */
#define RISES      "\xe2\x86\x91" /* U+2191, an arrow */
#define FALLS      "\xe2\x86\x93" /* U+2193 */
#define NUMBER_END 1e15 /* larger than any value of ours; a double has no further digits */
#define DAY_MS     INT64_C(86400000)
#define DIGITS_MAX 32 /* sign, 15 digits, point, decimals, NUL */

static bool is_shown(double value)
{
	return fabs(value) < NUMBER_END;
}

/* printf rounding without the minus of a value that rounds to zero. */
static struct span round_number(double value, int decimals, char text[DIGITS_MAX])
{
	struct span s;

	assert(decimals >= 0 && decimals <= 6);
	snprintf(text, DIGITS_MAX, "%.*f", decimals, value);
	s = span_str(text);
	if (text[0] == '-' && strspn(text, "-0.") == s.len)
		return (struct span){text + 1, s.len - 1};
	return s;
}

void fmt_number(struct buf *b, double value, int decimals)
{
	char text[DIGITS_MAX];

	if (is_shown(value))
		buf_span_add(b, round_number(value, decimals, text));
	else
		buf_lit(b, ABSENT);
}

void fmt_percent(struct buf *b, double value)
{
	fmt_number(b, value, 1);
	if (is_shown(value))
		buf_char(b, '%');
}

void fmt_scale(struct buf *b, double value)
{
	fmt_number(b, value, value < 10 && value != floor(value) ? 1 : 0);
}

void fmt_delta(struct buf *b, double value, const char *unit)
{
	if (!is_shown(value))
		buf_lit(b, ABSENT);
	else if (fabs(value) < 0.05)
		buf_addf(b, "0.0%s", unit);
	else
		buf_addf(b, "%+.1f%s", value, unit);
}

void fmt_change(struct buf *b, double value, const char *unit)
{
	if (is_shown(value) && fabs(value) >= 0.05)
		buf_addf(b, "%s ", value > 0 ? RISES : FALLS);
	fmt_delta(b, value, unit);
}

void fmt_tenths(struct buf *b, int tenths)
{
	buf_addf(b, "%s%d.%d", tenths < 0 ? "-" : "", abs(tenths / 10), abs(tenths % 10));
}

void fmt_money(struct buf *b, double dollars)
{
	char text[DIGITS_MAX];
	struct span digits;

	if (!is_shown(dollars)) {
		buf_lit(b, ABSENT);
		return;
	}
	digits = round_number(dollars, 0, text);
	if (digits.ptr[0] == '-') {
		buf_char(b, '-');
		digits.ptr++;
		digits.len--;
	}
	buf_char(b, '$');
	for (size_t i = 0; i < digits.len; i++) {
		if (i > 0 && (digits.len - i) % 3 == 0)
			buf_char(b, ',');
		buf_char(b, digits.ptr[i]);
	}
}

/* Of the second that utc_of gives: both round down, also before 1970. */
static int milliseconds_of(int64_t epoch_ms)
{
	int rest = (int)(epoch_ms % 1000);

	return rest < 0 ? rest + 1000 : rest;
}

static struct tm utc_of(int64_t epoch_ms)
{
	time_t seconds = epoch_ms / 1000 - (epoch_ms % 1000 < 0);
	struct tm tm;

	/* Cannot fail: struct tm holds every year that 64 bits of milliseconds can express. */
	gmtime_r(&seconds, &tm);
	return tm;
}

static void add_clock(struct buf *b, const struct tm *tm)
{
	buf_addf(b, "%02d:%02d:%02d", tm->tm_hour, tm->tm_min, tm->tm_sec);
}

static void add_date_and_clock(struct buf *b, const struct tm *tm)
{
	buf_addf(b, "%04d-%02d-%02dT", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
	add_clock(b, tm);
}

void fmt_time(struct buf *b, int64_t epoch_ms)
{
	struct tm tm = utc_of(epoch_ms);

	add_clock(b, &tm);
	buf_lit(b, " UTC");
}

void fmt_time_before(struct buf *b, int64_t epoch_ms, int64_t now_ms)
{
	struct tm tm = utc_of(epoch_ms);

	if (now_ms - epoch_ms >= DAY_MS)
		buf_addf(b, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	fmt_time(b, epoch_ms);
}

void fmt_date(struct buf *b, int64_t epoch_ms)
{
	static const char *const months[] = {"January",   "February", "March",    "April",
					     "May",       "June",     "July",     "August",
					     "September", "October",  "November", "December"};
	struct tm tm = utc_of(epoch_ms);

	buf_addf(b, "%d %s %d", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900);
}

void fmt_minute(struct buf *b, int64_t epoch_ms)
{
	struct tm tm = utc_of(epoch_ms);

	buf_addf(b, "%02d:%02d", tm.tm_hour, tm.tm_min);
}

void fmt_iso(struct buf *b, int64_t epoch_ms)
{
	struct tm tm = utc_of(epoch_ms);

	add_date_and_clock(b, &tm);
	buf_addf(b, ".%03dZ", milliseconds_of(epoch_ms));
}

void fmt_iso_seconds(struct buf *b, int64_t epoch_ms)
{
	struct tm tm = utc_of(epoch_ms);

	add_date_and_clock(b, &tm);
	buf_char(b, 'Z');
}

void fmt_time_element(struct buf *b, int64_t epoch_ms)
{
	buf_lit(b, "<time datetime=\"");
	fmt_iso_seconds(b, epoch_ms);
	buf_lit(b, "\">");
	fmt_time(b, epoch_ms);
	buf_lit(b, "</time>");
}

void fmt_day_element(struct buf *b, int64_t epoch_ms)
{
	struct tm tm = utc_of(epoch_ms);

	buf_lit(b, "<time datetime=\"");
	fmt_iso_seconds(b, epoch_ms);
	buf_addf(b, "\">%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	fmt_time(b, epoch_ms);
	buf_lit(b, "</time>");
}

void fmt_duration(struct buf *b, int64_t ms)
{
	int64_t s = ms / 1000, min = s / 60, h = min / 60;

	if (s < 60)
		buf_addf(b, "%" PRId64 " s", s);
	else if (min < 60)
		buf_addf(b, "%" PRId64 " min", min);
	else if (h < 24)
		buf_addf(b, "%" PRId64 " h %" PRId64 " min", h, min % 60);
	else
		buf_addf(b, "%" PRId64 " d %" PRId64 " h", h / 24, h % 24);
}

void fmt_asked(struct buf *b, int64_t epoch_ms)
{
	if (!epoch_ms)
		return;
	buf_lit(b, " (asked at ");
	fmt_time_element(b, epoch_ms);
	buf_lit(b, ")");
}

const char *fmt_plural(unsigned n)
{
	return n == 1 ? "" : "s";
}
