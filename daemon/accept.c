#include "daemon/accept.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/identifier.h"
#include "daemon/renewal.h"

#define TEXT_MAX_BYTES 1024

static void list_names(const char *const *names, struct buf *out)
{
	buf_init(out, TEXT_MAX_BYTES);
	for (size_t i = 0; names && names[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : "", names[i]);
}

static int refuse_names(const struct certificate_config *config, const struct cert *fresh,
			struct err *err)
{
	struct buf got, wanted;

	list_names(cert_names(fresh), &got);
	list_names(config->hosts, &wanted);
	err_set(err, ERR_REFUSED,
		"the new certificate names '%s' instead of '%s': the CA's mistake, "
		"nothing "
		"was deployed",
		buf_str(&got), buf_str(&wanted));
	buf_release(&got);
	buf_release(&wanted);
	return -1;
}

static int check_dates(const struct accept_facts *facts, struct err *err)
{
	const struct certificate_config *config = facts->config;
	const struct cert *fresh = facts->fresh;
	int64_t now = facts->now;
	char text[CLOCK_TEXT_MAX], now_text[CLOCK_TEXT_MAX];

	clock_format_people_local(now, now_text);
	if (now < cert_not_before(fresh)) {
		clock_format_people_local(cert_not_before(fresh), text);
		return err_set(
			err, ERR_REFUSED,
			"the new certificate is not valid before %s: this machine's "
			"clock says %s, check it",
			text, now_text);
	}
	if (cert_has_expired(fresh, now)) {
		clock_format_people_local(cert_not_after(fresh), text);
		return err_set(
			err, ERR_REFUSED,
			"the new certificate has expired at %s: this machine's clock "
			"says %s, check it",
			text, now_text);
	}
	/* What we did not order we take as it is: the newest there is. */
	if (facts->issuer != ISSUER_STORE &&
	    now >= renewal_age_limit(&config->renew_at, cert_not_before(fresh),
				     cert_not_after(fresh))) {
		clock_format_duration(cert_not_after(fresh) - now, text);
		return err_set(
			err, ERR_REFUSED,
			"the new certificate would be due at once, only %s are left "
			"of it: choose a smaller 'renew.at', or another issuer",
			text);
	}
	return 0;
}

/* What no certificate may get wrong, whatever the old one was. */
static int check_basics(const struct accept_facts *facts, struct err *err)
{
	const struct certificate_config *config = facts->config;
	const struct cert *fresh = facts->fresh;
	bool named = facts->issuer == ISSUER_STORE
			     ? cert_names_cover(fresh, config->hosts)
			     : cert_names_are(fresh, config->hosts);

	if (facts->key && !cert_matches_key(fresh, facts->key))
		return err_set(
			err, ERR_REFUSED,
			"the new certificate is for another key than the one in the "
			"order: the CA's mistake, nothing was deployed");
	if (!named)
		return refuse_names(config, fresh, err);
	if (cert_verify_chain(fresh, NULL, false, err)) {
		if (err->kind == ERR_IO) /* it may be as it should */
			return err_wrap(err, "look at the chain of the new certificate");
		err->kind = ERR_REFUSED;
		return err_wrap(err, "the chain of the new certificate does not verify");
	}
	return check_dates(facts, err);
}

static void warn(struct strlist *warnings, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void warn(struct strlist *warnings, const char *fmt, ...)
{
	char text[2 * TEXT_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strlist_add(warnings, text);
}

static bool has_cn(const struct cert *cert)
{
	return cert_common_name(cert) != NULL;
}

/* What `require:` can name. */
static const struct {
	unsigned bit;
	const char *word, *what;
	bool (*has)(const struct cert *cert);
} requirements[] = {
	{ REQUIRE_CN, "cn", "common name", has_cn },
	{ REQUIRE_SERVER_AUTH, "serverAuth", "extended key usage serverAuth",
	  cert_has_server_auth },
	{ REQUIRE_CLIENT_AUTH, "clientAuth", "extended key usage clientAuth",
	  cert_has_client_auth },
};

/* A common name has at most 64 characters, and is no IP address. */
static bool can_have_cn(const struct certificate_config *config)
{
	for (size_t i = 0; config->hosts[i]; i++)
		if (strlen(config->hosts[i]) <= 64 && !identifier_is_ip(config->hosts[i]))
			return true;
	return false;
}

/* What got lost. `old` may be NULL: then nothing can have been lost, but somebody who
 * listed it under `require:` wants to know that it is not there. */
static int check_kept(const struct certificate_config *config, const struct cert *fresh,
		      const struct cert *old, bool old_serves, struct strlist *warnings,
		      struct err *err)
{
	for (size_t i = 0; i < sizeof(requirements) / sizeof(*requirements); i++) {
		bool required = config->require & requirements[i].bit;
		bool had = old && requirements[i].has(old);

		if (requirements[i].has(fresh) || (!had && !required))
			continue;
		if (requirements[i].bit == REQUIRE_CN && !can_have_cn(config))
			required = false;
		if (required && had && old_serves)
			return err_set(
				err, ERR_REFUSED,
				"the new certificate has no %s, the old one has it "
				"and 'require' lists '%s': use another issuer or "
				"profile, or take it off the list",
				requirements[i].what, requirements[i].word);
		warn(warnings, "%s: %s -> absent%s", requirements[i].what,
		     had ? "present" : "absent",
		     required ? ", although 'require' lists it" : "");
	}
	return 0;
}

/* The bits of X509_get_key_usage(); UINT32_MAX: the extension is absent. */
static void key_usage_text(uint32_t usage, struct buf *out)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ KU_DIGITAL_SIGNATURE, "digitalSignature" },
		{ KU_NON_REPUDIATION, "nonRepudiation" },
		{ KU_KEY_ENCIPHERMENT, "keyEncipherment" },
		{ KU_DATA_ENCIPHERMENT, "dataEncipherment" },
		{ KU_KEY_AGREEMENT, "keyAgreement" },
		{ KU_KEY_CERT_SIGN, "keyCertSign" },
		{ KU_CRL_SIGN, "cRLSign" },
	};

	buf_init(out, TEXT_MAX_BYTES);
	for (size_t i = 0; usage != UINT32_MAX && i < sizeof(bits) / sizeof(*bits); i++) {
		if (usage & bits[i].bit)
			buf_printf(out, "%s%s", out->len ? ", " : "", bits[i].name);
	}
	if (!out->len)
		buf_puts(out, usage == UINT32_MAX ? "any" : "none");
}

