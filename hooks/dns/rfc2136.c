/* rfc2136.c - dynamic update of a name server of the operator's (RFC 2136), signed by
 * TSIG where there is a key.
 *
 * Every message is signed, questions too: a server may choose its view by the key. */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "hooks/dns/exchange.h"
#include "hooks/dns/message.h"
#include "hooks/dns/provider_name.h"
#include "hooks/dns/tsig.h"

#define SECRET_MAX 512
#define TIMEOUT_S 30

struct errand {
	const struct dns_provider *provider;
	const struct cancel *cancel;
	struct tsig_key key; /* name NULL: not signed */
	struct buf secret;   /* what key.secret points into */
	char *zone;
};

static void errand_release(struct errand *errand)
{
	buf_release(&errand->secret);
	free(errand->zone);
}

static int errand_init(struct errand *errand, const struct dns_work *work,
		       struct err *err)
{
	const struct dns_provider *provider = work->provider;
	const struct secret *secret = &provider->tsig_secret;

	*errand = (struct errand){ .provider = provider, .cancel = work->cancel };
	buf_init_secret(&errand->secret, SECRET_MAX);
	if (!provider->tsig_key)
		return 0;
	if (!secret->bytes || base64_any_decode(secret->bytes, &errand->secret) ||
	    !errand->secret.len)
		return err_set(err, ERR_CONFIG,
			       "the secret of TSIG key '%s' (%s) is not base64: it is "
			       "the text in quotes behind `secret` that tsig-keygen "
			       "prints",
			       provider->tsig_key,
			       secret->source ? secret->source : "not given");
	errand->key = (struct tsig_key){ provider->tsig_key, provider->tsig_algorithm,
					 errand->secret.data, errand->secret.len };
	return 0;
}

static uint16_t random_id(void)
{
	uint16_t id;

	random_bytes(&id, sizeof(id));
	return id;
}

/* ---- one message --------------------------------------------------------- */

/* Reads what was asked and what came, and takes it only if it is signed as it must be. */
static int take(const struct errand *errand, const struct buf *request,
		const struct tsig_mac *mac, const struct buf *bytes,
		struct dns_message *ret, struct err *err)
{
	struct dns_message asked = { 0 }, answer = { 0 };
	int rc = -1;

	if (dns_message_read(request->data, request->len, &asked, err) ||
	    dns_message_read(bytes->data, bytes->len, &answer, err) ||
	    dns_message_answers(&answer, &asked, err))
		goto out;
	if (errand->key.name &&
	    tsig_verify(&errand->key, mac, clock_wall(), bytes->data, &answer, err))
		goto out;
	*ret = answer;
	answer = (struct dns_message){ 0 };
	rc = 0;
out:
	dns_message_release(&asked);
	dns_message_release(&answer);
	return rc;
}

/* Signs, sends, fills *ret. */
static int ask(const struct errand *errand, struct buf *message, struct dns_message *ret,
	       struct err *err)
{
	const struct dns_provider *provider = errand->provider;
	int64_t timeout_s = provider->timeout_s > 0 ? provider->timeout_s : TIMEOUT_S;
	struct tsig_mac mac = { 0 };
	struct buf bytes;
	int rc = -1;

	buf_init(&bytes, DNS_MESSAGE_MAX);
	if (errand->key.name && tsig_sign(&errand->key, clock_wall(), message, &mac, err))
		goto out;
	if (dns_exchange(provider->server, message, timeout_s, errand->cancel, &bytes,
			 err))
		goto out;
	rc = take(errand, message, &mac, &bytes, ret, err);
	if (rc)
		err_wrap(err, "the name server '%s'", provider->server);
out:
	buf_release(&bytes);
	return rc;
}

static int query(const struct errand *errand, const char *name, enum dns_type type,
		 struct dns_message *ret, struct err *err)
{
	struct buf message;
	int rc;

	buf_init(&message, DNS_MESSAGE_MAX);
	rc = dns_query_build(random_id(), name, type, false, &message, err);
	if (!rc)
		rc = ask(errand, &message, ret, err);
	buf_release(&message);
	return rc;
}

/* ---- the zone ------------------------------------------------------------ */

/* The zone of `name` as an answer about its SOA record tells; NULL: it does not. */
static const char *zone_in(const struct dns_message *answer, const char *name)
{
	static const enum dns_section sections[] = { DNS_ANSWER, DNS_AUTHORITY };
	const struct dns_record *soa = NULL;

	if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN)
		return NULL;
	for (int i = 0; i < 2; i++)
		while ((soa = dns_message_next(answer, soa, sections[i], NULL,
					       DNS_TYPE_SOA)))
			if (dns_name_is_below(name, soa->name))
				return soa->name;
	return NULL;
}

static int no_zone(const struct errand *errand, const char *record, unsigned rcode,
		   struct err *err)
{
	char spare[16];

	return err_set(
		err, ERR_CONFIG,
		"the name server '%s' knows no zone that '%s' is in (%s): `server` "
		"has to be the zone's primary server; if it is and does not answer "
		"questions from here, name the zone as `zone`",
		errand->provider->server, record, dns_rcode_name(rcode, spare));
}

/* Asks that very server, name by name up the tree: below a CNAME or a name that another
 * server has, an answer does not tell. */
