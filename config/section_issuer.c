#include <string.h>

#include "base/buf.h"
#include "base/base64url.h"
#include "base/arena.h"
#include "base/str.h"
#include "config/config.h"
#include "config/issuer_types.h"
#include "config/known_cas.h"
#include "config/proxy.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct issuer_config, member)

static const struct choice account_keys[] = {
	{ "ec-p256", 0 },  { "rsa-2048", 0 }, { "rsa-3072", 0 },
	{ "rsa-4096", 0 }, { NULL, 0 },
};

static const struct choice eab_algorithms[] = {
	{ "HS256", EAB_HS256 },
	{ "HS384", EAB_HS384 },
	{ "HS512", EAB_HS512 },
	{ NULL, 0 },
};

static const struct field eab_fields[] = {
	{ .key = "key_id",
	  .type = FIELD_TEXT,
	  AT(eab_key_id),
	  .max = 1024,
	  .help = "the key identifier that the CA handed out" },
	{ .key = "hmac_key",
	  .type = FIELD_SECRET,
	  AT(eab_hmac_key),
	  .help = "where its secret key is found, base64 or base64url" },
	{ .key = "algorithm",
	  .type = FIELD_CHOICE,
	  AT(eab_algorithm),
	  .fallback = "HS256",
	  .choices = eab_algorithms,
	  .help = "the MAC that the CA asks for" },
};

static void check_eab(struct reading *r, const struct frame *frame, struct node *map,
		      void *base)
{
	const struct issuer_config *issuer = base;
	struct buf key;

	if (!issuer->eab_hmac_key.bytes)
		return;
	buf_init_secret(&key, SECRET_MAX_BYTES);
	if (base64_any_decode(issuer->eab_hmac_key.bytes, &key) || !key.len)
		field_problem(
			r, frame, "hmac_key", node_member(map, "hmac_key")->place,
			"from %s is neither base64 nor base64url: copy it again from "
			"the CA",
			issuer->eab_hmac_key.source);
	buf_release(&key);
}

static const struct section eab_section = {
	.what = "eab",
	.fields = eab_fields,
	.n_fields = N_FIELDS(eab_fields),
	.after = check_eab,
};

static const struct choice locations[] = {
	{ "LocalMachine", 0 },
	{ NULL, 0 },
};

static const struct field issuer_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .fallback = "acme",
	  .choices = issuer_type_names,
	  .help = "where certificates come from: a CA by ACME, whoever puts them into a "
		  "store, nobody (it is only watched), ourselves (for tests), or a "
		  "program" },
	{ .key = "directory",
	  .type = FIELD_HTTPS,
	  AT(directory),
	  .only = "acme",
	  .help = "URL of the CA's ACME directory" },
	{ .key = "agree_to_terms",
	  .type = FIELD_SWITCH,
	  AT(agree_to_terms),
	  .fallback = "no",
	  .only = "acme",
	  .help = "you have read the CA's terms of service and agree" },
	{ .key = "contact",
	  .type = FIELD_CONTACTS,
	  AT(contact),
	  .fallback = "[]",
	  .max = 10,
	  .only = "acme",
	  .help = "addresses that the CA may write to" },
	{ .key = "ca_bundle",
	  .type = FIELD_TRUSTED,
	  AT(ca_bundle),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme command",
	  .help = "PEM file of roots trusted for this CA besides the system's" },
	{ .key = "proxy",
	  .type = FIELD_PROXY,
	  AT(proxy),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme",
	  .help = "HTTP proxy on the way to the CA; on Windows the system's when not "
		  "given" },
	{ .key = "account_key",
	  .type = FIELD_WORD,
	  AT(account_key),
	  .fallback = "ec-p256",
	  .choices = account_keys,
	  .only = "acme",
	  .help = "type of the account's key when it is made" },
	{ .key = "eab",
	  .type = FIELD_SECTION,
	  .fallback = FIELD_OPTIONAL,
	  .section = &eab_section,
	  .only = "acme",
	  .help = "external account binding, where the CA wants one" },
	{ .key = "staging",
	  .type = FIELD_HTTPS,
	  AT(staging),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme",
	  .help = "URL of the CA's directory for trials, which `rehearse` asks; known of "
		  "Let's Encrypt and Google Trust Services" },
	{ .key = "caa",
	  .type = FIELD_DNS_NAMES,
	  AT(caa),
	  .fallback = "[]",
	  .max = 16,
	  .only = "acme",
	  .help = "the CA's names in CAA records; those that its directory tells when "
		  "empty" },
	{ .key = "request_timeout",
	  .type = FIELD_DURATION,
	  AT(request_timeout_s),
	  .fallback = "30s",
	  .min = 1 * SECONDS,
	  .max = 10 * MINUTES,
	  .only = "acme",
	  .help = "how long one request may take" },
	{ .key = "order_timeout",
	  .type = FIELD_DURATION,
	  AT(order_timeout_s),
	  .fallback = "10m",
	  .min = 1 * SECONDS,
	  .max = 24 * HOURS,
	  .only = "acme",
	  .help = "how long one order may take altogether" },
	{ .key = "path",
	  .type = FIELD_TRUSTED,
	  AT(path),
	  .fallback = FIELD_OPTIONAL,
	  .only = "store",
	  .help = "folder of PEM files; the newest valid certificate with our names and "
		  "its key are taken from there" },
	{ .key = "location",
	  .type = FIELD_WORD,
	  AT(location),
	  .fallback = FIELD_OPTIONAL,
	  .choices = locations,
	  .only = "store",
	  .help = "on Windows, instead of path: the certificate store's location" },
	{ .key = "name",
	  .type = FIELD_TEXT,
	  AT(store_name),
	  .fallback = FIELD_OPTIONAL,
	  .max = 64,
	  .only = "store",
	  .help = "and its name; `My` when not given" },
	{ .key = "lifetime",
	  .type = FIELD_DURATION,
	  AT(lifetime_s),
	  .fallback = "90d",
	  .min = 1 * MINUTES,
	  .max = 3650 * DAYS,
	  .only = "self-signed",
	  .help = "how long a certificate is valid" },
	{ .key = "command",
	  .type = FIELD_COMMAND,
	  AT(program.argv),
	  .min = 1,
	  .max = 64,
	  .only = "command",
	  .help = "the program by its absolute path, and its arguments: reads the "
		  "request (PEM) from the path that stands for {csr} and writes the "
		  "certificate and its chain (PEM) to {chain}" },
	{ .key = "timeout",
	  .type = FIELD_DURATION,
	  AT(program.timeout_s),
	  .fallback = "5m",
	  .min = 1 * SECONDS,
	  .max = 1 * HOURS,
	  .only = "command",
	  .help = "how long it may run" },
};

