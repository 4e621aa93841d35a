/* Operators win: a tls.json that somebody else wrote while we were not looking. */
#include "base/files.h"
#include "hooks/plan.h"
#include "hooks/tls_json.h"
#include "hooks/transaction.h"

static bool is_there(const char *path)
{
	struct file_facts facts;
	struct err ignored;

	return !file_inspect(path, &facts, &ignored) && facts.type != FILE_ABSENT;
}

/* Is tls.json as a journal of ours knows it, before or after? */
static bool is_known(const struct journal *journal, const char *path)
{
	const struct saved *saved = journal->exists ? journal_file(journal, path) : NULL;
	enum saved_look look;
	struct err ignored;

	return saved && !saved_look(saved, &look, &ignored) && look != LOOK_FOREIGN;
}

/* While the product speaks plain HTTP there is no tls.json of ours, unless the way back
 * was interrupted or the fallback died before it was moved away. */
static bool wrote_during_http(const struct member *member)
{
	const char *path = member->target->tls_json;

	if (!member_is_on_http(member) || !is_there(path) ||
	    is_known(&member->kept, path))
		return false;
	if (member->kept.exists && member->kept.state < STEP_COPIED)
		return false; /* it died before it looked at the file */
	return !(member->journal.from_http && is_known(&member->journal, path));
}

static bool names_new(const struct member *member)
{
	char sha1[CERT_SHA1_HEX];
	struct err ignored;
	bool enabled;

	return !plan_named(member->target, sha1, &enabled, &ignored) && enabled &&
	       str_equal_nocase(sha1, cert_sha1(member->deployment->material->cert));
}

bool member_met_somebody(const struct member *member)
{
	for (size_t i = 0; i < member->journal.n_files; i++)
		if (member->journal.files[i].theirs)
			return true;
	return false;
}

/* What the saved copy chose. */
static int chosen_before(const struct member *member, const struct saved *saved,
			 struct tls_json_values *ret, struct err *err)
{
	struct buf bytes;
	int rc = 0;

	*ret = (struct tls_json_values){ 0 };
	if (saved->was != WAS_FILE)
		return 0;
	buf_init_secret(&bytes, TLS_JSON_MAX_BYTES);
	if (saved_read(saved, member->journal.folder, &bytes, err) ||
	    tls_json_read(bytes.data, bytes.len, ret, err))
		rc = -1;
	buf_release(&bytes);
	return rc;
}

/* Does tls.json choose otherwise now than before? `unreadable`: the answer where it
 * cannot be told. */
static bool is_other_choice(const struct member *member, const struct saved *saved,
			    bool unreadable)
{
	struct tls_json_values before;
	char sha1[CERT_SHA1_HEX];
	struct err ignored;
	bool enabled;

	if (chosen_before(member, saved, &before, &ignored) ||
	    plan_named(member->target, sha1, &enabled, &ignored))
		return unreadable;
	return enabled != before.tls_enabled ||
	       !str_equal_nocase(sha1, before.thumbprint);
}

bool member_was_overruled(const struct member *member)
{
	const char *path = member->target->tls_json;
	const struct saved *saved = path ? journal_file(&member->journal, path) : NULL;

	/* Half written, say: the next try reads it again. */
	return saved && saved->theirs && is_other_choice(member, saved, false);
}

/* An interrupted attempt left a tls.json that is neither the old one nor ours now, and
 * that chooses otherwise than the old one did. */
static bool wrote_during_deployment(const struct member *member)
{
	const struct journal *journal = &member->journal;
	const struct saved *saved = journal_file(journal, member->target->tls_json);
	const struct material *material = member->deployment->material;

	if (!material || !journal_is_about(journal, material) || journal->back || !saved)
		return false;
	if (!journal_unfinished(journal) && journal->end != DEPLOY_WAITING &&
	    journal->end != DEPLOY_BROKEN)
		return false;
	return !is_known(journal, member->target->tls_json) && !names_new(member) &&
	       is_other_choice(member, saved, true);
}

int member_yield_to_operator(struct member *member, struct err *err)
{
	const struct target *target = member->target;
	struct journal_change change = {
		.state = member->journal.state,
		.end = DEPLOY_OPERATOR,
		.text = "left to the operator who has written tls.json",
	};
	bool during_http;

	if (!target->tls_json)
		return 0;
	during_http = wrote_during_http(member);
	if (!during_http && !wrote_during_deployment(member))
		return 0;
	if (target_mode_write(member->deployment->folder, target->name, MODE_OPERATOR,
			      err))
		return -1;
	member->mode = MODE_OPERATOR;
	member->selected = false;
	member_say_end(member, DEPLOY_OPERATOR, ERR_CONFIG,
		       during_http
			       ? "an operator has written tls.json while plain HTTP was "
				 "served: it is left alone until 'deploy'"
			       : "an operator has changed tls.json in the middle of the "
				 "deployment: it is left alone until 'deploy'");
	strlist_add(&member->outcome->notes, member->outcome->err.text);
	if (!member->journal.exists)
		return 0;
	return member_end(member, &change, member->outcome->err.text, err);
}
