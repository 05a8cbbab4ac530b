/* SPDX-License-Identifier: MIT */
/*
 * What an operator wants to know: whether caching works, how the last calls ended, who did what,
 * which settings this node uses (doc/pages.md#advanced).
 */
#ifndef TFT_DIAGNOSIS_H
#define TFT_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIAGNOSIS_CALLS   20
#define DIAGNOSIS_ACTIONS 5

/* One refresh: its upstream call and how it ended. */
struct diagnosis_call {
	char result[32]; /* ok, another result of the commit, or a reason's slug */
	long status;     /* HTTP status, 0 none */
	int64_t at_ms;   /* time of the claim, epoch, by Redis' clock */
	int64_t fetch_ms, total_ms, bytes;
};

/* An action of an operator. */
struct diagnosis_action {
	int64_t at_ms;               /* epoch */
	char action[16], result[16]; /* the program's own words: scenario.set, done */
	char from[32], to[32];       /* scenario before and as read back; "-": unknown or none */
	char user[64]; /* as authenticated by the web server, possibly truncated; "-": nobody */
};

/* An option and its effective value; a secret is masked. */
struct diagnosis_setting {
	char name[40]; /* section.key */
	char value[512];
	const char *source, *help; /* default, file or env */
};

enum role { ROLE_VIEWER, ROLE_OPERATOR };

struct scenario;

struct diagnosis {
	size_t count; /* of calls, newest first */
	struct diagnosis_call calls[DIAGNOSIS_CALLS];
	size_t action_count; /* of actions, newest first */
	struct diagnosis_action actions[DIAGNOSIS_ACTIONS];
	int64_t budget_left; /* calls left in the current minute; -1 unknown */
	char epoch[32];      /* of the fleet; empty: none, or unknown */
	/* Requests to this node, by what they found in the shared cache. */
	int64_t fresh, stale, cold, down;
	int64_t next_bucket_ms; /* epoch; 0 unknown */
	int64_t bucket,
		data_bucket; /* the current bucket and the bucket of the data; -1: unknown */

	/* For the advanced page only. */
	bool has_alertmanager;
	int64_t alerts_ms;        /* epoch: the last alerts that one has taken; 0: none are known */
	const char *alerts_fault; /* why none has taken the last ones, or NULL */
	int64_t alerts_fault_ms;  /* epoch: since when */
	const char *node;
	enum role role;
	const char *user; /* empty: not authenticated */
	const struct scenario *scenario;
	const char *scenario_fault; /* what is wrong with the generator's last answer, or NULL */
	size_t setting_count;
	const struct diagnosis_setting *settings;
};

#endif
