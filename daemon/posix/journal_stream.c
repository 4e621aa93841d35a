/* journal_stream.c - systemd names the stream it gave us as "device:inode" in
 * $JOURNAL_STREAM (systemd.exec(5)); compared, because the variable is inherited by
 * processes whose standard error goes elsewhere. */
#include "daemon/journal_stream.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return str_equal(stream, ours);
}
