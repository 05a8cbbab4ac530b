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

/* The name that was read last. */
struct name {
	char text[SNAPSHOT_NAME_MAX];
	size_t len;
};

static struct span next_name(struct bytes_reader *r, struct name *name)
{
	size_t same = (size_t)bytes_get_upto(r, 1, name->len);
	struct span rest = bytes_get(r, (size_t)bytes_get_upto(r, 1, SNAPSHOT_NAME_MAX - same));

	if (rest.len)
		memcpy(name->text + same, rest.ptr, rest.len);
	name->len = same + rest.len;
	return (struct span){name->text, name->len};
}

size_t names_find(struct bytes_reader *r, struct span name, size_t count)
{
	struct name last = {.len = 0};
	size_t i = 0;

	while (i < count && !span_eq(next_name(r, &last), name))
		i = r->bad ? count : i + 1;
	return i;
}

void names_get(struct bytes_reader *r, struct snapshot *s, size_t first, size_t count)
{
	struct name last = {.len = 0};

	for (size_t i = 0; i < first + count && !r->bad; i++) {
		struct span name = next_name(r, &last);

		r->bad |= name.len == 0 || !utf8_valid(name);
		if (i >= first && !r->bad)
			r->bad |= !snapshot_add(s, name);
	}
}
