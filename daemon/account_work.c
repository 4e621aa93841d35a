#include "daemon/account_work.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/account_file.h"
#include "daemon/account_session.h"
#include "daemon/account_settle.h"
#include "daemon/accounts.h"
#include "daemon/log.h"

static void answer(struct account_answer *ret, enum exit_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static void answer(struct account_answer *ret, enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	ret->code = code;
	va_start(ap, fmt);
	vsnprintf(ret->text, sizeof(ret->text), fmt, ap);
	va_end(ap);
}

static int answer_none(const struct account_errand *errand, struct account_answer *ret)
{
	const char *name = errand->issuer->name;

	answer(ret, EXIT_CODE_NOTHING,
	       "there is no account at '%s' yet: the first order makes one, or "
	       "`certrenewd account register %s`",
	       name, name);
	return 0;
}

/* ---- register ------------------------------------------------------------ */

static int begin_anew(const struct account_errand *errand, struct err *err)
{
	struct strlist notes = { 0 };
	struct account account = { 0 };
	int rc = account_prepare(errand->config, errand->issuer, &notes, err);

	if (!rc)
		rc = account_read(errand->config, errand->issuer, &account, err);
	if (!rc && account.deactivated_at)
		rc = account_renew(errand->config, errand->issuer, &notes, err);
	for (size_t i = 0; i < notes.n; i++)
		log_line(LOG_LEVEL_INFO, NULL, NULL, "%s", notes.items[i]);
	account_clear(&account);
	strlist_clear(&notes);
	return rc;
}

static int do_register(const struct account_errand *errand, struct account_answer *ret,
		       struct err *err)
{
	struct account_session session = { 0 };
	int rc = -1;

	if (begin_anew(errand, err) ||
	    account_session_open(&session, errand->config, errand->issuer, errand->cancel,
				 err))
		goto out;
	answer(ret, EXIT_CODE_DONE, "issuer '%s': our account is %s",
	       errand->issuer->name, session.known_url);
	rc = 0;
out:
	account_session_close(&session);
	return rc;
}

/* ---- update -------------------------------------------------------------- */

static int send_contacts(const struct account_errand *errand,
			 struct account_session *session, const char *contact,
			 struct account_answer *ret, struct err *err)
{
	const struct account_fact facts[] = { { "contact", contact } };

	if (acme_account_set_contact(session->session, errand->issuer->contact, err) ||
	    account_change(errand->config, errand->issuer, facts, 1, err))
		return err_wrap(err, "change the account's contacts");
	if (contact[0])
		answer(ret, EXIT_CODE_DONE,
		       "issuer '%s': the account's contacts are %s now",
		       errand->issuer->name, contact);
	else
		answer(ret, EXIT_CODE_DONE,
		       "issuer '%s': the account has no contacts any more",
		       errand->issuer->name);
	return 0;
}

static int do_update(const struct account_errand *errand, struct account_answer *ret,
		     struct err *err)
{
	struct account_session session = { 0 };
	char *contact = account_contacts(errand->issuer);
	bool known = false;
	int rc = 0;

	if (!contact[0] && !errand->force)
		answer(ret, EXIT_CODE_NOTHING,
		       "issuer '%s' has no `contact` in the configuration: nothing is "
		       "sent; --force removes what the CA has",
		       errand->issuer->name);
	else if (account_session_take(&session, errand->config, errand->issuer,
				      errand->cancel, &known, err))
		rc = -1;
	else if (!known)
		rc = answer_none(errand, ret);
	else
		rc = send_contacts(errand, &session, contact, ret, err);
	account_session_close(&session);
	free(contact);
	return rc;
}

/* ---- rotate-key ---------------------------------------------------------- */

static int do_rotate(const struct account_errand *errand, struct account_answer *ret,
		     struct err *err)
{
	struct account_session session = { 0 };
	bool known = false;
	int rc = -1;

	if (account_session_take(&session, errand->config, errand->issuer, errand->cancel,
				 &known, err))
		goto out;
	if (!known) {
		rc = answer_none(errand, ret);
		goto out;
	}
	if (account_change_key(errand->config, errand->issuer, session.session,
			       errand->cancel, err)) {
		err_wrap(err, "change the account's key");
		goto out;
	}
	answer(ret, EXIT_CODE_DONE,
	       "issuer '%s': the account has a new key, the old one counts no more",
	       errand->issuer->name);
	rc = 0;
out:
	account_session_close(&session);
	return rc;
}

/* ---- deactivate ---------------------------------------------------------- */

static int note_the_end(const struct account_errand *errand, struct err *err)
{
	char now[CLOCK_TEXT_MAX];
	const struct account_fact facts[] = { { "deactivated_at", now } };

	clock_format_rfc3339(clock_wall(), now);
	return account_change(errand->config, errand->issuer, facts, 1, err);
}

/* The answer may have been lost: the CA refuses everything then, but tells the status. */
static bool is_deactivated(struct acme_session *session)
{
	struct acme_account_facts facts = { 0 };
	struct err err;
	bool is = !acme_account_read(session, &facts, &err) &&
		  !strcmp(facts.status, "deactivated");

	acme_account_facts_clear(&facts);
	return is;
}

static int end_account(const struct account_errand *errand,
		       struct account_session *session, struct account_answer *ret,
		       struct err *err)
{
	const char *name = errand->issuer->name;

	if (acme_account_deactivate(session->session, err) &&
	    !is_deactivated(session->session))
		return err_wrap(err, "deactivate the account");
	if (note_the_end(errand, err))
		return -1;
	answer(ret, EXIT_CODE_DONE,
	       "issuer '%s': the account is deactivated; orders there are refused until "
	       "`certrenewd account register %s` makes a new one",
	       name, name);
	return 0;
}

static int do_deactivate(const struct account_errand *errand, struct account_answer *ret,
			 struct err *err)
{
	struct account_session session = { 0 };
	bool known = false;
	int rc = 0;

	if (!errand->force)
		answer(ret, EXIT_CODE_USAGE,
		       "the account at '%s' would end for good: certificates that it "
		       "obtained stay valid, but its pending orders die, nothing can be "
		       "renewed there until a new account is made, and CAA records and "
		       "dns-persist-01 that name it have to be changed; --force does it",
		       errand->issuer->name);
	else if (account_session_take(&session, errand->config, errand->issuer,
				      errand->cancel, &known, err))
		rc = -1;
	else if (!known)
		rc = answer_none(errand, ret);
	else
		rc = end_account(errand, &session, ret, err);
	account_session_close(&session);
	return rc;
}

/* ---- the verbs ----------------------------------------------------------- */

static const struct {
	const char *word;
	int (*work)(const struct account_errand *errand, struct account_answer *ret,
		    struct err *err);
} verbs[] = {
	[ACCOUNT_REGISTER] = { "register", do_register },
	[ACCOUNT_UPDATE] = { "update", do_update },
	[ACCOUNT_ROTATE_KEY] = { "rotate-key", do_rotate },
	[ACCOUNT_DEACTIVATE] = { "deactivate", do_deactivate },
};
static_assert(sizeof(verbs) / sizeof(*verbs) == ACCOUNT_VERBS, "a row per verb");

bool account_verb_of(const char *word, enum account_verb *ret)
{
	for (size_t i = 0; word && i < ACCOUNT_VERBS; i++)
		if (!strcmp(word, verbs[i].word)) {
			*ret = (enum account_verb)i;
			return true;
		}
	return false;
}

const char *account_verb_name(enum account_verb verb)
{
	return verbs[verb].word;
}

void account_work(const struct account_errand *errand, struct account_answer *ret)
{
	struct err err;

	if (!verbs[errand->verb].work(errand, ret, &err))
		return;
	answer(ret,
	       err.kind == ERR_DENIED   ? EXIT_CODE_DENIED
	       : err.kind == ERR_CONFIG ? EXIT_CODE_USAGE
					: EXIT_CODE_FAILED,
	       "issuer '%s': %s", errand->issuer->name, err.text);
}
