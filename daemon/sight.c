/* sight.c - remembers what the endpoints of a certificate were seen serving, so that
 * `status` shows it without asking them. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/str.h"
#include "daemon/pass.h"
#include "daemon/watch.h"

static void remember(const struct pass *pass, const struct target *target, size_t k,
		     const struct probe_result *seen, struct sightings *list)
{
	const char *where = target->verify[k].connect;
	struct sighting *one = sightings_find(list, target->name, where);

	if (!one)
		one = sightings_add(list, target->name, where);
	free(one->problem);
	one->problem = NULL;
	one->seen_at = pass->now;
	one->sha1[0] = '\0';
	one->not_before = one->not_after = 0;
	if (seen->kind != PROBE_TLS) {
		one->problem = str_printf("it %s: %s",
					  seen->kind == PROBE_PLAIN ? "does not speak TLS"
								    : "does not answer",
					  seen->detail);
		return;
	}
	str_copy(one->sha1, sizeof(one->sha1), seen->sha1);
	one->not_before = seen->not_before;
	one->not_after = seen->not_after;
}

static void write_list(struct pass *pass, const struct sightings *list)
{
	struct err err;

	if (sightings_write(pass->folder, list, &err))
		pass_note(pass, "inspect", "%s", err.text);
}

void pass_saw_endpoints(struct pass *pass, size_t i, const struct target_view *view)
{
	const struct target *target = &pass->certificate->targets[i];
	struct err err;

	if (!pass->sightings) {
		pass->sightings = mem_calloc(1, sizeof(*pass->sightings));
		if (sightings_read(pass->folder, pass->sightings, &err) ||
		    err.kind != ERR_NONE)
			pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	}
	for (size_t k = 0; view->endpoints && k < view->n_endpoints; k++)
		remember(pass, target, k, &view->endpoints[k], pass->sightings);
}

/* Anew: what is not configured any more goes. */
static void look_at_all(struct pass *pass)
{
	struct sightings list = { 0 };

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];
		struct target_view view = { 0 };

		observe_endpoints(target, pass->in->cancel, &view);
		for (size_t k = 0; k < view.n_endpoints; k++)
			remember(pass, target, k, &view.endpoints[k], &list);
		target_view_clear(&view);
	}
	if (!cancel_requested(pass->in->cancel))
		write_list(pass, &list);
	sightings_clear(&list);
}

void pass_keep_sightings(struct pass *pass)
{
	if (pass->acted || pass->touched)
		look_at_all(pass);
	else if (pass->sightings)
		write_list(pass, pass->sightings);
	if (pass->sightings)
		sightings_clear(pass->sightings);
	free(pass->sightings);
	pass->sightings = NULL;
}
