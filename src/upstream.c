/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "upstream.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"

#define STALL_MS                                                                                   \
	2000 /* after the first byte: less than STALL_BYTES in that time is a dead transfer */
#define STALL_BYTES  2048
#define REFUSED_MS   60000
#define RETRY_MAX_MS 300000

struct upstream {
	const struct upstream_config *config;
	CURLM *multi;
	struct curl_slist *key_header;  /* NULL without a key */
	struct curl_slist *json_header; /* of a POST */
};

/* One call under way. */
struct transfer {
	struct upstream_call *call;
	CURL *easy;
	int64_t max_body;
	int64_t started_ms, window_ms, window_bytes;
	long status;
	bool is_json, stopped, too_large, stalled;
	int64_t retry_after_ms;
};

static const char *const paths[UPSTREAM_ENDPOINTS] = {
	[UPSTREAM_PREDICTIONS] = "/predictions/current",
	[UPSTREAM_STATUS] = "/status",
	[UPSTREAM_SCENARIO] = "/scenario/status",
	[UPSTREAM_SCENARIO_SET] = "/scenario/set",
};

struct upstream *upstream_new(const struct upstream_config *config)
{
	struct upstream *u = calloc(1, sizeof(*u));
	char header[600];

	if (!u)
		return NULL;
	u->config = config;
	u->multi = curl_multi_init();
	u->json_header = curl_slist_append(NULL, "Content-Type: application/json");
	if (*config->api_key) {
		(void)snprintf(header, sizeof(header), "X-API-Key: %s", config->api_key);
		u->key_header = curl_slist_append(NULL, header);
	}
	if (!u->multi || !u->json_header || (*config->api_key && !u->key_header))
		upstream_free(&u);
	return u;
}

void upstream_free(struct upstream **upstream)
{
	struct upstream *u = *upstream;

	if (!u)
		return;
	if (u->multi)
		curl_multi_cleanup(u->multi);
	curl_slist_free_all(u->key_header);
	curl_slist_free_all(u->json_header);
	free(u);
	*upstream = NULL;
}

/* Whole seconds only; absent, a date or nonsense gives the minute after which the daemon counts
 * anew (contract 1.2). */
static int64_t retry_after(const char *value, size_t len)
{
	int64_t seconds = 0;
	size_t i = 0;

	while (i < len && (value[i] == ' ' || value[i] == '\t'))
		i++;
	if (i == len || value[i] < '0' || value[i] > '9')
		return REFUSED_MS;
	for (; i < len && value[i] >= '0' && value[i] <= '9' && seconds < RETRY_MAX_MS; i++)
		seconds = seconds * 10 + (value[i] - '0');
	while (i < len && strchr(" \t\r\n", value[i]))
		i++;
	if (i < len && seconds < RETRY_MAX_MS)
		return REFUSED_MS;
	return seconds * 1000 < RETRY_MAX_MS ? seconds * 1000 : RETRY_MAX_MS;
}

static bool header_is(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncasecmp(line, name, n) == 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;

	/* Every status line begins a new set: an interim 1xx answer must leave nothing behind. */
	if (header_is(line, len, "HTTP/")) {
		t->is_json = false;
		t->retry_after_ms = 0;
	} else if (header_is(line, len, "Content-Type:")) {
		static const char json[] = "application/json";
		size_t at = strlen("Content-Type:");

		while (at < len && line[at] == ' ')
			at++;
		t->is_json = len - at >= sizeof(json) - 1 &&
			     strncasecmp(line + at, json, sizeof(json) - 1) == 0 &&
			     (len - at == sizeof(json) - 1 ||
			      strchr("; \r\n", line[at + sizeof(json) - 1]));
	} else if (header_is(line, len, "Retry-After:")) {
		t->retry_after_ms =
			retry_after(line + strlen("Retry-After:"), len - strlen("Retry-After:"));
	}
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;

	t->call->bytes += (int64_t)len;
	if (t->call->bytes > t->max_body) {
		t->too_large = true;
		return 0;
	}
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	/* The body of an error says nothing that the status does not: it is read (and counted) but
	 * never looked at. */
	if (t->status != 200 || !t->is_json || t->stopped || !t->call->sink)
		return len;
	if (t->call->sink(t->call->ctx, bytes, len) != 0) {
		t->stopped = true;
		return 0;
	}
	return len;
}

static void set_options(const struct upstream *u, struct transfer *t, const char *url)
{
	CURL *e = t->easy;
	enum upstream_endpoint endpoint = t->call->endpoint;

	(void)curl_easy_setopt(e, CURLOPT_URL, url);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* A re-used connection that the daemon has just closed would be re-sent silently: a second
	 * inference. */
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)u->config->connect_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)u->config->timeout_ms[endpoint]);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	if (endpoint == UPSTREAM_PREDICTIONS && u->key_header)
		(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, u->key_header);
	if (endpoint == UPSTREAM_SCENARIO_SET) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, u->json_header);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)t->call->body.len);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->call->body.ptr);
	}
}

