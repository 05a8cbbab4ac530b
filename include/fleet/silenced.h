/* SPDX-License-Identifier: MIT */
/*
 * Which servers are silenced (doc/rules.md#silences): those whose alert of their present level is,
 * as the Alertmanager says, and those that an active silence covers by plain matchers, whether or
 * not there is an alert. Determined once, by the refresh; the snapshot carries it.
 */
#ifndef TFT_SILENCED_H
#define TFT_SILENCED_H

#include "fleet/snapshot.h"

/* Takes over the record (alertmanager.h); nothing if it is damaged. Nobody is silenced then. */
void silenced_take(struct snapshot *s, struct span record);
/* Sets the silence of each server, as of silenced_at. */
void silenced_mark(struct snapshot *s);
/* The time for silences: of the data, or of the reading where that is later, as it is while the
 * daemon sends none. */
int64_t silenced_at(const struct snapshot *s);

#endif
