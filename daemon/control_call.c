/* control_call.c - the command's side of the control channel: one request on a loop of
 * its own, lines handed over as they come. A daemon that hangs is not waited for: it says
 * at once that it has heard, or it is taken for one that does not answer. */
#include "daemon/control.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/control_channel.h"

#define LINE_MAX_BYTES (4 * 1024 * 1024)

struct call {
	uv_loop_t loop;
	uv_pipe_t pipe;
	uv_timer_t patience; /* until the daemon has heard, and then for its answer */
	uint64_t answer_ms;  /* 0: as long as it takes */
	bool heard;
	uv_write_t write;
	char *request;
	struct buf input;
	void (*on_line)(void *ctx, const cJSON *line);
	void *ctx;
	cJSON *last;
	int failed; /* libuv's code; 0 none */
};

static void hang_up(struct call *call, int failed)
{
	if (!call->failed)
		call->failed = failed;
	if (uv_is_closing((uv_handle_t *)&call->pipe))
		return;
	uv_close((uv_handle_t *)&call->patience, NULL);
	uv_close((uv_handle_t *)&call->pipe, NULL);
}

static void on_patience_over(uv_timer_t *timer)
{
	hang_up(timer->data, UV_ETIMEDOUT);
}

/* It lives. */
static void heard(struct call *call)
{
	call->heard = true;
	(void)uv_timer_stop(&call->patience);
	if (call->answer_ms)
		(void)uv_timer_start(&call->patience, on_patience_over, call->answer_ms,
				     0);
}

static void take_line(struct call *call, const void *line, size_t len)
{
	struct err err;
	cJSON *json;

	if (call->last || json_parse(line, len, &json, &err))
		return;
	if (cJSON_HasObjectItem(json, "exit")) {
		call->last = json;
		hang_up(call, 0);
		return;
	}
	heard(call);
	if (call->on_line && !cJSON_HasObjectItem(json, "heard"))
		call->on_line(call->ctx, json);
	cJSON_Delete(json);
}

static void take_input(struct call *call)
{
	unsigned char *end;

	while ((end = call->input.len ? memchr(call->input.data, '\n', call->input.len)
				      : NULL)) {
		size_t len = (size_t)(end - call->input.data);

		take_line(call, call->input.data, len);
		memmove(call->input.data, end + 1, call->input.len - len - 1);
		call->input.len -= len + 1;
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	(void)handle;
	(void)suggested;
	*ret = uv_buf_init(mem_calloc(1, 16384), 16384);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct call *call = stream->data;

	if (n < 0) {
		hang_up(call, (int)n);
	} else if (n > 0) {
		(void)buf_append(&call->input, bytes->base, (size_t)n);
		take_input(call);
		if (!buf_ok(&call->input))
			hang_up(call, UV_EMSGSIZE);
	}
	free(bytes->base);
}

static void on_written(uv_write_t *write, int status)
{
	if (status < 0)
		hang_up(write->data, status);
}

static void ask(struct call *call)
{
	uv_buf_t bytes = uv_buf_init(call->request, (unsigned)strlen(call->request));
	int failed;

	call->write.data = call;
	failed = uv_write(&call->write, (uv_stream_t *)&call->pipe, &bytes, 1,
			  on_written);
	if (!failed)
		failed = uv_read_start((uv_stream_t *)&call->pipe, on_alloc, on_read);
	if (!failed)
		failed = uv_timer_start(&call->patience, on_patience_over,
					CONTROL_HEARD_MS, 0);
	if (failed)
		hang_up(call, failed);
}

static int judge(const struct call *call, struct err *err)
{
	if (call->failed == UV_ETIMEDOUT)
		return err_set(err, ERR_TRANSIENT,
			       call->heard ? "it has heard, and that is all"
					   : "nothing came back within %d s",
			       CONTROL_HEARD_MS / 1000);
	return err_set(err, ERR_IO,
		       "the daemon hung up before it answered (%s): see its log",
		       uv_strerror(call->failed));
}

/* Asks and waits for the last answer; the loop is there. -1: nobody answered. */
static int converse(struct call *call, const char *path, struct err *err)
{
	int failed = uv_pipe_init(&call->loop, &call->pipe, 0), rc;

	if (failed)
		return err_set(err, ERR_IO, "make a pipe to the daemon: %s",
			       uv_strerror(failed));
	(void)uv_timer_init(&call->loop, &call->patience);
	call->pipe.data = call->patience.data = call;
	rc = control_connect(path, &call->pipe, err);
	if (rc)
		hang_up(call, 0);
	else
		ask(call);
	(void)uv_run(&call->loop, UV_RUN_DEFAULT);
	if (!rc && !call->last)
		rc = judge(call, err);
	return rc;
}

int control_call(const char *path, const cJSON *request,
		 void (*on_line)(void *ctx, const cJSON *line), void *ctx,
		 cJSON **ret_last, struct err *err)
{
	struct call call = { .on_line = on_line, .ctx = ctx };
	char *printed = json_print(request);
	int failed = uv_loop_init(&call.loop), rc;

	call.request = str_printf("%s\n", printed);
	call.answer_ms = (uint64_t)json_int(request, "within_ms", 0);
	buf_init(&call.input, LINE_MAX_BYTES);
	rc = failed ? err_set(err, ERR_IO, "ask the daemon: %s", uv_strerror(failed))
		    : converse(&call, path, err);
	if (!failed)
		(void)uv_loop_close(&call.loop);
	if (!rc)
		*ret_last = call.last;
	buf_release(&call.input);
	free(call.request);
	free(printed);
	return rc;
}
