#include "tests/unit/hooks/deploy_faults.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

static struct {
	enum fault fault;
	unsigned nth, count;
} armed;

void fault_arm(enum fault fault, unsigned nth)
{
	armed.fault = fault;
	armed.nth = nth;
	armed.count = 0;
}

bool fault_fired(void)
{
	bool fired = armed.count >= armed.nth;

	armed.fault = FAULT_NONE;
	return fired;
}

/* Called before every operation: does this one fail? */
static bool fails(struct err *err)
{
	if (armed.fault == FAULT_NONE || ++armed.count != armed.nth)
		return false;
	if (armed.fault == FAULT_KILL_BEFORE)
		kill(getpid(), SIGKILL);
	if (armed.fault != FAULT_FAIL)
		return false;
	err_set(err, ERR_IO, "No space left on device");
	return true;
}

static int after(int rc)
{
	if (armed.fault == FAULT_KILL_AFTER && armed.count == armed.nth)
		kill(getpid(), SIGKILL);
	return rc;
}

#define WRAP(name, params, args)                                                         \
	int __real_##name params;                                                        \
	int __wrap_##name params;                                                        \
	int __wrap_##name params                                                         \
	{                                                                                \
		return fails(err) ? -1 : after(__real_##name args);                      \
	}

WRAP(file_replace,
     (const char *path, const void *data, size_t len, enum file_audience audience,
      struct err *err),
     (path, data, len, audience, err))
WRAP(file_replace_keeping,
     (const char *path, const void *data, size_t len, enum file_audience audience,
      struct err *err),
     (path, data, len, audience, err))
WRAP(file_replace_if, (const char *path, const struct file_new *new, struct err *err),
     (path, new, err))
WRAP(file_rename, (const char *from, const char *to, struct err *err), (from, to, err))
WRAP(file_remove, (const char *path, struct err *err), (path, err))
WRAP(tree_remove, (const char *path, struct err *err), (path, err))
WRAP(link_replace, (const char *path, const char *target, struct err *err),
     (path, target, err))
WRAP(file_set_access,
     (const char *path, const char *owner, const char *group, uint32_t mode,
      struct err *err),
     (path, owner, group, mode, err))

/* ---- sweeps -------------------------------------------------------------- */

bool dies(struct world *w, int (*act)(struct world *w), enum fault fault, unsigned nth)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		fault_arm(fault, nth);
		_exit(act(w) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

void kill_at_every_change(const struct sweep *sweep, enum fault fault, unsigned at_least)
{
	bool died = true;
	unsigned nth;

	for (nth = 1; died; nth++) {
		struct world *w = world_new(sweep->n_apps ? sweep->n_apps : 1);

		if (sweep->prepare)
			sweep->prepare(w);
		died = dies(w, sweep->act, fault, nth);
		sweep->check(w);
		world_free(w);
	}
	assert_true(nth - 2 >= at_least); /* a sweep that never fired proves nothing */
}

void expire(struct world *w)
{
	struct brought expired = bring(w, clock_wall() - DAY, 1);

	app_ctl(&w->apps[0], "stop");
	brought_clear(&w->a);
	w->a = expired;
	app_installs(w, 0, &w->a);
	app_start(&w->apps[0]);
}
