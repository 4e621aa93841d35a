/* world_clock.c - base/clock.h's readings, and the dice. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "tests/sim/world.h"

struct world *world;

int64_t true_now(void)
{
	return world->true_ms / 1000;
}

int64_t clock_wall(void)
{
	return true_now() + world->wall_offset_s;
}

int64_t clock_mono_ms(void)
{
	return world->true_ms - world->booted_ms;
}

/* Sleeps through suspend; nobody here looks at it. */
int64_t clock_awake_ms(void)
{
	return clock_mono_ms();
}

void clock_boot_id(char out[64])
{
	snprintf(out, 64, "boot-%u", world->boots);
}

int clock_sleep_ms(int64_t ms, const struct cancel *cancel)
{
	if (ms > 0)
		world->true_ms += ms;
	return cancel_requested(cancel) ? -1 : 0;
}

/* The machine stands in Berlin: TZ is set in main(). */
void clock_local_zone(int64_t at, int *ret_offset_s, char name[16])
{
	time_t instant = at;
	struct tm local;

	if (!localtime_r(&instant, &local)) {
		*ret_offset_s = 0;
		snprintf(name, 16, "UTC");
		return;
	}
	*ret_offset_s = (int)local.tm_gmtoff;
	snprintf(name, 16, "%s", local.tm_zone);
}

/* ---- chance --------------------------------------------------------------- */

/* splitmix64 */
uint64_t dice_roll(struct dice *dice)
{
	uint64_t z = dice->state += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
	return low + (int64_t)(dice_roll(dice) % (uint64_t)(high - low + 1));
}

bool dice_chance(struct dice *dice, int percent)
{
	return dice_between(dice, 1, 100) <= percent;
}

static struct dice *thrown;

static int throw_bytes(unsigned char *out, int len)
{
	for (int i = 0; i < len; i++)
		out[i] = (unsigned char)(dice_roll(thrown) >> 17);
	return 1;
}

static int always(void)
{
	return 1;
}

/* A method of OpenSSL's, so that keys, signatures and serials are those of the seed, made
 * by the product's own code. Deprecated, and the only way in OpenSSL 3. */
void dice_for_openssl(struct dice *dice)
{
	static const RAND_METHOD method = { .bytes = throw_bytes,
					    .pseudorand = throw_bytes,
					    .status = always };

	thrown = dice;
	RAND_set_rand_method(&method);
}

/* ---- death and its record --------------------------------------------------- */

void world_touch(const char *what, const char *detail)
{
	if (!world->alive || !world->dies_after || --world->dies_after)
		return;
	trace("the daemon dies: %s %s", what, detail);
	world->alive = false;
	longjmp(world->death, 1);
}

void trace(const char *fmt, ...)
{
	char at[CLOCK_TEXT_MAX];
	va_list ap;

	if (!world->trace)
		return;
	clock_format_rfc3339(true_now(), at);
	printf("%s ", at);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void broken(const char *invariant, const char *fmt, ...)
{
	char at[CLOCK_TEXT_MAX], text[480];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	trace("BROKEN %s: %s", invariant, text);
	if (world->invariant)
		return;
	clock_format_rfc3339(true_now(), at);
	world->invariant = invariant;
	snprintf(world->failed, sizeof(world->failed), "%s: %s: %s", at, invariant, text);
}
