/* process.c - one program on a private event loop of the calling thread.
 *
 * A tick looks at the clock, the cancel flag and the group; everything else happens when
 * the program speaks or ends. A program that ends and leaves helpers running (a service
 * it started) is left alone, its helpers' output is not waited for. */
#include "base/process.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/process_system.h"
#include "base/str.h"

#define TICK_MS 50
#define DEFAULT_TIMEOUT_S 60
#define GRACE_MS 2000   /* between asking a group to end and ending it */
#define GIVE_UP_MS 3000 /* after that: some cannot even be killed (a dead NFS server) */
#define LAST_OUTPUT_MS                                                                   \
	200 /* for what is still in the pipes when the program has ended                 \
	     */

enum { PIPE_IN, PIPE_OUT, PIPE_ERR, N_PIPES };

struct run {
	const struct process_spec *spec;
	uv_loop_t loop;
	uv_process_t process;
	uv_timer_t tick;
	uv_pipe_t pipes[N_PIPES];
	uv_write_t write;
	struct process_group *group;
	int open_outputs;
	int64_t deadline_ms;
	int64_t ending_ms; /* when we asked the group to end; 0: not yet */
	int64_t exited_ms; /* 0: it runs */
	bool timed_out, cancelled, killed;
	int64_t exit_code;
	int signal;
	char chunk[4096];
	char tail[PROCESS_TAIL_BYTES];
	size_t tail_len;
};

/* Keeps the last bytes only. */
static void tail_append(struct run *run, const char *data, size_t len)
{
	const size_t room = sizeof(run->tail) - 1;
	size_t drop;

	if (len > room) {
		data += len - room;
		len = room;
	}
	if (run->tail_len + len > room) {
		drop = run->tail_len + len - room;
		memmove(run->tail, run->tail + drop, run->tail_len - drop);
		run->tail_len -= drop;
	}
	memcpy(run->tail + run->tail_len, data, len);
	run->tail_len += len;
}

