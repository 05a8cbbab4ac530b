/* SPDX-License-Identifier: MIT */
/* Test inputs that end at a page without access: any read past the end faults at once. */
#ifndef TFT_GUARD_H
#define TFT_GUARD_H

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/span.h"

#define GUARD_ROOM (16 * 4096)

/* A copy of `s` (at most GUARD_ROOM bytes) that ends at the page without access. Release it with
 * guard_free. */
static inline struct span guard_copy(struct span s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *copy;

	assert(room != MAP_FAILED && s.len <= GUARD_ROOM && GUARD_ROOM % page == 0);
	assert(mprotect(room + GUARD_ROOM, page, PROT_NONE) == 0);
	copy = room + GUARD_ROOM - s.len;
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct span){copy, s.len};
}

static inline void guard_free(struct span s)
{
	munmap((char *)(uintptr_t)(s.ptr + s.len - GUARD_ROOM),
	       GUARD_ROOM + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
