/* SPDX-License-Identifier: MIT */
#ifndef DEMO_INFERENCE_H
#define DEMO_INFERENCE_H

#include "serve.h"

/* The October inference daemon (doc/upstream.md). Ends with path NULL. */
extern const struct route inference_routes[];

#endif
