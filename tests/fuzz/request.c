/* SPDX-License-Identifier: MIT */
/*
 * Everything that a client can send: the FastCGI parameters, then the body. The input holds the
 * values in the order of `names`, each ended by a NUL; a parameter whose value is "\1" is absent.
 */
#include "config.h"

#include <strings.h>

#include "server/action.h"
#include "fuzz.h"
#include "server/request.h"
#include "server/response.h"
#include "server/route.h"

static const char *const names[] = {
	"DOCUMENT_URI", "QUERY_STRING", "REQUEST_METHOD", "CONTENT_LENGTH", "CONTENT_TYPE",
	"TFT_INM",      "TFT_ORIGIN",   "TFT_SFS",        "REMOTE_ADDR",    "REMOTE_USER",
	"TFT_AE",       "TFT_RID",      "TFT_END",        "TFT_L1",         "TFT_HOST",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct client {
	char *values[NAMES]; /* owned; NULL: absent */
	struct span body;
};

static void client_init(struct client *client, struct span input)
{
	for (size_t i = 0; i < NAMES; i++) {
		struct span value = fuzz_cut(&input, '\0');
		char *copy = NULL;

		if (!span_is(value, "\1")) {
			copy = malloc(value.len + 1);
			REQUIRE(copy);
			if (value.len)
				memcpy(copy, value.ptr, value.len);
			copy[value.len] = '\0';
		}
		client->values[i] = copy;
	}
	client->body = input;
}

static void client_free(struct client *client)
{
	for (size_t i = 0; i < NAMES; i++)
		free(client->values[i]);
}

static const char *param(void *ctx, const char *name)
{
	const struct client *client = ctx;
	size_t i = 0;

	while (strcmp(names[i], name) != 0)
		REQUIRE(++i < NAMES);
	return client->values[i];
}

static size_t read_body(void *ctx, char *bytes, size_t len)
{
	struct client *client = ctx;

	if (len > client->body.len)
		len = client->body.len;
	if (len == 0)
		return 0;
	memcpy(bytes, client->body.ptr, len);
	client->body.ptr += len;
	client->body.len -= len;
	return len;
}

/* --- properties --- */

static bool is_text(const char *text, size_t size, size_t len)
{
	return strnlen(text, size) == len;
}

static void check_request(const struct request *r)
{
	REQUIRE(is_text(r->path, sizeof(r->path), r->path_len));
	REQUIRE(is_text(r->query, sizeof(r->query), r->query_len));
	REQUIRE(is_text(r->body, sizeof(r->body), r->body_len));
	REQUIRE(r->method == METHOD_POST || r->body_len == 0);
}

static void write_query(const struct query *q, struct buf *out)
{
	buf_init(out, 1 << 16);
	query_write(q, out);
	REQUIRE(buf_ok(out));
	for (size_t i = 0; i < out->len; i++)
		REQUIRE(out->data[i] > 0x20 && out->data[i] < 0x7f &&
			!strchr("<>\"'#+", out->data[i]));
}

/* The canonical text has the same meaning and is its own canonical text. */
static void check_query(const struct query *q, unsigned allowed)
{
	struct query again;
	enum query_key bad;
	struct buf once, twice;

	query_init(&again);
	write_query(q, &once);
	REQUIRE(query_parse(&again, buf_span(&once), allowed, &bad) == 0);
	write_query(&again, &twice);
	REQUIRE(again.given == q->given && span_eq(buf_span(&once), buf_span(&twice)));
	REQUIRE(again.sort == q->sort && again.sort_descending == q->sort_descending);
	REQUIRE(strcmp(again.q, q->q) == 0 && memcmp(again.cost, q->cost, sizeof(q->cost)) == 0);
	buf_free(&once);
	buf_free(&twice);
}

static void check_error(int status, const char *hint, enum media media, struct span path)
{
	const struct http_error error = {status, "Title", "Text."};
	struct buf out;

	buf_init(&out, 1 << 20);
	page_error(&error, hint, media, path, &out);
	REQUIRE(buf_ok(&out));
	fuzz_check_document(media, buf_span(&out));
	buf_free(&out);
}

static void check_address(const struct request *r, size_t any)
{
	struct span path = {r->path, r->path_len}, raw = {r->query, r->query_len};
	struct route route = route_find(r->method, path);
	const struct page *page = route.page ? route.page : &page_table[any % page_count];
	enum media media = route.json ? MEDIA_JSON : MEDIA_HTML;
	enum query_key bad = QUERY_KEYS;
	struct query q;

	REQUIRE((route.kind == ROUTE_PAGE) == (route.page != NULL));
	REQUIRE((route.kind == ROUTE_METHOD) == (route.allow != NULL));
	query_init(&q);
	if (query_parse(&q, raw, page->params, &bad) == 0) {
		REQUIRE((q.given & ~page->params) == 0);
		check_query(&q, page->params);
	} else {
		REQUIRE(bad == QUERY_TIME || (bad < QUERY_KEYS && (page->params & QUERY_BIT(bad))));
		check_error(400, query_key_values(bad), media, path);
	}
	if (route.kind == ROUTE_NOT_FOUND || route.kind == ROUTE_METHOD)
		check_error(404, NULL, media, path);
}

/* Header lines of printable bytes, then one blank line. */
static void check_head(const struct request *r, int status)
{
	struct response response;
	struct buf out;
	struct span rest;

	response_init(&response, status);
	buf_init(&out, 1 << 16);
	response_head(&response, "node", span_str(r->id), 0, &out);
	REQUIRE(buf_ok(&out));
	for (rest = buf_span(&out); rest.len > 0;) {
		struct span line = fuzz_cut(&rest, '\n');

		REQUIRE(line.len > 0 && line.ptr[line.len - 1] == '\r');
		REQUIRE((line.len == 1) == (rest.len == 0));
		for (size_t i = 0; i + 1 < line.len; i++)
			REQUIRE(line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f);
	}
	buf_free(&out);
}

static void check_condition(const struct request *r)
{
	static const char tag[] = "W/\"0123\"";

	REQUIRE(!response_not_modified(r->if_none_match, ""));
	if (response_not_modified(r->if_none_match, tag))
		REQUIRE(strstr(r->if_none_match, "\"0123\"") || strchr(r->if_none_match, '*'));
	else
		REQUIRE(strcmp(r->if_none_match, tag) != 0);
}

/* A request that may act never comes from another site. */
static void check_action(const struct request *r)
{
	static struct settings settings = {.anonymous = ROLE_OPERATOR, .origin = "http://a"};

	if (action_refusal(&settings, r))
		return;
	REQUIRE(strncasecmp(r->content_type, "application/x-www-form-urlencoded", 33) == 0);
	if (*r->fetch_site)
		REQUIRE(strcmp(r->fetch_site, "same-origin") == 0 ||
			strcmp(r->fetch_site, "none") == 0);
	else if (*r->origin)
		REQUIRE(strcmp(r->origin, "http://a") == 0);
	else
		REQUIRE(strncmp(r->remote_addr, "127.", 4) == 0 ||
			strcmp(r->remote_addr, "::1") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	struct client client;
	enum request_result rc;

	client_init(&client, (struct span){(const char *)data, size});
	rc = request_parse(&request, param, read_body, &client);
	REQUIRE((rc == REQUEST_CUT) ==
		(strcmp(param(&client, "TFT_END") ? param(&client, "TFT_END") : "", "1") != 0));
	if (rc == REQUEST_OK) {
		check_request(&request);
		check_address(&request, size);
		check_condition(&request);
		check_action(&request);
	}
	if (rc != REQUEST_CUT)
		check_head(&request, rc == REQUEST_OK ? 200 : 400);
	client_free(&client);
	return 0;
}
