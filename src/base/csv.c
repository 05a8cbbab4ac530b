/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/csv.h"

#include <math.h>

#include "base/fmt.h"
#include "base/json.h"

#define UNIT 1e4 /* four decimals: sums of binary fractions have digits that nobody measured */

void csv_init(struct csv *c, struct buf *out, const char *header)
{
	*c = (struct csv){.out = out};
	buf_lit(out, "\xef\xbb\xbf");
	buf_span_add(out, span_str(header));
	csv_end(c);
}

static void begin_cell(struct csv *c)
{
	if (c->has_cells)
		buf_char(c->out, ',');
	c->has_cells = true;
}

static bool contains_any(struct span text, const char *set)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] && strchr(set, text.ptr[i]))
			return true;
	return false;
}

void csv_text(struct csv *c, struct span text)
{
	bool formula = contains_any((struct span){text.ptr, text.len ? 1 : 0}, "=+-@\t\r");
	bool quoted = contains_any(text, ",\"\r\n");

	begin_cell(c);
	if (quoted)
		buf_char(c->out, '"');
	if (formula)
		buf_char(c->out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_char(c->out, '"');
		buf_char(c->out, text.ptr[i]);
	}
	if (quoted)
		buf_char(c->out, '"');
}

void csv_str(struct csv *c, const char *text)
{
	csv_text(c, span_str(text));
}

void csv_num(struct csv *c, double value)
{
	struct json number;

	begin_cell(c);
	if (!isfinite(value))
		return;
	json_init(&number, c->out);
	json_num(&number, NULL, round(value * UNIT) / UNIT);
}

void csv_tenths(struct csv *c, int tenths)
{
	begin_cell(c);
	fmt_tenths(c->out, tenths);
}

void csv_time(struct csv *c, int64_t epoch_ms)
{
	begin_cell(c);
	if (epoch_ms)
		fmt_iso_seconds(c->out, epoch_ms);
}

void csv_end(struct csv *c)
{
	buf_lit(c->out, "\r\n");
	c->has_cells = false;
}
