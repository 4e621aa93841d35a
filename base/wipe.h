/* wipe.h - what OpenSSL gives back to the heap is wiped first. Its decoders and encoders
 * free the DER of a private key as it is; our own secrets are wiped by base/buf.h. */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

/* From now on every block that OpenSSL frees is wiped. For the start of the process:
 * -1 when OpenSSL has allocated already, and then nothing changes. */
int wipe_library_memory(void);

/* How many bytes the block of malloc() has, at least those asked for (twin file). */
size_t wipe_block_bytes(void *block);

#endif
