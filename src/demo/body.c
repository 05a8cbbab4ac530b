/* SPDX-License-Identifier: MIT */
/* Validation of request bodies, in the words of FastAPI with pydantic 1 as far as recorded. */
#include "config.h"
#include "body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 32 };

void body_refuse(struct reply *rp, const char *loc, const char *msg, const char *type)
{
	rp->status = 422;
	text_fmt(&rp->body, "{\"detail\":[{\"loc\":[\"body\"%s],\"msg\":\"%s\",\"type\":\"%s\"}]}",
		 loc, msg, type);
}

/* Python's words for the two most common errors: expecting a name (after a brace), or a value. */
static const char *fault_words(const struct text *body, size_t at)
{
	while (at > 0 && strchr(" \t\r\n", body->data[at - 1]))
		at--;
	return at > 0 && body->data[at - 1] == '{'
		       ? "Expecting property name enclosed in double quotes"
		       : "Expecting value";
}

static bool is_ascii(const struct text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		if ((unsigned char)t->data[i] > 0x7f)
			return false;
	}
	return true;
}

/* The error quotes the body, unless that might not be UTF-8. */
static void refuse_malformed(const struct text *body, size_t at, struct reply *rp)
{
	const char *words = fault_words(body, at);
	unsigned long line = 1, column = 1, pos = at;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (body->data[i] == '\n') {
			line++;
			column = 1;
		}
	}
	rp->status = 422;
	text_fmt(&rp->body,
		 "{\"detail\":[{\"loc\":[\"body\",%lu],\"msg\":\"%s: line %lu column %lu (char "
		 "%lu)\","
		 "\"type\":\"value_error.jsondecode\",\"ctx\":{\"msg\":\"%s\",\"doc\":",
		 pos, words, line, column, pos, words);
	text_json(&rp->body, body->data, is_ascii(body) ? body->len : 0);
	text_fmt(&rp->body, ",\"pos\":%lu,\"lineno\":%lu,\"colno\":%lu}}]}", pos, line, column);
}

/* NULL also for the JSON value null; *ok distinguishes the two. */
static struct json_object *parse(const struct text *body, int flags, bool *ok, size_t *at)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL;

	*ok = false;
	*at = 0;
	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, flags);
	root = json_tokener_parse_ex(tok, body->data, (int)body->len);
	*at = json_tokener_get_parse_end(tok);
	*ok = json_tokener_get_error(tok) == json_tokener_success && *at == body->len;
	json_tokener_free(tok);
	if (!*ok) {
		json_object_put(root);
		root = NULL;
	}
	return root;
}

/* json-c 0.18, in strict mode, takes non-ASCII bytes for control characters. So the syntax is
 * checked on a copy that has an ASCII byte in place of each of them. */
static bool is_strict(const struct text *body, size_t *at)
{
	struct text plain = {0};
	bool ok = false;

	text_add(&plain, body->data, body->len);
	for (size_t i = 0; i < plain.len; i++)
		if ((unsigned char)plain.data[i] > 0x7f)
			plain.data[i] = '?';
	*at = 0;
	if (!plain.failed)
		json_object_put(parse(&plain, JSON_TOKENER_STRICT, &ok, at));
	text_free(&plain);
	return ok;
}

static struct json_object *parse_strictly(const struct text *body, bool *ok, size_t *at)
{
	*ok = is_strict(body, at);
	return *ok ? parse(body, JSON_TOKENER_VALIDATE_UTF8, ok, at) : NULL;
}

static bool is_json(const char *content_type)
{
	static const char json[] = "application/json";

	return content_type[0] == '\0' || strncasecmp(content_type, json, sizeof json - 1) == 0;
}

struct json_object *body_object(const struct request *rq, struct reply *rp)
{
	struct json_object *root = NULL;
	bool ok = true;
	size_t at;

	if (rq->body.len == 0) {
		body_refuse(rp, "", "field required", "value_error.missing");
		return NULL;
	}
	if (is_json(rq->content_type))
		root = parse_strictly(&rq->body, &ok, &at);
	if (!ok) {
		refuse_malformed(&rq->body, at, rp);
		return NULL;
	}
	if (!json_object_is_type(root, json_type_object)) {
		body_refuse(rp, "", "value is not a valid dict", "type_error.dict");
		json_object_put(root);
		return NULL;
	}
	return root;
}

struct json_object *body_field(struct json_object *body, const char *name, struct reply *rp)
{
	struct json_object *value = NULL;
	char loc[32];

	snprintf(loc, sizeof loc, ",\"%s\"", name);
	if (!json_object_object_get_ex(body, name, &value))
		body_refuse(rp, loc, "field required", "value_error.missing");
	else if (!value)
		body_refuse(rp, loc, "none is not an allowed value", "type_error.none.not_allowed");
	return value;
}
