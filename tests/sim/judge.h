/* judge.h - what must hold whatever happens, looked at after each step and at the moments
 * that matter. The first invariant that breaks ends the seed. */
#ifndef TESTS_SIM_JUDGE_H
#define TESTS_SIM_JUDGE_H

#include "tests/sim/world.h"

/* Something is wrong that certrenewd cannot help: with an application, -1: all. */
void judge_excuse(int app);
/* The daemon died in the middle of something. The clock was moved. */
void judge_death(void);
void judge_clock(void);
/* The operator has taken an application over, or given it back. */
void judge_operator(int app, bool theirs);
/* Does certrenewd leave it to its operator? */
bool judge_is_operators(int app);

/* At the seams. */
void judge_request(struct ca *ca);
void judge_order(const struct ca *ca, int app);
void judge_issued(const struct ca *ca, int app);
void judge_restart(const struct app *app);
void judge_restarted(const struct app *app);
void judge_file_written(const char *path);
void judge_file_removed(const char *path); /* if it is there */

/* After each step, and at the end of two years, the last weeks of which were calm. */
void judge_step(void);
void judge_end(void);

/* judge_habit.c: the same, of an application where all is well for so long. */
void judge_habit(int app, int64_t calm_s);

/* receiver.c: what is open at the end although all is well. */
void receiver_end(void);
void receiver_excuse(void);
void receiver_clock(void); /* it was moved */
void receiver_daemon_is_dead(void);
void receiver_knows_until(int64_t then);

#endif
