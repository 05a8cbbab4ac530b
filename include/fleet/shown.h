/* SPDX-License-Identifier: MIT */
/* A value as pages print it (doc/rules.md#conventions). What pages order by or add up is the
 * printed value, so that a page of the past, made from printed values, says the same. */
#ifndef TFT_SHOWN_H
#define TFT_SHOWN_H

/* To one decimal, as printf rounds; NaN stays. */
double shown(double value);

#endif
