/* SPDX-License-Identifier: MIT */
/* A part of a stored record that zlib packs (RFC 1950), with both its lengths before it. */
#ifndef TFT_PACK_H
#define TFT_PACK_H

#include "base/bytes.h"

void pack_put(struct span part, struct buf *out);
/* Appends the part to an initialised buffer, whose ceiling bounds it. */
void pack_get(struct bytes_reader *r, struct buf *part);

#endif
