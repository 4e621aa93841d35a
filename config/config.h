/* config.h - what the operator wants: certrenewd.yaml as const structs.
 *
 * Refuses to be anything but data: it opens no application's file, asks no service, and
 * knows no state. Loading either gives a whole configuration or a list of everything that
 * is wrong with the file, each with file:line:column.
 *
 *     struct config_report report = { 0 };
 *     const struct config *config;
 *     if (config_load(path, &config, &report)) -> print report.errors, exit 2
 *     print report.warnings
 *     ...
 *     config_free(config); config_report_clear(&report);
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/challenge.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/target.h"

enum eab_algorithm { EAB_HS256, EAB_HS384, EAB_HS512 };

/* Where certificates come from. The words `store`, `none` and `self-signed` name issuers
 * of that type without an entry of their own. */
enum issuer_type {
	ISSUER_ACME,
	ISSUER_STORE,       /* whoever put it there: the newest that has our names */
	ISSUER_NONE,        /* nobody: it is only watched */
	ISSUER_SELF_SIGNED, /* we ourselves, for test systems */
	ISSUER_COMMAND,     /* a program: CSR in, chain out */
};

struct issuer_config {
	const char *name;
	enum issuer_type type;

	/* ISSUER_STORE */
	const char *path; /* a folder of PEM files; NULL: the Windows store: */
	const char *location, *store_name; /* "LocalMachine", "My"; NULL with `path` */
	/* ISSUER_SELF_SIGNED */
	int64_t lifetime_s;
	/* ISSUER_COMMAND; ca_bundle holds for it too */
	struct program program; /* {csr} and {chain}, each once in its arguments, alone or
				   in one ("/out={chain}"): paths of the request that it
				   reads and of the chain that it writes */

	/* ISSUER_ACME */
	const char *directory; /* https:// URL */
	bool agree_to_terms;
	const char *const *contact; /* "mailto:..."; empty list: none sent */
	const char *ca_bundle;      /* absolute path, NULL: system trust only */
	const char *proxy;          /* not written: the system's (Windows); NULL: none */
	const char *account_key;    /* "ec-p256" or "rsa-2048" ... "rsa-4096" */
	const char *eab_key_id;     /* NULL: no external account binding */
	struct secret eab_hmac_key; /* base64 or base64url, as the CA handed it out */
	enum eab_algorithm eab_algorithm;
	int64_t request_timeout_s, order_timeout_s;
	const char *staging;    /* the CA's directory for trials; NULL: it has none */
	const char *const *caa; /* the CA's names in CAA records ("letsencrypt.org");
				   empty: those that its directory tells */
};

enum renew_at_kind { RENEW_DEFAULT, RENEW_FRACTION, RENEW_DURATION };

struct renew_at { /* "1/3" or "30d": how much is left when it is time */
	enum renew_at_kind kind;
	int64_t numerator, denominator; /* RENEW_FRACTION */
	int64_t duration_s;             /* RENEW_DURATION */
};

enum { /* require: what a new certificate must keep (bits) */
       REQUIRE_CN = 1 << 0,
       REQUIRE_SERVER_AUTH = 1 << 1,
       REQUIRE_CLIENT_AUTH = 1 << 2,
};

struct certificate_config {
	const char *name;
	const char *const
		*hosts; /* A-labels, lower case, as ordered; first: common name */
	const char *const *issuers; /* names, in order of preference */
	const char
		*key_type; /* "rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384" */
	bool key_reuse;
	bool common_name; /* put the first host that fits 64 characters in the subject */
	const struct challenge *challenges; /* in order of preference; none: no issuer is
					       a CA that asks for one */
	size_t n_challenges;
	const char *csr;     /* absolute path of the operator's own request, whose key is
				elsewhere; NULL: we make key and request */
	const char *profile; /* of the CA; NULL: its default */
	bool profile_required; /* refuse to order where the CA does not offer it */
	int64_t lifetime_s;    /* ask for so much (notAfter); 0: what the CA gives */
	int64_t backdate_s;    /* ask for a notBefore so long ago; 0: what the CA gives */
	const char *chain; /* prefer the chain that has this name among its issuers, or
			      its root; NULL: the CA's default */
	int64_t failover_after;   /* refusals in a row until the next issuer is asked; an
				     outage makes it asked at once */
	struct renew_at renew_at; /* of an ISSUER_NONE: from then on `expiring` is told */
	bool follow_ari;
	int64_t rehearse_every_s; /* the next renewal is rehearsed so often; 0: never */
	unsigned require; /* REQUIRE_ bits; where not written, those of the presets */
	const struct target *targets; /* deploy: */
	size_t n_targets;
};

