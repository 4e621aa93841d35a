#include "daemon/sessions.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/str.h"
#include "daemon/account_gate.h"
#include "daemon/account_session.h"

struct entry {
	const struct issuer_config *issuer;
	struct account_session account; /* stays where it is: it is borrowed */
};

struct sessions {
	const struct cancel *cancel;
	struct account_gate *gate;
	bool inside;                 /* the gate */
	unsigned long epoch;         /* of the gate, when the sessions were made */
	const struct config *config; /* whose issuers the entries are */
	unsigned long generation;    /* of that configuration; 0: none yet */
	struct entry *entries;
	size_t n;
};

struct sessions *sessions_new(const struct cancel *cancel, struct account_gate *gate)
{
	struct sessions *sessions = mem_calloc(1, sizeof(*sessions));

	sessions->cancel = cancel;
	sessions->gate = gate;
	return sessions;
}

static void hang_up(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->n; i++)
		account_session_close(&sessions->entries[i].account);
}

static void drop_all(struct sessions *sessions)
{
	hang_up(sessions);
	free(sessions->entries);
	sessions->entries = NULL;
	sessions->n = 0;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	sessions_rest(sessions);
	drop_all(sessions);
	free(sessions);
}

static struct entry *find_entry(struct sessions *sessions,
				const struct issuer_config *issuer)
{
	for (size_t i = 0; i < sessions->n; i++)
		if (sessions->entries[i].issuer == issuer)
			return &sessions->entries[i];
	return NULL;
}

/* All entries are laid out at once: the sessions borrow their addresses. */
void sessions_use(struct sessions *sessions, const struct config *config,
		  unsigned long generation)
{
	if (sessions->generation == generation)
		return;
	drop_all(sessions);
	sessions->config = config;
	sessions->generation = generation;
	sessions->entries = mem_calloc(config->n_issuers, sizeof(*sessions->entries));
	sessions->n = config->n_issuers;
	for (size_t i = 0; i < sessions->n; i++)
		sessions->entries[i].issuer = &config->issuers[i];
}

void sessions_cool(struct sessions *sessions)
{
	drop_all(sessions);
	sessions->generation = 0;
}

/* Goes in, once; what was made before an account changed is of no use any more. */
static int enter(struct sessions *sessions, struct err *err)
{
	unsigned long epoch;

	if (sessions->inside)
		return 0;
	if (account_gate_enter(sessions->gate, sessions->cancel, &epoch, err))
		return -1;
	sessions->inside = true;
	if (epoch != sessions->epoch)
		hang_up(sessions);
	sessions->epoch = epoch;
	return 0;
}

void sessions_rest(struct sessions *sessions)
{
	if (!sessions)
		return;
	if (sessions->inside)
		account_gate_leave(sessions->gate);
	sessions->inside = false;
}

int sessions_get(struct sessions *sessions, const struct issuer_config *issuer,
		 struct acme_session **ret_session, struct err *err)
{
	struct entry *entry = find_entry(sessions, issuer);

	if (!entry)
		return err_set(err, ERR_BUG, "issuer '%s' is not in this configuration",
			       issuer->name);
	if (enter(sessions, err))
		return -1;
	if (!entry->account.session &&
	    account_session_open(&entry->account, sessions->config, issuer,
				 sessions->cancel, err))
		return -1;
	*ret_session = entry->account.session;
	return 0;
}

int sessions_remember(struct sessions *sessions, const struct issuer_config *issuer,
		      struct err *err)
{
	struct entry *entry = find_entry(sessions, issuer);

	return entry ? account_session_remember(&entry->account, sessions->config, issuer,
						err)
		     : 0;
}
