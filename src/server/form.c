/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/form.h"

#include <string.h>

#include "base/text.h"

struct span form_value(struct span form, struct span key)
{
	while (form.len > 0) {
		struct span value = text_cut(&form, '&');

		if (span_eq(text_cut(&value, '='), key))
			return value.len ? value : (struct span){NULL, 0};
	}
	return (struct span){NULL, 0};
}

bool form_text(struct span form, struct span key, char *to, size_t size)
{
	struct span value = form_value(form, key);
	size_t len = 0;

	while (value.len && len + 1 < size) {
		bool plus = *value.ptr == '+';
		char c = text_take_encoded(&value);

		to[len++] = plus ? ' ' : c;
	}
	to[value.len ? 0 : len] = '\0';
	return value.len == 0;
}
