/* alerts.h - from events to alerts: which are told, to whom, how often; kept on disk
 * until delivered. Delivery itself is hooks/channel.h.
 *
 * A trouble is (kind, certificate, target). The first event opens it and is told; repeats
 * are withheld and counted for 24 h (then told again with the count), unless they are
 * more severe than before. `recovered` closes everything open for that certificate (or
 * target) and is told once, to the channels that heard of the trouble. Critical events
 * reach every channel unless it excepts them by name; others those whose `min` they
 * reach. */
#ifndef DAEMON_ALERTS_H
#define DAEMON_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"
#include "daemon/event.h"
#include "hooks/channel.h"

struct cancel;
struct alerts;

/* ---- policy, pure -------------------------------------------------------- */

struct trouble {
	bool open;
	enum severity severity;
	int64_t told_at;
	unsigned withheld;
};
enum alert_verdict { ALERT_TELL, ALERT_WITHHOLD, ALERT_NOTHING };
/* What to do with an event of that kind, given the trouble it belongs to. RECOVERED with
 * no open trouble is ALERT_NOTHING. */
enum alert_verdict alert_decide(const struct trouble *trouble, enum event_kind kind,
				enum severity severity, int64_t now);
bool alert_reaches(const struct alert_config *channel, enum event_kind kind,
		   enum severity severity);
/* Delay before trying an undelivered alert again: 10 s doubling to 1 h. */
int64_t alert_retry_delay(unsigned attempts);

/* ---- the spool: <state_dir>/alerts/ -------------------------------------- */

/* Opens the spool (troubles.json, queue/). Damaged files are set aside and reported in
 * err->text while still succeeding (kind ERR_NONE otherwise). Thread-safe. */
int alerts_open(const char *state_dir, struct alerts **ret, struct err *err);
void alerts_close(struct alerts *alerts); /* NULL is fine */

/* The same without a disk: nothing was told before, and nothing is kept. For whoever has
 * to tell although there is no place to remember it. Gives. */
struct alerts *alerts_in_memory(void);

/* Takes in an event: decides, queues a durable file for each channel that should hear it.
 * One that is no trouble and has a key (struct event) is told once: ALERT_NOTHING when it
 * was queued before, by a run that died since, say. `config` supplies channels.
 * *ret_verdict may be NULL. */
int alerts_take(struct alerts *alerts, const struct config *config,
		const struct event *event, enum alert_verdict *ret_verdict,
		struct err *err);

/* Is anything open for this certificate (target NULL: any)? Then success is `recovered`.
 */
bool alerts_has_trouble(struct alerts *alerts, const char *certificate,
			const char *target);

/* Tries what is due. A channel that the configuration no longer has drops its alerts.
 * Returns when to try again (CLOCK_NEVER: queue empty). Dates of webhooks over TLS are
 * handed to `seen_date` (may be NULL). `failed` gets one sentence per failed delivery. */
int64_t alerts_deliver(struct alerts *alerts, const struct config *config,
		       const struct cancel *cancel,
		       void (*seen_date)(void *ctx, int64_t date, int64_t mono_ms),
		       void (*failed)(void *ctx, const char *sentence), void *ctx);

/* The channel as hooks/ wants it. Borrows from `config`. */
struct channel alert_channel(const struct alert_config *config);

/* Number of queued alerts, for status. */
size_t alerts_pending(struct alerts *alerts);

#endif