static void begin(struct upstream *u, struct transfer *t, struct upstream_call *call)
{
	bool generator =
		call->endpoint == UPSTREAM_SCENARIO || call->endpoint == UPSTREAM_SCENARIO_SET;
	const char *base = generator ? u->config->generator_url : u->config->daemon_url;
	char url[600];

	*t = (struct transfer){.call = call, .max_body = u->config->max_body[call->endpoint]};
	call->reason = REASON_INTERNAL;
	call->status = 0;
	call->bytes = call->retry_after_ms = call->took_ms = 0;
	t->started_ms = t->window_ms = clock_mono_ms();
	t->easy = curl_easy_init();
	if (!t->easy)
		return;
	(void)snprintf(url, sizeof(url), "%s%s", base, paths[call->endpoint]);
	set_options(u, t, url);
	if (curl_multi_add_handle(u->multi, t->easy) != CURLM_OK) {
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
	}
}

static const struct {
	CURLcode code;
	enum reason reason;
} curl_reasons[] = {
	{CURLE_COULDNT_RESOLVE_HOST, REASON_NAME},
	{CURLE_COULDNT_CONNECT, REASON_CONNECT},
	{CURLE_OPERATION_TIMEDOUT, REASON_TIMEOUT},
	{CURLE_OUT_OF_MEMORY, REASON_INTERNAL},
	{CURLE_URL_MALFORMAT, REASON_INTERNAL},
	{CURLE_UNSUPPORTED_PROTOCOL, REASON_BAD}, /* not HTTP */
};

static enum reason reason_of_curl(CURLcode code)
{
	for (size_t i = 0; i < sizeof(curl_reasons) / sizeof(curl_reasons[0]); i++)
		if (curl_reasons[i].code == code)
			return curl_reasons[i].reason;
	return REASON_INCOMPLETE;
}

static enum reason reason_of_status(long status)
{
	switch (status) {
	case 200:
		return REASON_NONE;
	case 401:
	case 403:
		return REASON_KEY;
	case 429:
		return REASON_LIMIT;
	default:
		return status >= 500 ? REASON_STATUS_5XX : REASON_STATUS;
	}
}

/* Contract 2.2, top to bottom: what the transfer and the status decide; the body is judged by
 * decode. */
static enum reason classify(const struct transfer *t, CURLcode code)
{
	enum reason reason;

	if (t->too_large)
		return REASON_TOO_LARGE;
	if (t->stalled)
		return REASON_INCOMPLETE;
	if (t->stopped)
		return REASON_NONE;
	if (code != CURLE_OK)
		return reason_of_curl(code);
	reason = reason_of_status(t->status);
	return reason == REASON_NONE && !t->is_json ? REASON_BAD : reason;
}

static void end(struct upstream *u, struct transfer *t, CURLcode code)
{
	struct upstream_call *call = t->call;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	call->status = t->status;
	call->reason = classify(t, code);
	if (call->reason == REASON_KEY)
		call->retry_after_ms = REFUSED_MS;
	if (call->reason == REASON_LIMIT)
		call->retry_after_ms = t->retry_after_ms ? t->retry_after_ms : REFUSED_MS;
	call->took_ms = clock_mono_ms() - t->started_ms;
	curl_multi_remove_handle(u->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

static void reap(struct upstream *u)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(u->multi, &left))) {
		CURLcode code = msg->data.result;
		char *t = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		end(u, (struct transfer *)(void *)t, code);
	}
}

/* The daemon computes for seconds before its first byte, so only a transfer that has begun can
 * stall. */
static bool stalls(struct transfer *t, int64_t now_ms)
{
	if (!t->easy || t->call->bytes == 0) {
		t->window_ms = now_ms;
		return false;
	}
	if (t->call->bytes - t->window_bytes >= STALL_BYTES) {
		t->window_ms = now_ms;
		t->window_bytes = t->call->bytes;
	}
	return now_ms - t->window_ms >= STALL_MS;
}

static void cut_stalled(struct upstream *u, struct transfer *transfers, size_t count)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < count; i++) {
		if (stalls(&transfers[i], now)) {
			transfers[i].stalled = true;
			end(u, &transfers[i], CURLE_OPERATION_TIMEDOUT);
		}
	}
}

void upstream_run(struct upstream *u, struct upstream_call *calls, size_t count,
		  upstream_progress progress, void *ctx)
{
	struct transfer transfers[UPSTREAM_ENDPOINTS];
	int running = 1;

	for (size_t i = 0; i < count; i++)
		begin(u, &transfers[i], &calls[i]);
	while (running > 0) {
		if (curl_multi_perform(u->multi, &running) != CURLM_OK)
			break;
		reap(u);
		cut_stalled(u, transfers, count);
		if (progress && !progress(ctx))
			break;
		if (running > 0)
			(void)curl_multi_poll(u->multi, NULL, 0, 200, NULL);
	}
	for (size_t i = 0; i < count; i++)
		if (transfers[i].easy)
			end(u, &transfers[i], CURLE_ABORTED_BY_CALLBACK);
}
