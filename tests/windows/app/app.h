/* app.h - a small Windows service laid out like Xtract Core, for the tests under Wine.
 *
 * It reads what the product reads below its own folder (listener.json,
 * config\servers\tls.json), finds its certificate by thumbprint in LocalMachine\My, opens
 * the private key that the entry names, serves TLS with it, and refuses to start when any
 * of that fails. It shares no code with certrenewd: what it says is a second opinion.
 *
 *     service.c   service, console, install
 *     settings.c  the files below its folder
 *     key.c       the certificate with that thumbprint and its key
 *     serve.c     connections: HTTP or HTTPS, `GET /version`
 */
#ifndef TESTS_WINDOWS_APP_H
#define TESTS_WINDOWS_APP_H

#include <stdbool.h>
#include <winsock2.h>
#include <windows.h>

#include <openssl/ssl.h>

#define APP_SHA1_HEX 41
#define APP_PATH 1024
#define APP_WORDS 512

/* What the SCM is told when it refuses to start (service-specific exit codes). */
enum app_exit {
	APP_RUNS,
	APP_BAD_SETTINGS,
	APP_NO_CERTIFICATE,
	APP_NO_KEY,
	APP_NO_PORT,
	APP_TOLD_TO_REFUSE,
};

/* What misbehave.json says; all off when it is absent, or when tls.json names the
 * thumbprint in `except`. */
struct misbehaviour {
	char refuse[APP_WORDS]; /* last words before the exit */
	bool serve_old;         /* serves what was served before this start */
	bool hang;              /* stays in START_PENDING */
	bool hang_stop;         /* stays in STOP_PENDING */
	bool omit_chain;        /* sends the leaf alone */
	char except[APP_SHA1_HEX];
};

struct app {
	wchar_t dir[APP_PATH];
	wchar_t service[256]; /* its name at the SCM; "": in a console */
	int insecure_port, secure_port;
	bool localhost; /* "mode": "Localhost" */
	bool tls_json;  /* the file is there */
	bool tls;       /* ... and says tlsEnabled */
	char thumbprint[APP_SHA1_HEX];
	struct misbehaviour mis;
	SSL_CTX *ctx; /* NULL: plain HTTP */
	SOCKET listener;
	char why[APP_WORDS]; /* why it does not start */
};

/* Reads listener.json, tls.json and misbehave.json below app->dir. */
enum app_exit settings_read(struct app *app);

/* Without tls.json the product resets every TLS setting, the web server's protocol too.
 */
void settings_reset(const struct app *app);

/* What this installation served last: for serve_old. */
void settings_remember_served(const struct app *app);
void settings_recall_served(struct app *app);

/* The bytes of a file below the folder, with a NUL behind them; NULL: it is not there.
 * Gives. */
char *settings_file(const struct app *app, const wchar_t *name);

/* One line to service.log in the folder. */
void app_log(const struct app *app, const char *words);

/* Makes app->ctx from LocalMachine\My. As a service with a virtual account it asks itself
 * what Windows would ask: does the key's access list hold the account's SID? */
enum app_exit key_context(struct app *app);

/* Opens app->listener. */
enum app_exit serve_listen(struct app *app);

/* Answers connections until the listener is closed. */
void serve(struct app *app);

#endif
