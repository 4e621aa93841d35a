/* account_settle.h - the change of an account's key (RFC 8555 7.3.5), safe at any moment.
 *
 * The new key is durable as key.new.pem before the request goes out, and both are kept
 * until it is known which one counts. A lost answer, or our death, is settled at the next
 * use by asking the CA which key it knows: that one becomes key.pem. */
#ifndef DAEMON_ACCOUNT_SETTLE_H
#define DAEMON_ACCOUNT_SETTLE_H

#include "acme/acme.h"
#include "config/config.h"
#include "daemon/accounts.h"

struct cancel;

/* Asks the CA which of `account`'s two keys it knows, and keeps that one, in the files
 * and in `account`. A new key that the CA does not know is removed; where it knows
 * neither (it has lost the account) the new one is set aside. Fails when it cannot be
 * asked: then both stay. */
int account_settle(const struct config *config, const struct issuer_config *issuer,
		   const struct acme_issuer *facts, const struct cancel *cancel,
		   struct account *account, struct err *err);

/* Makes a new key and has the CA take it. `session` is one of the present key. On failure
 * both keys are kept where it is not known which one counts, and the sentence says so. */
int account_change_key(const struct config *config, const struct issuer_config *issuer,
		       struct acme_session *session, const struct cancel *cancel,
		       struct err *err);

/* The configured contacts, joined by ", "; "" without any. Gives (account_session.c). */
char *account_contacts(const struct issuer_config *issuer);

#endif
