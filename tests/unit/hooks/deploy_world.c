#include "tests/unit/hooks/deploy_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "hooks/store.h"

/* Odd on purpose: BOM, CRLF, tabs, unknown members, a long number. */
#define TLS_JSON                                                                         \
	"\xEF\xBB\xBF{\r\n\t\"zzz\": 12345678901234567890,\r\n\t\"certificate\": "       \
	"{\"thumbprint\":\"%s\", \"issuer\": \"CN=Old\",\r\n\t\t\"subjectAltName\" : "   \
	"\"xu.example\", \"notAfter\":\"20200101T000000.000Z\"},\r\n\t\"tlsEnabled\":"   \
	"true\r\n}"

char *in_world(const struct world *w, const char *name)
{
	return path_join(w->root, name);
}

static void write_file(const char *path, const char *text)
{
	struct err err;
	char *parent = path_parent(path);

	assert_int_equal(dir_make(parent, FILE_PUBLIC, &err), 0);
	testcert_write(path, text);
	free(parent);
}

char *bytes_of(const char *path)
{
	struct buf bytes;
	struct err err;
	char *text = NULL;

	buf_init(&bytes, 1 << 20);
	if (!file_read(path, &bytes, &err))
		text = str_dup(buf_str(&bytes));
	buf_release(&bytes);
	return text;
}

enum {
	FIRST_PORT = 5000, /* all lie below those that outgoing connections are given */
	SHARES = 150,
	SHARE = 40, /* ports */
};

static int bound(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)port);
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -1;
}

/* Others for each program that runs beside this one, since a port is bound only when the
 * application starts: who holds the first port of a share has all of it, until it ends.
 */
static int free_port(void)
{
	static unsigned share, given;
	int fd;

	if (!share) {
		share = FIRST_PORT + (unsigned)getpid() % SHARES * SHARE;
		while (bound(share) < 0)
			share = share < FIRST_PORT + (SHARES - 1) * SHARE ? share + SHARE
									  : FIRST_PORT;
	}
	do
		fd = bound(share + 1 + given++ % (SHARE - 1));
	while (fd < 0);
	close(fd);
	return (int)(share + 1 + (given - 1) % (SHARE - 1));
}

char *script(const struct world *w, const char *name, const char *body)
{
	char *path = in_world(w, name), *text = str_printf("#!/bin/sh\n%s\n", body);

	testcert_write(path, text);
	assert_int_equal(chmod(path, 0755), 0);
	free(text);
	return path;
}

/* ---- certificates -------------------------------------------------------- */

struct brought bring(struct world *w, int64_t not_after, int64_t version)
{
	struct brought brought = { 0 };
	char *pem;
	struct err err;

	brought.leaf = testcert_leaf(w->ca, "xu.example", not_after - 90 * DAY,
				     not_after);
	pem = testcert_fullchain_pem(brought.leaf);
	assert_int_equal(cert_parse(pem, strlen(pem), &brought.cert, &err), 0);
	free(pem);
	brought.key_pem = testcert_key_pem(brought.leaf);
	brought.material = (struct material){ .cert = brought.cert,
					      .key_pem = brought.key_pem,
					      .key_len = strlen(brought.key_pem),
					      .version = version };
	return brought;
}

void brought_clear(struct brought *brought)
{
	cert_free(brought->cert);
	free(brought->key_pem);
	testcert_free(brought->leaf);
}

/* ---- applications -------------------------------------------------------- */

int app_ctl(const struct app *app, const char *verb)
{
	const char *argv[] = { XCCTL, app->dir, verb, NULL };
	struct process_spec spec = { .argv = argv, .timeout_s = 30 };
	struct process_result result;
	struct err err;

	assert_int_equal(process_run(&spec, &result, &err), 0);
	return result.exit_code;
}

void app_start(const struct app *app)
{
	assert_int_equal(app_ctl(app, "start"), 0);
}

void app_misbehaves(const struct app *app, const char *json)
{
	char *path = path_join(app->dir, "misbehave.json");

	if (json)
		testcert_write(path, json);
	else
		unlink(path);
	free(path);
}

void app_installs(struct world *w, size_t i, const struct brought *old)
{
	struct change_list list = { 0 };
	char *text = str_printf(TLS_JSON, cert_sha1(old->cert));
	struct err err;

	assert_int_equal(store_import(&w->targets[i].store, &old->material, &err), 0);
	assert_int_equal(store_plan(&w->targets[i].store, &old->material, &list, &err),
			 0);
	for (size_t j = 0; j < list.n; j++)
		assert_int_equal(change_apply(&list.items[j], NULL, &err), 0);
	change_list_clear(&list);
	write_file(w->apps[i].tls_json, text);
	free(text);
}

