/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/pen.h"

static void write_lines(struct pen *pen)
{
	int dx = pen->steps * pen->dx, dy = pen->steps * pen->dy;

	/* A minus sign needs no separator before it. */
	if (pen->steps)
		buf_addf(pen->out, "%s%s%d%s%d", pen->drawn ? "" : "l", dx < 0 ? "" : " ", dx,
			 dy < 0 ? "" : " ", dy);
	pen->drawn += pen->steps;
	pen->steps = 0;
}

void pen_move(struct pen *pen, int x, int y)
{
	pen_lift(pen);
	buf_addf(pen->out, "M%d %d", x, y);
	pen->down = true;
	pen->x = x;
	pen->y = y;
	pen->drawn = 0;
}

void pen_line(struct pen *pen, int x, int y)
{
	int dx = x - pen->x, dy = y - pen->y;

	if (dx != pen->dx || dy != pen->dy)
		write_lines(pen);
	pen->dx = dx;
	pen->dy = dy;
	pen->steps++;
	pen->x = x;
	pen->y = y;
}

void pen_lift(struct pen *pen)
{
	write_lines(pen);
	if (pen->down && !pen->drawn)
		buf_lit(pen->out, "h0");
	pen->down = false;
}
