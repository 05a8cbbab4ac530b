/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/silenced.h"

int64_t silenced_at(const struct snapshot *s)
{
	int64_t read_ms = s->alertmanager.read_ms;

	return read_ms > s->gen_ms ? read_ms : s->gen_ms;
}

void silenced_take(struct snapshot *s, struct span record)
{
	for (size_t i = 0; i < s->count; i++)
		s->servers[i].silence = NULL;
	alertmanager_free(&s->alertmanager);
	buf_reset(&s->told);
	buf_span_add(&s->told, record);
	alertmanager_read(buf_span(&s->told), &s->alertmanager);
	if (!s->alertmanager.read_ms)
		buf_reset(&s->told);
}

static void mark(struct server *server, const struct silence *silence)
{
	if (!server->silence || silence->until_ms > server->silence->until_ms)
		server->silence = silence;
}

static void mark_by_matchers(struct snapshot *s, int64_t at_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		struct server *server = &s->servers[i];
		const struct silence_subject subject = {server->name, server->profile,
							level_of(server->risk)};

		server->silence = silences_covering(&s->alertmanager.silences, &subject, at_ms);
	}
}

/* The server whose present level the alert is about; NULL: none. */
static struct server *find_server(struct snapshot *s, const struct told_alert *alert)
{
	const struct server *found =
		span_is(alert->name, SILENCES_ALERT) ? snapshot_find(s, alert->server) : NULL;

	if (!found || alert->severity != level_of(found->risk))
		return NULL;
	return &s->servers[found - s->servers];
}

static void mark_by_alerts(struct snapshot *s, int64_t at_ms)
{
	for (size_t i = 0; i < s->alertmanager.alert_count; i++) {
		const struct told_alert *alert = &s->alertmanager.alerts[i];
		struct server *server;

		if (!alert->silence || silence_state_at(alert->silence, at_ms) != SILENCE_ACTIVE)
			continue;
		server = find_server(s, alert);
		if (server)
			mark(server, alert->silence);
	}
}

void silenced_mark(struct snapshot *s)
{
	int64_t at_ms = silenced_at(s);

	if (!s->alertmanager.silences.count)
		return;
	mark_by_matchers(s, at_ms);
	mark_by_alerts(s, at_ms);
}
