#include "daemon/pool.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/str.h"
#include "daemon/sessions.h"
#include "daemon/system.h"

/* So long a worker keeps its connections and nonces for the next job. */
#define IDLE_NS (60 * (uint64_t)1000000000)

struct letter { /* a call on its way to the loop */
	void (*call)(void *arg);
	void *arg;
	struct letter *next;
};

struct pool {
	uv_async_t wake;
	const struct cancel *cancel;
	struct account_gate *gate;
	uv_thread_t *threads;
	unsigned n;
	uv_mutex_t lock; /* guards all below */
	uv_cond_t work_to_do;
	struct pool_job *first, *last;
	struct letter *first_letter, *last_letter;
	bool stopping;
};

/* Waits for a job; with `warm` sessions not longer than IDLE_NS. *ret_idle: that long
 * nothing came. NULL and not idle: the pool stops. */
static struct pool_job *take_job(struct pool *pool, bool warm, bool *ret_idle)
{
	struct pool_job *job;

	*ret_idle = false;
	uv_mutex_lock(&pool->lock);
	while (!pool->first && !pool->stopping && !*ret_idle) {
		if (warm)
			*ret_idle = uv_cond_timedwait(&pool->work_to_do, &pool->lock,
						      IDLE_NS) == UV_ETIMEDOUT;
		else
			uv_cond_wait(&pool->work_to_do, &pool->lock);
	}
	job = pool->stopping ? NULL : pool->first;
	if (job) {
		*ret_idle = false;
		pool->first = job->next;
		if (!pool->first)
			pool->last = NULL;
	}
	*ret_idle = *ret_idle && !pool->stopping;
	uv_mutex_unlock(&pool->lock);
	return job;
}

static void job_is_done(void *arg)
{
	struct pool_job *job = arg;

	job->done(job);
}

static void work(void *arg)
{
	struct pool *pool = arg;
	struct worker worker = { .sessions = sessions_new(pool->cancel, pool->gate) };
	struct pool_job *job;
	bool warm = false, idle;

	while ((job = take_job(pool, warm, &idle)) || idle) {
		if (idle) {
			sessions_cool(worker.sessions);
			system_trim_memory();
		} else {
			job->work(&worker, job);
			pool_post(pool, job_is_done, job);
		}
		warm = !idle;
	}
	sessions_free(worker.sessions);
}

static void deliver_letters(struct pool *pool)
{
	struct letter *letter, *next;

	uv_mutex_lock(&pool->lock);
	letter = pool->first_letter;
	pool->first_letter = pool->last_letter = NULL;
	uv_mutex_unlock(&pool->lock);
	for (; letter; letter = next) {
		next = letter->next;
		letter->call(letter->arg);
		free(letter);
	}
}

static void on_wake(uv_async_t *wake)
{
	deliver_letters(wake->data);
}

int pool_new(uv_loop_t *loop, unsigned n, const struct cancel *cancel,
	     struct account_gate *gate, struct pool **ret_pool, struct err *err)
{
	struct pool *pool = mem_calloc(1, sizeof(*pool));

	pool->cancel = cancel;
	pool->gate = gate;
	pool->threads = mem_calloc(n, sizeof(*pool->threads));
	pool->wake.data = pool;
	if (uv_mutex_init(&pool->lock) || uv_cond_init(&pool->work_to_do) ||
	    uv_async_init(loop, &pool->wake, on_wake)) {
		free(pool->threads);
		free(pool);
		return err_set(err, ERR_IO, "set up the workers");
	}
	for (; pool->n < n; pool->n++)
		if (uv_thread_create(&pool->threads[pool->n], work, pool)) {
			pool_stop(pool);
			return err_set(err, ERR_IO, "start worker %u of %u", pool->n + 1,
				       n);
		}
	*ret_pool = pool;
	return 0;
}

void pool_submit(struct pool *pool, struct pool_job *job)
{
	job->next = NULL;
	uv_mutex_lock(&pool->lock);
	if (pool->last)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	uv_cond_signal(&pool->work_to_do);
	uv_mutex_unlock(&pool->lock);
}

void pool_post(struct pool *pool, void (*call)(void *arg), void *arg)
{
	struct letter *letter = mem_calloc(1, sizeof(*letter));

	letter->call = call;
	letter->arg = arg;
	uv_mutex_lock(&pool->lock);
	if (pool->last_letter)
		pool->last_letter->next = letter;
	else
		pool->first_letter = letter;
	pool->last_letter = letter;
	uv_mutex_unlock(&pool->lock);
	(void)uv_async_send(&pool->wake);
}

void pool_stop(struct pool *pool)
{
	struct pool_job *job, *next;

	uv_mutex_lock(&pool->lock);
	pool->stopping = true;
	uv_cond_broadcast(&pool->work_to_do);
	uv_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n; i++)
		(void)uv_thread_join(&pool->threads[i]);
	deliver_letters(pool);
	job = pool->first;
	pool->first = pool->last = NULL;
	for (; job; job = next) {
		next = job->next;
		job->done(job);
	}
	uv_close((uv_handle_t *)&pool->wake, NULL);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	uv_cond_destroy(&pool->work_to_do);
	uv_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
}
