/* SPDX-License-Identifier: MIT */
/* The values of one metric of a server, as its page and its CSV show them. */
#ifndef TFT_QUANTITY_H
#define TFT_QUANTITY_H

#include "base/buf.h"
#include "fleet/level.h"
#include "fleet/snapshot.h"

/* The present and predicted values of one metric (doc/rules.md#other-metrics); NaN: absent. */
struct quantity {
	double now, predicted, worst, in_8h, trend;
};

/* Without its series only what the alert table shows, too. */
struct quantity quantity_of(const struct server *server, enum metric metric);
/* The present value; of the past, where it is kept. */
double quantity_now(const struct server *server, enum metric metric);
/* The fifteenth metric is optional and listed only if it was sent. */
bool quantity_is_listed(const struct server *server, enum metric metric);
/* Whether a model made its forecast (doc/rules.md#provenance). */
bool quantity_is_model(const struct snapshot *snap, enum metric metric);
enum mark quantity_mark(const struct server *server, enum metric metric, double value);
/* A value with its unit. */
void quantity_put(enum metric metric, double value, struct buf *out);

#endif
