/* rehearsal_spares.c - issuers that did not issue last, each proven once a month: a way
 * that nobody has gone for long. */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "daemon/rehearsal_parts.h"
#include "daemon/rehearsal_when.h"

#define PUT_OFF_S INT64_C(600)

static const struct issuer_config *spare(const struct pass *pass, const char *name)
{
	const struct issuer_config *issuer = config_issuer(pass->in->config, name);

	return issuer && issuer->type == ISSUER_ACME &&
			       strcmp(name, pass->job.last_issuer) != 0
		       ? issuer
		       : NULL;
}

static bool calm(const struct pass *pass)
{
	return pass->job.last_issuer[0] && rehearsal_is_calm(pass);
}

/* The spare whose turn is first; NULL: none. Those that have no turn yet get one. */
static const struct issuer_config *
first_spare(const struct pass *pass, struct rehearsals *rehearsals, bool *ret_new)
{
	const struct issuer_config *first = NULL, *issuer;
	int64_t at = CLOCK_NEVER;

	*ret_new = false;
	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		struct rehearsal *one;

		issuer = spare(pass, pass->certificate->issuers[i]);
		if (!issuer)
			continue;
		one = rehearsal_ensure(rehearsals, issuer->name);
		if (!one->next_at) {
			one->next_at = rehearsal_next(false, true, pass->now,
						      random_fraction());
			*ret_new = true;
		}
		if (one->next_at < at) {
			at = one->next_at;
			first = issuer;
		}
	}
	return first;
}

void pass_rehearse_spares(struct pass *pass)
{
	const struct issuer_config *issuer;
	struct rehearsals rehearsals;
	bool fresh, due = false;

	if (pass->acted || !calm(pass))
		return;
	rehearsals_load(pass, &rehearsals);
	issuer = first_spare(pass, &rehearsals, &fresh);
	if (fresh)
		(void)rehearsals_save(pass, &rehearsals);
	if (issuer)
		due = rehearsal_of(&rehearsals, issuer->name)->next_at <= pass->now;
	rehearsals_clear(&rehearsals);
	if (due)
		(void)rehearse_issuer(pass, issuer, REHEARSE_A_SPARE);
}

int64_t pass_spares_at(const struct pass *pass)
{
	struct rehearsals rehearsals = { 0 };
	const struct issuer_config *issuer = NULL;
	int64_t at = CLOCK_NEVER;
	struct err ignored;
	bool fresh;

	if (!calm(pass) || rehearsal_read(pass->folder, &rehearsals, &ignored))
		return CLOCK_NEVER;
	issuer = first_spare(pass, &rehearsals, &fresh);
	if (issuer)
		at = rehearsal_of(&rehearsals, issuer->name)->next_at;
	rehearsals_clear(&rehearsals);
	/* Due, and yet this pass did without: it had other work, or could not write. */
	return at > pass->now ? at : pass->now + PUT_OFF_S;
}
