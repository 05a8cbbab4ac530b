/* SPDX-License-Identifier: MIT */
/* gzip members (RFC 1952) without time stamp and name, so that equal input gives equal bytes on
 * every host. */
#ifndef TFT_GZIP_H
#define TFT_GZIP_H

#include "base/buf.h"

#define GZIP_STORED 6 /* level for what is compressed once and sent often */

/* Compresses `in` into `out` (appended). level: zlib's 1..9. 0, or -1 when memory or the ceiling of
 * `out` ended. */
int gzip_compress(struct span in, int level, struct buf *out);

#endif
