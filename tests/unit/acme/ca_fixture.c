#include "ca_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/key.h"
#include "base/http_client.h"
#include "base/json.h"
#include "base/str.h"
#include "posix/child.h"

static struct child ca;
static char port[32];
static char *folder;
static int n_clients;
static cJSON *last_log;

int ca_start(void **state)
{
	const char *argv[] = { "/usr/bin/python3", FAKE_CA, NULL, NULL };

	(void)state;
	folder = folder_make();
	argv[2] = folder;
	child_start(&ca, argv, port, sizeof(port));
	return 0;
}

int ca_stop(void **state)
{
	(void)state;
	cJSON_Delete(last_log);
	child_stop(&ca);
	folder_remove(folder);
	return 0;
}

static int before_order(void *ctx, bool replaces, struct err *err)
{
	struct client *client = ctx;

	client->asked++;
	client->asked_replaces = replaces;
	if (client->fail_before_order)
		return err_set(err, ERR_TRANSIENT, "the limit has to pass first");
	return 0;
}

static int order_created(void *ctx, const char *order_url, struct err *err)
{
	struct client *client = ctx;

	client->orders++;
	snprintf(client->order_url, sizeof(client->order_url), "%s", order_url);
	if (client->cancel_at_order)
		cancel_request(client->cancel);
	if (client->fail_order_created)
		return err_set(err, ERR_IO, "the disk is full");
	return 0;
}

static int before_finalize(void *ctx, struct err *err)
{
	struct client *client = ctx;

	client->finalizes++;
	if (client->fail_finalize)
		return err_set(err, ERR_IO, "the disk is full");
	return 0;
}

static void progress(void *ctx, const char *stage, const char *detail)
{
	struct client *client = ctx;
	size_t len = strlen(client->stages);

	assert_non_null(detail);
	snprintf(client->stages + len, sizeof(client->stages) - len, "%s%s",
		 len ? " " : "", stage);
}

static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	struct client *client = ctx;

	assert_string_equal(challenge->type, "http-01");
	assert_true(str_starts(challenge->key_authorization, challenge->token));
	client->presented++;
	client->live++;
	if (strstr(client->stages, "challenge"))
		client->challenges_while_presenting++;
	if (client->fail_present)
		return err_set(err, ERR_TRANSIENT, "port 80 is taken");
	return 0;
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	struct client *client = ctx;

	assert_non_null(challenge->token);
	client->withdrawn++;
	client->live--;
}

struct client *client_new(const char *options, bool two_names)
{
	static const char *const one[] = { "a.example", NULL };
	static const char *const two[] = { "a.example", "b.example", NULL };
	struct client *client = mem_calloc(1, sizeof(*client));

	client->scenario = str_printf("id=%d,%s", ++n_clients, options);
	client->directory_url = str_printf("https://127.0.0.1:%s/%s/dir", port,
					   client->scenario);
	client->ca_bundle = str_printf("%s/root.pem", folder);
	client->issuer = (struct acme_issuer){
		.directory_url = client->directory_url,
		.ca_bundle = client->ca_bundle,
		.agree_to_terms = true,
		.request_timeout_s = 10,
		.order_timeout_s = 20,
	};
	client->solver = (struct acme_solver){
		.ctx = client, .type = "http-01", .present = present, .cleanup = cleanup
	};
	client->request = (struct acme_request){
		.names = two_names ? two : one,
		.common_name = true,
		.solvers = &client->solver,
		.n_solvers = 1,
		.record = { .ctx = client,
			    .before_order = before_order,
			    .order_created = order_created,
			    .before_finalize = before_finalize,
			    .progress = progress },
	};
	assert_int_equal(key_generate("ec-p256", &client->account_key, &client->err), 0);
	assert_int_equal(key_generate("ec-p256", &client->leaf_key, &client->err), 0);
	client->request.key = client->leaf_key;
	acme_result_init(&client->result);
	client_restart(client);
	return client;
}

void client_restart(struct client *client)
{
	acme_session_free(client->session);
	cancel_free(client->cancel);
	client->cancel = cancel_new();
	client->stages[0] = '\0';
	if (acme_session_new(&client->issuer, client->account_key, NULL, client->cancel,
			     &client->session, &client->err))
		fail_msg("%s", client->err.text);
}

void client_free(struct client *client)
{
	assert_int_equal(client->live,
			 0); /* whatever happened, nothing stays presented */
	acme_session_free(client->session);
	cancel_free(client->cancel);
	EVP_PKEY_free(client->account_key);
	EVP_PKEY_free(client->leaf_key);
	acme_result_clear(&client->result);
	free(client->scenario);
	free(client->directory_url);
	free(client->ca_bundle);
	free(client);
}

int client_obtain(struct client *client)
{
	acme_result_clear(&client->result);
	acme_result_init(&client->result);
	client->err = (struct err){ 0 };
	return acme_obtain(client->session, &client->request, &client->result,
			   &client->err);
}

static void fetch_log(struct client *client)
{
	const struct http_client_options options = { .ca_bundle = client->ca_bundle };
	char *url = str_printf("https://127.0.0.1:%s/%s/log", port, client->scenario);
	struct http_request request = { .method = "GET", .url = url };
	struct http_response response = { 0 };
	struct http_client *http;
	struct err err;

	cJSON_Delete(last_log);
	last_log = NULL;
	if (http_client_new(&options, NULL, &http, &err) ||
	    http_client_perform(http, &request, &response, &err) ||
	    json_parse(response.body.data, response.body.len, &last_log, &err))
		fail_msg("%s", err.text);
	http_response_release(&response);
	http_client_free(http);
	free(url);
}

int ca_count(struct client *client, const char *point)
{
	const cJSON *each;
	int n = 0;

	fetch_log(client);
	cJSON_ArrayForEach (each, last_log) {
		if (str_equal(json_string(each, "at"), point))
			n++;
	}
	return n;
}

const char *ca_payload(struct client *client, const char *point, int n)
{
	const cJSON *each;

	fetch_log(client);
	cJSON_ArrayForEach (each, last_log) {
		const char *payload = json_string(each, "payload");

		if (str_equal(json_string(each, "at"), point) && n-- == 0)
			return payload ? payload : "";
	}
	return "";
}

const char *ca_agent(struct client *client)
{
	const char *agent;

	fetch_log(client);
	agent = json_string(cJSON_GetArrayItem(last_log, 0), "agent");
	return agent ? agent : "";
}
