/* SPDX-License-Identifier: MIT */
/* Answers about the service itself: status, description of the API, health, metrics. */
#ifndef TFT_HEALTH_H
#define TFT_HEALTH_H

#include "server/route.h"
#include "server/context.h"

/* Fills in the answer to ROUTE_STATUS, _OPENAPI, _HEALTHZ, _READYZ, _METRICS or
 * _FLEET_METRICS; its body is in
 * *body. */
void health_answer(struct sources *sources, enum route_kind kind, struct buf *body,
		   struct response *response);

#endif