enum severity { SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_CRITICAL };
enum channel_type { CHANNEL_WEBHOOK, CHANNEL_PROGRAM };

struct alert_config {
	const char *name;
	enum channel_type type;
	const char *url;               /* webhook */
	struct secret authorization;   /* webhook: value of the Authorization header */
	const char *ca_bundle, *proxy; /* webhook; NULL: none; as an issuer's */
	struct program program;        /* program: the alert as JSON on standard input */
	enum severity min;
	const char *const *except; /* event names that it does not want */
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct config {
	const char *path;      /* of the file itself, absolute */
	struct secret text;    /* what stands in it, where it was read to be watched */
	const char *state_dir; /* default /var/lib/certrenewd, below ProgramData */
	int64_t concurrency;
	enum log_format log_format;
	const char *log_file;  /* absolute; NULL: none but the host's (daemon/host.h) */
	int64_t log_max_bytes; /* then it is put aside and a new one begun */
	int64_t log_keep;      /* how many are kept beside it */
	int64_t inspect_files_every_s, inspect_endpoints_every_s;
	const char *const *resolvers; /* who is asked about DNS: "9.9.9.9:53", or an
					 https:// URL (RFC 8484); empty: the system's */
	const struct dns_provider *dns_providers;
	size_t n_dns_providers;
	const struct issuer_config *issuers;
	size_t n_issuers;
	const struct certificate_config *certificates;
	size_t n_certificates;
	const struct alert_config *alerts;
	size_t n_alerts;
};

/* What a load found: sentences that begin with "file:line:column: ". */
struct config_report {
	struct strlist errors, warnings;
};
void config_report_clear(struct config_report *report);

/* Reads, checks and builds. `path` may be relative; paths in the file are relative to the
 * file's folder. `check_trust`: also refuse when somebody but root/administrators and
 * this account could write the file, its parents, its secret files or its programs
 * (false only for show-config of a draft).
 * Gives   *ret_config; release with config_free().
 * Fails   with at least one entry in report->errors; all errors of the file are in it. */
int config_load(const char *path, bool check_trust, const struct config **ret_config,
		struct config_report *report);

/* The same, trust checked, for who tells and orders nothing: a secret that cannot be read
 * is a warning, and has a source but no bytes. `copy`: a file whose text stands for that
 * of `path`, whose folder paths are relative to all the same; NULL: none. */
int config_load_to_watch(const char *path, const char *copy,
			 const struct config **ret_config, struct config_report *report);

/* Gives the state directory that a file names, however much else is wrong with it: where
 * its daemon is found, and what the watcher remembers. Where it is no YAML, a line that
 * begins with `state_dir:` counts; the usual one where it names none, or where somebody
 * else may write in it. */
char *config_state_dir_named(const char *path);

void config_free(const struct config *config); /* NULL is fine; wipes secrets */

/* The issuer of that name, also where it is one of the words that need no entry; NULL
 * when there is none. Borrowed from `config`. */
const struct issuer_config *config_issuer(const struct config *config, const char *name);

/* The same for a certificate. */
const struct certificate_config *config_certificate(const struct config *config,
						    const char *name);

/* The effective configuration as YAML that loads again; values that come from defaults
 * are marked "# default", from a preset "# preset", from the system "# system", secrets
 * read "{file: ...}" as written and never their bytes. Gives a string that the caller
 * frees. */
char *config_show(const struct config *config);

/* As it is written in the file and in alerts: "notice", "warning", "critical". */
const char *severity_name(enum severity severity);

#endif