static void app_new(struct world *w, size_t i)
{
	struct app *app = &w->apps[i];
	int secure = free_port(), insecure = free_port();
	char *name = str_printf("app%zu", i), *path, *text;

	app->dir = in_world(w, name);
	app->store = str_printf("%s/store", app->dir);
	app->tls_json = str_printf("%s/config/servers/tls.json", app->dir);
	app->listener_connect = str_printf("127.0.0.1:%d", secure);
	app->http = str_printf("127.0.0.1:%d", insecure);
	app->endpoint = (struct endpoint){ app->listener_connect, "xu.example", false };
	path = path_join(app->dir, "listener.json");
	text = str_printf("{ \"insecurePort\": %d, \"securePort\": %d, \"mode\": "
			  "\"Localhost\" }\n",
			  insecure, secure);
	write_file(path, text);
	free(path);
	free(text);
	path = path_join(app->dir, "xcctl.conf");
	text = str_printf("APP=%s\nSTORE=%s\n", XCAPP, app->store);
	write_file(path, text);
	free(path);
	free(text);
	path = path_join(app->dir, "config/server/web/general.json");
	write_file(path, "{ \"access\": \"restricted\" }\n");
	free(path);
	free(name);
}

static void target_new(struct world *w, size_t i)
{
	static const char *const names[APPS] = { "xc", "second", "third" };
	struct app *app = &w->apps[i];
	struct target *target = &w->targets[i];

	memcpy(app->restart, (const char *[]){ XCCTL, app->dir, "restart", NULL },
	       sizeof(app->restart));
	memcpy(app->status, (const char *[]){ XCCTL, app->dir, "status", NULL },
	       sizeof(app->status));
	*target = (struct target){
		.name = names[i],
		.install_dir = app->dir,
		.store = { .type = STORE_DIRECTORY,
			   .path = app->store,
			   .key_mode = 0600 },
		.tls_json = app->tls_json,
		.subject_alt_name = "xu.example",
		.service = { .kind = SERVICE_COMMAND,
			     .command = { .argv = app->restart, .timeout_s = 10 },
			     .status = { .argv = app->status, .timeout_s = 10 },
			     .timeout_s = 10 },
		.verify = &app->endpoint,
		.n_verify = 1,
		.verify_timeout_s = 2,
		.when_expired = EXPIRED_HTTP,
		.http = app->http,
	};
}

/* ---- the world ----------------------------------------------------------- */

static void take_note(void *ctx, const struct deploy_note *note)
{
	struct world *w = ctx;
	char *text = str_printf("%s %s: %s", note->target ? note->target : "-",
				note->step, note->text);

	strlist_add(&w->notes, text);
	free(text);
}

struct world *world_new(size_t n)
{
	const char *tmp = getenv("TMPDIR");
	struct world *w = mem_calloc(1, sizeof(*w));

