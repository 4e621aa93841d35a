/* cert_facts.h - single facts read out of an X509, for the cert*.c files only. Everybody
 * else uses base/cert.h, which reads each of them once. */
#ifndef BASE_CERT_FACTS_H
#define BASE_CERT_FACTS_H

#include <openssl/x509.h>

#include "base/str.h"

/* Appends the subjectAltName's DNS names in lower case, then its IP addresses as text. A
 * name with a byte that no host name has appears as "(invalid)". */
void cert_read_names(const X509 *x509, struct strlist *ret);

/* Gives the subject's most specific common name; NULL: none. */
char *cert_read_common_name(const X509 *x509);

/* Gives the serial number in lower-case hex. */
char *cert_read_serial(const X509 *x509);

/* Gives a name in RFC 2253 form, printable, UTF-8 left as it is. Borrows `name`. */
char *cert_name_text(const X509_NAME *name);

/* The key in the words of the configuration: "rsa-2048", "ec-p384", "other". Borrowed. */
const char *cert_read_key_type(const X509 *x509);

#endif