static void default_to(struct reading *r, struct node *map, const char *key,
		       const char *text)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	if (!node_member(map, key))
		node_append(map, node_from_scalar(r->values.arena, source, key, text));
}

/* A CA's directory for trials is known where the CA is. */
static void default_staging(struct reading *r, struct node *map)
{
	const struct node *directory = node_member(map, "directory");
	const char *staging = NULL;

	if (directory && directory->type == NODE_SCALAR)
		staging = known_staging(directory->text);
	if (staging)
		default_to(r, map, "staging", staging);
}

/* The type decides about the other rows; the system about where a store is. */
static void before_issuer(struct reading *r, struct node *map)
{
	default_to(r, map, "type", "acme");
	if (node_is_word(node_member(map, "type"), "acme"))
		default_staging(r, map);
	if (!node_is_word(node_member(map, "type"), "store") ||
	    node_member(map, "path") || system_lacks_store(STORE_WINDOWS))
		return;
	default_to(r, map, "location", "LocalMachine");
	default_to(r, map, "name", "My");
}

/* ---- checks of a single type --------------------------------------------- */

static void check_store(struct reading *r, const struct frame *frame, struct node *map)
{
	static const char *const windows[] = { "location", "name" };
	const struct node *path = node_member(map, "path"), *member;
	const char *lacking = system_lacks_store(STORE_WINDOWS);
	size_t n = 0;

	for (size_t i = 0; i < N_FIELDS(windows); i++) {
		member = node_member(map, windows[i]);
		if (!member || member->origin == FROM_DEFAULT)
			continue;
		n++;
		if (lacking)
			field_problem(r, frame, windows[i], member->key_place,
				      "is of a certificate store that exists on Windows "
				      "only: give 'path', a folder of PEM files");
		else if (path)
			field_problem(r, frame, windows[i], member->key_place,
				      "is given beside 'path': keep one of them");
	}
	if (lacking && !path && !n)
		problem_at(r->problems, map->key_place,
			   "%s has no 'path': give the folder of PEM files that "
			   "certificates are taken from",
			   frame->label);
}

static size_t count_in(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

static void check_command(struct reading *r, const struct frame *frame, struct node *map,
			  struct issuer_config *issuer)
{
	static const char *const words[] = { "{csr}", "{chain}" };
	static const char *const meant[] = { "request that it reads",
					     "chain that it writes" };

	issuer->program.changes = arena_calloc(r->values.arena, 1, sizeof(char *));
	for (size_t i = 0; issuer->program.argv && i < N_FIELDS(words); i++) {
		size_t n = 0;

		for (size_t arg = 1; issuer->program.argv[arg]; arg++)
			n += count_in(issuer->program.argv[arg], words[i]);
		if (n == 1)
			continue;
		field_problem(r, frame, "command", node_member(map, "command")->place,
			      "has %s %s among its arguments: it must stand there once, "
			      "for the path of the %s",
			      n ? "several" : "no", words[i], meant[i]);
	}
}

/* `none: {directory: ...}` would be read as something else than it says. */
static void check_name(struct reading *r, const struct frame *frame,
		       const struct node *map, const struct issuer_config *issuer)
{
	enum issuer_type type;

	if (!issuer->name || !issuer_is_word(issuer->name, &type) || type == issuer->type)
		return;
	problem_at(
		r->problems, map->key_place,
		"%s is called as its own type of issuer is: write 'type: %s' in it, or "
		"give it another name",
		frame->label, issuer->name);
}

static void check_staging(struct reading *r, const struct frame *frame,
			  const struct node *map, const struct issuer_config *issuer)
{
	if (issuer->staging && issuer->directory &&
	    same_directory(issuer->staging, issuer->directory))
		field_problem(r, frame, "staging", node_member(map, "staging")->place,
			      "is the same as 'directory': a rehearsal must not reach "
			      "the CA that issues");
}

static void check_issuer(struct reading *r, const struct frame *frame, struct node *map,
			 void *base)
{
	struct issuer_config *issuer = base;

	check_name(r, frame, map, issuer);
	if (issuer->type == ISSUER_STORE)
		check_store(r, frame, map);
	else if (issuer->type == ISSUER_COMMAND)
		check_command(r, frame, map, issuer);
	else if (issuer->type == ISSUER_ACME)
		check_staging(r, frame, map, issuer);
	if (issuer->type == ISSUER_ACME && !node_member(map, "proxy"))
		issuer->proxy = proxy_of_system(r, frame, map, issuer->directory);
}

const struct section issuer_section = {
	.what = "issuer",
	.fields = issuer_fields,
	.n_fields = N_FIELDS(issuer_fields),
	.size = sizeof(struct issuer_config),
	.before = before_issuer,
	.after = check_issuer,
};
