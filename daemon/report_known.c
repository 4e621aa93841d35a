#include "daemon/report_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/pipeline.h"

void report_damage(struct strlist *damaged, struct err *err)
{
	if (err->kind != ERR_NONE)
		strlist_add(damaged, err->text);
	err->kind = ERR_NONE;
}

void report_set_instant(cJSON *object, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	if (at == 0 || at == CLOCK_NEVER) {
		json_set_string(object, name, NULL);
		return;
	}
	clock_format_rfc3339(at, text);
	json_set_string(object, name, text);
}

const char *report_instant(const cJSON *object, const char *name,
			   char out[CLOCK_TEXT_MAX])
{
	const char *text = json_string(object, name);
	int64_t at;

	if (text && !clock_parse_rfc3339(text, &at))
		clock_format_people_local(at, out);
	else
		str_copy(out, CLOCK_TEXT_MAX, "-");
	return out;
}

int known_read(const struct config *config, const struct certificate_config *certificate,
	       struct known *ret, struct strlist *damaged, struct err *err)
{
	struct deployment deployment = {
		.targets = certificate->targets,
		.n_targets = certificate->n_targets,
		.run = "status",
	};
	bool job_damaged;

	memset(ret, 0, sizeof(*ret));
	ret->all = config;
	ret->config = certificate;
	ret->now = clock_wall();
	ret->folder = pipeline_folder(config, certificate->name);
	deployment.folder = ret->folder;
	(void)job_read(ret->folder, &ret->job, &job_damaged, err);
	report_damage(damaged, err);
	if (!version_load_newest(ret->folder, &ret->version, err))
		ret->present = true;
	return deploy_state_read(&deployment, &ret->state, damaged, err);
}

void known_release(struct known *known)
{
	deploy_state_clear(&known->state);
	version_clear(&known->version);
	free(known->folder);
	known->folder = NULL;
}

bool known_is_from(const struct known *known, const struct issuer_config *issuer)
{
	return known->present && !strcmp(known->job.last_issuer, issuer->name);
}
