/* SPDX-License-Identifier: MIT */
/*
 * CSV writer (RFC 4180): a header line, then rows of cells, lines end with CRLF.
 *
 *	struct csv c;
 *	csv_init(&c, &buf, "server,risk");
 *	csv_text(&c, server->name);  csv_tenths(&c, server->risk);  csv_end(&c);
 *
 * The file begins with a byte order mark: without it, spreadsheets in many countries do not read it
 * as UTF-8. Text is quoted where it must be. Spreadsheets take a cell that begins with = + - @ tab
 * or CR for a formula: such text gets a leading apostrophe. Numbers are dot decimals.
 */
#ifndef TFT_CSV_H
#define TFT_CSV_H

#include "base/buf.h"

struct csv {
	struct buf *out;
	bool has_cells; /* in the row that is being written */
};

/* header: column names separated by commas; none may need quoting. */
void csv_init(struct csv *c, struct buf *out, const char *header);
void csv_text(struct csv *c, struct span text);
void csv_str(struct csv *c, const char *text);
/* Rounded to four decimals, without zeros at the end; NaN and infinities (absent values)
 * give an empty cell. */
void csv_num(struct csv *c, double value);
/* Tenths as a decimal: 800 -> 80.0 (doc/rules.md#conventions, risk). */
void csv_tenths(struct csv *c, int tenths);
/* A time as 2026-11-23T12:00:00Z; 0 (none) gives an empty cell. */
void csv_time(struct csv *c, int64_t epoch_ms);
/* Ends the row. */
void csv_end(struct csv *c);

#endif
