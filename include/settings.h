/* SPDX-License-Identifier: MIT */
/*
 * The options: one row each in settings.c with section, key, environment variable, type, range,
 * default and help. Precedence: environment, file, built-in. Anything unknown, duplicate or out of
 * range gives one clear line with file and line number. tft-dashboard.conf(5) has the meaning of
 * each option.
 */
#ifndef TFT_SETTINGS_H
#define TFT_SETTINGS_H

#include <stdint.h>
#include "base/buf.h"
#include "fleet/diagnosis.h"
#include "base/err.h"
#include "base/hash.h"

#define SETTING_TEXT_MAX 512
#define SETTINGS_MAX     64

enum setting_source { SETTING_BUILTIN, SETTING_FILE, SETTING_ENV };

/* Texts are printable ASCII, paths UTF-8. Durations are in milliseconds, sizes in bytes. */
struct settings {
	/* [upstream] */
	char daemon_url[SETTING_TEXT_MAX]; /* base URL of the inference daemon, no slash at the end
					    */
	char fleet[65];                    /* name of the fleet, or empty */
	char fingerprint[HASH_HEX];        /* of that name, else of daemon_url; of no secret */
	char generator_url[SETTING_TEXT_MAX]; /* base URL of the metrics generator; empty: no
						 scenario shown */
	char api_key[SETTING_TEXT_MAX];       /* secret */
	char ca_file[SETTING_TEXT_MAX];       /* authorities of https URLs; empty: the system's */
	int64_t timeout_ms;                   /* predictions, total */
	int64_t connect_ms;
	int64_t status_timeout_ms;
	int64_t scenario_timeout_ms;
	int64_t max_body; /* bytes of a predictions answer */
	/* [cache] */
	int64_t interval_ms;        /* fleet group */
	int64_t status_interval_ms; /* status and scenario groups */
	int64_t act_limit_ms;       /* not above max_stale_ms */
	int64_t max_stale_ms;
	int64_t calls_per_minute; /* budget of the fleet group over all hosts */
	int64_t idle_tick;        /* 0/1: idle workers refresh at the start of a bucket */
	int64_t history_points;   /* MAXLEN of the stream */
	int64_t history_memory;   /* bytes of Redis */
	/* [redis] */
	char redis[SETTING_TEXT_MAX]; /* as in store/address.h */
	char redis_prefix[17];        /* of all keys */
	char redis_user[128];
	char redis_password[SETTING_TEXT_MAX];    /* secret */
	char sentinel_password[SETTING_TEXT_MAX]; /* secret */
	char redis_ca_file[SETTING_TEXT_MAX];     /* these three: of TLS */
	char redis_cert_file[SETTING_TEXT_MAX];
	char redis_key_file[SETTING_TEXT_MAX];
	int64_t redis_connect_ms;
	int64_t redis_batch_ms;   /* one read batch, total */
	int64_t redis_publish_ms; /* one refresh's writes, total */
	/* [server] */
	char node[65];         /* name in headers and log, [A-Za-z0-9._-]; default: host name */
	int64_t workers;       /* of this host */
	int64_t workers_total; /* behind one upstream client address, 0: those of this host; how
				  often each calls while Redis is down */
	/* [ui] */
	char frame_origin[SETTING_TEXT_MAX]; /* as origin */
	char runbook_url[SETTING_TEXT_MAX];  /* with {server} and {profile}; empty: none */
	char hosts[SETTING_TEXT_MAX]; /* names in lower case, separated by commas; empty: any */
	int64_t fleet_metrics;        /* 0 or 1 */
	char public_url[SETTING_TEXT_MAX]; /* no slash at the end */
	/* [auth] */
	char operators[SETTING_TEXT_MAX]; /* names of users, separated by single commas */
	int64_t anonymous;                /* enum role of those without a user */
	char origin[SETTING_TEXT_MAX];    /* scheme://host[:port] as browsers write it, or empty */
	/* [alert] */
	char alertmanagers[SETTING_TEXT_MAX];        /* base URLs, no slash at the end, separated by
						 single commas */
	int64_t alert_from;                          /* enum level */
	int64_t alert_after;                         /* buckets */
	char alert_authentication[SETTING_TEXT_MAX]; /* secret */
	char alert_ca_file[SETTING_TEXT_MAX];
	/* [log] */
	int64_t log_level;  /* enum log_level */
	int64_t log_format; /* enum log_format */

	uint8_t source[SETTINGS_MAX]; /* enum setting_source by row of the table */
	struct err warning;           /* a probable mistake to warn about; empty: none */
};

/* path NULL: the built-in default path, which may be absent; else the file must exist. 0, or -1
 * with *err filled; the caller exits with EX_CONFIG. *err never has a value in it, so no secret. */
int settings_load(struct settings *s, const char *path, struct err *err);
/* The effective values, one "section.key = value    # source: help" per line; secrets as ***, those
 * that are not set as nothing. */
void settings_print(const struct settings *s, struct buf *out);
/* The effective values in the order of the table; their number. Secrets as for printing. */
size_t settings_describe(const struct settings *s, struct diagnosis_setting rows[SETTINGS_MAX]);

#endif
