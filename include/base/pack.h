/* SPDX-License-Identifier: MIT */
/*
 * Stored records: the magic, the xxh64 of the body, the body. A part of the body may be packed by
 * zlib, with both its lengths before it: with a head and a checksum (RFC 1950), or bare (RFC 1951) and
 * in fewer bytes beside a base, bytes of which it repeats much. The record's own checksum covers it.
 */
#ifndef TFT_PACK_H
#define TFT_PACK_H

#include "base/bytes.h"

/* Appends the record; fails if the body did. */
void pack_seal(const char *magic, int format, const struct buf *body, struct buf *out);
/* Reads the body of a record; bad if the magic, the format or the checksum is another. */
struct bytes_reader pack_open(struct span record, const char *magic, int format);

void pack_put(struct span part, struct buf *out);
/* Appends the part to an initialised buffer, whose ceiling bounds it. */
void pack_get(struct bytes_reader *r, struct buf *part);
/* base: the same bytes when it is read; empty: none. */
void pack_put_bare(struct span part, struct span base, struct buf *out);
void pack_get_bare(struct bytes_reader *r, struct span base, struct buf *part);

#endif
