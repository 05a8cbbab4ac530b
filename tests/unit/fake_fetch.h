/* SPDX-License-Identifier: MIT */
/*
 * tft-fetch as a test wants it: the test's own program, started again. fake_fetch_runs comes first
 * in its main. What a call gets stands in the environment under the name of its endpoint
 * ("predictions", "status", "scenario", "set", "alerts", "told", "silence", "silences", "about"): "<reason> <status> <retry_after_ms> <file>", with -
 * for no body, or a word of its own: "hang", "die", "half", "forever", "odd". After "by 3 " it
 * comes in parts of 3 bytes. The orders are kept in the file ORDERS.
 */
#ifndef TFT_FAKE_FETCH_H
#define TFT_FAKE_FETCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cmocka.h>
#include <zlib.h>

#include "refresh/fetch.h"
#include "refresh/upstream.h"

/* Of an answer in parts: their length, and what has not been sent yet. */
static struct {
	size_t part, len;
	char bytes[65536];
} fetch_parts;

static inline void fetch_send(const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n <= 0)
			_exit(1);
		bytes += n;
		len -= (size_t)n;
	}
}

static inline void fetch_write(const void *bytes, size_t len)
{
	if (!fetch_parts.part) {
		fetch_send(bytes, len);
		return;
	}
	if (len > sizeof(fetch_parts.bytes) - fetch_parts.len)
		_exit(1);
	memcpy(fetch_parts.bytes + fetch_parts.len, bytes, len);
	fetch_parts.len += len;
}

/* Each part is sent when the one before has been read. */
static inline void fetch_end(void)
{
	for (size_t at = 0; at < fetch_parts.len; at += fetch_parts.part) {
		size_t rest = fetch_parts.len - at;
		int unread = 1;

		fetch_send(fetch_parts.bytes + at,
			   rest < fetch_parts.part ? rest : fetch_parts.part);
		while (unread)
			if (ioctl(STDOUT_FILENO, SIOCOUTQ, &unread) != 0)
				_exit(1);
	}
}

static inline void fetch_piece(const char *bytes, size_t len)
{
	fetch_length length = (fetch_length)len;

	fetch_write(&length, sizeof(length));
	fetch_write(bytes, len);
}

static inline int64_t fetch_body(const char *path)
{
	gzFile file = gzopen(path, "rb");
	char bytes[9000];
	int64_t total = 0;
	int n;

	while (file && (n = gzread(file, bytes, sizeof(bytes))) > 0) {
		fetch_piece(bytes, (size_t)n);
		total += n;
	}
	if (file)
		gzclose(file);
	return total;
}

static inline const char *fetch_text(char *to, uint32_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(STDIN_FILENO, to + have, len - have);

		if (n <= 0)
			_exit(1);
		have += (size_t)n;
	}
	to[len] = '\0';
	return to;
}

static inline void note_order(const struct fetch_order *o, const char *const text[FETCH_TEXTS])
{
	FILE *file = fopen(getenv("ORDERS"), "a");

	(void)fprintf(file, "%u %s%s key=%s%s%s post=%s ca=%s %lld %lld %lld\n", o->version,
		      o->is_delete ? "DELETE " : "", text[0], text[1], *text[2] ? " auth=" : "",
		      text[2], text[4], text[3], (long long)o->connect_ms, (long long)o->timeout_ms,
		      (long long)o->max_body);
	(void)fclose(file);
}

static inline void play_fetch(const char *script)
{
	struct fetch_outcome outcome = {0};
	long long reason, status, retry;
	fetch_length end = 0;
	char path[512];

	if (strncmp(script, "by ", 3) == 0) {
		fetch_parts.part = (size_t)(script[3] - '0');
		script += 5;
	}
	if (strcmp(script, "die") == 0)
		_exit(1);
	if (strcmp(script, "hang") == 0)
		(void)pause();
	if (strcmp(script, "half") == 0) {
		fetch_piece("abc", 3);
		fetch_end();
		_exit(0);
	}
	while (strcmp(script, "forever") == 0)
		fetch_piece("abc", 3);
	if (strcmp(script, "odd") == 0) {
		outcome.reason = 1000;
		fetch_write(&end, sizeof(end));
		fetch_write(&outcome, sizeof(outcome));
		_exit(0);
	}
	if (sscanf(script, "%lld %lld %lld %511s", &reason, &status, &retry, path) != 4)
		_exit(1);
	outcome.bytes = fetch_body(path);
	outcome.reason = reason;
	outcome.status = status;
	outcome.retry_after_ms = retry;
	fetch_write(&end, sizeof(end));
	fetch_write(&outcome, sizeof(outcome));
	fetch_end();
}

