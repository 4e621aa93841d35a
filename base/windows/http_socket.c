/* http_socket.c - sockets of the HTTP client: ours alone from birth. */
#include <winsock2.h>

#include "base/http_parts.h"

curl_socket_t http_socket_open(void *ctx, curlsocktype purpose,
			       struct curl_sockaddr *address)
{
	(void)ctx;
	(void)purpose;
	return WSASocketW(address->family, address->socktype, address->protocol, NULL, 0,
			  WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}
