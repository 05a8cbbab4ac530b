/* SPDX-License-Identifier: MIT */
/* A value as pages print it (doc/rules.md#conventions). Pages sort and add printed values, so that
 * a page of the past, which has only those, shows the same. */
#ifndef TFT_SHOWN_H
#define TFT_SHOWN_H

/* Rounded to one decimal as printf does; NaN stays NaN. */
double shown(double value);

#endif
