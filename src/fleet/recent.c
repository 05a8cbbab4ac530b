/* SPDX-License-Identifier: MIT */
/* Names of the history and names of the snapshot are both ascending, so one merge for each list of
 * names finds the servers. */
#include "config.h"
#include "fleet/recent.h"

#include <stdlib.h>

#include "base/text.h"
#include "fleet/history.h"

#define SLOT_MS (RECENT_MS / RECENT_SLOTS)

void recent_begin(struct recent_hour *hour, struct snapshot *snap)
{
	*hour = (struct recent_hour){
		.snap = snap,
		.levels = !snap->watched_from_ms,
		.by_name = snapshot_by_name(snap),
	};
	for (size_t i = 0; i < snap->count; i++)
		snap->servers[i].recent = (struct recent){0};
}

static void note_risk(struct server *server, int64_t age_ms, int risk)
{
	uint8_t value = (uint8_t)(risk / 10 + 1);
	struct recent *recent = &server->recent;
	uint8_t *most = &recent->most[RECENT_SLOTS - 1 - age_ms / SLOT_MS];

	if (value > *most)
		*most = value;
	if (!recent->least || value < recent->least)
		recent->least = value;
}

static struct server *by_name(const struct recent_hour *hour, size_t i)
{
	return &hour->snap->servers[hour->by_name[i] - hour->snap->servers];
}

/* A server that was missing was at no level. */
static void note_absence(const struct recent_hour *hour, struct server *server)
{
	for (int l = 0; hour->levels && l < LEVEL_HEALTHY; l++)
		server->level_since_ms[l] = 0;
}

/* An encoded name, which was 255 bytes long at most. */
static struct span decoded(struct span word, char name[SNAPSHOT_NAME_MAX])
{
	size_t len = 0;

	while (word.len && len < SNAPSHOT_NAME_MAX)
		name[len++] = text_take_encoded(&word);
	return (struct span){name, len};
}

/* The server of that name, from *next on. It skips servers that are not among the names. */
static struct server *find_next(struct recent_hour *hour, struct span name, size_t *next)
{
	for (; *next < hour->snap->count; ++*next) {
		struct server *server = by_name(hour, *next);
		int order = span_cmp(server->name, name);

		if (order == 0)
			++*next;
		if (order >= 0)
			return order ? NULL : server;
		note_absence(hour, server);
	}
	return NULL;
}

static size_t count_words(struct span names)
{
	size_t n = names.len > 0;

	for (size_t i = 0; i < names.len; i++)
		n += names.ptr[i] == ' ';
	return n;
}

void recent_names(struct recent_hour *hour, struct span names)
{
	size_t next = 0, count = count_words(names);
	char name[SNAPSHOT_NAME_MAX];

	hour->count = 0;
	free(hour->servers);
	hour->servers = hour->by_name ? calloc(count + 1, sizeof(struct server *)) : NULL;
	if (!hour->servers)
		return;
	for (; hour->count < count; hour->count++)
		hour->servers[hour->count] =
			find_next(hour, decoded(text_cut(&names, ' '), name), &next);
	for (; next < hour->snap->count; next++)
		note_absence(hour, by_name(hour, next));
}

void recent_add(struct recent_hour *hour, int64_t at_ms, struct span risks)
{
	int64_t age_ms = snapshot_bucket_ms(hour->snap) - at_ms;

	if (age_ms <= 0)
		return;
	if (hour->levels && hour->count && !hour->snap->watched_from_ms)
		hour->snap->watched_from_ms = at_ms;
	for (size_t i = 0; i < hour->count; i++) {
		struct server *server = hour->servers[i];
		int risk = history_risk(risks, i);

		if (!server || risk < 0)
			continue;
		if (hour->levels)
			server_note_level(server, level_of(risk), at_ms);
		if (age_ms < RECENT_MS)
			note_risk(server, age_ms, risk);
	}
}

void recent_end(struct recent_hour *hour)
{
	for (size_t i = 0; i < hour->snap->count; i++)
		note_risk(&hour->snap->servers[i], 0, hour->snap->servers[i].risk);
	free(hour->servers);
	free(hour->by_name);
}
