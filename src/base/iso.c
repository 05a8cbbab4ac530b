/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/iso.h"

#include <time.h>

#include "base/text.h"

static bool take_char(struct span *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = (struct span){rest->ptr + 1, rest->len - 1};
	return true;
}

/* Exactly so many digits, and a number of min to max; else *bad. */
static int take_number(struct span *rest, size_t digits, int min, int max, bool *bad)
{
	struct span field = {rest->ptr, digits};
	int64_t n = rest->len < digits ? -1 : text_decimal(field);

	if (n < min || n > max) {
		*bad = true;
		return 0;
	}
	*rest = (struct span){rest->ptr + digits, rest->len - digits};
	return (int)n;
}

static void expect(struct span *rest, char c, bool *bad)
{
	if (!take_char(rest, c))
		*bad = true;
}

/* Digits behind the point, as milliseconds; what is finer is cut off. */
static int take_fraction(struct span *rest, bool *bad)
{
	int ms = 0, unit = 100;
	size_t n = 0;

	for (; n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9'; n++, unit /= 10)
		ms += unit * (rest->ptr[n] - '0');
	if (n == 0)
		*bad = true;
	*rest = (struct span){rest->ptr + n, rest->len - n};
	return ms;
}

static void take_date(struct span *rest, struct tm *tm, bool *bad)
{
	tm->tm_year = take_number(rest, 4, 1970, 9999, bad) - 1900;
	expect(rest, '-', bad);
	tm->tm_mon = take_number(rest, 2, 1, 12, bad) - 1;
	expect(rest, '-', bad);
	tm->tm_mday = take_number(rest, 2, 1, 31, bad);
}

/* Fills in the time of day; the milliseconds of it. */
static int take_clock(struct span *rest, struct tm *tm, bool *bad)
{
	if (!take_char(rest, 'T') && !take_char(rest, 't') && !take_char(rest, ' '))
		*bad = true;
	tm->tm_hour = take_number(rest, 2, 0, 23, bad);
	expect(rest, ':', bad);
	tm->tm_min = take_number(rest, 2, 0, 59, bad);
	if (!take_char(rest, ':'))
		return 0;
	tm->tm_sec = take_number(rest, 2, 0, 59, bad);
	return take_char(rest, '.') || take_char(rest, ',') ? take_fraction(rest, bad) : 0;
}

/* In minutes. */
static int take_offset(struct span *rest, bool *bad)
{
	int sign, hours;

	if (rest->len == 0 || take_char(rest, 'Z') || take_char(rest, 'z'))
		return 0;
	/* A plus that nobody has encoded reaches us as a blank. */
	sign = take_char(rest, '-') ? -1 : 1;
	if (sign > 0 && !take_char(rest, '+') && !take_char(rest, ' '))
		*bad = true;
	hours = take_number(rest, 2, 0, 23, bad);
	(void)take_char(rest, ':');
	return sign * (60 * hours + take_number(rest, 2, 0, 59, bad));
}

int64_t iso_parse(struct span text)
{
	struct tm tm = {0};
	struct span rest = text;
	bool bad = false;
	int day, ms = 0, offset = 0;
	int64_t seconds;

	take_date(&rest, &tm, &bad);
	day = tm.tm_mday;
	if (!bad && rest.len > 0) {
		ms = take_clock(&rest, &tm, &bad);
		offset = take_offset(&rest, &bad);
	}
	if (bad || rest.len > 0)
		return -1;
	seconds = timegm(&tm);
	/* The 31st of a shorter month has become a day of the next. */
	if (tm.tm_mday != day)
		return -1;
	seconds -= INT64_C(60) * offset;
	return seconds < 0 ? -1 : 1000 * seconds + ms;
}
