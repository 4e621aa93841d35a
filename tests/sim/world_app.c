/* world_app.c - applications and their services: base/service_system.h, base/process.h,
 * and the handshake of hooks/probe.h. An application reads its files when it starts, and
 * serves what it read until it starts again. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "base/service.h"
#include "base/service_system.h"
#include "hooks/probe_parts.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"

#define START_MS 1500

int app_of_host(const char *host)
{
	for (size_t i = 0; i < world->n_apps; i++)
		if (!strcmp(world->apps[i].host, host))
			return (int)i;
	return -1;
}

int app_of_unit(const char *unit)
{
	for (size_t i = 0; i < world->n_apps; i++)
		if (!strcmp(world->apps[i].unit, unit))
			return (int)i;
	return -1;
}

/* The folder that holds certificate and key; NULL: it is to speak plain HTTP. */
static char *folder_of(const struct app *app)
{
	const struct node *node = app->by_tls_json ? files_follow(app->tls_json) : NULL;
	char *folder = NULL;
	const char *sha1;
	cJSON *json;

	if (!app->by_tls_json)
		return str_dup(app->store);
	json = node ? cJSON_Parse(node->data) : NULL;
	sha1 = json_string(cJSON_GetObjectItemCaseSensitive(json, "certificate"),
			   "thumbprint");
	if (json && json_bool(json, "tlsEnabled", false) && sha1)
		folder = str_printf("%s.versions/%s", app->store, sha1);
	cJSON_Delete(json);
	return folder;
}

static void let_go(struct app *app)
{
	X509_free(app->leaf);
	sk_X509_pop_free(app->sent, X509_free);
	app->leaf = NULL;
	app->sent = NULL;
	app->plain = false;
	app->sha1[0] = '\0';
}

void app_stop(struct app *app)
{
	let_go(app);
	app->state = APP_STOPPED;
}

static bool load(struct app *app, const char *folder)
{
	char *chain = path_join(folder, "fullchain.pem"),
	     *key = path_join(folder, "key.pem");
	struct cert *cert = NULL;
	const struct node *node = files_follow(key);
	struct err err;
	bool loaded = false;

	if (!node || !node->len || cert_load(chain, &cert, &err))
		goto out;
	if (true_now() < app->refuses_until && strcmp(cert_sha1(cert), app->good_sha1))
		goto out;
	app->leaf = cert_leaf(cert);
	X509_up_ref(app->leaf);
	app->sent = X509_chain_up_ref(cert_chain(cert));
	sk_X509_insert(app->sent, app->leaf, 0);
	X509_up_ref(app->leaf);
	str_copy(app->sha1, sizeof(app->sha1), cert_sha1(cert));
	str_copy(app->last_sha1, sizeof(app->last_sha1), app->sha1);
	app->not_before = cert_not_before(cert);
	app->not_after = cert_not_after(cert);
	loaded = true;
out:
	cert_free(cert);
	free(chain);
	free(key);
	return loaded;
}

void app_start(struct app *app)
{
	char *folder = folder_of(app);

	let_go(app);
	app->restarts++;
	app->restarted_at = true_now();
	app->state = APP_RUNNING;
	if (!folder)
		app->plain = true;
	else if (!load(app, folder))
		app->state = APP_FAILED;
	trace("%s starts: %s", app->name,
	      app->plain                 ? "plain HTTP"
	      : app->state == APP_FAILED ? "it fails"
					 : app->sha1);
	free(folder);
}

/* ---- base/service_system.h -------------------------------------------------- */

int unit_inspect(const struct service *service, enum service_state *ret, struct err *err)
{
	static const enum service_state states[] = {
		[APP_STOPPED] = SERVICE_IS_STOPPED,
		[APP_RUNNING] = SERVICE_IS_RUNNING,
		[APP_FAILED] = SERVICE_IS_FAILED,
	};
	int app = app_of_unit(service->name);

	(void)err;
	*ret = app < 0 ? SERVICE_IS_MISSING : states[world->apps[app].state];
	return 0;
}

int unit_check_rights(const struct service *service, enum unit_verb verb, struct err *err)
{
	(void)service;
	(void)verb;
	(void)err;
	return 0;
}

