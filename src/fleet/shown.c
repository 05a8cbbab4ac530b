/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/shown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NEAR_TIE 0.499
#define WHOLE    1e15 /* from here on a double has no decimals */

/* printf rounds the exact binary value; close to the middle of two tenths only printf knows which
 * way. */
double shown(double value)
{
	double tenths = value * 10, nearest = rint(tenths);
	char text[32];

	if (!(fabs(value) < WHOLE))
		return value;
	if (fabs(tenths - nearest) < NEAR_TIE)
		return nearest / 10;
	(void)snprintf(text, sizeof(text), "%.1f", value);
	return strtod(text, NULL);
}
