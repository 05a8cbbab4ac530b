/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/pack.h"

#include <zlib.h>

#define LEVEL 6

void pack_put(struct span part, struct buf *out)
{
	uLongf len = compressBound(part.len);
	struct buf packed;
	char *room;

	buf_init(&packed, len);
	room = buf_reserve(&packed, len);
	if (!room ||
	    compress2((Bytef *)room, &len, (const Bytef *)part.ptr, part.len, LEVEL) != Z_OK) {
		buf_fail(out);
	} else {
		bytes_put_int(out, part.len, 4);
		bytes_put_int(out, len, 4);
		buf_add(out, room, len);
	}
	buf_free(&packed);
}

void pack_get(struct bytes_reader *r, struct buf *part)
{
	uLongf len = (uLongf)bytes_get_upto(r, 4, part->max);
	struct span packed = bytes_get(r, (size_t)bytes_get_upto(r, 4, r->rest.len));
	char *room = r->bad ? NULL : buf_reserve(part, len);

	if (!room || uncompress((Bytef *)room, &len, (const Bytef *)packed.ptr, packed.len) != Z_OK)
		r->bad = true;
	else
		buf_grew(part, len);
}
