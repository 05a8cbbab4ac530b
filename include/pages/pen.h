/* SPDX-License-Identifier: MIT */
/* Writes the d of an SVG path as relative lines in whole units; consecutive lines of the same slope
 * are merged. */
#ifndef TFT_PEN_H
#define TFT_PEN_H

#include "base/buf.h"

struct pen {
	struct buf *out;
	int x, y;          /* where it is */
	int dx, dy, steps; /* lines waiting to be written */
	int drawn;         /* lines written since it was set down */
	bool down;
};

/* Sets it down there. */
void pen_move(struct pen *pen, int x, int y);
void pen_line(struct pen *pen, int x, int y);
/* Ends a path. A point without a line becomes a dot, where line ends are round. */
void pen_lift(struct pen *pen);

#endif
