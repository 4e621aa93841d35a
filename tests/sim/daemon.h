/* daemon.h - the life of one certrenewd in the world: started, at work, dead. What is
 * done next, and when, the product says (daemon/agenda.h); what daemon/loop.c does then
 * with workers and a timer is done here on one thread. Death is a longjmp out of a seam;
 * what it held in memory is lost, as it would be. */
#ifndef TESTS_SIM_DAEMON_H
#define TESTS_SIM_DAEMON_H

#include "daemon/pipeline.h"

/* Starts it: the configuration is loaded, every certificate looked at. A second later
 * again when it cannot start. */
void daemon_start(void);

/* Takes it away at once (kill -9, or the machine goes down), until `until` (true time).
 */
void daemon_kill(int64_t until);

/* The next moment at which it wants to do something, true milliseconds; INT64_MAX while
 * it is dead: then it starts at daemon_starts_at(). */
int64_t daemon_next_ms(void);
bool daemon_is_up(void);
int64_t daemon_starts_at(void);

/* Does what is due. */
void daemon_step(void);

/* The operator: a command for one certificate, or a reload. Nothing while it is dead. */
void daemon_command(const char *certificate, enum pipeline_command command, bool force);
void daemon_reload(void);

/* Deaths in the middle of something so far. */
unsigned daemon_deaths(void);

#endif
