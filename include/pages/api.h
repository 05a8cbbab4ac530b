/* SPDX-License-Identifier: MIT */
/* The views as JSON (doc/pages.md#endpoints). contents.h declares the routes; this header has what
 * they share. */
#ifndef TFT_API_H
#define TFT_API_H

#include "fleet/diagnosis.h"
#include "base/json.h"
#include "pages/view.h"

/* The ISO time of epoch_ms, null for 0. */
void api_time(struct json *j, const char *key, int64_t epoch_ms);
/* The members of every answer: bucket, interval_s, generated_at (null without data), at (null but
 * for a moment of the past), condition, detail. */
void api_common(const struct view *view, struct json *j);
/* The members of a server's object in /api/v1/fleet. */
void api_server_members(const struct server *server, const struct snapshot *snap, struct json *j);
/* Since when a server has been at its level or a worse one; null if it is Healthy, or if that is
 * unknown. */
void api_level_since(const struct server *server, const struct snapshot *snap, struct json *j);
/* When a server fell silent; null while its values change. */
void api_silence(const struct server *server, int64_t gen_ms, struct json *j);
/* The member `alertmanager`: what one does with the alerts, or null. */
void api_alertmanager(const struct view *view, struct json *j);
/* An object with now, predicted and delta. */
void api_change(struct json *j, const char *key, const struct reading *reading);
/* application/problem+json (RFC 9457). parameter: the one with a bad value; hint: the valid values.
 * Both may be NULL. */
void api_error(const struct http_error *error, const char *parameter, const char *hint,
	       struct buf *out);
/* The same for a moment that is not kept. */
void api_no_moment(const struct http_error *error, const struct no_moment *none, struct buf *out);
/* The answer of /api/v1/status; any of its parts may be unknown. */
struct api_status {
	const struct site *site;
	const struct snapshot *snap; /* may be NULL */
	const struct condition *condition;
	const struct warmup *warmup;
	const struct scenario *scenario;
	const struct diagnosis *diagnosis;
	bool redis_up;
	int64_t bucket; /* current bucket of the fleet group */
};
void api_status(const struct api_status *status, struct buf *out);

#endif