	signal(SIGPIPE, SIG_IGN); /* as the daemon does: probe.h asks for it */
	w->root = str_printf("%s/deploy-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->root));
	w->folder = in_world(w, "state/certificates/xu");
	w->ca = testcert_ca("Test Root");
	w->a = bring(w, clock_wall() + 2 * DAY, 1);
	w->b = bring(w, clock_wall() + 80 * DAY, 2);
	w->c = bring(w, clock_wall() + 85 * DAY, 3);
	for (size_t i = 0; i < n; i++) {
		app_new(w, i);
		target_new(w, i);
	}
	w->deployment = (struct deployment){
		.folder = w->folder,
		.run = "r1",
		.targets = w->targets,
		.n_targets = n,
		.material = &w->b.material,
		.note = take_note,
		.note_ctx = w,
	};
	app_installs(w, 0, &w->a);
	app_start(&w->apps[0]);
	return w;
}

void world_free(struct world *w)
{
	struct err err;

	for (size_t i = 0; i < APPS; i++) {
		struct app *app = &w->apps[i];

		if (!app->dir)
			continue;
		app_ctl(app, "stop");
		free(app->dir);
		free(app->store);
		free(app->tls_json);
		free(app->listener_connect);
		free(app->http);
	}
	brought_clear(&w->a);
	brought_clear(&w->b);
	brought_clear(&w->c);
	testcert_free(w->ca);
	deploy_outcome_clear(&w->outcome);
	strlist_clear(&w->notes);
	assert_int_equal(tree_remove(w->root, &err), 0);
	free((char *)(uintptr_t)w->both[0]);
	free(w->root);
	free(w->folder);
	free(w);
}

void share_service(struct world *w)
{
	char *body = str_printf("echo once >>\"${0%%/*}/count\"\n"
				"%s %s restart; a=$?\n%s %s restart && exit $a",
				w->apps[0].restart[0], w->apps[0].dir,
				w->apps[1].restart[0], w->apps[1].dir);

	w->both[0] = script(w, "both", body);
	w->deployment.n_targets = 2;
	for (size_t i = 0; i < 2; i++) {
		w->targets[i].service.command.argv = w->both;
		w->targets[i].service.status.argv = NULL;
	}
	free(body);
}

int set_up(void **state)
{
	*state = world_new(1);
	return 0;
}

int tear_down(void **state)
{
	world_free(*state);
	return 0;
}

int run_target(struct world *w, const char *only, bool take_over)
{
	deploy_outcome_clear(&w->outcome);
	w->err = (struct err){ 0 };
	return deploy_run(&w->deployment, only, take_over, &w->outcome, &w->err);
}

int run(struct world *w)
{
	return run_target(w, NULL, false);
}

int set_up_three(void **state)
{
	struct world *w = world_new(APPS);

	for (size_t i = 1; i < APPS; i++) {
		app_installs(w, i, &w->a);
		app_start(&w->apps[i]);
	}
	*state = w;
	return 0;
}

int retire(struct world *w)
{
	deploy_outcome_clear(&w->outcome);
	return deploy_retire(&w->deployment, &w->outcome, &w->err);
}

int rollback(struct world *w, const char *only)
{
	deploy_outcome_clear(&w->outcome);
	return deploy_rollback(&w->deployment, only, &w->outcome, &w->err);
}

struct deploy_state read_state(struct world *w)
{
	struct strlist damaged = { 0 };
	struct deploy_state st;

	assert_int_equal(deploy_state_read(&w->deployment, &st, &damaged, &w->err), 0);
	assert_int_equal(damaged.n, 0);
	return st;
}

/* ---- assertions ---------------------------------------------------------- */

bool app_serves(const struct app *app, const struct brought *what)
{
	struct probe_result seen;

	probe_endpoint(&app->endpoint, 5, NULL, &seen);
	return seen.kind == PROBE_TLS && str_equal(seen.sha256, cert_sha256(what->cert));
}

void assert_serves(const struct app *app, const struct brought *what)
{
	assert_true(app_serves(app, what));
}

void assert_plain_http(const struct app *app)
{
	struct err err;

	if (probe_http(app->http, 5, NULL, &err))
		fail_msg("no plain HTTP: %s", err.text);
}

void assert_nothing_served(const struct app *app)
{
	struct probe_result seen;

	probe_endpoint(&app->endpoint, 5, NULL, &seen);
	assert_int_equal(seen.kind, PROBE_NOTHING);
}

bool noted(const struct world *w, const char *text)
{
	for (size_t i = 0; i < w->notes.n; i++)
		if (strstr(w->notes.items[i], text))
			return true;
	return false;
}

void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not contain '%s'", text, part);
}

void assert_end(const struct world *w, size_t i, enum deploy_end end, const char *text)
{
	const struct target_outcome *outcome = &w->outcome.targets[i];

	if (outcome->end != end)
		fail_msg("'%s' ended %s: %s", outcome->target,
			 deploy_end_name(outcome->end), outcome->err.text);
	if (text)
		assert_contains(outcome->err.text, text);
	else
		assert_string_equal(outcome->err.text, "");
}

void assert_link_names(const struct app *app, const struct brought *what)
{
	char *target = NULL;
	struct err err;

	assert_int_equal(link_read(app->store, &target, &err), 0);
	assert_string_equal(path_base(target), cert_sha1(what->cert));
	free(target);
}

bool version_exists(const struct app *app, const struct brought *what)
{
	char *path = str_printf("%s.versions/%s", app->store, cert_sha1(what->cert));
	struct file_facts facts;
	struct err err;

	assert_int_equal(file_inspect(path, &facts, &err), 0);
	free(path);
	return facts.type != FILE_ABSENT;
}
