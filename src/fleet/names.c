/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/names.h"

#include "base/utf8.h"

static size_t common_start(struct span a, struct span b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return n;
}

void names_put(const struct server *const *servers, size_t count, struct buf *out)
{
	struct span before = {"", 0};

	for (size_t i = 0; i < count; i++) {
		struct span name = servers[i]->name;
		size_t same = common_start(before, name);

		bytes_put_int(out, same, 1);
		bytes_put_text(out, (struct span){name.ptr + same, name.len - same});
		before = name;
	}
}

static struct server *get_name(struct bytes_reader *r, struct snapshot *s, char *name, size_t *len)
{
	size_t same = (size_t)bytes_get_upto(r, 1, *len);
	struct span rest = bytes_get(r, (size_t)bytes_get_upto(r, 1, SNAPSHOT_NAME_MAX - same));

	if (rest.len)
		memcpy(name + same, rest.ptr, rest.len);
	*len = same + rest.len;
	r->bad |= *len == 0 || !utf8_valid((struct span){name, *len});
	return r->bad ? NULL : snapshot_add(s, (struct span){name, *len});
}

void names_get(struct bytes_reader *r, struct snapshot *s, size_t count)
{
	char name[SNAPSHOT_NAME_MAX];
	size_t len = 0;

	while (count-- > 0 && !r->bad)
		r->bad |= !get_name(r, s, name, &len);
}
