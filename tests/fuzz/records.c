/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "records.h"

#include "base/pack.h"
#include "fuzz.h"

void fuzz_read_history(struct history *h, unsigned choice, struct span input)
{
	int64_t range = history_range_ms((enum history_range)(choice % HISTORY_RANGES));
	int64_t at = FUZZ_GEN_MS - range;

	history_init(h, FUZZ_INTERVAL_MS, range, FUZZ_GEN_MS);
	while (input.len > 0) {
		struct span line = fuzz_cut(&input, '\n');

		at += FUZZ_INTERVAL_MS * (int64_t)fuzz_byte(&line);
		history_add(h, at, line);
	}
}

void fuzz_read_risks(struct history *h, unsigned choice, struct span name, struct span input)
{
	struct span names = fuzz_cut(&input, '\n');
	int index = history_find_server(names, name);
	int64_t at = FUZZ_GEN_MS - 3600000;

	REQUIRE(index >= -1 && index <= (int)names.len);
	history_init(h, FUZZ_INTERVAL_MS, 86400000, FUZZ_GEN_MS);
	for (; input.len > 0; at += FUZZ_INTERVAL_MS)
		history_add_server(h, at, fuzz_cut(&input, '\n'),
				   index < 0 ? choice : (size_t)index);
}

void fuzz_make_record(const char *magic, int format, struct span input, struct buf *record)
{
	size_t len = fuzz_byte(&input) << 8;
	struct span part;
	struct buf body;

	len |= fuzz_byte(&input);
	part = (struct span){input.ptr, len < input.len ? len : input.len};
	input = (struct span){input.ptr + part.len, input.len - part.len};
	buf_init(&body, 1 << 20);
	pack_put(part, &body);
	buf_span_add(&body, input);
	buf_init(record, 1 << 20);
	pack_seal(magic, format, &body, record);
	buf_free(&body);
}
