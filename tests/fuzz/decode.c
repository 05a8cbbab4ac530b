/* SPDX-License-Identifier: MIT */
/*
 * Predictions answers (decode.h). The first byte seeds the sizes of the chunks in which the rest
 * arrives. The result does not depend on them; a snapshot satisfies its invariants and survives
 * being stored.
 */
#include "config.h"

#include <math.h>

#include "fleet/compact.h"
#include "fleet/compact.h"
#include "fleet/decode.h"
#include "fuzz.h"
#include "base/utf8.h"

/* Sizes from 1 to 64, or the rest at once when the seed is 0. */
static size_t next_size(uint32_t *seed, size_t left)
{
	size_t size;

	if (*seed == 0)
		return left;
	*seed = *seed * 1664525 + 1013904223;
	size = 1 + (*seed >> 26);
	*seed += *seed == 0;
	return size < left ? size : left;
}

static enum reason decode(struct span text, uint32_t seed, struct snapshot **snap)
{
	struct decode *d = decode_new();
	enum reason reason;
	size_t size;

	REQUIRE(d);
	for (; text.len > 0; text.ptr += size, text.len -= size) {
		size = next_size(&seed, text.len);
		if (decode_feed(d, text.ptr, size) != 0)
			break;
	}
	reason = decode_finish(d, snap);
	decode_free(&d);
	return reason;
}

static void check_reading(const struct reading *r, double max)
{
	REQUIRE(isnan(r->now) || (r->now >= 0 && r->now <= max));
	REQUIRE(isnan(r->predicted) || (r->predicted >= 0 && r->predicted <= max));
	REQUIRE(isnan(r->worst) || (r->worst >= 0 && r->worst <= max));
	REQUIRE(isnan(r->best) || (r->best >= 0 && r->best <= max));
}

static void check_series(const struct series *series)
{
	struct series again;
	struct buf one, two;

	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	series_encode(series, &one);
	REQUIRE(buf_ok(&one) && series_decode(buf_span(&one), &again) == 0);
	series_encode(&again, &two);
	REQUIRE(span_eq(buf_span(&one), buf_span(&two)));
	buf_free(&one);
	buf_free(&two);
}

static void check_server(const struct snapshot *snap, const struct server *server)
{
	REQUIRE(server->name.len > 0 && server->name.len <= SNAPSHOT_NAME_MAX);
	REQUIRE(utf8_valid(server->name) && !memchr(server->name.ptr, '\0', server->name.len));
	REQUIRE(snapshot_find(snap, server->name) == server);
	REQUIRE(server->risk >= 0 && server->risk <= RISK_MAX);
	REQUIRE(server->has_data == (server->series != NULL));
	check_reading(&server->cpu, 100);
	check_reading(&server->iowait, 100);
	check_reading(&server->memory, 100);
	check_reading(&server->load, INFINITY);
	if (server->series)
		check_series(server->series);
}

static void check_snapshot(const struct snapshot *snap, struct buf *stored)
{
	struct snapshot *again;
	struct buf twice;

	REQUIRE(snap->count > 0);
	for (size_t i = 0; i < snap->count; i++)
		check_server(snap, &snap->servers[i]);
	compact_encode(snap, stored);
	REQUIRE(buf_ok(stored));
	again = compact_decode(buf_span(stored));
	REQUIRE(again && again->count == snap->count);
	buf_init(&twice, stored->max);
	compact_encode(again, &twice);
	REQUIRE(span_eq(buf_span(stored), buf_span(&twice)));
	buf_free(&twice);
	snapshot_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct snapshot *whole = NULL, *chunked = NULL;
	uint32_t seed = fuzz_byte(&text);
	enum reason reason = decode(text, 0, &whole);
	struct buf one, two;

	REQUIRE((reason == REASON_NONE) == (whole != NULL));
	REQUIRE(decode(text, seed, &chunked) == reason);
	buf_init(&one, 64u << 20);
	buf_init(&two, 64u << 20);
	if (whole) {
		check_snapshot(whole, &one);
		compact_encode(chunked, &two);
		REQUIRE(span_eq(buf_span(&one), buf_span(&two)));
	}
	buf_free(&one);
	buf_free(&two);
	snapshot_free(&whole);
	snapshot_free(&chunked);
	return 0;
}
