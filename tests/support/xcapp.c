/* xcapp.c - starts like the product: listener.json, tls.json, the certificate, the port.
 *
 *     xcapp --dir INSTALL_DIR --store STORE
 *
 * With TLS on it listens on securePort alone; with tls.json absent it speaks plain HTTP
 * on insecurePort and resets config/server/web/general.json, as the product does. SIGTERM
 * ends it, SIGHUP reads tls.json and the certificate again. */
#include "xcapp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#define FILE_BYTES 65536

static void refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void refuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("refusing to start: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* The parsed file, NULL when it is absent or (with *ret_bad) not JSON. */
static cJSON *json_file(const char *dir, const char *name, bool *ret_bad)
{
	char path[1024], *text = calloc(1, FILE_BYTES + 1);
	cJSON *json = NULL;
	FILE *file;

	*ret_bad = false;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = text ? fopen(path, "re") : NULL;
	if (file) {
		if (fread(text, 1, FILE_BYTES, file) == 0)
			text[0] = '\0';
		fclose(file);
		json = cJSON_Parse(strncmp(text, "\xEF\xBB\xBF", 3) ? text : text + 3);
		*ret_bad = !cJSON_IsObject(json);
	}
	free(text);
	return json;
}

static void read_listener(struct app *app)
{
	bool bad;
	cJSON *json = json_file(app->dir, "listener.json", &bad);
	const char *mode;

	if (!json || bad)
		refuse("listener.json is missing or not JSON");
	mode = cJSON_GetStringValue(cJSON_GetObjectItem(json, "mode"));
	app->localhost = mode && !strcmp(mode, "Localhost");
	app->insecure_port = (int)cJSON_GetNumberValue(
		cJSON_GetObjectItem(json, "insecurePort"));
	app->secure_port = (int)cJSON_GetNumberValue(
		cJSON_GetObjectItem(json, "securePort"));
	cJSON_Delete(json);
	if (app->insecure_port <= 0 || app->secure_port <= 0)
		refuse("listener.json names no ports");
}

/* False with the application's words in `why`. */
static bool read_tls(struct app *app, char why[XCAPP_WORDS])
{
	bool bad;
	cJSON *json = json_file(app->dir, "config/servers/tls.json", &bad);
	cJSON *cert = cJSON_GetObjectItem(json, "certificate");
	const char *thumbprint = cJSON_GetStringValue(
		cJSON_GetObjectItem(cert, "thumbprint"));

	app->tls_json = json || bad;
	app->tls = cJSON_IsTrue(cJSON_GetObjectItem(json, "tlsEnabled"));
	snprintf(app->thumbprint, sizeof(app->thumbprint), "%s",
		 thumbprint ? thumbprint : "");
	cJSON_Delete(json);
	if (bad)
		snprintf(why, XCAPP_WORDS, "tls.json is not JSON");
	else if (app->tls && !app->thumbprint[0])
		snprintf(why, XCAPP_WORDS, "tls.json names no certificate");
	return !bad && (!app->tls || app->thumbprint[0]);
}

static void text_of(const cJSON *json, const char *name, char *ret, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	snprintf(ret, size, "%s", text ? text : "");
}

static void read_misbehaviour(struct app *app)
{
	struct misbehaviour mis = { 0 };
	bool bad;
	cJSON *json = json_file(app->dir, "misbehave.json", &bad);
	const cJSON *after = cJSON_GetObjectItem(json, "exit_after_s");

	if (bad)
		refuse("misbehave.json is not JSON");
	text_of(json, "refuse", mis.refuse, sizeof(mis.refuse));
	text_of(json, "except", mis.except, sizeof(mis.except));
	mis.serve_old = cJSON_IsTrue(cJSON_GetObjectItem(json, "serve_old"));
	mis.hang = cJSON_IsTrue(cJSON_GetObjectItem(json, "hang"));
	mis.omit_chain = cJSON_IsTrue(cJSON_GetObjectItem(json, "omit_chain"));
	mis.exit_after_s = cJSON_IsNumber(after) ? after->valueint : 0;
	cJSON_Delete(json);
	if (mis.except[0] && !strcasecmp(mis.except, app->thumbprint))
		mis = (struct misbehaviour){ 0 };
	app->mis = mis;
}

/* What this installation served last, for serve_old. */
static void remember_served(const struct app *app)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/served", app->dir);
	file = fopen(path, "we");
	if (!file)
		return;
	fprintf(file, "%s\n", app->thumbprint);
	fclose(file);
}

