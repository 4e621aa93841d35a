/* advice.h - how long to leave a CA alone that gave no advice (RFC 9773 4.3.3).  Pure. */
#ifndef DAEMON_ADVICE_H
#define DAEMON_ADVICE_H

#include "daemon/pass.h"

/* Seconds until it is asked again. `failures`: in a row, this one included. */
int64_t advice_ask_again_s(const struct err *err, unsigned failures);

#endif
