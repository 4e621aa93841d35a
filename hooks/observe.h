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
#include "hooks/probe.h"

struct cancel;

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

/* Adds what the endpoints serve (a handshake each). */
void observe_endpoints(const struct target *target, const struct cancel *cancel,
		       struct target_view *view);

void target_view_clear(struct target_view *view);

#endif
