#include "daemon/pulse.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/log.h"
#include "daemon/loop.h"

#define PAUSE_MS 1000 /* between two beats that passes ask for */

static void forget(struct pulse *pulse)
{
	for (size_t i = 0; i < pulse->n_known; i++)
		heartbeat_certificate_clear(&pulse->known[i]);
	free(pulse->known);
	pulse->known = NULL;
	pulse->n_known = 0;
}

void pulse_configured(struct loop *loop)
{
	const struct config *config = loop->config->config;
	struct pulse *pulse = &loop->pulse;

	forget(pulse);
	heartbeat_digest(config->path, pulse->config_sha256);
	pulse->known = mem_calloc(config->n_certificates, sizeof(*pulse->known));
	pulse->n_known = config->n_certificates;
	for (size_t i = 0; i < config->n_certificates; i++)
		pulse->known[i].name = str_dup(config->certificates[i].name);
	pulse->changed = true;
}

void pulse_changed(struct loop *loop)
{
	loop->pulse.changed = true;
}

void pulse_learned(struct loop *loop, struct heartbeat_certificate *seen)
{
	struct pulse *pulse = &loop->pulse;

	pulse->changed = true;
	for (size_t i = 0; i < pulse->n_known; i++) {
		if (!str_equal(pulse->known[i].name, seen->name))
			continue;
		heartbeat_certificate_clear(&pulse->known[i]);
		pulse->known[i] = *seen;
		*seen = (struct heartbeat_certificate){ 0 };
	}
	heartbeat_certificate_clear(seen);
}

static void write_beat(struct loop *loop, bool last)
{
	struct pulse *pulse = &loop->pulse;
	struct heartbeat beat = {
		.pid = uv_os_getpid(),
		.started_at = loop->started_at,
		.beat_at = clock_wall(),
		.beat_awake_ms = clock_awake_ms(),
		.stopped = last,
		.certificates = pulse->known, /* borrowed */
		.n_certificates = pulse->n_known,
	};
	struct err err;

	clock_boot_id(beat.boot_id);
	memcpy(beat.config_sha256, pulse->config_sha256, sizeof(beat.config_sha256));
	for (size_t i = 0; i < pulse->n_known; i++) {
		const struct slot *slot = agenda_slot(&loop->agenda,
						      pulse->known[i].name);
		const struct pass_job *job = loop_running(loop, pulse->known[i].name);

		pulse->known[i].next_at = slot ? slot->next.at : 0;
		pulse->known[i].busy_awake_ms = job ? job->began_awake_ms : 0;
	}
	if (!heartbeat_write(loop->config->config->state_dir, &beat, &err)) {
		pulse->complained = false;
	} else if (!pulse->complained) {
		log_line(LOG_LEVEL_ERROR, NULL, NULL,
			 "no heartbeat, `certrenewd watch` will miss it: %s", err.text);
		pulse->complained = true;
	}
}

int64_t pulse_beat(struct loop *loop)
{
	struct pulse *pulse = &loop->pulse;
	int64_t now_ms = clock_mono_ms();

	if (now_ms >= pulse->next_ms || (pulse->changed && now_ms >= pulse->soon_ms)) {
		write_beat(loop, false);
		pulse->changed = false;
		pulse->next_ms = now_ms + HEARTBEAT_EVERY_MS;
		pulse->soon_ms = now_ms + PAUSE_MS;
	}
	return (pulse->changed ? pulse->soon_ms : pulse->next_ms) - now_ms;
}

void pulse_stop(struct loop *loop)
{
	if (loop->pulse.known)
		write_beat(loop, true);
	forget(&loop->pulse);
}
