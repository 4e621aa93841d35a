/* winacme.h - what win-acme and simple-acme have on disk, read as facts: where they keep
 * their renewals, what each renewal asks for, whose account they use.
 *
 * Read only: nothing of theirs is written here. What cannot be taken over is a sentence
 * for the operator, never silence. The formats: win-acme's sources (DomainObjects/
 * Renewal.cs, Services/Serialization/ProtectedString.cs, Plugins/...), 2.1 to 2.2.9, and
 * simple-acme 2.3.
 *
 *     winacme_read(path, &found, &err)  ->  winacme_yaml(&found, &yaml)
 *     winacme_account(...)                  per endpoint
 */
#ifndef DAEMON_WINACME_WINACME_H
#define DAEMON_WINACME_WINACME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct winacme_script {
	char *script, *parameters; /* as they stand in the file; parameters may be NULL */
};

enum winacme_store_kind { WINACME_STORE_WINDOWS, WINACME_STORE_PEM };

struct winacme_store {
	enum winacme_store_kind kind;
	char *name;            /* "My", "WebHosting"; NULL: the default of the settings */
	char *folder, *file;   /* WINACME_STORE_PEM; file NULL: made of the first host */
	struct strlist access; /* AclRead and AclFullControl */
	bool keep_existing;
};

struct winacme_renewal {
	char *path; /* of the file */
	char *name; /* in our configuration: of its friendly name or first host */
	char *id, *friendly_name, *account; /* NULL where not given */
	struct strlist hosts;               /* the common name first */
	char key_type[16];                  /* in our words */
	bool key_reuse;
	char *webroot; /* NULL: self-hosting at `port` */
	int64_t port;  /* 80 where not given */
	struct winacme_store *stores;
	size_t n_stores;
	struct winacme_script *scripts;
	size_t n_scripts;
	char *thumbprint;        /* of the last success in its history; NULL: none */
	struct strlist refusals; /* why it cannot be taken over; empty: it can */
	struct strlist losses;   /* what of it is not taken over, or is to be checked */
};

struct winacme_endpoint { /* one CA */
	char *folder;
	char *issuer;    /* a name for our configuration */
	char *directory; /* URL */
	bool guessed;    /* the URL is made of the folder's name */
	char *task;      /* name of the scheduled task that renews for it */
	bool has_account;
	struct winacme_renewal *renewals;
	size_t n_renewals;
};

struct winacme {
	char *client;   /* "win-acme", "simple-acme" */
	char *settings; /* settings.json that was read; NULL: none found */
	char *root;     /* folder of the endpoints */
	char *proxy;    /* NULL: the system's */
	char *default_store;
	char *base_uri;                 /* of the settings' CA; NULL: not given */
	char rsa_type[16], ec_type[16]; /* key types of the settings, in our words */
	struct winacme_endpoint *endpoints;
	size_t n_endpoints;
	struct strlist losses; /* what of the settings is not taken over */
};

/* Reads all of it. `path`: the program's folder (with settings.json), the configuration
 * folder, or one endpoint's; NULL: where the installers put it (Windows only).
 * ERR_NOT_FOUND when there is nothing of win-acme there, naming what was looked at.
 * Release with winacme_clear(). */
int winacme_read(const char *path, struct winacme *ret, struct err *err);
void winacme_clear(struct winacme *found);

/* ---- parts (renewal.c, plugins.c, secret.c, account.c, yaml.c) ------------ */

/* Reads one renewal file. `found` gives the defaults. A file that is no renewal is
 * ERR_CONFIG. winacme_renewal_clear() after. */
int winacme_renewal_read(const struct winacme *found, const char *path,
			 struct winacme_renewal *ret, struct err *err);
void winacme_renewal_clear(struct winacme_renewal *renewal);

enum winacme_plugin {
	PLUGIN_UNKNOWN,
	PLUGIN_MANUAL,
	PLUGIN_SINGLE,
	PLUGIN_RSA,
	PLUGIN_EC,
	PLUGIN_SELF_HOSTING,
	PLUGIN_FILE_SYSTEM,
	PLUGIN_CERTIFICATE_STORE,
	PLUGIN_PEM_FILES,
	PLUGIN_NO_STORE,
	PLUGIN_SCRIPT,
	PLUGIN_NO_INSTALLATION,
	PLUGIN_OTHER, /* known by name, not taken over */
};

/* Which plugin a GUID is, whatever its case; *ret_name: what win-acme calls it
 * ("validation by Azure DNS"), borrowed, never NULL. */
enum winacme_plugin winacme_plugin(const char *guid, const char **ret_name);

/* Opens a ProtectedString: "enc-" (DPAPI of this machine), "clear-", or base64. Appends
 * to the secret buffer. ERR_CONFIG for a vault reference or a damaged one, ERR_DENIED
 * where it was made on another machine. */
int winacme_secret(const char *text, struct buf *ret, struct err *err);

/* Twin files (winacme_system.c):
 *
 * CryptUnprotectData without entropy, as .NET's ProtectedData does in machine scope;
 * elsewhere ERR_CONFIG says that it takes the machine that made it. */
int winacme_unprotect(const void *data, size_t len, struct buf *ret, struct err *err);

/* Where programs keep what all accounts share: the default root's parent. Gives; NULL
 * where there is no such place. */
char *winacme_shared_folder(void);

/* Switches the task that renews `endpoint` ("win-acme renew (...)" of the task scheduler;
 * its script in /etc/cron.daily elsewhere) on or off. ERR_NOT_FOUND without one. */
int winacme_switch_task(const char *task, bool on, struct err *err);

/* The account's key and URL: `<folder>/[<name>.]Signer_v2` and `Registration_v2`. `name`
 * NULL: the default account. Gives both; *ret_url NULL where it is not known.
 * ERR_NOT_FOUND without one, ERR_CONFIG for a key type that we do not use. */
int winacme_account(const char *folder, const char *name, EVP_PKEY **ret_key,
		    char **ret_url, struct err *err);

/* The issuer's name for an account of an endpoint (NULL: its default one). Gives. */
char *winacme_issuer(const struct winacme_endpoint *endpoint, const char *account);

/* Appends the configuration; what an operator must look at goes to `notes`. */
void winacme_yaml(const struct winacme *found, struct buf *ret, struct strlist *notes);

/* Reads a JSON file of theirs: with or without a byte order mark. Gives *ret. */
int winacme_json(const char *path, cJSON **ret, struct err *err);

#endif