static void recall_served(struct app *app)
{
	char path[1024], line[XCAPP_SHA1_HEX + 1] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/served", app->dir);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line), file) && strcspn(line, "\n") == 40)
		snprintf(app->thumbprint, sizeof(app->thumbprint), "%.40s", line);
	fclose(file);
}

/* Without tls.json the product resets every TLS setting, the web server's protocol too.
 */
static void reset_settings(const struct app *app)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/config/server/web/general.json", app->dir);
	file = fopen(path, "r+e");
	if (!file)
		return;
	if (ftruncate(fileno(file), 0) == 0)
		fprintf(file,
			"{\n    \"protocol\": \"HTTP - Unrestricted\",\n"
			"    \"port\": %d\n}\n",
			app->insecure_port);
	fclose(file);
}

static void notify_manager(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), 0, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

static void hang(void)
{
	fputs("loading extractions ...\n", stderr);
	for (;;)
		pause();
}

/* tls.json and the certificate again; what is served stays when they are wrong. */
static void reload(struct app *app, SSL_CTX **ctx)
{
	char why[XCAPP_WORDS];
	struct app next = *app;
	SSL_CTX *fresh = NULL;

	if (!read_tls(&next, why) || next.tls != app->tls) {
		fprintf(stderr, "not reloaded: tls.json has changed too much\n");
		return;
	}
	if (next.tls)
		fresh = store_context(app->store, next.thumbprint, app->mis.omit_chain,
				      why);
	if (next.tls && !fresh) {
		fprintf(stderr, "not reloaded: %s\n", why);
		return;
	}
	SSL_CTX_free(*ctx);
	*ctx = fresh;
	*app = next;
	remember_served(app);
	fprintf(stderr, "reloaded\n");
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void serve(struct app *app, SSL_CTX *ctx, int listener, int signals)
{
	int64_t dies_at = app->mis.exit_after_s ? time(NULL) + app->mis.exit_after_s : 0;
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = listener, .events = POLLIN } };
	struct signalfd_siginfo info;
	int fd;

	for (;;) {
		if (poll(fds, 2, dies_at ? 200 : -1) < 0 && errno != EINTR)
			refuse("poll: %s", strerror(errno));
		if (dies_at && time(NULL) >= dies_at) {
			fputs("worker.exe ended unexpectedly\n", stderr);
			_exit(3);
		}
		if (fds[0].revents & POLLIN) {
			if (read(signals, &info, sizeof(info)) != sizeof(info) ||
			    info.ssi_signo != SIGHUP)
				_exit(0); /* threads may still use ctx */
			reload(app, &ctx);
		}
		if (fds[1].revents & POLLIN) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (fd >= 0)
				serve_connection(fd, ctx);
		}
	}
}

static void read_arguments(int argc, char **argv, struct app *app)
{
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--dir"))
			app->dir = argv[i + 1];
		else if (!strcmp(argv[i], "--store"))
			app->store = argv[i + 1];
	}
	if (!app->dir || !app->store) {
		fputs("usage: xcapp --dir INSTALL_DIR --store STORE\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	char why[XCAPP_WORDS] = "";
	struct app app = { 0 };
	SSL_CTX *ctx = NULL;
	int listener, signals;

	read_arguments(argc, argv, &app);
	read_listener(&app);
	if (!read_tls(&app, why))
		refuse("%s", why);
	read_misbehaviour(&app);
	if (app.mis.refuse[0])
		refuse("%s", app.mis.refuse);
	if (app.mis.hang)
		hang();
	if (app.mis.serve_old)
		recall_served(&app);
	if (app.tls)
		ctx = store_context(app.store, app.thumbprint, app.mis.omit_chain, why);
	if (app.tls && !ctx)
		refuse("%s", why);
	if (!app.tls_json)
		reset_settings(&app);
	signals = open_signals();
	listener = serve_listen(app.tls ? app.secure_port : app.insecure_port,
				app.localhost, why);
	if (signals < 0 || listener < 0)
		refuse("%s", why);
	remember_served(&app);
	fprintf(stderr, "serving %s on port %d\n", app.tls ? "HTTPS" : "HTTP",
		app.tls ? app.secure_port : app.insecure_port);
	notify_manager("READY=1");
	serve(&app, ctx, listener, signals);
	return 0;
}
