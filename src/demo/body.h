/* SPDX-License-Identifier: MIT */
#ifndef DEMO_BODY_H
#define DEMO_BODY_H

#include <json-c/json.h>

#include "serve.h"

/*
 * Request bodies, validated as the real programs do (FastAPI with pydantic 1). On an error the
 * functions return NULL and the reply is a complete 422.
 */

/* The body as a JSON object; release with json_object_put. */
struct json_object *body_object(const struct request *rq, struct reply *rp);

/* A required member; borrowed. NULL if it is missing or is JSON null, which no field accepts. */
struct json_object *body_field(struct json_object *body, const char *name, struct reply *rp);

/* 422 for one field: loc is the rest of the list after "body", such as `,"records",3`. */
void body_refuse(struct reply *rp, const char *loc, const char *msg, const char *type);

#endif
