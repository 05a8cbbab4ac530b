/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "records.h"

#include "base/pack.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"
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

/* The first bits of an input, before the length of the part. */
#define BARE   0x80 /* as records are written now; else as of the format before */
#define BESIDE 0x40 /* a moment beside another one */

/* Takes the kind, the length and the part, before it is packed; what is left are the columns. */
static unsigned take_part(struct span *input, struct span *part)
{
	unsigned kind = fuzz_byte(input);
	size_t len = (kind & 0x3fu) << 8;

	len |= fuzz_byte(input);
	*part = (struct span){input->ptr, len < input->len ? len : input->len};
	*input = (struct span){input->ptr + part->len, input->len - part->len};
	return kind;
}

static void seal(const char *magic, int format, struct buf *body, struct span columns,
		 struct buf *record)
{
	buf_span_add(body, columns);
	buf_init(record, 1 << 20);
	pack_seal(magic, format, body, record);
	buf_free(body);
}

/* What moments of the fuzzer are beside: its record, the first bytes of its checksum, its part. */
static uint32_t make_base(struct buf *record, struct buf *part)
{
	struct snapshot *snap = snapshot_new();
	struct bytes_reader r;
	uint32_t id;

	REQUIRE(snap && snapshot_add(snap, SPAN("a")) && snapshot_add(snap, SPAN("ppml0001")) &&
		snapshot_seal(snap) == 0);
	buf_init(record, 1 << 16);
	buf_init(part, 1 << 16);
	moment_encode(snap, record);
	snapshot_free(&snap);
	r = (struct bytes_reader){.rest = buf_span(record)};
	(void)bytes_get(&r, 5);
	id = (uint32_t)bytes_get_int(&r, 4);
	(void)bytes_get(&r, 8);
	pack_get_bare(&r, (struct span){NULL, 0}, part);
	REQUIRE(!r.bad);
	return id;
}

struct snapshot *fuzz_read_moment(struct span input)
{
	struct buf record, body, base, base_part;
	uint32_t id = make_base(&base, &base_part);
	struct snapshot *snap;
	struct span part;
	unsigned kind = take_part(&input, &part);

	buf_init(&body, 1 << 20);
	if (kind & BARE) {
		bytes_put_int(&body, kind & BESIDE ? id : 0, 4);
		pack_put_bare(part, kind & BESIDE ? buf_span(&base_part) : (struct span){NULL, 0},
			      &body);
	} else {
		pack_put(part, &body);
	}
	seal("TFTm", kind & BARE ? MOMENT_FORMAT : MOMENT_FORMAT_BEFORE, &body, input, &record);
	snap = moment_decode(buf_span(&record), buf_span(&base));
	buf_free(&record);
	buf_free(&base);
	buf_free(&base_part);
	return snap;
}

int fuzz_read_horizons(struct span input, struct snapshot *snap)
{
	struct buf record, body;
	struct span part;
	unsigned kind = take_part(&input, &part);
	struct forecasts one;
	int rc;

	buf_init(&body, 1 << 20);
	if (kind & BARE)
		pack_put_bare(part, (struct span){NULL, 0}, &body);
	else
		pack_put(part, &body);
	seal("TFTh", kind & BARE ? HORIZONS_FORMAT : HORIZONS_FORMAT_BEFORE, &body, input, &record);
	rc = horizons_decode(buf_span(&record), SPAN(""), snap);
	if (forecasts_decode(buf_span(&record), snap->count ? snap->servers[0].name : SPAN("a"), 1,
			     &one) == 0)
		forecasts_free(&one);
	buf_free(&record);
	return rc;
}