static int find_zone(struct errand *errand, const char *record, struct err *err)
{
	struct dns_message answer;
	unsigned rcode = DNS_NOERROR;
	const char *zone;

	if (errand->provider->zone) {
		errand->zone = str_dup(errand->provider->zone);
		return 0;
	}
	for (const char *name = record; name && *name && !errand->zone;
	     name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL) {
		if (query(errand, name, DNS_TYPE_SOA, &answer, err))
			return err_wrap(err, "find the zone of '%s'", record);
		zone = zone_in(&answer, name);
		if (zone)
			errand->zone = str_dup(zone);
		if (name == record)
			rcode = answer.rcode;
		dns_message_release(&answer);
	}
	if (!errand->zone || !*errand->zone) /* the root's servers, not ours */
		return no_zone(errand, record, rcode, err);
	return 0;
}

/* ---- updates ------------------------------------------------------------- */

struct refusal {
	unsigned rcode;
	enum err_kind kind;
	const char *what_to_do;
};

static const struct refusal refusals[] = {
	{ DNS_FORMERR, ERR_REFUSED, "the server did not understand it: is it too old?" },
	{ DNS_SERVFAIL, ERR_TRANSIENT,
	  "the server could not do it; its log says why, often it may not write its zone "
	  "file or journal" },
	{ DNS_NXDOMAIN, ERR_REFUSED, "the server says that there is no such zone" },
	{ DNS_NOTIMP, ERR_CONFIG, "this server takes no updates: name another `server`" },
	{ DNS_REFUSED, ERR_CONFIG,
	  "the zone's `allow-update` or `update-policy` has to allow it" },
	{ DNS_NOTAUTH, ERR_CONFIG,
	  "the server is not authoritative for that zone: `server` has to be its "
	  "primary, "
	  "and `zone` a zone there" },
	{ DNS_NOTZONE, ERR_CONFIG,
	  "the record is not inside that zone: correct `zone`, or leave it out" },
	{ DNS_YXDOMAIN, ERR_REFUSED, "a name is there that should not be" },
	{ DNS_YXRRSET, ERR_REFUSED, "records are there that should not be" },
	{ DNS_NXRRSET, ERR_REFUSED, "records are missing that should be there" },
};

static int judge(const struct errand *errand, unsigned rcode, struct err *err)
{
	const struct refusal *refusal = NULL;
	const char *key = errand->key.name;
	char spare[16];

	if (rcode == DNS_NOERROR)
		return 0;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].rcode == rcode)
			refusal = &refusals[i];
	return err_set(err, refusal ? refusal->kind : ERR_REFUSED,
		       "update of zone '%s' at '%s' refused (%s, %s%s%s): %s",
		       errand->zone, errand->provider->server,
		       dns_rcode_name(rcode, spare),
		       key ? "signed by TSIG key '" : "not signed", key ? key : "",
		       key ? "'" : "",
		       refusal ? refusal->what_to_do : "the server's log may say why");
}

/* `change` NULL: an update that changes nothing, and is refused all the same. */
static int update(const struct errand *errand, const struct dns_txt_change *change,
		  struct err *err)
{
	struct dns_message answer;
	struct buf message;
	int rc = -1;

	buf_init(&message, DNS_MESSAGE_MAX);
	if (dns_update_build(random_id(), errand->zone, &message, err) ||
	    (change && dns_update_txt(&message, change, err)))
		goto out;
	if (ask(errand, &message, &answer, err)) {
		err_wrap(err, "update zone '%s'", errand->zone);
		goto out;
	}
	rc = judge(errand, answer.rcode, err);
	dns_message_release(&answer);
out:
	buf_release(&message);
	return rc;
}

/* Servers take an update beside a CNAME and silently leave it out (RFC 2136 3.4.2.2). */
static int check_no_alias(const struct errand *errand, const char *record,
			  struct err *err)
{
	const struct dns_record *alias;
	struct dns_message answer;
	struct err ignored; /* who may update need not be allowed to ask */
	int rc = 0;

	if (query(errand, record, DNS_TYPE_CNAME, &answer, &ignored))
		return 0;
	alias = dns_message_next(&answer, NULL, DNS_ANSWER, record, DNS_TYPE_CNAME);
	if (alias)
		rc = err_set(err, ERR_CONFIG,
			     "'%s' is a CNAME to '%s' at '%s', so no TXT record can be "
			     "beside it: remove the CNAME, or, if it is meant, name '%s' "
			     "as the challenge's alias and a server that has it",
			     record, alias->text, errand->provider->server, alias->text);
	dns_message_release(&answer);
	return rc;
}

/* ---- the row ------------------------------------------------------------- */

static int change(const struct dns_work *work, const struct dns_answer *answer,
		  bool remove, struct err *err)
{
	const struct dns_txt_change txt = { answer->record, answer->value,
					    (uint32_t)work->provider->ttl_s, remove };
	struct errand errand;
	int rc = -1;

	if (errand_init(&errand, work, err) || find_zone(&errand, answer->record, err) ||
	    (!remove && check_no_alias(&errand, answer->record, err)))
		goto out;
	rc = update(&errand, &txt, err);
out:
	errand_release(&errand);
	return rc;
}

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	return change(work, answer, false, err);
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	return change(work, answer, true, err);
}

/* An update that asks for nothing shows whether the server knows our key, and whether
 * `allow-update` lets us in; an `update-policy` judges single records only. */
static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	char *record = provider_record_of(work, domain);
	struct errand errand;
	int rc = -1;

	if (!errand_init(&errand, work, err) && !find_zone(&errand, record, err))
		rc = update(&errand, NULL, err);
	errand_release(&errand);
	free(record);
	return rc;
}

const struct dns_provider_kind dns_rfc2136 = { .present = present,
					       .withdraw = withdraw,
					       .check = check };
