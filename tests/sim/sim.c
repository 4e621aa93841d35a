/* sim.c - two years of certrenewd in memory, a seed after the other.
 *
 *     sim --seeds FIRST COUNT     each in a process of its own; prints what fails
 *     sim --seed N [--trace]      one seed, with everything that happens in it
 *
 * Exit code 1 when an invariant was broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cert.h"
#include "tests/sim/daemon.h"
#include "tests/sim/judge.h"
#include "tests/sim/story.h"
#include "tests/sim/world.h"
#include "tests/support/testcert.h"

#define STEPS_MAX 400000 /* a loop that does not get on */

static int64_t next_moment(const struct story *story, size_t told)
{
	int64_t next = story->ends_at * 1000, daemon = daemon_next_ms();

	if (told < story->n && story->items[told].at * 1000 < next)
		next = story->items[told].at * 1000;
	if (!daemon_is_up() && daemon_starts_at() * 1000 < next)
		next = daemon_starts_at() * 1000;
	if (daemon < next)
		next = daemon;
	return next > world->true_ms ? next : world->true_ms;
}

static void step(const struct story *story, size_t *told)
{
	judge_step();
	story_look_again();
	if (*told < story->n && story->items[*told].at * 1000 <= world->true_ms) {
		story_tell(&story->items[(*told)++]);
	} else if (!daemon_is_up()) {
		if (daemon_starts_at() * 1000 <= world->true_ms)
			daemon_start();
	} else if (daemon_next_ms() <= world->true_ms) {
		daemon_step();
	}
	judge_step();
}

static void live(const struct story *story)
{
	size_t told = 0, steps = 0;

	while (world->true_ms < story->ends_at * 1000 && !world->invariant) {
		world->true_ms = next_moment(story, told);
		step(story, &told);
		if (++steps > STEPS_MAX)
			broken("progress", "%zu steps", steps);
	}
	if (!world->invariant)
		judge_end();
	trace("%zu steps, %u deaths, %zu certificates", steps, daemon_deaths(),
	      world->ca[0].n_issued);
}

/* What OpenSSL looks up when a thing is done for the first time it finds once, here, not
 * in each process again. */
static void warm_up(void)
{
	static struct world none;
	struct dice dice = { 0 };
	struct testcert *signer, *leaf;
	char *key, *chain;
	struct cert *cert = NULL;
	struct err err;

	world = &none;
	dice_for_openssl(&dice);
	signer = testcert_ca("signer");
	leaf = testcert_leaf(signer, "warm.example", -DAY, DAY);
	key = testcert_key_pem(leaf);
	chain = testcert_fullchain_pem(leaf);
	if (cert_parse(chain, strlen(chain), &cert, &err))
		abort();
	cert_free(cert);
	free(chain);
	free(key);
	testcert_free(leaf);
	testcert_free(signer);
}

/* Returns 1 when an invariant was broken. */
static int run_seed(uint64_t seed, bool with_trace)
{
	static struct world the_world;
	struct story story;

	memset(&the_world, 0, sizeof(the_world));
	world = &the_world;
	world->seed = seed;
	world->trace = with_trace;
	world->events.state = seed * 2 + 1;
	world->chance.state = ~seed;
	dice_for_openssl(&world->chance);
	story_make(&story);
	trace("seed %llu", (unsigned long long)seed);
	live(&story);
	if (!world->invariant)
		return 0;
	printf("seed %llu: %s\n", (unsigned long long)seed, world->failed);
	fflush(stdout);
	return 1;
}

/* In a process of its own: what a death left in memory goes with it. */
static int run_apart(uint64_t seed)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(run_seed(seed, false));
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (WIFSIGNALED(status))
		printf("seed %llu: ended by signal %d\n", (unsigned long long)seed,
		       WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run_seeds(uint64_t first, uint64_t count)
{
	int failed = 0;

	for (uint64_t seed = first; seed < first + count; seed++)
		failed += run_apart(seed) != 0;
	printf("%llu seeds, %d failed\n", (unsigned long long)count, failed);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	warm_up();
	if (argc >= 4 && !strcmp(argv[1], "--seeds"))
		return run_seeds(strtoull(argv[2], NULL, 10),
				 strtoull(argv[3], NULL, 10));
	if (argc >= 3 && !strcmp(argv[1], "--seed"))
		return run_seed(strtoull(argv[2], NULL, 10),
				argc > 3 && !strcmp(argv[3], "--trace"));
	fprintf(stderr, "usage: sim --seeds FIRST COUNT | --seed N [--trace]\n");
	return 2;
}