static void tail_give(struct run *run, char out[PROCESS_TAIL_BYTES])
{
	const char *start = run->tail, *end = run->tail + run->tail_len;

	while (start < end && strchr(" \r\n\t", *start))
		start++;
	while (end > start && strchr(" \r\n\t", end[-1]))
		end--;
	memcpy(out, start, (size_t)(end - start));
	out[end - start] = '\0';
	for (size_t i = 0; i < (size_t)(end - start); i++)
		if (!out[i])
			out[i] = '?';
	str_make_printable(out);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Ends the loop: it returns when the last handle is closed. */
static void finish(struct run *run)
{
	uv_walk(&run->loop, close_handle, NULL);
}

static void finish_if_silent(struct run *run)
{
	if (run->exited_ms && !run->ending_ms && run->open_outputs == 0)
		finish(run);
}

static void on_ended(uv_process_t *process, int64_t exit_code, int signal)
{
	struct run *run = process->data;

	run->exited_ms = clock_mono_ms();
	run->exit_code = exit_code;
	run->signal = signal;
	finish_if_silent(run);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct run *run = handle->data;

	(void)suggested;
	*buf = uv_buf_init(run->chunk, sizeof(run->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct run *run = stream->data;

	if (n > 0)
		tail_append(run, buf->base, (size_t)n);
	if (n >= 0)
		return;
	close_handle((uv_handle_t *)stream, NULL);
	run->open_outputs--;
	finish_if_silent(run);
}

/* Written, or refused: either way the program sees the end of its input. */
static void on_written(uv_write_t *write, int status)
{
	(void)status;
	close_handle((uv_handle_t *)write->handle, NULL);
}

static void begin_ending(struct run *run, int64_t now)
{
	run->ending_ms = now;
	process_group_end(run->group, false);
}

static void on_tick(uv_timer_t *timer)
{
	struct run *run = timer->data;
	int64_t now = clock_mono_ms();

	if (!run->ending_ms && run->exited_ms) {
		if (now - run->exited_ms >= LAST_OUTPUT_MS)
			finish(run);
		return;
	}
	if (!run->ending_ms) {
		run->cancelled = cancel_requested(run->spec->cancel);
		run->timed_out = !run->cancelled && now >= run->deadline_ms;
		if (run->cancelled || run->timed_out)
			begin_ending(run, now);
		return;
	}
	if (run->exited_ms && !process_group_alive(run->group)) {
		finish(run);
		return;
	}
	if (!run->killed && now - run->ending_ms >= GRACE_MS) {
		run->killed = true;
		process_group_end(run->group, true);
	}
	if (now - run->ending_ms >= GRACE_MS + GIVE_UP_MS)
		finish(run);
}

static int say_not_started(const char *program, int code, struct err *err)
{
	bool wrong = code == UV_ENOENT || code == UV_EACCES || code == UV_ENOTDIR ||
		     code == UV_EISDIR || code == UV_EPERM || code == UV_ELOOP ||
		     code == UV_ENAMETOOLONG;

	/* libuv has no word for it, and the system has said it just now. */
	if (code == UV_UNKNOWN)
		return err_os(err, "cannot start '%s'", program);
	return err_set(err, wrong ? ERR_CONFIG : ERR_IO, "cannot start '%s': %s", program,
		       uv_strerror(code));
}

static int start(struct run *run, const struct strlist *words, bool verbatim,
		 struct err *err)
{
	struct strlist env = { 0 };
	uv_stdio_container_t stdio[N_PIPES] = {
		[PIPE_IN] = { .flags = UV_IGNORE },
		[PIPE_OUT] = { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			       .data.stream = (uv_stream_t *)&run->pipes[PIPE_OUT] },
		[PIPE_ERR] = { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			       .data.stream = (uv_stream_t *)&run->pipes[PIPE_ERR] },
	};
	uv_process_options_t options = { .exit_cb = on_ended,
					 .file = words->items[0],
					 .args = words->items,
					 .flags = UV_PROCESS_DETACHED |
						  UV_PROCESS_WINDOWS_HIDE,
					 .stdio_count = N_PIPES,
					 .stdio = stdio };
	int rc;

	process_environment(&env);
	for (size_t i = 0; run->spec->env && run->spec->env[i]; i++)
		strlist_add(&env, run->spec->env[i]);
	options.env = env.items;
	if (verbatim)
		options.flags |= UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS;
	if (run->spec->input) {
		stdio[PIPE_IN].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
		stdio[PIPE_IN].data.stream = (uv_stream_t *)&run->pipes[PIPE_IN];
	}
	process_hide_descriptors();
	rc = uv_spawn(&run->loop, &run->process, &options);
	if (rc)
		say_not_started(run->spec->argv[0], rc, err);
	strlist_clear(&env);
	return rc;
}

static int spawn(struct run *run, struct err *err)
{
	struct strlist words = { 0 };
	bool verbatim = false;
	int rc = -1;

	if (process_command(run->spec->argv, &words, &verbatim, err) ||
	    start(run, &words, verbatim, err))
		goto out;
	rc = 0;
out:
	strlist_clear(&words);
	return rc;
}

static void watch(struct run *run)
{
	const struct process_spec *spec = run->spec;
	int64_t timeout_s = spec->timeout_s > 0 ? spec->timeout_s : DEFAULT_TIMEOUT_S;
	uv_buf_t input;
	int i;

	run->group = process_group_open(run->process.pid);
	run->deadline_ms = clock_mono_ms() + timeout_s * 1000;
	for (i = PIPE_OUT; i <= PIPE_ERR; i++)
		if (!uv_read_start((uv_stream_t *)&run->pipes[i], on_alloc, on_output))
			run->open_outputs++;
	if (spec->input) {
		input = uv_buf_init((char *)spec->input, (unsigned)strlen(spec->input));
		if (uv_write(&run->write, (uv_stream_t *)&run->pipes[PIPE_IN], &input, 1,
			     on_written))
			close_handle((uv_handle_t *)&run->pipes[PIPE_IN], NULL);
	}
	uv_timer_start(&run->tick, on_tick, TICK_MS, TICK_MS);
}

/* Runs until the program's end, or until we end it. */
static int run_loop(struct run *run, struct err *err)
{
	struct process_mute *mute = process_mute_pipes();
	int i, rc;

	run->process.data = run->tick.data = run;
	uv_timer_init(&run->loop, &run->tick);
	for (i = 0; i < N_PIPES; i++) {
		uv_pipe_init(&run->loop, &run->pipes[i], 0);
		run->pipes[i].data = run;
	}
	rc = spawn(run, err);
	if (rc)
		finish(run);
	else
		watch(run);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	process_unmute_pipes(mute);
	process_group_close(run->group);
	return rc;
}

int process_run(const struct process_spec *spec, struct process_result *ret,
		struct err *err)
{
	struct run *run;
	int code, rc;

	if (!path_is_absolute(spec->argv[0]))
		return err_set(err, ERR_CONFIG,
			       "cannot start '%s': a program is named by its whole path",
			       spec->argv[0]);
	if (cancel_check(spec->cancel, err))
		return -1;
	run = mem_calloc(1, sizeof(*run));
	run->spec = spec;
	code = uv_loop_init(&run->loop);
	if (code) {
		free(run);
		return err_set(err, ERR_IO, "cannot start '%s': %s", spec->argv[0],
			       uv_strerror(code));
	}
	rc = run_loop(run, err);
	uv_loop_close(&run->loop);
	if (!rc && run->cancelled)
		rc = cancel_check(spec->cancel, err);
	if (!rc) {
		*ret = (struct process_result){ .timed_out = run->timed_out };
		ret->signal = run->signal;
		ret->exit_code = run->signal || !run->exited_ms ? -1
								: (int)run->exit_code;
		tail_give(run, ret->tail);
	}
	free(run);
	return rc;
}

int process_run_ok(const struct process_spec *spec, struct err *err)
{
	struct process_result result = { 0 };
	const char *program = spec->argv[0], *colon;

	if (process_run(spec, &result, err))
		return -1;
	colon = *result.tail ? ": " : "";
	if (result.timed_out)
		return err_set(err, ERR_TRANSIENT, "'%s' did not end within %lld s%s%s",
			       program,
			       (long long)(spec->timeout_s > 0 ? spec->timeout_s
							       : DEFAULT_TIMEOUT_S),
			       colon, result.tail);
	if (result.signal)
		return err_set(err, ERR_IO, "'%s' was ended by signal %d%s%s", program,
			       result.signal, colon, result.tail);
	if (result.exit_code != 0)
		return err_set(err, ERR_IO, "'%s' exited with code %d%s%s", program,
			       result.exit_code, colon, result.tail);
	return 0;
}
