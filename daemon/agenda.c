#include "daemon/agenda.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/conflict.h"
#include "daemon/notice.h"

/* ---- the slots ----------------------------------------------------------- */

struct slot *agenda_slot(const struct agenda *agenda, const char *certificate)
{
	for (size_t i = 0; i < agenda->n_slots; i++)
		if (!strcmp(agenda->slots[i].certificate->name, certificate))
			return &agenda->slots[i];
	return NULL;
}

struct request *agenda_drop(struct agenda *agenda)
{
	struct request *list = NULL, **end = &list;

	for (size_t i = 0; i < agenda->n_slots; i++) {
		struct slot *slot = &agenda->slots[i];

		if (!slot->first)
			continue;
		*end = slot->first;
		end = &slot->last->next;
	}
	free(agenda->slots);
	agenda->slots = NULL;
	agenda->n_slots = 0;
	return list;
}

struct request *agenda_use(struct agenda *agenda, const struct config *config)
{
	struct slot *slots = mem_calloc(config->n_certificates, sizeof(*slots));
	struct request *orphans;

	for (size_t i = 0; i < config->n_certificates; i++) {
		struct slot *old = agenda_slot(agenda, config->certificates[i].name);

		slots[i].certificate = &config->certificates[i];
		if (!old)
			continue;
		slots[i].first = old->first;
		slots[i].last = old->last;
		old->first = old->last = NULL;
	}
	orphans = agenda_drop(agenda);
	agenda->slots = slots;
	agenda->n_slots = config->n_certificates;
	return orphans;
}

void agenda_release(struct agenda *agenda)
{
	free(agenda->slots);
	free(agenda->running);
	memset(agenda, 0, sizeof(*agenda));
}

/* ---- what comes up ------------------------------------------------------- */

void agenda_ask(struct slot *slot, struct request *request)
{
	request->next = NULL;
	if (slot->last)
		slot->last->next = request;
	else
		slot->first = request;
	slot->last = request;
}

static struct request *take_request(struct slot *slot)
{
	struct request *request = slot->first;

	if (!request)
		return NULL;
	slot->first = request->next;
	if (!slot->first)
		slot->last = NULL;
	request->next = NULL;
	return request;
}

bool agenda_changed(struct slot *slot, int64_t mono_ms)
{
	if (slot->look_at_ms)
		return false;
	slot->gap_ms = notice_gap(slot->gap_ms, mono_ms - slot->changed_at_ms);
	slot->changed_at_ms = mono_ms;
	slot->look_at_ms = mono_ms + slot->gap_ms;
	return true;
}

void agenda_tell(struct agenda *agenda)
{
	agenda->deliver = (struct due){ 0 };
}

/* ---- what is to be done -------------------------------------------------- */

static bool may_run(const struct agenda *agenda, const struct slot *slot)
{
	for (size_t i = 0; i < agenda->n_running; i++)
		if (!strcmp(agenda->running[i]->name, slot->certificate->name) ||
		    conflict_between(agenda->running[i], slot->certificate))
			return false;
	return true;
}

/* Milliseconds until something is to be done for it; 0: now. */
static int64_t slot_in_ms(const struct slot *slot, struct agenda_clock clock)
{
	int64_t left_ms = due_in_ms(&slot->next, clock.now, clock.mono_ms);
	int64_t look_ms = slot->look_at_ms - clock.mono_ms;

	if (slot->look_at_ms && look_ms < left_ms)
		left_ms = look_ms;
	return slot->first || left_ms <= 0 ? 0 : left_ms;
}

struct agenda_look agenda_look(void)
{
	return (struct agenda_look){ .wait_ms = CLOCK_NEVER };
}

static void wait_for(struct agenda_look *look, int64_t in_ms)
{
	if (in_ms < look->wait_ms)
		look->wait_ms = in_ms;
}

