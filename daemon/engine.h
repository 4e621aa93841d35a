/* engine.h - what a running certrenewd owns: the state directory with its lock, the
 * alerts, the clock's confirmation, the responders that answer CAs. The daemon keeps one
 * for its life, a command that works by itself for one pass. Belongs to one thread, but
 * for engine_hear(). */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"
#include "daemon/alerts.h"
#include "daemon/clock_trust.h"
#include "daemon/pipeline.h"
#include "daemon/responders.h"

struct account_gate;
struct cancel;
struct event_log;
struct file_lock;

struct engine {
	const struct config *config; /* borrowed; replaced by engine_use() */
	unsigned long generation;    /* of the configuration, from 1 */
	struct file_lock *lock;
	struct alerts *alerts;
	struct clock_trust trust;
	struct responders responders;
	struct cancel *cancel;
	struct account_gate *gate; /* the workers' sessions and changes of accounts */
	struct event_log *events;  /* NULL: this system has none */
};

/* Opens (makes) the state directory, takes its lock, reads what is there, and makes the
 * accounts' keys. Borrows `config`.
 * ERR_TRANSIENT "... held by process 123" when another process owns it, ERR_DENIED when
 * it belongs to another account or is open to others. */
int engine_open(struct engine *engine, const struct config *config, struct err *err);
void engine_close(struct engine *engine);

/* Changes to a new configuration: accounts of new issuers are made. The old one stays in
 * use by passes that began with it; the caller frees it when they are done. */
int engine_use(struct engine *engine, const struct config *config, struct err *err);

/* pipeline_input's `tell`, for the engine `ctx`: an event of a pass under way is logged,
 * and queued as an alert to the channels of the pass's own configuration. Any thread,
 * until engine_close(). */
void engine_hear(void *ctx, const struct config *config, const struct event *event);

/* Takes in what a pass brought back: the date, and the events that it has not told
 * itself. Its conclusion is the caller's to show. */
void engine_take(struct engine *engine, const struct pipeline_outcome *outcome);

/* An event of the daemon itself. */
void engine_tell(struct engine *engine, enum event_kind kind, const char *what,
		 const char *todo);

/* State files that were damaged and set aside, a sentence each. */
void engine_tell_damage(struct engine *engine, const struct strlist *damaged);

/* A Date over verified TLS from elsewhere (a webhook). */
void engine_saw_date(struct engine *engine, int64_t date, int64_t mono_ms);

#endif
