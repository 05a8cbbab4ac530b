/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "transfer.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "fleet/condition.h"

/* After the first byte: less than STALL_BYTES in that time is a dead transfer. */
#define STALL_MS     2000
#define STALL_BYTES  2048
#define REFUSED_MS   60000
#define RETRY_MAX_MS 300000
#define POLL_MS      200

struct transfer {
	CURL *easy;
	transfer_sink sink;
	int64_t max_body, bytes;
	int64_t window_ms, window_bytes;
	long status;
	bool any_body, began, is_json, too_large, stalled;
	int64_t retry_after_ms;
};

/* Whole seconds only. If the header is absent, a date or malformed, it is the minute after which
 * the daemon's own count starts again (doc/upstream.md#rate-limits). */
static int64_t retry_after(struct span value)
{
	int64_t seconds;

	while (value.len && strchr(" \t", *value.ptr))
		value = (struct span){value.ptr + 1, value.len - 1};
	while (value.len && strchr(" \t\r\n", value.ptr[value.len - 1]))
		value.len--;
	seconds = text_decimal(value);
	if (seconds < 0)
		return REFUSED_MS;
	return seconds < RETRY_MAX_MS / 1000 ? seconds * 1000 : RETRY_MAX_MS;
}

static bool is_json(const char *type, size_t len)
{
	static const char json[] = "application/json";

	while (len && *type == ' ') {
		type++;
		len--;
	}
	return len >= sizeof(json) - 1 && strncasecmp(type, json, sizeof(json) - 1) == 0 &&
	       (len == sizeof(json) - 1 || strchr("; \r\n", type[sizeof(json) - 1]));
}

/* What follows the name, or NULL. */
static const char *value_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncasecmp(line, name, n) == 0 ? line + n : NULL;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;
	const char *value;

	t->began = true;
	/* Every status line resets the headers: an interim 1xx answer must leave nothing behind. */
	if (value_of(line, len, "HTTP/")) {
		t->is_json = false;
		t->retry_after_ms = 0;
	} else if ((value = value_of(line, len, "Content-Type:"))) {
		t->is_json = is_json(value, len - (size_t)(value - line));
	} else if ((value = value_of(line, len, "Retry-After:"))) {
		t->retry_after_ms = retry_after((struct span){value, len - (size_t)(value - line)});
	}
	return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;

	t->bytes += (int64_t)len;
	t->too_large = t->bytes > t->max_body;
	if (t->too_large)
		return 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if ((t->any_body || (t->status == 200 && t->is_json)) && t->sink(bytes, len) != 0)
		return 0;
	return len;
}

static bool is_token(const char *auth)
{
	return strncmp(auth, "Bearer ", 7) == 0;
}

static void set_options(struct transfer *t, const struct transfer_order *order)
{
	CURL *e = t->easy;

	(void)curl_easy_setopt(e, CURLOPT_URL, order->url);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)order->connect_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)order->timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	if (*order->ca_file) {
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, order->ca_file);
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	if (*order->auth && !is_token(order->auth)) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(e, CURLOPT_USERPWD, order->auth);
	}
	if (*order->post)
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, order->post);
	if (order->is_delete)
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "DELETE");
}

/* false: out of memory. */
static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char line[FETCH_TEXT_MAX + 32];
	struct curl_slist *more;

	(void)snprintf(line, sizeof(line), "%s%s", name, value);
	more = curl_slist_append(*headers, line);
	if (more)
		*headers = more;
	return more;
}

/* The same. libcurl would ask for leave before it sends a long body, which not every proxy grants. */
static bool set_headers(struct transfer *t, const struct transfer_order *order,
			struct curl_slist **headers)
{
	if ((*order->key && !add_header(headers, "X-API-Key: ", order->key)) ||
	    (is_token(order->auth) && !add_header(headers, "Authorization: ", order->auth)) ||
	    (*order->post && (!add_header(headers, "Content-Type: ", "application/json") ||
			      !add_header(headers, "Expect:", ""))))
		return false;
	return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
}

