/* SPDX-License-Identifier: MIT */
/* The checks are in the order of the real daemon: path, method, key, limiter. A refused call does
 * not count. */
#include "config.h"
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wait.h"

enum { BODY_MAX = 8 << 20, CHUNK = 32 << 10, MINUTE_MS = 60000 };

/* clang-format off */
static const struct {
	int status;
	const char *reason;
	const char *body; /* constant body, or NULL */
} answers[] = {
	{200, "OK", NULL},
	{403, "Forbidden",
	 "{\"detail\":\"Invalid or missing API key. Set TFT_API_KEY environment variable.\"}"},
	{404, "Not Found", "{\"detail\":\"Not Found\"}"},
	{405, "Method Not Allowed", "{\"detail\":\"Method Not Allowed\"}"},
	{413, "Request Entity Too Large", "{\"detail\":\"Request Entity Too Large\"}"},
	{422, "Unprocessable Entity", NULL},
	{429, "Too Many Requests", NULL},
	{500, "Internal Server Error", "Internal Server Error"},
};
/* clang-format on */

static const char *param(const FCGX_Request *fcgi, const char *name)
{
	const char *value = FCGX_GetParam(name, fcgi->envp);

	return value ? value : "";
}

/* The route for path and method; if there is none, *status is 404 or 405. */
static const struct route *find_route(const struct daemon *d, const char *path, const char *method,
				      int *status)
{
	*status = 404;
	for (const struct route *r = d->routes; r->path; r++) {
		if (strcmp(r->path, path) != 0)
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		*status = 405;
	}
	return NULL;
}

/* The row of this caller; replaces an expired row, or else the oldest. */
static struct quota *find_quota(struct daemon *d, const struct route *r, const char *ip,
				int64_t now_ms)
{
	struct quota *oldest = &d->quotas[0];

	for (size_t i = 0; i < sizeof d->quotas / sizeof *d->quotas; i++) {
		struct quota *q = &d->quotas[i];

		if (q->route == r && strcmp(q->ip, ip) == 0 && now_ms - q->since_ms < MINUTE_MS)
			return q;
		if (!q->route || (oldest->route && q->since_ms < oldest->since_ms))
			oldest = q;
	}
	oldest->route = r;
	oldest->since_ms = now_ms;
	oldest->calls = 0;
	snprintf(oldest->ip, sizeof oldest->ip, "%s", ip);
	return oldest;
}

static bool within_quota(struct daemon *d, const struct route *r, const char *ip)
{
	struct quota *q;

	if (d->rate_limit == 0 || r->limit_factor == 0)
		return true;
	q = find_quota(d, r, ip, wait_monotonic_ms());
	if (q->calls >= d->rate_limit * r->limit_factor)
		return false;
	q->calls++;
	return true;
}

/* 0, or the status to answer with. */
static int read_body(FCGX_Request *fcgi, struct text *body)
{
	char chunk[8192];
	long left = strtol(param(fcgi, "CONTENT_LENGTH"), NULL, 10);

	if (left > BODY_MAX)
		return 413;
	while (left > 0) {
		int want = left < (long)sizeof chunk ? (int)left : (int)sizeof chunk;
		int got = FCGX_GetStr(chunk, want, fcgi->in);

		if (got <= 0)
			break;
		text_add(body, chunk, (size_t)got);
		left -= got;
	}
	return body->failed ? 500 : 0;
}

/*
 * Writes in pieces that fit into the socket buffer: libfcgi must not block on a slow client, as no
 * signal can interrupt it.
 */
static bool send_bytes(FCGX_Request *fcgi, const char *bytes, size_t length)
{
	for (size_t at = 0; at < length; at += CHUNK) {
		size_t n = length - at < CHUNK ? length - at : CHUNK;

		if (!wait_for(fcgi->ipcFd, POLLOUT, -1) ||
		    FCGX_PutStr(bytes + at, (int)n, fcgi->out) < 0)
			return false;
	}
	return true;
}

static bool send_reply(FCGX_Request *fcgi, const struct reply *rp)
{
	size_t row = 0;

	while (answers[row].status != rp->status)
		row++;
	const char *body = answers[row].body ? answers[row].body : rp->body.data;
	size_t length = answers[row].body ? strlen(body) : rp->body.len;

	FCGX_FPrintF(fcgi->out, "Status: %d %s\r\n", rp->status, answers[row].reason);
	FCGX_FPrintF(fcgi->out, "Content-Type: %s\r\n",
		     rp->status == 500 ? "text/plain; charset=utf-8" : "application/json");
	FCGX_FPrintF(fcgi->out, "Content-Length: %lu\r\n\r\n", (unsigned long)length);
	return send_bytes(fcgi, body, length);
}

/* False: no answer. */
static bool answer(struct daemon *d, FCGX_Request *fcgi, const struct route *r, struct reply *rp)
{
	struct request rq = {.content_type = param(fcgi, "CONTENT_TYPE")};
	bool answered = true;
	int refused;

	if (r->protected && d->api_key && strcmp(param(fcgi, "DEMO_KEY"), d->api_key) != 0) {
		rp->status = 403;
		return true;
	}
	if (!within_quota(d, r, param(fcgi, "REMOTE_ADDR"))) {
		rp->status = 429;
		text_fmt(&rp->body, "{\"error\":\"Rate limit exceeded: %d per 1 minute\"}",
			 d->rate_limit * r->limit_factor);
		return true;
	}
	refused = read_body(fcgi, &rq.body);
	if (refused)
		rp->status = refused;
	else
		answered = r->answer(d, &rq, rp);
	text_free(&rq.body);
	if (rp->body.failed)
		rp->status = 500;
	return answered;
}

bool serve_request(struct daemon *d, FCGX_Request *fcgi)
{
	struct reply rp = {.status = 200};
	const struct route *r;
	int status;
	bool sent;

	/* The last parameter that nginx sends: without it the list was truncated and cannot be
	 * trusted. */
	if (strcmp(param(fcgi, "DEMO_END"), "1") != 0)
		return false;
	r = find_route(d, param(fcgi, "DOCUMENT_URI"), param(fcgi, "REQUEST_METHOD"), &status);
	if (!r)
		rp.status = status;
	sent = (!r || answer(d, fcgi, r, &rp)) && send_reply(fcgi, &rp);
	text_free(&rp.body);
	return sent;
}
