/* service_names.h - what our service is called, everywhere. */
#ifndef DAEMON_WINDOWS_SERVICE_NAMES_H
#define DAEMON_WINDOWS_SERVICE_NAMES_H

#define SERVICE_NAME L"certrenewd"
#define SERVICE_TITLE L"certrenewd (certificate renewal)"
#define SERVICE_ABOUT                                                                    \
	L"Renews TLS certificates and brings them into the applications that use "       \
	L"them. Stopping it waits for the transaction under way to reach a safe point."
#define EVENT_SOURCE_KEY                                                                 \
	L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\certrenewd"

#endif
