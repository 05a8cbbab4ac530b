/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cache/protocol.h"
#include "refresh/refresh.h"
#include "refresh/upstream_status.h"

struct local {
	const struct local_config *config;
	struct snapshot *snap;
	enum reason reason;
	int failures;
	int64_t since_ms, next_try_ms; /* wall clock: both are shown */
	int64_t due_ms;                /* monotonic */
};

struct local *local_new(const struct local_config *config)
{
	struct local *local = calloc(1, sizeof(*local));

	if (local)
		local->config = config;
	return local;
}

void local_free(struct local **local)
{
	if (!*local)
		return;
	snapshot_free(&(*local)->snap);
	free(*local);
	*local = NULL;
}

void local_drop(struct local *local)
{
	const struct local_config *config = local->config;

	snapshot_free(&local->snap);
	/* The time of the next call stays: a Redis that comes and goes must not add calls. */
	*local = (struct local){.config = config, .due_ms = local->due_ms};
}

bool local_due(const struct local *local)
{
	return clock_mono_ms() >= local->due_ms;
}

const struct snapshot *local_snapshot(const struct local *local)
{
	return local->snap;
}

void local_condition(const struct local *local, struct condition *condition)
{
	condition->reason = local->reason;
	condition->since_ms = local->since_ms;
	condition->next_try_ms = local->next_try_ms;
	condition->cache_off = true;
}

/* Not before the interval, nor before this worker's share of the budget allows, and up to 20 %
 * later so that workers spread. The share is of whole calls in a minute, or one in whole minutes:
 * they may all begin at the same moment. */
static int64_t local_interval_ms(const struct local_config *config)
{
	int64_t calls = config->calls_per_minute, workers = config->workers;
	int64_t share_ms = workers <= calls ? PROTOCOL_WINDOW_MS / (calls / workers)
					    : (workers + calls - 1) / calls * PROTOCOL_WINDOW_MS;
	int64_t ms = config->interval_ms > share_ms ? config->interval_ms : share_ms;

	return ms + clock_mono_us() % (ms / 5);
}

static int64_t wait_ms(const struct local *local, int64_t retry_after_ms)
{
	int64_t ms = local_interval_ms(local->config);

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

static void take_snapshot(struct local *local, struct snapshot *snap,
			  const struct upstream_status *upstream_status,
			  const struct upstream_call *call, int64_t gen_ms)
{
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
	snapshot_carry(snap, local->snap);
	snapshot_free(&local->snap);
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
	int64_t gen_ms = clock_wall_ms();
	struct upstream_status upstream_status;
	struct upstream_call call;
	struct snapshot *snap;
	int64_t wait;

	upstream_status_ask(upstream, local->config->scenario_configured, &upstream_status);
	note_failure(local, refresh_fetch(upstream, NULL, NULL, &call, &snap));
	wait = wait_ms(local, call.retry_after_ms);
	local->due_ms = clock_mono_ms() + wait;
	local->next_try_ms = clock_wall_ms() + wait;
	if (snap)
		take_snapshot(local, snap, &upstream_status, &call, gen_ms);
	log_event(LOG_LEVEL_WARNING, "local_refresh",
		  LOG_STR("result", reason_table[local->reason].slug),
		  LOG_INT("fetch_ms", call.took_ms));
}

void local_refresh(struct local *local, struct upstream *upstream)
{
	if (!set_turn(local, F_WRLCK))
		return;
	fetch(local, upstream);
	(void)set_turn(local, F_UNLCK);
}
