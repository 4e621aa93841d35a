/* control.c - the daemon's side of the control channel. */
#include "daemon/control.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/control_channel.h"
#include "daemon/exit_code.h"

#define REQUEST_MAX_BYTES (64 * 1024)
#define REQUEST_MAX_MS 5000
#define MAX_CLIENTS 16

struct control {
	uv_loop_t *loop;
	struct control_listener *listener;
	control_handler *handler;
	void *ctx;
	unsigned n_clients;
	struct control_client *clients; /* open connections */
};

struct control_client {
	uv_pipe_t pipe;
	uv_timer_t patience; /* until the request is whole */
	struct control *control;
	struct control_client *next;
	struct buf request;
	cJSON *asked_for;        /* NULL: not yet, or handed over */
	unsigned holds, handles; /* handles: not closed yet */
	bool asked, closing;
};

struct sending {
	uv_write_t write;
	struct control_client *client;
	char *text;
	bool last;
};

/* ---- a client's life ----------------------------------------------------- */

void control_hold(struct control_client *client)
{
	client->holds++;
}

void control_release(struct control_client *client)
{
	if (!client || --client->holds)
		return;
	buf_release(&client->request);
	cJSON_Delete(client->asked_for);
	free(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;

	if (--client->handles == 0)
		control_release(client);
}

static void forget(struct control *control, const struct control_client *client)
{
	struct control_client **at = &control->clients;

	while (*at && *at != client)
		at = &(*at)->next;
	if (*at) {
		*at = client->next;
		control->n_clients--;
	}
}

static void hang_up(struct control_client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	forget(client->control, client);
	uv_close((uv_handle_t *)&client->patience, on_handle_closed);
	uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
}

/* ---- answering ----------------------------------------------------------- */

/* The client is there still: now its request counts. */
static void hand_over(struct control_client *client)
{
	cJSON *request = client->asked_for;

	client->asked_for = NULL;
	if (request && !client->closing)
		client->control->handler(client->control->ctx, client, request);
	cJSON_Delete(request);
}

static void on_sent(uv_write_t *write, int status)
{
	struct sending *sending = write->data;

	if (sending->last || status < 0)
		hang_up(sending->client);
	else
		hand_over(sending->client);
	control_release(sending->client);
	free(sending->text);
	free(sending);
}

static void send_text(struct control_client *client, char *text, bool last)
{
	struct sending *sending;
	uv_buf_t bytes;

	if (client->closing) {
		free(text);
		return;
	}
	sending = mem_calloc(1, sizeof(*sending));
	sending->client = client;
	sending->text = text;
	sending->last = last;
	sending->write.data = sending;
	bytes = uv_buf_init(text, (unsigned)strlen(text));
	control_hold(client);
	if (uv_write(&sending->write, (uv_stream_t *)&client->pipe, &bytes, 1, on_sent))
		on_sent(&sending->write, -1);
}

static char *line_of(const cJSON *json)
{
	char *printed = json_print(json), *line = str_printf("%s\n", printed);

	free(printed);
	return line;
}

void control_send(struct control_client *client, const cJSON *line)
{
	send_text(client, line_of(line), false);
}

void control_finish(struct control_client *client, int exit_code, const char *text,
		    cJSON *line)
{
	cJSON *last = line ? line : cJSON_CreateObject();

	json_set_int(last, "exit", exit_code);
	json_set_string(last, "text", text);
	send_text(client, line_of(last), true);
	cJSON_Delete(last);
}

/* ---- asking -------------------------------------------------------------- */

static void handle_request(struct control_client *client, size_t len)
{
	struct err err;
	cJSON *heard;

	client->asked = true;
	(void)uv_timer_stop(&client->patience);
	if (json_parse(client->request.data, len, &client->asked_for, &err)) {
		control_finish(client, EXIT_CODE_USAGE, err.text, NULL);
		return;
	}
	heard = cJSON_CreateObject();
	json_set_int(heard, "heard", uv_os_getpid());
	control_send(client, heard);
	cJSON_Delete(heard);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	(void)handle;
	(void)suggested;
	*ret = uv_buf_init(mem_calloc(1, 4096), 4096);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct control_client *client = stream->data;
	const unsigned char *end;

	if (n < 0) {
		hang_up(client);
	} else if (!client->asked && n > 0) {
		(void)buf_append(&client->request, bytes->base, (size_t)n);
		end = memchr(client->request.data, '\n', client->request.len);
		if (end)
			handle_request(client, (size_t)(end - client->request.data));
		else if (!buf_ok(&client->request))
			hang_up(client);
	}
	free(bytes->base);
}

static void on_patience_over(uv_timer_t *timer)
{
	hang_up(timer->data);
}

static void on_arrival(void *ctx)
{
	struct control *control = ctx;
	struct control_client *client = mem_calloc(1, sizeof(*client));

	client->control = control;
	client->holds = 1;
	client->handles = 2;
	client->pipe.data = client->patience.data = client;
	buf_init(&client->request, REQUEST_MAX_BYTES);
	(void)uv_pipe_init(control->loop, &client->pipe, 0);
	(void)uv_timer_init(control->loop, &client->patience);
	client->next = control->clients;
	control->clients = client;
	control->n_clients++;
	if (control_listener_accept(control->listener, &client->pipe) ||
	    control->n_clients > MAX_CLIENTS) {
		hang_up(client);
		return;
	}
	(void)uv_timer_start(&client->patience, on_patience_over, REQUEST_MAX_MS, 0);
	(void)uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
}

/* ---- the listener -------------------------------------------------------- */

int control_new(uv_loop_t *loop, const char *path, control_handler *handler, void *ctx,
		struct control **ret_control, struct err *err)
{
	struct control *control = mem_calloc(1, sizeof(*control));
	int rc;

	control->loop = loop;
	control->handler = handler;
	control->ctx = ctx;
	rc = control_listener_new(loop, path, on_arrival, control, &control->listener,
				  err);
	*ret_control = control;
	return rc;
}

void control_close(struct control *control)
{
	while (control->clients)
		hang_up(control->clients);
	if (control->listener)
		control_listener_close(control->listener);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	control_listener_free(control->listener);
	free(control);
}
