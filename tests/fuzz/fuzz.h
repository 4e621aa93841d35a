/* fuzz.h - one harness per parser that strangers feed. libFuzzer calls it with what it
 * invents (tests/fuzz/run), replay.c with what is kept in corpus/. A harness aborts when
 * the parser breaks a promise of its header; the sanitizers see to the rest. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry: looks at `size` bytes; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with the promise that was broken. */
#define PROMISED(condition)                                                              \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__,       \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
