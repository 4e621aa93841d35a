/* material.h - what a deployment brings into an application: a certificate and its key.
 */
#ifndef HOOKS_MATERIAL_H
#define HOOKS_MATERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/cert.h"

struct material {                /* borrowed by whoever deploys it */
	const struct cert *cert; /* leaf and chain */
	const char *key_pem;     /* PKCS#8 PEM, secret; NULL: it is in the store only */
	size_t key_len;
	int64_t version; /* number of its folder in the state directory */
};

#endif
