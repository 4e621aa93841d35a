#include "base/random.h"

#include <stdlib.h>

#include <openssl/rand.h>

void random_bytes(void *out, size_t len)
{
	if (RAND_bytes_ex(NULL, out, len, 0) != 1)
		abort(); /* predictable keys and names are worse than no service */
}

double random_fraction(void)
{
	uint64_t bits;

	random_bytes(&bits, sizeof(bits));
	return (double)(bits >> 11) * 0x1p-53; /* a double holds 53 bits */
}

void random_hex(char *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte;

	for (size_t i = 0; i < len; i++) {
		random_bytes(&byte, 1);
		out[i] = digits[byte & 15];
	}
	out[len] = '\0';
}
