/* judge_habit.c - the next renewal is rehearsed weekly, as long as all is well. */
#include <stdlib.h>

#include "daemon/rehearsal.h"
#include "daemon/rehearsal_when.h"
#include "tests/sim/judge.h"

#define HABIT_S (9 * DAY) /* a week after a rehearsal or a renewal, and some */

/* When it was last tried or renewed: by the machine's clock, which is right at the end.
 */
static int64_t proven_at(int app)
{
	char *folder = str_printf("/var/lib/certrenewd/certificates/%s",
				  world->apps[app].name);
	struct rehearsals rehearsals = { 0 };
	struct err err;
	int64_t at;

	(void)rehearsal_read(folder, &rehearsals, &err);
	at = rehearsals.whole.at;
	for (size_t i = 0; i < world->n_cas; i++)
		for (size_t k = 0; k < world->ca[i].n_issued; k++)
			if (world->ca[i].issued[k].app == app &&
			    world->ca[i].issued[k].at > at)
				at = world->ca[i].issued[k].at;
	rehearsals_clear(&rehearsals);
	free(folder);
	return at;
}

void judge_habit(int app, int64_t calm_s)
{
	const struct app *it = &world->apps[app];
	int64_t ago = true_now() - proven_at(app);

	if (it->leaf && it->not_after - it->not_before >= REHEARSAL_LIFETIME_MIN_S &&
	    calm_s > HABIT_S && ago > HABIT_S)
		broken("rehearsal", "nobody has tried %s for %lld h", it->name,
		       (long long)(ago / HOUR));
}
