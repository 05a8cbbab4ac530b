/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/gzip.h"

#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

#define CHUNK       16384
#define WINDOW_GZIP (15 + 16) /* the largest window, in a gzip wrapper */
#define MEM_LEVEL   8
#define OS_UNKNOWN  255

int gzip_compress(struct span in, int level, struct buf *out)
{
	unsigned char chunk[CHUNK];
	gz_header header = {.os = OS_UNKNOWN};
	z_stream z = {.next_in = (const unsigned char *)in.ptr, .avail_in = (uInt)in.len};
	int rc;

	if (in.len > UINT_MAX)
		return -1;
	if (deflateInit2(&z, level, Z_DEFLATED, WINDOW_GZIP, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	deflateSetHeader(&z, &header);
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		rc = deflate(&z, Z_FINISH);
		buf_add(out, chunk, sizeof(chunk) - z.avail_out);
	} while (rc == Z_OK && buf_ok(out));
	deflateEnd(&z);
	return rc == Z_STREAM_END && buf_ok(out) ? 0 : -1;
}
