/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/refusal.h"

#include <assert.h>

#include "pages/catalogue.h"

static const struct http_error errors[] = {
	{400, "Bad request", "This address has a parameter with a value that is not valid."},
	{404, "Not found", "There is no such page."},
	{405, "Method not allowed", "This address does not take that method."},
	{413, "Too large", "The request is too large."},
	{414, "Address too long", "The address is too long."},
	{421, "Not under this name",
	 "The dashboard does not answer under this name. Its own are set by [ui] hosts."},
	{500, "Internal error", "The page could not be made. The error is in the log."},
	{503, "Not available",
	 "The shared cache cannot be reached. Please try again in a few seconds."},
};

static const struct http_error *find_error(int status)
{
	const struct http_error *error = errors, *end = errors + sizeof(errors) / sizeof(errors[0]);

	for (; error->status != status; error++)
		assert(error + 1 < end);
	return error;
}

static void finish_error(struct answering *a, int status, bool json, struct response *response)
{
	response_init(response, status);
	response->type = json ? "application/problem+json" : NULL;
	response->body = buf_span(&a->body);
	response->max_age_s = RESPONSE_NO_STORE;
	response->retry_after_s = status == 503 ? 1 : 0;
}

void refuse(struct answering *a, const struct http_error *error, bool json, const char *hint,
	    struct response *response)
{
	buf_reset(&a->body);
	page_error(error, hint, json ? MEDIA_JSON : MEDIA_HTML, a->path, &a->body);
	finish_error(a, error->status, json, response);
}

void refuse_status(struct answering *a, int status, bool json, const char *hint,
		   struct response *response)
{
	refuse(a, find_error(status), json, hint, response);
}

void refuse_value(struct answering *a, const struct bad_value *bad, struct response *response)
{
	bool json = bad->page->media == MEDIA_JSON || bad->query->format == FORMAT_JSON;

	buf_reset(&a->body);
	page_bad_value(find_error(400), bad, json ? MEDIA_JSON : MEDIA_HTML, &a->body);
	finish_error(a, 400, json, response);
}

void refuse_server(struct answering *a, bool json, bool past, struct response *response)
{
	static const struct http_error now = {404, "Not found",
					      "No such server in the current snapshot."};
	static const struct http_error then = {404, "Not found", "No such server at that moment."};

	refuse(a, past ? &then : &now, json, NULL, response);
}

void refuse_other(struct answering *a, bool past, struct response *response)
{
	static const struct http_error now = {
		404, "Not found", "No such server in the current snapshot to compare with."};
	static const struct http_error then = {404, "Not found",
					       "No such server to compare with at that moment."};

	refuse(a, past ? &then : &now, false, NULL, response);
}

void refuse_moment(struct answering *a, const struct no_moment *none, bool future, enum media media,
		   struct response *response)
{
	static const struct http_error gone = {404, "No such moment",
					       "Nothing is kept of the moment that was asked for."};
	static const struct http_error coming = {404, "Not yet",
						 "The moment that was asked for has not come yet."};
	const struct http_error *error = future ? &coming : &gone;

	buf_reset(&a->body);
	page_no_moment(error, none, media, &a->body);
	finish_error(a, error->status, media != MEDIA_HTML, response);
}
