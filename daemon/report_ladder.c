#include "daemon/report_ladder.h"

#include "base/json.h"
#include "daemon/rung.h"

#define WORDS_MAX ((size_t)16 * 1024)

static bool is_deployed(const struct known *known, size_t i)
{
	const struct target_state *state = &known->state.targets[i];

	return known->present && !state->unfinished && !state->falling &&
	       state->end == DEPLOY_DONE &&
	       str_equal(known->state.sha1, cert_sha1(known->version.cert));
}

static struct rung_known known_of(const struct known *known,
				  const struct clock_trust *trust, size_t i)
{
	const struct target_state *state = &known->state.targets[i];
	const struct target_record *row = job_target_of(&known->job,
							known->config->targets[i].name);
	struct clock_reading reading = clock_reading_now();
	struct rung_known rung = {
		.target = &known->config->targets[i],
		.state = state,
		.job = &known->job,
		.current = known->present ? known->version.cert : NULL,
		.deployed = is_deployed(known, i),
		.older_at_hand = row->older.count > 0 &&
				 row->older.count < EXPIRED_DEPLOYS,
		.clock_trusted = clock_trusted(trust, &reading, NULL),
		.now = known->now,
	};

	if (state->mode == MODE_HTTPS)
		rung.until = rung.deployed ? cert_not_after(rung.current)
					   : state->old_not_after;
	return rung;
}

static struct expired_verdict decide(const struct rung_known *rung)
{
	struct expired_facts facts = rung_facts(rung);

	return expired_decide(&facts, rung->now);
}

void report_ladder_json(const struct known *known, const struct clock_trust *trust,
			size_t i, cJSON *json)
{
	struct rung_known rung = known_of(known, trust, i);
	struct expired_verdict verdict = decide(&rung);
	cJSON *ladder = cJSON_AddObjectToObject(json, "ladder");
	struct buf words;

	buf_init(&words, WORDS_MAX);
	rung_words(&rung, &verdict, &words);
	json_set_bool(json, "falling", rung.state->falling);
	json_set_string(ladder, "step", rung_name(verdict.step));
	json_set_string(ladder, "why", buf_str(&words));
	buf_release(&words);
}

void report_ladder_explain(const struct known *known, const struct clock_trust *trust,
			   struct buf *out)
{
	for (size_t i = 0; i < known->state.n_targets; i++) {
		struct rung_known rung = known_of(known, trust, i);
		struct expired_verdict verdict = decide(&rung);

		if (verdict.step == LADDER_NONE && !rung.state->falling)
			continue;
		buf_printf(out, "%-17s %s: ", "expired ladder", rung.target->name);
		if (rung.state->falling)
			buf_puts(out, "interrupted while falling back to HTTP, the next "
				      "run takes it up; ");
		rung_words(&rung, &verdict, out);
		buf_puts(out, "\n");
	}
}
