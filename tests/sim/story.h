/* story.h - what happens in the two years of a seed: the configuration, and a list of
 * happenings in order of time. Made from the seed alone, before anything runs. */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include "tests/sim/world.h"

enum happening_kind {
	HAPPENS_WEATHER, /* value: of the CA `app` */
	HAPPENS_WEBHOOK, /* value: is it down? */
	HAPPENS_DNS,
	HAPPENS_DISK,
	HAPPENS_CRASH,   /* in the middle of what it does next */
	HAPPENS_KILL,    /* at a moment of rest; dead for `value` seconds */
	HAPPENS_REBOOT,  /* the machine is down for `value` seconds */
	HAPPENS_SUSPEND, /* it sleeps for `value` seconds */
	HAPPENS_CLOCK,   /* the wall clock is now wrong by `value` seconds */
	HAPPENS_STOP,    /* an operator stops a service, and starts it */
	HAPPENS_START,
	HAPPENS_REFUSAL, /* it will not start with a new certificate for `value` seconds
			  */
	HAPPENS_EDIT,    /* an operator takes tls.json over, and gives it back */
	HAPPENS_DEPLOY,
	HAPPENS_FORCE, /* `renew --force` */
	HAPPENS_RELOAD,
	HAPPENS_BACKUP, /* of the state directory; restored later */
	HAPPENS_RESTORE,
	HAPPENS_REVOKE,   /* the CA wants everything renewed now (ARI) */
	HAPPENS_LIFETIME, /* the CA issues for `value` seconds from now on */
	HAPPENINGS
};

struct happening {
	int64_t at; /* true time */
	enum happening_kind kind;
	int app;
	int64_t value;
};

struct story {
	int64_t begins_at, ends_at;
	struct happening *items;
	size_t n;
};

/* Makes the world's applications, CAs, configuration, and the story. */
void story_make(struct story *story);
/* One happening. */
void story_tell(const struct happening *happening);
/* What operators do again because it did not help. */
void story_look_again(void);
const char *story_word(enum happening_kind kind);

#endif
