/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cache/protocol.h"
#include "fleet/compact.h"
#include "fleet/firing.h"
#include "fleet/silenced.h"
#include "refresh/host_calls.h"
#include "refresh/refresh.h"
#include "refresh/upstream_status.h"

#define COMPACT_MAX (16u * 1024 * 1024)
#define AGAIN_MS    1000 /* retry delay when this host has used up its share of calls */

/*
 * At most one form of the snapshot is held: the compact one, until a page is requested, or the
 * decoded one. Its age is counted by the monotonic clock, since its time may come from Redis' clock
 * or ours.
 */
struct local {
	const struct local_config *config;
	int calls_fd; /* -1: what our predecessor did is not known */
	struct buf compact;
	struct snapshot *snap;
	char shared_id[HASH_HEX]; /* the last one kept, "": none */
	int64_t gen_mono_ms;      /* of the snapshot */
	enum reason reason;
	int failures;
	int64_t since_ms, next_try_ms; /* wall clock: both are shown */
	int64_t due_ms;                /* monotonic */
	int64_t alerts_ms;             /* monotonic: when alerts may be due again */
};

static int64_t interval_ms(const struct local_config *config);

struct local *local_new(const struct local_config *config)
{
	struct local *local = calloc(1, sizeof(*local));

	assert(config->workers > 0 && config->workers_total >= config->workers);
	if (!local)
		return NULL;
	local->config = config;
	buf_init(&local->compact, COMPACT_MAX);
	local->calls_fd = host_calls_open(config->host_fd);
	if (local->calls_fd < 0) {
		log_event(LOG_LEVEL_INFO, "host_calls", LOG_STR("err", strerror(errno)));
		local->due_ms = clock_mono_ms() + interval_ms(config);
	}
	return local;
}

void local_free(struct local **local)
{
	if (!*local)
		return;
	local_drop(*local);
	buf_free(&(*local)->compact);
	if ((*local)->calls_fd >= 0)
		(void)close((*local)->calls_fd);
	free(*local);
	*local = NULL;
}

void local_drop(struct local *local)
{
	snapshot_free(&local->snap);
	buf_free(&local->compact);
	*local->shared_id = '\0';
}

static bool has_any(const struct local *local)
{
	return local->snap || local->compact.len;
}

bool local_has(const struct local *local, const char *id)
{
	return strcmp(local->shared_id, id) == 0;
}

void local_keep(struct local *local, const char *id, struct span compact, int64_t age_ms)
{
	int64_t gen_ms = clock_mono_ms() - age_ms;

	if (has_any(local) && gen_ms <= local->gen_mono_ms)
		return;
	local_drop(local);
	buf_span_add(&local->compact, compact);
	if (!buf_ok(&local->compact)) {
		buf_free(&local->compact);
		return;
	}
	(void)snprintf(local->shared_id, sizeof(local->shared_id), "%s", id);
	local->gen_mono_ms = gen_ms;
}

static bool is_our_turn(const struct local *local)
{
	return clock_mono_ms() >= local->due_ms;
}

bool local_due(const struct local *local)
{
	return is_our_turn(local) &&
	       (!has_any(local) || local_age_ms(local) >= local->config->interval_ms);
}

bool local_due_for_forecasts(const struct local *local)
{
	return is_our_turn(local) && *local->shared_id;
}

const struct snapshot *local_snapshot(struct local *local)
{
	if (!local->snap && local->compact.len) {
		local->snap = compact_decode(buf_span(&local->compact));
		buf_free(&local->compact);
	}
	return local->snap;
}

int64_t local_age_ms(const struct local *local)
{
	return clock_mono_ms() - local->gen_mono_ms;
}

void local_condition(const struct local *local, struct condition *condition)
{
	condition->reason = local->reason;
	condition->since_ms = local->since_ms;
	condition->next_try_ms = local->next_try_ms;
}

/* The time in which each worker may call once. All may begin at the same moment, so each gets a
 * whole number of calls per minute, or one call per whole number of minutes. */
static int64_t share_ms(const struct local_config *config)
{
	int64_t calls = config->calls_per_minute, workers = config->workers_total;

	return workers <= calls ? PROTOCOL_WINDOW_MS / (calls / workers)
				: (workers + calls - 1) / calls * PROTOCOL_WINDOW_MS;
}

/* Not before the interval, nor before our share, and up to 20 % later so that workers spread. */
static int64_t interval_ms(const struct local_config *config)
{
	int64_t share = share_ms(config);
	int64_t ms = config->interval_ms > share ? config->interval_ms : share;

	return ms + clock_mono_us() % (ms / 5);
}

