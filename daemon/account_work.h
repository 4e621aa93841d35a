/* account_work.h - what an operator may do to our account at a CA: the work behind
 * `account VERB`. Blocking. Whoever calls keeps the account to himself meanwhile: the
 * daemon by account_gate.h, a command that works alone by the state lock. */
#ifndef DAEMON_ACCOUNT_WORK_H
#define DAEMON_ACCOUNT_WORK_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"
#include "daemon/exit_code.h"

struct cancel;

enum account_verb {
	ACCOUNT_REGISTER,   /* make it now, also a new one after `deactivate` */
	ACCOUNT_UPDATE,     /* send the configured contacts; forced: also none */
	ACCOUNT_ROTATE_KEY, /* a new key, settled also when the answer is lost */
	ACCOUNT_DEACTIVATE, /* end it for good: only when forced */
	ACCOUNT_VERBS
};

/* "register", "update", "rotate-key", "deactivate"; false for another word. */
bool account_verb_of(const char *word, enum account_verb *ret);
const char *account_verb_name(enum account_verb verb);

struct account_errand { /* borrowed */
	const struct config *config;
	const struct issuer_config *issuer; /* an ISSUER_ACME */
	enum account_verb verb;
	bool force;
	const struct cancel *cancel;
};

struct account_answer {
	enum exit_code code;
	char text[2304]; /* one sentence that names the issuer */
};

/* Does it. */
void account_work(const struct account_errand *errand, struct account_answer *ret);

#endif
