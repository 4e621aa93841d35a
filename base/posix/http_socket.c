/* http_socket.c - sockets of the HTTP client: ours alone from birth. */
#include <sys/socket.h>

#include "base/http_parts.h"

curl_socket_t http_socket_open(void *ctx, curlsocktype purpose,
			       struct curl_sockaddr *address)
{
	(void)ctx;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}
