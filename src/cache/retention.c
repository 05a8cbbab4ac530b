/* SPDX-License-Identifier: MIT */
/*
 * The risks may use an eighth of the memory, the thin moments half of it, the full ones the rest.
 * Risks reach back a day further than full moments, since a past page shows the day before it, and
 * thin moments at least a window further, since full ones are read beside them.
 */
#include "config.h"
#include "cache/retention.h"

#include "cache/protocol.h"

#define DAY_MS      INT64_C(86400000)
#define LONGEST_MS  (RETENTION_DAYS * DAY_MS)
#define ENTRY_BYTES 64 /* of an entry of a stream, beside what is in it */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct retention retention_of(int64_t memory, int64_t interval_ms,
			      const struct retention_lengths *lengths)
{
	int64_t full = (int64_t)lengths->full + ENTRY_BYTES;
	int64_t thin = (int64_t)lengths->thin + ENTRY_BYTES;
	int64_t forecasts = (int64_t)lengths->forecasts + ENTRY_BYTES;
	int64_t per_window = PROTOCOL_THIN_MS / most(1, least(interval_ms, PROTOCOL_THIN_MS));
	int64_t thin_ms = least(LONGEST_MS, memory / 2 / thin * PROTOCOL_THIN_MS);
	int64_t left = memory - memory / 8 - thin_ms / PROTOCOL_THIN_MS * thin;
	int64_t full_ms = left / (per_window * full + forecasts) * PROTOCOL_THIN_MS;

	full_ms = most(DAY_MS, least(full_ms, LONGEST_MS));
	return (struct retention){.full_ms = full_ms,
				  .thin_ms = most(thin_ms, full_ms + PROTOCOL_THIN_MS),
				  .risks_ms = full_ms + DAY_MS,
				  .risks_bytes = memory / 8};
}
