/* pool.h - worker threads for what blocks, and the way back to the loop.
 *
 * The loop submits a job, a worker works on it, and its `done` runs on the loop's thread
 * again: between those two moments the job belongs to the worker alone. pool_post() is
 * the same way back for what a worker wants shown meanwhile. Nothing else crosses
 * threads. */
#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include <uv.h>

#include "base/err.h"

struct account_gate;
struct cancel;
struct pool;
struct sessions;

struct worker { /* what a worker has of its own, warm from job to job */
	struct sessions *sessions; /* let go after a minute without work */
};

struct pool_job { /* first member of the caller's own struct */
	void (*work)(struct worker *worker, struct pool_job *job); /* on a worker */
	void (*done)(struct pool_job *job);                        /* on the loop */
	struct pool_job *next;
};

/* Starts `n` workers. Keeps `loop`, and for their sessions `gate` and `cancel` (they stop
 * when it is set). Gives *ret_pool. */
int pool_new(uv_loop_t *loop, unsigned n, const struct cancel *cancel,
	     struct account_gate *gate, struct pool **ret_pool, struct err *err);

/* Queues a job. Borrows it until its `done` was called. From the loop's thread. */
void pool_submit(struct pool *pool, struct pool_job *job);

/* Runs `call(arg)` on the loop's thread, in the order of posting. From any thread. */
void pool_post(struct pool *pool, void (*call)(void *arg), void *arg);

/* Waits for the workers to end (cancel them first); jobs that nobody began are done
 * without work. Every `done` and posted call has run when this returns. */
void pool_stop(struct pool *pool);

/* Frees it, after pool_stop() and after the loop has closed its handles. */
void pool_free(struct pool *pool);

#endif
