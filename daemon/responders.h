/* responders.h - who answers a CA that looks: one of each kind in a process, shared by
 * all workers. */
#ifndef DAEMON_RESPONDERS_H
#define DAEMON_RESPONDERS_H

struct http01;
struct tls_alpn01;

struct responders {
	struct http01 *http01;
	struct tls_alpn01 *tls_alpn01;
};

#endif