int unit_act(const struct service *service, enum unit_verb verb, int64_t timeout_s,
	     const struct cancel *cancel, struct err *err)
{
	int n = app_of_unit(service->name);
	struct app *app;

	(void)verb;
	(void)timeout_s;
	(void)cancel;
	if (n < 0)
		return err_set(err, ERR_NOT_FOUND, "there is no unit '%s'",
			       service->name);
	app = &world->apps[n];
	world_touch("restart", app->name);
	world->true_ms += START_MS;
	judge_restart(app);
	app_start(app);
	judge_restarted(app);
	world_touch("restarted", app->name);
	if (app->state == APP_FAILED)
		return err_set(err, ERR_TRANSIENT,
			       "restart '%s': exit-code (status 1): cannot load its "
			       "certificate",
			       service->name);
	return 0;
}

/* ---- base/process.h: only the firewall is a program here --------------------- */

int process_run(const struct process_spec *spec, struct process_result *ret,
		struct err *err)
{
	(void)err;
	*ret = (struct process_result){ 0 };
	world_touch("run", spec->argv[0]);
	for (size_t i = 0; i < world->n_apps && spec->argv[1]; i++)
		if (!strcmp(spec->argv[1], world->apps[i].name))
			world->apps[i].guard = str_ends(spec->argv[0], "close");
	return 0;
}

int process_run_ok(const struct process_spec *spec, struct err *err)
{
	struct process_result result;

	return process_run(spec, &result, err);
}

char *process_self_path(void)
{
	return str_dup("/usr/sbin/certrenewd");
}

/* ---- hooks/probe.h: what a handshake shows ----------------------------------- */

/* "127.0.0.1:8443": the application's number is the last digit. */
static struct app *app_at(const char *connect)
{
	size_t n = (size_t)(connect[strlen(connect) - 1] - '0');

	return n < world->n_apps ? &world->apps[n] : NULL;
}

const char *probe_kind_name(enum probe_kind kind)
{
	static const char *const names[] = {
		[PROBE_NOTHING] = "nothing",
		[PROBE_PLAIN] = "plain",
		[PROBE_TLS] = "tls",
	};

	return names[kind];
}

void probe_look_at(const struct endpoint *endpoint, const struct probe_deadline *deadline,
		   struct probe_look *ret)
{
	const struct app *app = app_at(endpoint->connect);
	struct probe_result *result = &ret->result;
	struct cert *cert;

	(void)deadline;
	*ret = (struct probe_look){ 0 };
	world->true_ms += 5;
	if (!app || !app->leaf) { /* plain HTTP is spoken at another port */
		snprintf(result->detail, sizeof(result->detail), "connection refused");
		return;
	}
	ret->leaf = app->leaf;
	X509_up_ref(ret->leaf);
	ret->sent = X509_chain_up_ref(app->sent);
	cert = cert_from_x509(ret->leaf, ret->sent);
	result->kind = PROBE_TLS;
	snprintf(result->sha1, sizeof(result->sha1), "%s", cert_sha1(cert));
	snprintf(result->sha256, sizeof(result->sha256), "%s", cert_sha256(cert));
	snprintf(result->detail, sizeof(result->detail), "issued by %s",
		 cert_issuer_text(cert));
	result->not_before = cert_not_before(cert);
	result->not_after = cert_not_after(cert);
	result->chain_complete = true;
	probe_chain_issuers(ret, result->issuers, sizeof(result->issuers));
	cert_free(cert);
}

void probe_look_release(struct probe_look *look)
{
	X509_free(look->leaf);
	sk_X509_pop_free(look->sent, X509_free);
	*look = (struct probe_look){ 0 };
}

void probe_endpoint(const struct endpoint *endpoint, int64_t timeout_s,
		    const struct cancel *cancel, struct probe_result *ret)
{
	struct probe_look look;

	(void)timeout_s;
	(void)cancel;
	probe_look_at(endpoint, NULL, &look);
	*ret = look.result;
	probe_look_release(&look);
}

int probe_http(const char *connect, int64_t timeout_s, const struct cancel *cancel,
	       struct err *err)
{
	const struct app *app = app_at(connect);

	(void)timeout_s;
	(void)cancel;
	world->true_ms += 5;
	if (app && app->state == APP_RUNNING && app->plain)
		return 0;
	return err_set(err, ERR_TRANSIENT, "'%s' does not answer plain HTTP", connect);
}
