/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/ticks.h"

#include <inttypes.h>

/* A batch is late after 1.4 times the usual period, but never before this: a batch received while
 * the daemon is busy is noticed late. */
#define LATE_MIN_MS 6000

static int64_t at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

/* A single outage must not change the usual period; a feed that has become slower must. */
static int64_t smooth(int64_t period_ms, int64_t sample_ms)
{
	return period_ms ? (3 * period_ms + at_most(sample_ms, 2 * period_ms)) / 4 : sample_ms;
}

/* A count that decreased means that the daemon was restarted: it says nothing about the period. */
static void move(struct ticks *t, int64_t count, int64_t now_ms)
{
	if (t->since_ms && count > t->count && now_ms > t->since_ms)
		t->period_ms = smooth(t->period_ms, (now_ms - t->since_ms) / (count - t->count));
	t->count = count;
	t->since_ms = t->seen_ms ? now_ms : 0;
	t->still_ms = 0;
}

void ticks_see(struct ticks *t, int64_t count, int64_t now_ms, int64_t gap_max_ms)
{
	if (!t->seen_ms || count != t->count)
		move(t, count, now_ms);
	else if (now_ms > t->seen_ms)
		t->still_ms += at_most(now_ms - t->seen_ms, gap_max_ms);
	t->seen_ms = now_ms;
}

int64_t ticks_still_since(const struct ticks *t)
{
	int64_t late_ms = t->period_ms * 7 / 5;

	if (!t->period_ms || t->still_ms < LATE_MIN_MS || t->still_ms < late_ms)
		return 0;
	return t->since_ms;
}

void ticks_write(const struct ticks *t, struct span body, struct buf *out)
{
	size_t len = body.len;

	while (len > 0 && body.ptr[len - 1] != '}')
		len--;
	buf_add(out, body.ptr, len ? len - 1 : 0);
	buf_addf(out,
		 ",\"ticks\":{\"since\":%" PRId64 ",\"seen\":%" PRId64 ",\"still\":%" PRId64
		 ",\"period\":%" PRId64 "}}",
		 t->since_ms, t->seen_ms, t->still_ms, t->period_ms);
}
