/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/shown.h"

#include <math.h>
#include <stdbool.h>

#define NEAR_TIE 0.499
#define WHOLE    1e15 /* from here on a double has no decimals */

/* printf rounds the exact binary value, and a tie to the even digit. Close to the middle of two tenths
 * a product rounds to it; the fused one has the right sign, and is 0 for a tie alone. */
static double near_tie(double value)
{
	double size = fabs(value), whole = floor(size);
	double part = size - whole, tenths = floor(part * 10);
	double above = fma(part, 20, -(2 * tenths + 1));
	bool up = above > 0 || (above == 0 && fmod(tenths, 2) != 0);

	return copysign((whole * 10 + tenths + up) / 10, value);
}

double shown(double value)
{
	double tenths = value * 10, nearest = rint(tenths);

	if (!(fabs(value) < WHOLE))
		return value;
	if (fabs(tenths - nearest) < NEAR_TIE)
		return nearest / 10;
	return near_tie(value);
}
