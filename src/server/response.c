/* SPDX-License-Identifier: MIT */
/*
 * The headers of every answer, in a fixed order. The only client bytes are those of the request id,
 * which is checked, so no CR, LF or X-Accel-Redirect can be smuggled in.
 */
#include "config.h"
#include "server/response.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const struct status {
	int code;
	const char *reason;
} statuses[] = {
	{200, "OK"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{421, "Misdirected Request"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
};

/* Sent here and not by nginx, whose add_header is not inherited once a location has its own. */
static const char policy[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	"frame-ancestors ";
static const char security[] =
	"\r\n"
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

void response_json(struct response *r, int status, struct span body)
{
	response_init(r, status);
	r->type = "application/json";
	r->body = body;
}

void response_etag(struct response *r, struct span body)
{
	char hex[HASH_HEX];

	hash_hex(hash_xxh64(body), hex);
	(void)snprintf(r->etag, sizeof(r->etag), "W/\"%s\"", hex);
}

/* Appends the rest of a line. With so many lines, printf formats would cost more than everything
 * else here. */
static void put_text(struct buf *out, const char *before, const char *text)
{
	buf_add(out, before, strlen(before));
	buf_add(out, text, strlen(text));
	buf_lit(out, "\r\n");
}

static void put_number(struct buf *out, const char *before, int64_t n)
{
	buf_add(out, before, strlen(before));
	buf_int(out, n);
	buf_lit(out, "\r\n");
}

static void put_content(const struct response *r, struct buf *out)
{
	buf_lit(out, "Status: ");
	buf_int(out, r->status);
	put_text(out, " ", reason_of(r->status));
	/* A 304 would have to repeat those of the 200 it stands for. */
	if (r->status == 304)
		return;
	put_text(out, "Content-Type: ", r->type ? r->type : "text/html; charset=utf-8");
	put_number(out, "Content-Length: ", (int64_t)r->body.len);
	if (r->gzip)
		buf_lit(out, "Content-Encoding: gzip\r\n");
	if (r->filename)
		buf_addf(out, "Content-Disposition: attachment; filename=\"%s\"\r\n", r->filename);
}

/* No Last-Modified: what a page says about its data changes while their time does not, and seconds
 * are too coarse to tell two buckets apart. */
static void put_validators(const struct response *r, struct buf *out)
{
	if (*r->etag)
		put_text(out, "ETag: ", r->etag);
	if (r->gen_ms != 0)
		put_number(out, "Age: ", r->age_ms > 0 ? r->age_ms / 1000 : 0);
}

static void put_cache_control(const struct response *r, struct buf *out)
{
	if (r->max_age_s == RESPONSE_NO_STORE) {
		buf_lit(out, "Cache-Control: no-store\r\n");
		return;
	}
	buf_lit(out, "Cache-Control: max-age=");
	buf_int(out, r->max_age_s);
	if (r->immutable)
		buf_lit(out, ", immutable");
	if (r->authenticated)
		buf_lit(out, ", private");
	buf_lit(out, "\r\nVary: Accept-Encoding\r\n");
}

static void put_caching(const struct response *r, int64_t now_wall_ms, struct buf *out)
{
	/* Separate lines before X-Accel-Expires, after which nginx 1.22 ignores Cache-Control; the
	 * rest of it is not for nginx. */
	if (r->l1 && r->ending)
		buf_lit(out, "Cache-Control: stale-while-revalidate=1\r\n");
	if (r->max_age_s != RESPONSE_NO_STORE && r->stale_ok_s > 0)
		put_number(out, "Cache-Control: stale-if-error=", r->stale_ok_s);
	/* An absolute time: the relative value 1 would let nginx keep a copy for up to two seconds.
	 * One that has passed makes a copy that has expired. */
	if (r->l1)
		put_number(out, "X-Accel-Expires: @", now_wall_ms / 1000 - r->ending);
	else
		buf_lit(out, "X-Accel-Expires: 0\r\n");
	put_cache_control(r, out);
	if (*r->cache_status)
		put_text(out, "Cache-Status: ", r->cache_status);
}

static void put_duration(struct buf *out, const char *before, const char *name, int64_t us)
{
	buf_add(out, before, strlen(before));
	buf_add(out, name, strlen(name));
	buf_lit(out, ";dur=");
	buf_int(out, us / 1000);
	buf_char(out, '.');
	buf_int(out, us % 1000 / 100);
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
	put_text(out, "X-TFT-Node: ", node);
	if (r->bucket >= 0)
		put_number(out, "X-TFT-Bucket: ", r->bucket);
}

static void put_security(const struct response *r, struct buf *out)
{
	bool framed = r->frame_origin && *r->frame_origin;

	buf_add(out, policy, sizeof(policy) - 1);
	buf_span_add(out, framed ? span_str(r->frame_origin) : SPAN("'none'"));
	buf_add(out, security, sizeof(security) - 1);
}

void response_head(const struct response *r, const char *node, struct span request_id,
		   int64_t now_wall_ms, struct buf *out)
{
	/* nginx would keep the other headers and add those of the next response. */
	if (r->retry_location) {
		put_text(out, "X-Accel-Redirect: ", r->retry_location);
		buf_lit(out, "\r\n");
		return;
	}
	put_content(r, out);
	put_validators(r, out);
	put_caching(r, now_wall_ms, out);
	if (r->allow)
		put_text(out, "Allow: ", r->allow);
	if (r->service_desc)
		buf_addf(out, "Link: <%s>; rel=\"service-desc\"\r\n", r->service_desc);
	if (r->location.len) {
		buf_lit(out, "Location: ");
		buf_span_add(out, r->location);
		buf_lit(out, "\r\n");
	}
	if (r->retry_after_s > 0)
		put_number(out, "Retry-After: ", r->retry_after_s);
	put_timing(r, out);
	put_trace(r, node, request_id, out);
	put_security(r, out);
	buf_lit(out, "\r\n");
}

/* The opaque part with its quotes: a weak comparison ignores the W/. */
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
