/* SPDX-License-Identifier: MIT */
/* The names of servers in ascending order, each as what it shares with the one before and the rest:
 * a byte for the number of shared bytes, then a text (base/bytes.h). */
#ifndef TFT_NAMES_H
#define TFT_NAMES_H

#include "base/bytes.h"
#include "fleet/snapshot.h"

void names_put(const struct server *const *servers, size_t count, struct buf *out);
/* Where the name is among the next `count`; count: nowhere, or the bytes are bad. */
size_t names_find(struct bytes_reader *r, struct span name, size_t count);
/* Leaves out the first ones, then adds as many servers to the snapshot, in this order. */
void names_get(struct bytes_reader *r, struct snapshot *s, size_t first, size_t count);

#endif