static int64_t wait_ms(const struct local *local, int64_t retry_after_ms)
{
	int64_t ms = interval_ms(local->config);

	for (int i = 1; i < local->failures && ms < PROTOCOL_BACKOFF_MS; i++)
		ms *= 2;
	return ms > retry_after_ms ? ms : retry_after_ms;
}

static void note_failure(struct local *local, enum reason reason)
{
	if (reason != local->reason)
		local->since_ms = clock_wall_ms();
	local->reason = reason;
	local->failures = reason_is_fault(reason) ? local->failures + 1 : 0;
}

/* What this worker has seen itself fires by the same rules. */
static void step_alerts(const struct local *local, struct snapshot *snap,
			const struct snapshot *previous)
{
	static const struct firing_outage none;

	if (local->config->firing_rules)
		firing_step(previous ? buf_span(&previous->firing) : (struct span){NULL, 0},
			    local->config->firing_rules, &none, snap);
}

static void take_snapshot(struct local *local, struct snapshot *snap,
			  const struct upstream_status *upstream_status,
			  const struct upstream_call *call, int64_t gen_ms)
{
	const struct snapshot *previous = local_snapshot(local);
	char token[TOKEN_HEX];

	hash_token(token);
	memcpy(snap->id, token, HASH_HEX - 1);
	snap->gen_ms = gen_ms;
	snap->interval_ms = local->config->interval_ms;
	snap->bucket = gen_ms / snap->interval_ms;
	snap->warmup = upstream_status->warmup;
	snap->scenario = upstream_status->scenario;
	snap->served.fetch_ms = call->took_ms;
	snap->served.bytes = call->bytes;
	snapshot_carry(snap, previous);
	step_alerts(local, snap, previous);
	if (previous)
		silenced_take(snap, buf_span(&previous->told));
	silenced_mark(snap);
	local_drop(local);
	local->snap = snap;
}

/* A record lock on the shared descriptor (F_WRLCK, F_UNLCK); it ends with its holder. false:
 * another worker has it. */
static bool set_turn(const struct local *local, short type)
{
	struct flock turn = {.l_type = type, .l_whence = SEEK_SET};

	return fcntl(local->config->host_fd, F_SETLK, &turn) == 0 ||
	       (errno != EAGAIN && errno != EACCES);
}

static void fetch(struct local *local, struct upstream *upstream)
{
	int64_t gen_ms = clock_wall_ms(), began = clock_mono_ms();
	struct upstream_status upstream_status;
	struct upstream_call call;
	struct snapshot *snap;
	int64_t wait;

	upstream_status_fetch(upstream, local->config->scenario_configured, &upstream_status);
	note_failure(local, refresh_fetch(upstream, NULL, NULL, &call, &snap));
	wait = wait_ms(local, call.retry_after_ms);
	local->due_ms = clock_mono_ms() + wait;
	local->next_try_ms = clock_wall_ms() + wait;
	if (snap) {
		take_snapshot(local, snap, &upstream_status, &call, gen_ms);
		local->gen_mono_ms = began;
	}
	log_event(LOG_LEVEL_WARNING, "local_refresh",
		  LOG_STR("result", reason_table[local->reason].slug),
		  LOG_INT("fetch_ms", call.took_ms));
}

/* Whether this host has a call left. The call counts as made, even if the worker dies before it
 * makes it. */
static bool take_call(struct local *local)
{
	const struct local_config *config = local->config;

	return local->calls_fd < 0 || host_calls_take(local->calls_fd, 0, config->workers,
						      share_ms(config), clock_mono_ms());
}

void local_refresh(struct local *local, struct upstream *upstream)
{
	if (!set_turn(local, F_WRLCK))
		return;
	if (take_call(local))
		fetch(local, upstream);
	else
		local->due_ms = clock_mono_ms() + AGAIN_MS;
	(void)set_turn(local, F_UNLCK);
}

bool local_alerts_due(const struct local *local)
{
	return clock_mono_ms() >= local->alerts_ms;
}

bool local_take_alerts(struct local *local)
{
	const struct local_config *config = local->config;
	int64_t now_ms = clock_mono_ms();
	bool taken;

	if (!set_turn(local, F_WRLCK))
		return false;
	taken = local->calls_fd < 0 ||
		host_calls_take(local->calls_fd, config->workers, 1, config->interval_ms, now_ms);
	(void)set_turn(local, F_UNLCK);
	local->alerts_ms = now_ms + (taken ? config->interval_ms : AGAIN_MS);
	return taken;
}
