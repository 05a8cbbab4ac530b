/* SPDX-License-Identifier: MIT */
/*
 * The headers of every answer, in a fixed order. No byte of a client gets in but the request id,
 * which is checked; so there is no way to smuggle in a CR, an LF or an X-Accel-Redirect.
 */
#include "config.h"
#include "response.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "fmt.h"

static const struct status {
	int code;
	const char *reason;
} statuses[] = {
	{200, "OK"},
	{303, "See Other"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
};

/* Here and not in nginx, whose add_header is not inherited once a location sets one of its own. */
static const char security[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	"frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: same-origin\r\n"
	"Permissions-Policy: accelerometer=(), autoplay=(), camera=(), display-capture=(), "
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
	"usb=()\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n";

static const char *reason_of(int code)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].code == code)
			return statuses[i].reason;
	assert(!"a status without reason phrase");
	return "";
}

void response_init(struct response *r, int status)
{
	*r = (struct response){
		.status = status,
		.max_age_s = RESPONSE_NO_STORE,
		.bucket = -1,
		.redis_us = -1,
		.render_us = -1,
	};
}

static void put_content(const struct response *r, struct buf *out)
{
	buf_addf(out, "Status: %d %s\r\n", r->status, reason_of(r->status));
	/* Those of a 304 would have to be those of the 200 that it stands for. */
	if (r->status == 304)
		return;
	buf_addf(out, "Content-Type: %s\r\n", r->type ? r->type : "text/html; charset=utf-8");
	buf_addf(out, "Content-Length: %zu\r\n", r->body.len);
	if (r->gzip)
		buf_lit(out, "Content-Encoding: gzip\r\n");
	if (r->filename)
		buf_addf(out, "Content-Disposition: attachment; filename=\"%s\"\r\n", r->filename);
}

static void put_validators(const struct response *r, struct buf *out)
{
	if (*r->etag)
		buf_addf(out, "ETag: %s\r\n", r->etag);
	if (r->gen_ms == 0)
		return;
	buf_lit(out, "Last-Modified: ");
	fmt_http_date(out, r->gen_ms);
	buf_addf(out, "\r\nAge: %" PRId64 "\r\n", r->age_ms > 0 ? r->age_ms / 1000 : 0);
}

static void put_cache_control(const struct response *r, struct buf *out)
{
	if (r->max_age_s == RESPONSE_NO_STORE) {
		buf_lit(out, "Cache-Control: no-store\r\n");
		return;
	}
	buf_addf(out, "Cache-Control: max-age=%d", r->max_age_s);
	if (r->revalidate_ok)
		buf_addf(out, ", stale-while-revalidate=%" PRId64, r->interval_s);
	buf_lit(out, ", stale-if-error=3600\r\nVary: Accept-Encoding\r\n");
}

static void put_caching(const struct response *r, int64_t now_wall_ms, struct buf *out)
{
	put_cache_control(r, out);
	/* A point in time: the relative value 1 would let nginx keep a copy for up to two seconds.
	 */
	if (r->l1)
		buf_addf(out, "X-Accel-Expires: @%" PRId64 "\r\n", now_wall_ms / 1000);
	else
		buf_lit(out, "X-Accel-Expires: 0\r\n");
	if (*r->cache_status)
		buf_addf(out, "Cache-Status: %s\r\n", r->cache_status);
}

static void put_duration(struct buf *out, const char *before, const char *name, int64_t us)
{
	buf_addf(out, "%s%s;dur=%" PRId64 ".%" PRId64, before, name, us / 1000, us % 1000 / 100);
}

static void put_timing(const struct response *r, struct buf *out)
{
	static const char header[] = "Server-Timing: ";

	if (r->redis_us >= 0)
		put_duration(out, header, "redis", r->redis_us);
	if (r->render_us >= 0)
		put_duration(out, r->redis_us >= 0 ? ", " : header, "render", r->render_us);
	if (r->redis_us >= 0 || r->render_us >= 0)
		buf_lit(out, "\r\n");
}

static bool is_id(struct span id)
{
	static const char letters[] =
		"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < id.len; i++)
		if (!memchr(letters, id.ptr[i], sizeof(letters) - 1))
			return false;
	return id.len > 0;
}

static void put_trace(const struct response *r, const char *node, struct span request_id,
		      struct buf *out)
{
	if (is_id(request_id)) {
		buf_lit(out, "X-Request-Id: ");
		buf_span_add(out, request_id);
		buf_lit(out, "\r\n");
	}
	buf_addf(out, "X-TFT-Node: %s\r\n", node);
	if (r->bucket >= 0)
		buf_addf(out, "X-TFT-Bucket: %" PRId64 "\r\n", r->bucket);
}

void response_head(const struct response *r, const char *node, struct span request_id,
		   int64_t now_wall_ms, struct buf *out)
{
	put_content(r, out);
	put_validators(r, out);
	put_caching(r, now_wall_ms, out);
	if (r->allow)
		buf_addf(out, "Allow: %s\r\n", r->allow);
	if (r->service_desc)
		buf_addf(out, "Link: <%s>; rel=\"service-desc\"\r\n", r->service_desc);
	if (*r->location)
		buf_addf(out, "Location: %s\r\n", r->location);
	if (r->retry_after_s > 0)
		buf_addf(out, "Retry-After: %d\r\n", r->retry_after_s);
	put_timing(r, out);
	put_trace(r, node, request_id, out);
	buf_add(out, security, sizeof(security) - 1);
	buf_lit(out, "\r\n");
}

/* The opaque part with its quotes: a weak comparison does not look at the W. */
static const char *skip_weak(const char *tag)
{
	return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

bool response_not_modified(const char *if_none_match, const char *etag)
{
	const char *ours = skip_weak(etag), *p = if_none_match;
	size_t len = strlen(ours);

	if (len == 0)
		return false;
	if (strcmp(p, "*") == 0)
		return true;
	while (*(p += strspn(p, ", \t")) != '\0') {
		const char *end;

		p = skip_weak(p);
		end = *p == '"' ? strchr(p + 1, '"') : NULL;
		if (end && (size_t)(end + 1 - p) == len && memcmp(p, ours, len) == 0)
			return true;
		/* A comma inside the quotes of a tag separates nothing. */
		p = end ? end + 1 : p;
		p += strcspn(p, ",");
	}
	return false;
}
