/* What was served before we touched anything: taken, judged, and verified again when we
 * had to come back to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/cert.h"
#include "base/clock.h"
#include "base/files.h"
#include "hooks/plan.h"
#include "hooks/store.h"
#include "hooks/transaction.h"

#define LOOK_TIMEOUT_S 5
#define ROUNDS 3
#define PAUSE_MS 200

static void probe_all(struct member *member)
{
	const struct target *target = member->target;
	struct probe_result seen;

	for (size_t i = 0; i < target->n_verify; i++) {
		probe_endpoint(&target->verify[i], LOOK_TIMEOUT_S,
			       member->deployment->cancel, &seen);
		journal_add_baseline(&member->journal, target->verify[i].connect, &seen);
	}
}

static const struct probe_result *tls_seen(const struct journal *journal)
{
	for (size_t i = 0; i < journal->n_baseline; i++)
		if (journal->baseline[i].seen.kind == PROBE_TLS)
			return &journal->baseline[i].seen;
	return NULL;
}

/* The thumbprint of the certificate that the application is told to use. */
static void find_old(struct member *member, bool *ret_in_use)
{
	struct journal *journal = &member->journal;
	const struct probe_result *tls = tls_seen(journal);
	bool has_json = member->target->tls_json != NULL, enabled = false;
	char *current = NULL;
	struct err ignored;

	(void)plan_named(member->target, journal->old_sha1, &enabled, &ignored);
	*ret_in_use = has_json ? enabled : true;
	if (!journal->old_sha1[0] &&
	    !store_current(&member->target->store, &current, &ignored) && current)
		snprintf(journal->old_sha1, sizeof(journal->old_sha1), "%s", current);
	if (!journal->old_sha1[0] && tls)
		memcpy(journal->old_sha1, tls->sha1, sizeof(journal->old_sha1));
	free(current);
}

int member_take_baseline(struct member *member, struct err *err)
{
	struct journal *journal = &member->journal;
	const struct probe_result *tls;
	struct cert *old = NULL;
	struct err ignored;
	bool in_use;

	probe_all(member);
	if (cancel_check(member->deployment->cancel, err))
		return -1;
	tls = tls_seen(journal);
	find_old(member, &in_use);
	if (!in_use || !journal->old_sha1[0])
		return 0;
	if (tls && str_equal(tls->sha1, journal->old_sha1)) {
		journal->old_not_after = tls->not_after;
	} else if (!store_find(&member->target->store, journal->old_sha1, &old,
			       &ignored)) {
		journal->old_not_after = cert_not_after(old);
		cert_free(old);
	} else {
		journal->old_missing = !tls && ignored.kind == ERR_NOT_FOUND;
	}
	return 0;
}

bool member_served_something(const struct member *member)
{
	for (size_t i = 0; i < member->journal.n_baseline; i++)
		if (member->journal.baseline[i].seen.kind != PROBE_NOTHING)
			return true;
	return member->journal.from_http;
}

/* A link that we would put back must lead somewhere. */
static bool links_are_alive(const struct journal *journal)
{
	for (size_t i = 0; i < journal->n_files; i++) {
		const struct saved *saved = &journal->files[i];
		struct file_facts facts = { .type = FILE_DIRECTORY };
		char *parent, *to;
		struct err ignored;

		if (saved->was != WAS_LINK)
			continue;
		parent = path_parent(saved->path);
		to = path_join(parent, saved->link_target);
		(void)file_inspect(to, &facts, &ignored);
		free(to);
		free(parent);
		if (facts.type == FILE_ABSENT)
			return false;
	}
	return true;
}

/* Thumbprints are of one length: none is part of another. */
static bool is_revoked(const struct member *member, const char *sha1)
{
	const char *list = member->deployment->revoked;

	return list && sha1[0] && strstr(list, sha1);
}

bool member_may_go_back(const struct member *member, char *why, size_t size)
{
	const struct journal *journal = &member->journal;
	int64_t not_after = journal->old_not_after, now = clock_wall();
	char text[CLOCK_TEXT_MAX];
	bool revoked = is_revoked(member, journal->old_sha1);

	if (journal->from_http)
		return true; /* back to plain HTTP */
	for (size_t i = 0; i < journal->n_baseline; i++) {
		const struct probe_result *seen = &journal->baseline[i].seen;

		revoked = revoked ||
			  (seen->kind == PROBE_TLS && is_revoked(member, seen->sha1));
		if (seen->kind == PROBE_TLS &&
		    (!not_after || seen->not_after < not_after))
			not_after = seen->not_after;
	}
	if (not_after && cert_is_over(not_after, now)) {
		clock_format_people(not_after, text);
		snprintf(why, size, "the old certificate expired on %s", text);
		return false;
	}
	if (revoked) {
		snprintf(why, size, "the old certificate was revoked");
		return false;
	}
	if (journal->old_missing || !links_are_alive(journal)) {
		snprintf(why, size, "the old certificate is not there any more");
		return false;
	}
	return true;
}

/* One endpoint, once: as the journal says it was? */
static int look_once(const struct member *member, const struct endpoint *endpoint,
		     struct err *err)
{
	const struct probe_result *was = journal_seen(&member->journal,
						      endpoint->connect);
	struct probe_result seen;

	if (was->kind == PROBE_NOTHING)
		return 0;
	probe_endpoint(endpoint, LOOK_TIMEOUT_S, NULL, &seen);
	if (seen.kind == was->kind && str_equal(seen.sha256, was->sha256))
		return 0;
	if (seen.kind != PROBE_TLS)
		return err_set(err, ERR_TRANSIENT, "%s shows %s (%s), not %s as before",
			       endpoint->connect, probe_kind_name(seen.kind), seen.detail,
			       was->sha1[0] ? was->sha1 : probe_kind_name(was->kind));
	return err_set(err, ERR_TRANSIENT, "%s serves %s, not %s as before",
		       endpoint->connect, seen.sha1,
		       was->sha1[0] ? was->sha1 : probe_kind_name(was->kind));
}

static int look_round(const struct member *member, struct err *err)
{
	const struct target *target = member->target;

	if (member->journal.from_http)
		return target->http ? probe_http(target->http, LOOK_TIMEOUT_S, NULL, err)
				    : 0;
	for (size_t i = 0; i < target->n_verify; i++)
		if (look_once(member, &target->verify[i], err))
			return -1;
	return 0;
}

bool group_shows_baseline(const struct group *group)
{
	struct err ignored;

	for (size_t i = 0; i < group->n; i++)
		if (look_round(group->members[i], &ignored))
			return false;
	return true;
}

int member_verify_baseline(struct member *member, struct err *err)
{
	int64_t deadline = clock_mono_ms() + member->target->verify_timeout_s * 1000;
	int good = 0;

	if (!member_served_something(member))
		return 0;
	for (;;) {
		good = look_round(member, err) ? 0 : good + 1;
		if (good == ROUNDS)
			return 0;
		/* What looks right is looked at to the end, however slow the looks. */
		if (!good && clock_mono_ms() >= deadline)
			return -1;
		if (clock_sleep_ms(PAUSE_MS, member->deployment->cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
	}
}
