/* known_cas.h - CAs whose directory for trials is known: production and staging never
 * share an account, a store, or a certificate. Pure. */
#ifndef CONFIG_KNOWN_CAS_H
#define CONFIG_KNOWN_CAS_H

#include <stdbool.h>

/* The directory for trials of the CA with that directory; NULL: not known. */
const char *known_staging(const char *directory);

/* Is this the directory for trials of a CA that we know? */
bool known_as_staging(const char *directory);

/* Do two URLs name one directory, but for case and a slash at their end? */
bool same_directory(const char *a, const char *b);

#endif
