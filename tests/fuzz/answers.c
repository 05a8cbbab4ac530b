/* SPDX-License-Identifier: MIT */
/* The small answers of the two daemons (decode_warmup, decode_scenario) are understood as a whole
 * or not at all, and what was understood can be written again. */
#include "config.h"

#include "fleet/decode.h"
#include "fuzz.h"
#include "base/json.h"

static void write_warmup(const struct warmup *w, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_object(&j, "warmup");
	json_bool(&j, "is_warmed_up", w->done);
	json_int(&j, "progress_percent", w->progress_percent);
	json_int(&j, "current_size", w->current_size);
	json_int(&j, "required_size", w->required_size);
	json_end(&j);
	json_end(&j);
}

static void check_warmup(struct span body)
{
	struct warmup once, again;
	struct buf text;

	decode_warmup(body, &once);
	if (!once.known) {
		REQUIRE(!once.done && !once.progress_percent && !once.current_size &&
			!once.required_size);
		return;
	}
	REQUIRE(once.progress_percent >= 0 && once.progress_percent <= 100);
	REQUIRE(once.current_size >= 0 && once.required_size >= 0);
	buf_init(&text, 1 << 16);
	write_warmup(&once, &text);
	decode_warmup(buf_span(&text), &again);
	REQUIRE(again.known && again.done == once.done &&
		again.progress_percent == once.progress_percent &&
		again.current_size == once.current_size &&
		again.required_size == once.required_size);
	buf_free(&text);
}

static void write_scenario(const struct scenario *s, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_cstr(&j, "scenario", s->name);
	json_int(&j, "total_affected", s->affected);
	json_int(&j, "fleet_size", s->fleet_size);
	json_end(&j);
}

static void check_scenario(struct span body, bool configured)
{
	struct scenario once = {.configured = configured}, again = {.configured = configured};
	struct buf text;

	decode_scenario(body, &once);
	REQUIRE(once.configured == configured);
	if (!once.known) {
		REQUIRE(!*once.name && !once.affected && !once.fleet_size);
		return;
	}
	REQUIRE(*once.name && once.affected >= 0 && once.fleet_size >= 0);
	for (const char *c = once.name; *c; c++)
		REQUIRE(*c >= 0x20 && *c <= 0x7e);
	buf_init(&text, 1 << 16);
	write_scenario(&once, &text);
	decode_scenario(buf_span(&text), &again);
	REQUIRE(again.known && strcmp(again.name, once.name) == 0 &&
		again.affected == once.affected && again.fleet_size == once.fleet_size);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = {(const char *)data, size};

	check_warmup(body);
	check_scenario(body, size % 2);
	return 0;
}
