/* rehearsal.c - one issuer on trial and what is remembered of it, and the operator's
 * `rehearse`. */
#include "daemon/rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "daemon/findings.h"
#include "daemon/rehearsal_parts.h"
#include "daemon/rehearsal_when.h"

/* ---- what is remembered ------------------------------------------------------- */

void rehearsals_load(struct pass *pass, struct rehearsals *ret)
{
	struct err err;

	*ret = (struct rehearsals){ 0 };
	if (rehearsal_read(pass->folder, ret, &err) || err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
}

int rehearsals_save(struct pass *pass, const struct rehearsals *rehearsals)
{
	struct err err;

	if (!rehearsal_write(pass->folder, rehearsals, &err))
		return 0;
	pass_tell(pass, EVENT_FAILED, NULL, err.text,
		  "make room in the state directory and let it be written");
	return -1;
}

/* ---- one issuer ----------------------------------------------------------------- */

/* Of the habit only what is well: its failure is part of the whole, told once. */
static void tell(struct pass *pass, const struct rehearsal *done, enum rehearsal_way way)
{
	/* A name that no target can have: only its own success closes it. */
	char *whom = str_printf("issuer %s", done->issuer);
	char *what = str_printf("rehearsal of '%s' with issuer '%s': %s",
				pass->certificate->name, done->issuer, done->text);
	char *todo = str_printf("it would not be there when it is needed: repair what it "
				"names, then `certrenewd rehearse %s`",
				pass->certificate->name);

	if (done->well)
		pass_tell(pass, EVENT_RECOVERED, whom, what, NULL);
	else if (way == REHEARSE_A_SPARE)
		pass_tell(pass, EVENT_REHEARSAL_FAILED, whom, what, todo);
	free(todo);
	free(what);
	free(whom);
}

/* Written down before it begins: one that we die of is not repeated at once. */
static void begin_order(struct pass *pass, struct rehearsals *rehearsals,
			const char *issuer)
{
	struct rehearsal *record = rehearsal_ensure(rehearsals, issuer);
	struct rehearsal before = *record;

	record->ordered_at = clock_wall();
	record->order_failed = false;
	(void)rehearsals_save(pass, rehearsals);
	*rehearsal_ensure(rehearsals, issuer) = before;
}

static void remember(struct pass *pass, struct rehearsals *rehearsals,
		     const char *first_failure, enum rehearsal_way way,
		     struct rehearsal *done)
{
	done->at = clock_wall();
	done->well = !*first_failure;
	if (way != REHEARSE_BY_HABIT || !done->next_at)
		done->next_at = rehearsal_next(true, done->well, done->at,
					       random_fraction());
	str_copy(done->text, sizeof(done->text),
		 !done->well     ? first_failure
		 : done->ordered ? "a certificate was obtained on trial"
				 : "all is well, as far as no order is needed");
	*rehearsal_ensure(rehearsals, done->issuer) = *done;
	(void)rehearsals_save(pass, rehearsals);
	tell(pass, done, way);
}

bool rehearse_issuer(struct pass *pass, const struct issuer_config *issuer,
		     enum rehearsal_way way)
{
	char first[1024] = "", ignored[1];
	unsigned before = pass_findings_failed(pass, 0, ignored, sizeof(ignored));
	struct rehearsals rehearsals;
	struct rehearsal done;
	bool may_order, well = false;

	rehearsals_load(pass, &rehearsals);
	/* What cannot be remembered would be done again and again: not at a CA. */
	if (way == REHEARSE_A_SPARE && rehearsals_save(pass, &rehearsals)) {
		rehearsals_clear(&rehearsals);
		return false;
	}
	done = *rehearsal_ensure(&rehearsals, issuer->name);
	may_order = way == REHEARSE_ON_COMMAND ||
		    rehearsal_may_order(done.ordered_at, done.order_not_before,
					clock_wall());
	if (may_order && issuer->staging)
		begin_order(pass, &rehearsals, issuer->name);
	rehearse_ca(pass, issuer, way == REHEARSE_A_SPARE, may_order, &done);
	(void)pass_findings_failed(pass, before, first, sizeof(first));
	if (!cancel_requested(pass->in->cancel)) {
		remember(pass, &rehearsals, first, way, &done);
		well = done.well;
	} else if (may_order && issuer->staging) {
		(void)rehearsals_save(pass, &rehearsals); /* as it was */
	}
	rehearsals_clear(&rehearsals);
	return well;
}

/* ---- the command ------------------------------------------------------------ */

int pass_rehearse(struct pass *pass, struct err *err)
{
	struct rehearsal_whole whole;
	char first[1024] = "";
	unsigned failed;

	rehearse_whole(pass, REHEARSE_ON_COMMAND, &whole);
	if (cancel_check(pass->in->cancel, err))
		return -1;
	rehearsal_conclude(pass, &whole, REHEARSE_ON_COMMAND);
	failed = pass_findings_failed(pass, 0, first, sizeof(first));
	if (failed)
		return err_set(err, ERR_REFUSED,
			       "rehearsal of '%s': %u of %d checks failed; the first: %s",
			       pass->certificate->name, failed,
			       cJSON_GetArraySize(pass->out->findings), first);
	return 0;
}