static enum reason reason_of_curl(CURLcode code)
{
	static const struct {
		CURLcode code;
		enum reason reason;
	} reasons[] = {
		{CURLE_COULDNT_RESOLVE_HOST, REASON_NAME},
		{CURLE_COULDNT_CONNECT, REASON_CONNECT},
		{CURLE_OPERATION_TIMEDOUT, REASON_TIMEOUT},
		{CURLE_OUT_OF_MEMORY, REASON_INTERNAL},
		{CURLE_URL_MALFORMAT, REASON_INTERNAL},
		{CURLE_UNSUPPORTED_PROTOCOL, REASON_NOT_HTTP},
		{CURLE_WEIRD_SERVER_REPLY, REASON_NOT_HTTP},
		/* Which of them it is depends on how the connection ends, and on the version. */
		{CURLE_GOT_NOTHING, REASON_EMPTY},
		{CURLE_SEND_ERROR, REASON_EMPTY},
		{CURLE_RECV_ERROR, REASON_EMPTY},
		{CURLE_SSL_CONNECT_ERROR, REASON_NOT_HTTPS},
		{CURLE_SSL_CACERT_BADFILE, REASON_CERTIFICATE},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return REASON_INCOMPLETE;
}

/* libcurl has one code for both certificate faults. Signatures are checked first: if they are not
 * at fault (0, or 1 where OpenSSL has not been asked yet), it is the name. */
static enum reason reason_of_certificate(CURL *easy)
{
	long complaint = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &complaint);
	return complaint <= 1 ? REASON_CERTIFICATE_NAME : REASON_CERTIFICATE;
}

static enum reason reason_of_broken(const struct transfer *t, CURLcode code)
{
	enum reason reason = reason_of_curl(code);

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return reason_of_certificate(t->easy);
	return reason == REASON_EMPTY && t->began ? REASON_INCOMPLETE : reason;
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

/* The outcome by transfer and status (doc/upstream.md#calls); the worker judges the body. */
static enum reason classify(const struct transfer *t, CURLcode code)
{
	enum reason reason;

	if (t->too_large)
		return REASON_TOO_LARGE;
	if (t->stalled)
		return REASON_INCOMPLETE;
	if (code != CURLE_OK)
		return reason_of_broken(t, code);
	reason = reason_of_status(t->status);
	return reason == REASON_NONE && !t->is_json && !t->any_body ? REASON_BAD : reason;
}

/* The daemon computes for seconds before its first byte, so only a transfer that has begun can
 * count as stalled. */
static bool stalls(struct transfer *t)
{
	int64_t now = clock_mono_ms();

	if (t->bytes == 0 || t->bytes - t->window_bytes >= STALL_BYTES) {
		t->window_ms = now;
		t->window_bytes = t->bytes;
	}
	return now - t->window_ms >= STALL_MS;
}

static bool is_cancelled(int cancel_fd)
{
	struct pollfd p = {.fd = cancel_fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static CURLcode finish(CURLM *multi)
{
	int left;
	const CURLMsg *msg = curl_multi_info_read(multi, &left);

	return msg && msg->msg == CURLMSG_DONE ? msg->data.result : CURLE_ABORTED_BY_CALLBACK;
}

static CURLcode perform(CURLM *multi, struct transfer *t, int cancel_fd)
{
	struct curl_waitfd end = {.fd = cancel_fd, .events = CURL_WAIT_POLLIN};
	int running = 1;

	while (curl_multi_perform(multi, &running) == CURLM_OK && running > 0) {
		t->stalled = stalls(t);
		if (t->stalled || is_cancelled(cancel_fd))
			break;
		(void)curl_multi_poll(multi, &end, 1, POLL_MS, NULL);
	}
	return finish(multi);
}

static void report(const struct transfer *t, CURLcode code, struct fetch_outcome *outcome)
{
	enum reason reason = classify(t, code);

	*outcome = (struct fetch_outcome){.reason = reason, .status = t->status, .bytes = t->bytes};
	if (reason == REASON_LIMIT && t->retry_after_ms)
		outcome->retry_after_ms = t->retry_after_ms;
	else if (reason == REASON_LIMIT || reason == REASON_KEY)
		outcome->retry_after_ms = REFUSED_MS;
}

void transfer_run(const struct transfer_order *order, int cancel_fd, transfer_sink sink,
		  struct fetch_outcome *outcome)
{
	CURLM *multi = curl_multi_init();
	struct transfer t = {.easy = curl_easy_init(),
			     .sink = sink,
			     .max_body = order->max_body,
			     .any_body = order->any_body};
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (multi && t.easy && set_headers(&t, order, &headers)) {
		set_options(&t, order);
		if (curl_multi_add_handle(multi, t.easy) == CURLM_OK) {
			code = perform(multi, &t, cancel_fd);
			(void)curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &t.status);
			(void)curl_multi_remove_handle(multi, t.easy);
		}
	}
	report(&t, code, outcome);
	curl_easy_cleanup(t.easy);
	curl_slist_free_all(headers);
	(void)curl_multi_cleanup(multi);
}
