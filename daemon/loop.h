/* loop.h - the daemon: one libuv loop that owns timers, signals, the control channel and
 * the schedule, and hands what blocks to the workers.
 *
 * Sleeps until the next certificate's moment, but looks at the clocks at least once a
 * minute: a jump of the wall clock moves every moment. */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include "base/err.h"
#include "config/config.h"
#include "daemon/agenda.h"
#include "daemon/engine.h"
#include "daemon/notice.h"
#include "daemon/pass_job.h"
#include "daemon/pulse.h"

struct host;

struct loop {
	uv_loop_t uv;
	uv_timer_t tick;
	struct host *host; /* borrowed: who runs us */
	struct engine engine;
	struct config_ref *config;
	struct pool
		*pool; /* passes, which may wait long: for a service, for an idle hour */
	struct pool *side; /* alerts and reports, which must not wait behind them */
	struct control *control;
	struct agenda agenda;     /* what is to be done, and when */
	struct pass_job *running; /* list */
	bool changing_account;    /* and work on an account */
	int64_t beat_at_ms;       /* monotonic: the watchdog's next beat */
	struct notice *notice;    /* of changes in the applications' files */
	int64_t notice_at_ms;     /* monotonic: when folders are looked for again */
	struct pulse pulse;       /* what `certrenewd watch` reads */
	int64_t started_at;
	bool stopping;
};

/* Runs the daemon until `host` asks it to stop. Takes `config`. Returns 0 after a clean
 * end. */
int loop_run(const struct config *config, struct host *host, struct err *err);

/* Does whatever is due now, and sets the timer for the rest. */
void loop_kick(struct loop *loop);

/* Reads the configuration again; a broken one is refused and reported, the old one stays.
 * ERR_CONFIG with the first of its errors. */
int loop_reload(struct loop *loop, struct err *err);

/* Opens the log as the configuration says. A log file that cannot be opened is told, and
 * is no reason to let certificates expire. */
void loop_open_log(const struct config *config, const struct host *host);

/* Logs what a load warned of, and which folders the sandbox that we run in has closed. */
void loop_log_warnings(const struct config *config, const struct config_report *report);

/* Tells that the configuration in force is good: closes `config_rejected`. */
void loop_config_is_good(struct loop *loop);

/* The last word to who asked; nothing when nobody listens. */
void loop_answer(struct request *request, int code, const char *text);

/* Answers requests that nobody will carry out, and frees them. */
void loop_refuse(struct request *list);

/* The pass over that certificate that runs now; NULL: none. Borrowed. */
const struct pass_job *loop_running(const struct loop *loop, const char *certificate);

/* A request over the control channel (requests.c). */
void loop_on_request(void *ctx, struct control_client *client, const cJSON *request);

#endif
