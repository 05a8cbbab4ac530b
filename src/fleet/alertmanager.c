/* SPDX-License-Identifier: MIT */
/* The record. Its lists have a number in front, so that nothing is allocated that is not there. */
#include "config.h"
#include "fleet/alertmanager.h"

#include <stdlib.h>

#define MAGIC      "TFTr"
#define FORMAT     1
#define TIME_BYTES 6 /* until the year 10889 */

/* ---- one alert ---- */

enum { ALERT_NEW = 1, ALERT_SILENCED = 2, ALERT_INHIBITED = 4, ALERT_MUTED = 8, ALERT_FLAGS = 15 };

void alertmanager_put_alert(const struct told_alert *alert, size_t silence, struct buf *out)
{
	bytes_put_int(out,
		      (alert->is_new ? ALERT_NEW : 0u) |
			      (alert->is_silenced ? ALERT_SILENCED : 0u) |
			      (alert->is_inhibited ? ALERT_INHIBITED : 0u) |
			      (alert->is_muted ? ALERT_MUTED : 0u),
		      1);
	bytes_put_int(out, silence, 2);
	bytes_put_int(out, (uint64_t)alert->from_ms, TIME_BYTES);
	bytes_put_int(out, alert->severity, 1);
	bytes_put_text(out, alert->name);
	bytes_put_text(out, alert->server);
	bytes_put_text(out, alert->metric);
	bytes_put_text(out, alert->receivers);
}

static void get_alert(struct bytes_reader *r, const struct silences *silences,
		      struct told_alert *alert)
{
	int flags = bytes_get_upto(r, 1, ALERT_FLAGS);
	size_t silence = (size_t)bytes_get_upto(r, 2, silences->count);

	*alert = (struct told_alert){.is_new = flags & ALERT_NEW,
				     .is_silenced = flags & ALERT_SILENCED,
				     .is_inhibited = flags & ALERT_INHIBITED,
				     .is_muted = flags & ALERT_MUTED,
				     .silence = silence ? &silences->list[silence - 1] : NULL};
	alert->from_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	alert->severity = (enum level)bytes_get_upto(r, 1, LEVEL_COUNT - 1);
	alert->name = bytes_get_utf8(r);
	alert->server = bytes_get_utf8(r);
	alert->metric = bytes_get_utf8(r);
	alert->receivers = bytes_get_utf8(r);
}

/* ---- all of it ---- */

/* Room for the list that begins here; NULL: it is empty. */
static void *get_list(struct bytes_reader *r, size_t most, size_t size, size_t *count)
{
	void *list = NULL;

	*count = (size_t)bytes_get_upto(r, 2, most);
	if (*count)
		list = calloc(*count, size);
	r->bad |= *count && !list;
	return list;
}

static void get_silences(struct bytes_reader *r, struct silences *silences)
{
	silences->list = get_list(r, SILENCES_MAX, sizeof(*silences->list), &silences->count);
	for (size_t i = 0; i < silences->count && !r->bad; i++)
		silence_get(r, &silences->list[i]);
}

static int by_severity(const void *left, const void *right)
{
	const struct told_alert *a = left, *b = right;
	int c = (a->severity > b->severity) - (a->severity < b->severity);

	c = c ? c : span_cmp(a->name, b->name);
	c = c ? c : span_cmp(a->server, b->server);
	return c ? c : span_cmp(a->metric, b->metric);
}

static void get_alerts(struct bytes_reader *r, struct alertmanager *a)
{
	a->alerts = get_list(r, ALERTMANAGER_ALERTS_MAX, sizeof(*a->alerts), &a->alert_count);
	for (size_t i = 0; i < a->alert_count && !r->bad; i++)
		get_alert(r, &a->silences, &a->alerts[i]);
	if (a->alert_count && !r->bad)
		qsort(a->alerts, a->alert_count, sizeof(*a->alerts), by_severity);
}

void alertmanager_put(const struct alertmanager *a, struct span silences, struct span alerts,
		      struct buf *out)
{
	bytes_put_magic(out, MAGIC, FORMAT);
	bytes_put_int(out, (uint64_t)a->read_ms, TIME_BYTES);
	bytes_put_text(out, a->version);
	bytes_put_text(out, a->cluster);
	bytes_put_int(out, a->peers, 2);
	bytes_put_int(out, a->silences_left_out, 4);
	bytes_put_int(out, a->alerts_left_out, 4);
	bytes_put_int(out, a->silences.count, 2);
	buf_span_add(out, silences);
	bytes_put_int(out, a->alert_count, 2);
	buf_span_add(out, alerts);
}

void alertmanager_read(struct span record, struct alertmanager *a)
{
	struct bytes_reader r = {.rest = record};

	*a = (struct alertmanager){0};
	if (!record.len)
		return;
	bytes_get_magic(&r, MAGIC, FORMAT);
	a->read_ms = (int64_t)bytes_get_int(&r, TIME_BYTES);
	a->version = bytes_get_utf8(&r);
	a->cluster = bytes_get_utf8(&r);
	a->peers = (unsigned)bytes_get_int(&r, 2);
	a->silences_left_out = (unsigned)bytes_get_int(&r, 4);
	a->alerts_left_out = (unsigned)bytes_get_int(&r, 4);
	get_silences(&r, &a->silences);
	get_alerts(&r, a);
	if (r.bad || r.rest.len)
		alertmanager_free(a);
}

void alertmanager_free(struct alertmanager *a)
{
	silences_free(&a->silences);
	free(a->alerts);
	*a = (struct alertmanager){0};
}
