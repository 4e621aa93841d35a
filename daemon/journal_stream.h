/* journal_stream.h - does what we print go to systemd's journal? Then a line needs its
 * priority and no time. Twin files. */
#ifndef DAEMON_JOURNAL_STREAM_H
#define DAEMON_JOURNAL_STREAM_H

#include <stdbool.h>

/* Is standard error connected to the journal? Always false where there is none. */
bool stderr_is_journal(void);

#endif
