/* SPDX-License-Identifier: MIT */
/* One table maps parameters to members; the body is read only for methods that have one. */
#include "config.h"
#include "server/request.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/*
 * A header that does not fit is replaced, not refused: extra headers must not change which page is
 * answered. The replacement grants no rights. Path and query are the request itself and have no
 * replacement.
 */
static const struct field {
	const char *param;
	size_t offset, size;
	const char *instead;
} fields[] = {
#define FIELD(param, member, instead)                                                              \
	{                                                                                          \
		param, offsetof(struct request, member), sizeof(((struct request *)NULL)->member), \
			instead                                                                    \
	}
	FIELD("TFT_RID", id, ""),
	FIELD("TFT_HOST", host, "?"),
	FIELD("REMOTE_ADDR", remote_addr, "?"),
	FIELD("REMOTE_USER", remote_user, "?"),
	FIELD("CONTENT_TYPE", content_type, "?"),
	FIELD("TFT_ORIGIN", origin, "null"),
	FIELD("TFT_SFS", fetch_site, "cross-site"),
	FIELD("TFT_INM", if_none_match, ""),
	FIELD("DOCUMENT_URI", path, NULL),
	FIELD("QUERY_STRING", query, NULL),
#undef FIELD
};

/* nginx omits most parameters when they are empty. */
static const char *value_of(request_param param, void *ctx, const char *name)
{
	const char *value = param(ctx, name);

	return value ? value : "";
}

static enum request_result copy_field(struct request *request, const struct field *field,
				      const char *value)
{
	size_t len = strlen(value);

	if (len >= field->size) {
		if (!field->instead) {
			memcpy((char *)request + field->offset, value, field->size - 1);
			return REQUEST_TOO_LONG;
		}
		value = field->instead;
		len = strlen(value);
	}
	memcpy((char *)request + field->offset, value, len + 1);
	return REQUEST_OK;
}

static enum method method_of(const char *text)
{
	static const char *const names[] = {
		[METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST"};
	int method = METHOD_GET;

	while (method < METHOD_OTHER && strcmp(text, names[method]) != 0)
		method++;
	return (enum method)method;
}

/* Digits alone. */
static enum request_result parse_length(const char *text, size_t *len)
{
	int64_t n = text_decimal(span_str(text));

	*len = (size_t)n;
	return n < 0 ? REQUEST_BAD : n > REQUEST_BODY_MAX ? REQUEST_TOO_LARGE : REQUEST_OK;
}

static enum request_result read_body(struct request *request, const char *length, request_read read,
				     void *ctx)
{
	size_t len;
	enum request_result rc = parse_length(length, &len);

	if (rc != REQUEST_OK)
		return rc;
	/* One byte more than announced, to check that nothing follows. */
	if (read(ctx, request->body, len + 1) != len || memchr(request->body, '\0', len))
		return REQUEST_BAD;
	request->body[len] = '\0';
	request->body_len = len;
	return REQUEST_OK;
}

enum request_result request_parse(struct request *request, request_param param, request_read read,
				  void *ctx)
{
	enum request_result rc = REQUEST_OK;

	memset(request, 0, sizeof(*request));
	request->came_us = clock_mono_us();
	if (strcmp(value_of(param, ctx, "TFT_END"), "1") != 0)
		return REQUEST_CUT;
	request->method = method_of(value_of(param, ctx, "REQUEST_METHOD"));
	request->gzip = strcmp(value_of(param, ctx, "TFT_AE"), "gzip") == 0;
	request->l1 = strcmp(value_of(param, ctx, "TFT_L1"), "1") == 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && rc == REQUEST_OK; i++)
		rc = copy_field(request, &fields[i], value_of(param, ctx, fields[i].param));
	request->path_len = strlen(request->path);
	request->query_len = strlen(request->query);
	if (rc == REQUEST_OK && request->method == METHOD_POST)
		rc = read_body(request, value_of(param, ctx, "CONTENT_LENGTH"), read, ctx);
	return rc;
}

/* What browsers treat as an address: text in brackets, or digits and dots. */
static bool is_address(const char *host)
{
	return *host == '[' || (*host && strspn(host, ".0123456789") == strlen(host));
}

bool request_is_ours(const struct request *request, const char *hosts)
{
	return !*hosts || is_address(request->host) || strcmp(request->host, "localhost") == 0 ||
	       text_is_listed(hosts, request->host);
}
