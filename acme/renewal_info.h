/* renewal_info.h - the object of RFC 9773 4.2, parsed. */
#ifndef ACME_RENEWAL_INFO_H
#define ACME_RENEWAL_INFO_H

#include <stddef.h>

#include "acme/acme.h"

/* Reads a RenewalInfo object; `retry_after_s` as answered, -1 when it was not. A window
 * that ends before it starts is no answer (RFC 9773 4.2), nor is one from before 1970:
 * ERR_REFUSED, like everything else that is not one. Instants in *ret are positive. */
int renewal_info_parse(const void *data, size_t len, int64_t retry_after_s,
		       struct acme_renewal_info *ret, struct err *err);

#endif
