/* SPDX-License-Identifier: MIT */
/* One line of explanation that travels from where an error is known to where it is logged. The
 * caller supplies the struct; the code that tells errors apart is the return value of the function
 * that fills it. */
#ifndef TFT_ERR_H
#define TFT_ERR_H

#include <stdio.h>

struct err {
	char msg[200];
};

/* A macro so that the compiler checks the format where it is written. Long texts are cut. */
#define err_set(err, ...) ((void)snprintf((err)->msg, sizeof((err)->msg), __VA_ARGS__))

#endif