/* True if this program was started as tft-fetch. */
static inline bool fake_fetch_runs(int argc, char **argv)
{
	static char texts[FETCH_TEXTS][FETCH_TEXT_MAX + 1], post[1 << 20];
	const char *text[FETCH_TEXTS];
	struct fetch_order order;

	if (argc != 1 || strcmp(argv[0], "tft-fetch") != 0)
		return false;
	if (read(STDIN_FILENO, &order, sizeof(order)) != (ssize_t)sizeof(order))
		_exit(1);
	text[0] = fetch_text(texts[0], order.url_len);
	text[1] = fetch_text(texts[1], order.key_len);
	text[2] = fetch_text(texts[2], order.auth_len);
	text[3] = fetch_text(texts[3], order.ca_len);
	text[4] = fetch_text(post, order.post_len);
	note_order(&order, text);
	play_fetch(getenv(strstr(text[0], "/predictions/")      ? "predictions"
			  : strstr(text[0], "/scenario/set")    ? "set"
			  : strstr(text[0], "/scenario/status") ? "scenario"
			  : strstr(text[0], "/api/v2/alerts?")  ? "told"
			  : strstr(text[0], "/api/v2/alerts")   ? "alerts"
			  : strstr(text[0], "/api/v2/silence/") ? "silence"
			  : strstr(text[0], "/api/v2/silences") ? "silences"
			  : strstr(text[0], "/api/v2/status")   ? "about"
								: "status"));
	return true;
}

static const struct upstream_config fake_upstream = {
	.fetcher = "/proc/self/exe",
	.daemon_url = "http://daemon:8000",
	.generator_url = "http://generator:8001",
	.api_key = "secret",
	.ca_file = "/ca.pem",
	.connect_ms = 1000,
	.timeout_ms = {15000, 2000, 1500, 1400},
	.max_body = {5000000, 60000, 60001, 60002},
};

static char orders_path[] = "/tmp/tft-orders-XXXXXX";

static inline void fetch_says(const char *endpoint, const char *script)
{
	assert_int_equal(setenv(endpoint, script, 1), 0);
}

/* A recorded answer. */
static inline void fetch_answers(const char *endpoint, const char *payload)
{
	const char *srcdir = getenv("srcdir");
	char script[600];

	(void)snprintf(script, sizeof(script), "0 200 0 %s/tests/data/payloads/%s",
		       srcdir ? srcdir : ".", payload);
	fetch_says(endpoint, script);
}

static char answer_path[64];

/* An answer with this text, until fetch_forget. result: its reason and status. */
static inline void fetch_answers_text(const char *endpoint, const char *result, const char *text)
{
	char script[128];
	FILE *file;

	(void)snprintf(answer_path, sizeof(answer_path), "/tmp/tft-answer.%d", (int)getpid());
	(void)snprintf(script, sizeof(script), "%s 0 %s", result, answer_path);
	file = fopen(answer_path, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	assert_int_equal(fclose(file), 0);
	fetch_says(endpoint, script);
}

static inline void fetch_forget(void)
{
	(void)unlink(answer_path);
}

/* Of an Alertmanager 0.25. */
static inline void fetch_records(const char *endpoint, const char *record)
{
	const char *srcdir = getenv("srcdir");
	char script[600];

	(void)snprintf(script, sizeof(script), "0 200 0 %s/tests/data/records/%s",
		       srcdir ? srcdir : ".", record);
	fetch_says(endpoint, script);
}

static inline void fetch_begin(void)
{
	if (!getenv("ORDERS")) {
		assert_true(mkstemp(orders_path) >= 0);
		assert_int_equal(setenv("ORDERS", orders_path, 1), 0);
	}
	assert_int_equal(truncate(orders_path, 0), 0);
}

/* The orders since the last call of this function. */
static inline const char *fetch_orders(void)
{
	static char text[65536];
	FILE *file = fopen(orders_path, "r");
	size_t n = fread(text, 1, sizeof(text) - 1, file);

	(void)fclose(file);
	text[n] = '\0';
	assert_int_equal(truncate(orders_path, 0), 0);
	return text;
}

#endif
