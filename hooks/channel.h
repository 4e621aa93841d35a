/* channel.h - how an alert reaches somebody: a webhook or a program. What to say, when
 * and how often is decided in daemon/alerts.h; here it is delivered, once. */
#ifndef HOOKS_CHANNEL_H
#define HOOKS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/target.h"

struct cancel;

enum channel_kind { CHANNEL_KIND_WEBHOOK, CHANNEL_KIND_PROGRAM };

struct channel { /* borrowed strings */
	enum channel_kind kind;
	const char *name;
	const char *url, *authorization, *ca_bundle, *proxy; /* webhook */
	struct program program;
};

/* Delivers one alert, given as a JSON document: POSTed as application/json with the
 * Authorization header if there is one (2xx is delivered; other answers are errors with
 * status and the first words of the body), or fed to the program's standard input with
 * CERTRENEWD_EVENT, CERTRENEWD_SEVERITY and CERTRENEWD_CERTIFICATE in its environment
 * (exit 0 is delivered). `date`/`mono_ms`: the Date header of a webhook over TLS and the
 * monotonic time it came, 0 without; may be NULL. No secret is in any error. */
int channel_deliver(const struct channel *channel, const char *json,
		    const char *const *env, const struct cancel *cancel,
		    int64_t *ret_date, int64_t *ret_mono_ms, struct err *err);

/* Could it be reached now? A webhook is asked by HEAD and may answer whatever it likes; a
 * program has to be there. Nothing is delivered. */
int channel_check(const struct channel *channel, const struct cancel *cancel,
		  struct err *err);

#endif
