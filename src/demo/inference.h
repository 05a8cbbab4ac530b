/* SPDX-License-Identifier: MIT */
#ifndef DEMO_INFERENCE_H
#define DEMO_INFERENCE_H

#include "serve.h"

/* The October inference daemon (contract 4-7, 9). Ends with path NULL. */
extern const struct route inference_routes[];

#endif
