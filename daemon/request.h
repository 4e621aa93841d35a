/* request.h - the operator's own request (`csr`), as far as it decides anything
 * (daemon/issue_csr.c). */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include <stdbool.h>

#include "base/cert.h"
#include "config/config.h"

/* Has it another key than the certificate in hand? Reads the file; one that cannot be
 * read says nothing here, and an order says why. */
bool request_changed(const struct certificate_config *certificate,
		     const struct cert *current);

#endif
