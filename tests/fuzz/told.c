/* SPDX-License-Identifier: MIT */
/*
 * The answers of an Alertmanager (told_decode), three texts with NUL between them: refused, or a
 * record that is read completely, within its limits. The same bytes as a record: read, or nothing.
 */
#include "config.h"

#include "base/utf8.h"
#include "fleet/told.h"
#include "fuzz.h"

#define NOW_MS INT64_C(1764000000000)

static void check_silence(const struct silence *s)
{
	REQUIRE(s->id.len <= 255 && s->matcher_count <= SILENCE_MATCHERS);
	REQUIRE(utf8_valid(s->author) && utf8_valid(s->comment));
	for (size_t i = 0; i < s->matcher_count; i++)
		REQUIRE(utf8_valid(s->matchers[i].label) && utf8_valid(s->matchers[i].value));
}

static void check_alert(const struct told_alert *alert, const struct silences *silences)
{
	REQUIRE(alert->severity < LEVEL_COUNT);
	REQUIRE(utf8_valid(alert->name) && utf8_valid(alert->server));
	REQUIRE(utf8_valid(alert->metric) && utf8_valid(alert->receivers));
	REQUIRE(!alert->silence || (alert->silence >= silences->list &&
				    alert->silence < silences->list + silences->count));
}

static void check_lists(const struct alertmanager *a)
{
	REQUIRE(a->silences.count <= SILENCES_MAX && a->alert_count <= ALERTMANAGER_ALERTS_MAX);
	for (size_t i = 0; i < a->silences.count; i++)
		check_silence(&a->silences.list[i]);
	for (size_t i = 0; i < a->alert_count; i++)
		check_alert(&a->alerts[i], &a->silences);
}

/* Those that were taken are within the limits of what is kept. */
static void check_taken(const struct alertmanager *a)
{
	REQUIRE(a->read_ms == NOW_MS);
	for (size_t i = 0; i < a->silences.count; i++) {
		const struct silence *s = &a->silences.list[i];

		REQUIRE(s->id.len > 0 && s->id.len <= SILENCE_ID_MAX && s->matcher_count > 0);
		REQUIRE(s->author.len <= SILENCE_TEXT_MAX && s->comment.len <= SILENCE_TEXT_MAX);
		REQUIRE(NOW_MS - s->until_ms <= TOLD_ENDED_MS);
	}
	for (size_t i = 0; i < a->alert_count; i++)
		REQUIRE(a->alerts[i].receivers.len <= TOLD_RECEIVERS_MAX);
	check_lists(a);
}

static void check_answers(struct span input)
{
	struct told told = {.fleet = SPAN("f"), .now_ms = NOW_MS};
	struct alertmanager a;
	struct buf record;

	told.silences = fuzz_cut(&input, '\0');
	told.alerts = fuzz_cut(&input, '\0');
	told.status = input;
	buf_init(&record, ALERTMANAGER_RECORD_MAX);
	if (told_decode(&told, &record) == REASON_NONE) {
		alertmanager_read(buf_span(&record), &a);
		check_taken(&a);
		alertmanager_free(&a);
	}
	buf_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = {(const char *)data, size};
	struct alertmanager a;

	check_answers(input);
	alertmanager_read(input, &a);
	check_lists(&a);
	alertmanager_free(&a);
	return 0;
}
