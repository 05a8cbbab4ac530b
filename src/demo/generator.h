/* SPDX-License-Identifier: MIT */
#ifndef DEMO_GENERATOR_H
#define DEMO_GENERATOR_H

#include "serve.h"

/* The metrics generator's control interface (doc/upstream.md#generator). Ends with path NULL. */
extern const struct route generator_routes[];

#endif