static void warn_key_usage(const struct cert *fresh, const struct cert *old,
			   struct strlist *warnings)
{
	uint32_t from = X509_get_key_usage(cert_leaf(old));
	uint32_t to = X509_get_key_usage(cert_leaf(fresh));
	struct buf from_text, to_text;

	if (from == to)
		return;
	key_usage_text(from, &from_text);
	key_usage_text(to, &to_text);
	warn(warnings, "key usage: %s -> %s", buf_str(&from_text), buf_str(&to_text));
	buf_release(&from_text);
	buf_release(&to_text);
}

/* CAs differ by seconds from one certificate to the next: a twentieth counts. */
static void warn_lifetime(const struct cert *fresh, const struct cert *old,
			  struct strlist *warnings)
{
	int64_t from_s = cert_lifetime_s(old), to_s = cert_lifetime_s(fresh);
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];

	if (llabs((long long)(from_s - to_s)) <= from_s / 20)
		return;
	clock_format_duration(from_s, from);
	clock_format_duration(to_s, to);
	warn(warnings, "lifetime: %s -> %s", from, to);
}

static void warn_changes(const struct cert *fresh, const struct cert *old,
			 struct strlist *warnings)
{
	const char *from = cert_common_name(old), *to = cert_common_name(fresh);

	if (from && to && !str_equal_nocase(from, to))
		warn(warnings, "common name: '%s' -> '%s'", from, to);
	warn_key_usage(fresh, old, warnings);
	warn_lifetime(fresh, old, warnings);
	if (!str_equal(cert_issuer_text(old), cert_issuer_text(fresh)))
		warn(warnings, "issuer: '%s' -> '%s'", cert_issuer_text(old),
		     cert_issuer_text(fresh));
}

int accept_certificate(const struct accept_facts *facts, struct strlist *warnings,
		       struct err *err)
{
	bool old_serves = facts->old && !facts->old_revoked &&
			  !cert_has_expired(facts->old, facts->now);

	if (check_basics(facts, err))
		return -1;
	if (check_kept(facts->config, facts->fresh, facts->old, old_serves, warnings,
		       err))
		return -1;
	if (facts->old)
		warn_changes(facts->fresh, facts->old, warnings);
	return 0;
}

void accept_wishes(const struct accept_facts *facts, struct strlist *notes)
{
	int64_t wanted_s = facts->config->lifetime_s;
	int64_t got_s = cert_not_after(facts->fresh) - facts->now;
	char wanted[CLOCK_TEXT_MAX], got[CLOCK_TEXT_MAX];

	if (!wanted_s || llabs((long long)(got_s - wanted_s)) <= wanted_s / 20)
		return;
	clock_format_duration(wanted_s, wanted);
	clock_format_duration(cert_lifetime_s(facts->fresh), got);
	warn(notes, "'lifetime' is %s, and the CA has issued for %s", wanted, got);
}
