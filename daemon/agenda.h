/* agenda.h - what the daemon does next, and in which order: from what was planned, what
 * somebody asked for, what runs, and the clocks. Decides and remembers; the loop
 * (loop.h), which has the workers, the timer and the clients, does it. Looks at no clock
 * and no disk. Belongs to one thread.
 *
 *     agenda_use(agenda, config)              at the start, and after a reload
 *     agenda_look(&look); then until it says AGENDA_NOTHING:
 *         agenda_next(agenda, clock, &look, &slot)
 *             AGENDA_PASS      agenda_begin(), and when it is over agenda_ended()
 *             AGENDA_DELIVERY  agenda_delivering(), and then agenda_delivered()
 *     look.wait_ms                            nothing is to be done before that
 *
 * A pass that is due while another touches the same application waits for its end, after
 * which there has to be another look. */
#ifndef DAEMON_AGENDA_H
#define DAEMON_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/due.h"
#include "daemon/pipeline.h"

struct control_client;

struct request { /* what a command over the control channel asks of one certificate */
	enum pipeline_command command;
	bool force;
	char *only; /* target; NULL: all */
	int revoke_reason;
	bool revoke_with_key;
	bool take_folder, hold, bring_in;
	struct control_client *client; /* held; NULL: the schedule */
	struct request *next;
};

struct slot { /* one certificate on the schedule */
	const struct certificate_config *certificate;
	struct due next;    /* zero: at once */
	int64_t look_at_ms; /* monotonic: its files were changed; 0: they were not */
	int64_t changed_at_ms, gap_ms; /* notice_gap(): the last change that counted */
	bool not_saved;                /* pipeline.h: of its last pass */
	struct request *first, *last;  /* asked for, in order */
};

struct agenda {
	struct slot *slots;
	size_t n_slots;
	const struct certificate_config **running; /* of what configuration ever */
	size_t n_running;
	struct due deliver; /* when alerts go out next */
	bool delivering;
};

struct agenda_clock {
	int64_t now; /* wall clock */
	int64_t mono_ms;
};

struct agenda_look { /* one walk through it */
	size_t seen;
	int64_t wait_ms; /* CLOCK_NEVER: nothing is planned */
};

enum agenda_step { AGENDA_NOTHING, AGENDA_PASS, AGENDA_DELIVERY };

/* Makes the slots of a configuration, each to be looked at once, at once. What was asked
 * for waits on in the new slots of the same name; gives the requests for certificates
 * that are not there any more, in a list; NULL: none. Keeps `config` until the next call
 * and while a pass of it runs. */
struct request *agenda_use(struct agenda *agenda, const struct config *config);

/* Forgets the schedule. Gives every request that waits. */
struct request *agenda_drop(struct agenda *agenda);

/* That certificate's; NULL: none. Borrowed until the next agenda_use(). */
struct slot *agenda_slot(const struct agenda *agenda, const char *certificate);

/* Somebody asks; the request is taken. */
void agenda_ask(struct slot *slot, struct request *request);

/* Somebody is at its files: looked at when he is likely to be done. False when it will be
 * anyway. */
bool agenda_changed(struct slot *slot, int64_t mono_ms);

/* Something is to be told: alerts go out at once. */
void agenda_tell(struct agenda *agenda);

/* Begins a walk. */
struct agenda_look agenda_look(void);

/* The next thing that is to be done now; for a pass *ret_slot says whose. Nothing is
 * given twice in a walk. When there is nothing left, look->wait_ms is final. */
enum agenda_step agenda_next(const struct agenda *agenda, struct agenda_clock clock,
			     struct agenda_look *look, struct slot **ret_slot);

/* A pass begins: fills in *ret what it is to do (certificate, command and what belongs to
 * it), zeroes the rest. Gives the request that asked for it, from which *ret borrows;
 * NULL: the schedule. */
struct request *agenda_begin(struct agenda *agenda, struct slot *slot,
			     struct agenda_clock clock, struct pipeline_input *ret);

/* It has ended. `outcome` NULL: it never ran. `in_force`: its configuration still is; the
 * plan of a pass under another one is none. */
void agenda_ended(struct agenda *agenda, const struct certificate_config *certificate,
		  const struct pipeline_outcome *outcome, bool in_force,
		  struct agenda_clock clock);

/* Alerts go out; they have gone out, and the next are due at `next_at` (CLOCK_NEVER:
 * none). What came up meanwhile is due at once, and stays so. */
void agenda_delivering(struct agenda *agenda);
void agenda_delivered(struct agenda *agenda, int64_t next_at, struct agenda_clock clock);

/* Frees what it holds; the requests in it have been taken out with agenda_drop(). */
void agenda_release(struct agenda *agenda);

#endif