enum agenda_step agenda_next(const struct agenda *agenda, struct agenda_clock clock,
			     struct agenda_look *look, struct slot **ret_slot)
{
	int64_t in_ms;

	while (look->seen < agenda->n_slots) {
		struct slot *slot = &agenda->slots[look->seen++];

		in_ms = slot_in_ms(slot, clock);
		if (in_ms) {
			wait_for(look, in_ms);
		} else if (may_run(agenda, slot)) { /* else the other's end looks again */
			*ret_slot = slot;
			return AGENDA_PASS;
		}
	}
	if (look->seen++ > agenda->n_slots || agenda->delivering)
		return AGENDA_NOTHING;
	in_ms = due_in_ms(&agenda->deliver, clock.now, clock.mono_ms);
	if (!in_ms)
		return AGENDA_DELIVERY;
	wait_for(look, in_ms);
	return AGENDA_NOTHING;
}

/* ---- passes -------------------------------------------------------------- */

/* Is the next one due whose restart it can share? Then that one brings both in. */
static bool another_is_due(const struct agenda *agenda, const struct slot *slot,
			   struct agenda_clock clock)
{
	for (size_t i = 0; i < agenda->n_slots; i++) {
		const struct slot *other = &agenda->slots[i];

		if (other != slot &&
		    (other->first || due_is(&other->next, clock.now, clock.mono_ms)) &&
		    conflict_of_services(other->certificate, slot->certificate))
			return true;
	}
	return false;
}

static void note_running(struct agenda *agenda,
			 const struct certificate_config *certificate)
{
	agenda->running = mem_realloc(agenda->running,
				      (agenda->n_running + 1) * sizeof(const void *));
	agenda->running[agenda->n_running++] = certificate;
}

struct request *agenda_begin(struct agenda *agenda, struct slot *slot,
			     struct agenda_clock clock, struct pipeline_input *ret)
{
	struct request *request = take_request(slot);

	*ret = (struct pipeline_input){
		.certificate = slot->certificate,
		.command = request ? request->command : PIPELINE_KEEP,
		.changed = slot->look_at_ms != 0,
		.not_saved = slot->not_saved,
		.force = request && request->force,
		.only = request ? request->only : NULL,
		.revoke_reason = request ? request->revoke_reason : 0,
		.take_folder = request && request->take_folder,
		.hold = request ? request->hold : another_is_due(agenda, slot, clock),
		.bring_in = request && request->bring_in,
		.revoke_with_key = request && request->revoke_with_key,
	};
	slot->look_at_ms = 0;
	note_running(agenda, slot->certificate);
	return request;
}

static void forget_running(struct agenda *agenda,
			   const struct certificate_config *certificate)
{
	for (size_t i = 0; i < agenda->n_running; i++)
		if (agenda->running[i] == certificate) {
			agenda->running[i] = agenda->running[--agenda->n_running];
			return;
		}
}

void agenda_ended(struct agenda *agenda, const struct certificate_config *certificate,
		  const struct pipeline_outcome *outcome, bool in_force,
		  struct agenda_clock clock)
{
	struct slot *slot = agenda_slot(agenda, certificate->name);

	forget_running(agenda, certificate);
	agenda_tell(agenda);
	if (!slot || !outcome)
		return;
	slot->not_saved = outcome->not_saved;
	if (in_force) /* else it is looked at once more, at once */
		slot->next = due_at(outcome->next_at, clock.now, clock.mono_ms);
}

/* ---- alerts going out ---------------------------------------------------- */

void agenda_delivering(struct agenda *agenda)
{
	agenda->delivering = true;
	agenda->deliver.at = CLOCK_NEVER;
}

void agenda_delivered(struct agenda *agenda, int64_t next_at, struct agenda_clock clock)
{
	agenda->delivering = false;
	if (agenda->deliver.at == CLOCK_NEVER)
		agenda->deliver = due_at(next_at, clock.now, clock.mono_ms);
}
