/* random.h - where randomness is asked for; policy gets the number passed in. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from OpenSSL's generator; aborts if there is no randomness to be had. */
void random_bytes(void *out, size_t len);

/* Uniform in [0, 1). */
double random_fraction(void);

/* Writes `len` random lower-case hex digits and a NUL: run ids, folder names. */
void random_hex(char *out, size_t len);

#endif
