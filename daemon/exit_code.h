/* exit_code.h - what a command's exit status means, the same over the control channel. */
#ifndef DAEMON_EXIT_CODE_H
#define DAEMON_EXIT_CODE_H

enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,   /* configuration or command line */
	EXIT_CODE_NOTHING = 3, /* not due, nothing to do */
	EXIT_CODE_NO_DAEMON = 4,
	EXIT_CODE_DENIED = 5,
};

#endif
