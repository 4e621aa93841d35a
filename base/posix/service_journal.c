/* service_journal.c - reads back from the journal's end. */
#include "base/posix/service_journal.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "base/clock.h"
#include "base/str.h"

#define LAST_LINES 3
#define LINE_MAX_BYTES 300
#define PATIENCE_MS 600 /* what a process said last may still be on its way */
#define POLL_MS 100

/* Gives the entry's text. */
static char *entry_text(sd_journal *journal)
{
	const char *data;
	const void *field;
	size_t len;
	char *text;

	if (sd_journal_get_data(journal, "MESSAGE", &field, &len) < 0)
		return NULL;
	data = field;
	if (len < strlen("MESSAGE="))
		return NULL;
	data += strlen("MESSAGE=");
	len -= strlen("MESSAGE=");
	text = str_ndup(data, len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES);
	str_make_printable(text);
	return text;
}

/* Puts `line` in front of *words. */
static void prepend(char **words, char *line)
{
	char *both = *words ? str_printf("%s | %s", line, *words) : str_dup(line);

	free(*words);
	*words = both;
}

static char *read_back(const char *match, uint64_t since_us)
{
	sd_journal *journal = NULL;
	char *words = NULL, *line;
	uint64_t at_us;
	int n = 0;

	if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
		return NULL;
	(void)sd_journal_set_data_threshold(journal, 4096);
	if (sd_journal_add_match(journal, match, 0) < 0 ||
	    sd_journal_seek_tail(journal) < 0)
		goto out;
	while (n < LAST_LINES && sd_journal_previous(journal) > 0) {
		if (sd_journal_get_realtime_usec(journal, &at_us) < 0 || at_us < since_us)
			break;
		line = entry_text(journal);
		if (line && *line) {
			prepend(&words, line);
			n++;
		}
		free(line);
	}
out:
	sd_journal_close(journal);
	return words;
}

char *journal_last_words(const char *unit, const char *invocation, uint64_t since_us)
{
	char *by_invocation = str_printf("_SYSTEMD_INVOCATION_ID=%s", invocation);
	char *by_unit = str_printf("_SYSTEMD_UNIT=%s", unit);
	char *words = NULL;
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	do {
		(void)clock_sleep_ms(POLL_MS, NULL);
		if (*invocation)
			words = read_back(by_invocation, since_us);
		if (!words)
			words = read_back(by_unit, since_us);
	} while (!words && clock_mono_ms() < until_ms);
	free(by_invocation);
	free(by_unit);
	return words;
}
