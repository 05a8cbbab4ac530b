/* SPDX-License-Identifier: MIT */
/* The names of servers in ascending order, each as what it shares with the one before and the rest:
 * a byte for the number of shared bytes, then a text (base/bytes.h). */
#ifndef TFT_NAMES_H
#define TFT_NAMES_H

#include "base/bytes.h"
#include "fleet/snapshot.h"

void names_put(const struct server *const *servers, size_t count, struct buf *out);
/* Adds as many servers to the snapshot, in this order. */
void names_get(struct bytes_reader *r, struct snapshot *s, size_t count);

#endif
