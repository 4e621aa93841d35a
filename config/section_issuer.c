#include <string.h>

#include "base/buf.h"
#include "base/base64url.h"
#include "config/config.h"
#include "config/sections.h"

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

static const struct field issuer_fields[] = {
	{ .key = "directory",
	  .type = FIELD_HTTPS,
	  AT(directory),
	  .help = "URL of the CA's ACME directory" },
	{ .key = "agree_to_terms",
	  .type = FIELD_SWITCH,
	  AT(agree_to_terms),
	  .fallback = "no",
	  .help = "you have read the CA's terms of service and agree" },
	{ .key = "contact",
	  .type = FIELD_CONTACTS,
	  AT(contact),
	  .fallback = "[]",
	  .max = 10,
	  .help = "addresses that the CA may write to" },
	{ .key = "ca_bundle",
	  .type = FIELD_TRUSTED,
	  AT(ca_bundle),
	  .fallback = FIELD_OPTIONAL,
	  .help = "PEM file of roots trusted for this CA's API besides the system's" },
	{ .key = "proxy",
	  .type = FIELD_PROXY,
	  AT(proxy),
	  .fallback = FIELD_OPTIONAL,
	  .help = "HTTP proxy on the way to the CA" },
	{ .key = "account_key",
	  .type = FIELD_WORD,
	  AT(account_key),
	  .fallback = "ec-p256",
	  .choices = account_keys,
	  .help = "type of the account's key when it is made" },
	{ .key = "eab",
	  .type = FIELD_SECTION,
	  .fallback = FIELD_OPTIONAL,
	  .section = &eab_section,
	  .help = "external account binding, where the CA wants one" },
	{ .key = "request_timeout",
	  .type = FIELD_DURATION,
	  AT(request_timeout_s),
	  .fallback = "30s",
	  .min = 1 * SECONDS,
	  .max = 10 * MINUTES,
	  .help = "how long one request may take" },
	{ .key = "order_timeout",
	  .type = FIELD_DURATION,
	  AT(order_timeout_s),
	  .fallback = "10m",
	  .min = 1 * SECONDS,
	  .max = 24 * HOURS,
	  .help = "how long one order may take altogether" },
};

const struct section issuer_section = {
	.what = "issuer",
	.fields = issuer_fields,
	.n_fields = N_FIELDS(issuer_fields),
	.size = sizeof(struct issuer_config),
};
