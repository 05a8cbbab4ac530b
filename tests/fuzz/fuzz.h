/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; libFuzzer drives
 * it, or replay.c over the kept corpus. It checks properties: a violation ends the program, as a
 * finding of a sanitizer does.
 */
#ifndef TFT_FUZZ_H
#define TFT_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "pages/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: without its checks a target would test nothing. */
#define REQUIRE(property)                                                                          \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			(void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,    \
				      #property);                                                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The next byte of the input, 0 if there is none. */
static inline unsigned fuzz_byte(struct span *input)
{
	if (input->len == 0)
		return 0;
	input->len--;
	return (unsigned char)*input->ptr++;
}

/* The input up to the first `mark`, which is skipped. */
static inline struct span fuzz_cut(struct span *input, char mark)
{
	const char *end = input->len ? memchr(input->ptr, mark, input->len) : NULL;
	struct span head = *input;

	if (!end) {
		*input = (struct span){NULL, 0};
		return head;
	}
	head.len = (size_t)(end - head.ptr);
	*input = (struct span){end + 1, input->len - head.len - 1};
	return head;
}

/* A document is intact: XML with closed elements, quoted values, known references and no foreign
 * markup; JSON with finite numbers; CSV with quoted cells, rows of equal length and no formula. All
 * are valid UTF-8, and the first two have no control characters. */
void fuzz_check_document(enum media media, struct span text);

#endif
