#include "acme/poll.h"

#define FIRST_MS 3 /* a CA on the same machine needs no longer */
#define LONGEST_MS 10000

int64_t poll_delay_ms(unsigned attempt, int64_t retry_after_s, int64_t now_ms,
		      int64_t deadline_ms)
{
	int64_t remaining_ms = deadline_ms - now_ms;
	int64_t delay_ms = FIRST_MS;

	if (remaining_ms <= 0)
		return -1;
	for (unsigned i = 0; i < attempt && delay_ms < LONGEST_MS; i++)
		delay_ms *= 2;
	if (delay_ms > LONGEST_MS)
		delay_ms = LONGEST_MS;
	if (retry_after_s >
	    0) /* compared in seconds: a year in ms still fits, more might not */
		delay_ms = retry_after_s > remaining_ms / 1000 ? remaining_ms
							       : retry_after_s * 1000;
	return delay_ms < remaining_ms ? delay_ms : remaining_ms;
}
