#include "config/known_cas.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* letsencrypt.org/docs/staging-environment,
 * cloud.google.com/certificate-manager/docs/public-ca-tutorial */
static const struct ca {
	const char *production, *staging;
} cas[] = {
	{ "https://acme-v02.api.letsencrypt.org/directory",
	  "https://acme-staging-v02.api.letsencrypt.org/directory" },
	{ "https://dv.acme-v02.api.pki.goog/directory",
	  "https://dv.acme-v02.test-api.pki.goog/directory" },
};

#define N_CAS (sizeof(cas) / sizeof(*cas))

static size_t length(const char *url)
{
	size_t n = strlen(url);

	return n && url[n - 1] == '/' ? n - 1 : n;
}

bool same_directory(const char *a, const char *b)
{
	size_t n = length(a);
	char *copy_a, *copy_b;
	bool same;

	if (n != length(b))
		return false;
	copy_a = str_ndup(a, n);
	copy_b = str_ndup(b, n);
	same = str_equal_nocase(copy_a, copy_b);
	free(copy_b);
	free(copy_a);
	return same;
}

const char *known_staging(const char *directory)
{
	for (size_t i = 0; i < N_CAS; i++) {
		if (same_directory(directory, cas[i].production))
			return cas[i].staging;
	}
	return NULL;
}

bool known_as_staging(const char *directory)
{
	for (size_t i = 0; i < N_CAS; i++) {
		if (same_directory(directory, cas[i].staging))
			return true;
	}
	return false;
}
