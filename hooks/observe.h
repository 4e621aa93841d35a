/* observe.h - how a target looks from outside: files, store, service, endpoints. Reports
 * facts for `status` and for drift; decides nothing, changes nothing. */
#ifndef HOOKS_OBSERVE_H
#define HOOKS_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/service.h"
#include "base/target.h"
#include "hooks/material.h"
#include "hooks/probe.h"

struct cancel;

/* What a store has of one certificate of ours. */
enum store_look {
	STORE_LOOK_NONE,    /* it keeps nothing of ours */
	STORE_LOOK_RIGHT,   /* there, pointed to, its key signs and can be read */
	STORE_LOOK_LOST,    /* the entry, a file or the link is not there */
	STORE_LOOK_DAMAGED, /* another key, other bytes */
	STORE_LOOK_ACCESS,  /* owner, mode or ACL are not as configured */
	STORE_LOOK_OTHER,   /* the store points to another certificate */
	STORE_LOOK_UNKNOWN, /* it could not be looked at, or is not ours to change */
};

struct target_view {
	bool has_tls_json, tls_json_present, tls_enabled; /* present: or not to be seen */
	char tls_json_sha1[CERT_SHA1_HEX];                /* "" when it names none */
	char store_sha1[CERT_SHA1_HEX]; /* what link or files name; "" for none */
	bool key_usable;                /* the store's current key signs for its cert */
	char files_problem[512];        /* why something could not be read; "" */
	enum service_state service;
	struct probe_result *endpoints; /* n_verify of them; NULL when not asked */
	size_t n_endpoints;
};

/* Looks at files, store and service. */
void observe_files(const struct target *target, struct target_view *ret);

/* Of those only what tls.json says. */
void observe_tls_json(const struct target *target, struct target_view *ret);

/* What the target's store has of `material`. `why` says what is wrong with it, or which
 * certificate (its thumbprint) it points to; untouched where all is right. */
enum store_look observe_store(const struct target *target,
			      const struct material *material, struct err *why);

/* Does the key sign that lies where link or files lead now, whatever the certificate?
 * `why` says what is wrong with it. A store that something else points into: no. */
bool observe_current_key(const struct target *target, struct err *why);

/* Who may read the key in the target's store, for people. Gives; NULL: not known. */
char *observe_readers(const struct target *target);

/* Adds what the endpoints serve (a handshake each). */
void observe_endpoints(const struct target *target, const struct cancel *cancel,
		       struct target_view *view);

void target_view_clear(struct target_view *view);

#endif
