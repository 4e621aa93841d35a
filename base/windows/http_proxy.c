/* http_proxy.c - WinHTTP's machine setting:
 *
 *     proxy     "host:port", "http=a:1;https=b:2", several apart by blanks or ';'
 *     bypass    "*.corp.example;10.*;<local>": patterns of host names; <local>: without a
 *               dot */
#include "base/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winhttp.h>

#include "base/str.h"
#include "base/windows/wide.h"

#define SEPARATORS "; \t\r\n"

/* Gives the host of a URL, lower case. */
static char *host_of(const char *url)
{
	const char *host = strstr(url, "://"), *at, *end;
	char *copy;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	at = memchr(host, '@', (size_t)(end - host));
	host = at ? at + 1 : host;
	if (*host == '[')
		end = host + strcspn(host, "]") + 1;
	else if (memchr(host, ':', (size_t)(end - host)))
		end = memchr(host, ':', (size_t)(end - host));
	copy = str_ndup(host, (size_t)(end - host));
	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

/* '*' stands for anything. */
static bool matches(const char *pattern, const char *host)
{
	for (; *pattern; pattern++, host++) {
		if (*pattern == '*') {
			while (*pattern == '*')
				pattern++;
			for (; *host; host++)
				if (matches(pattern, host))
					return true;
			return !*pattern;
		}
		if (!*host || (*pattern | 0x20) != (*host | 0x20))
			return false;
	}
	return !*host;
}

static bool is_bypassed(const char *bypass, const char *host)
{
	for (size_t n; *bypass; bypass += n) {
		char *pattern;
		bool hit;

		bypass += strspn(bypass, SEPARATORS);
		n = strcspn(bypass, SEPARATORS);
		if (!n)
			break;
		pattern = str_ndup(bypass, n);
		hit = str_equal_nocase(pattern, "<local>") ? !strchr(host, '.')
							   : matches(pattern, host);
		free(pattern);
		if (hit)
			return true;
	}
	return false;
}

/* The entry for our scheme, or the one that names none. Gives; NULL: none. */
static char *choose(const char *list, const char *scheme)
{
	char *any = NULL, *ours = NULL;

	for (size_t n; *list && !ours; list += n) {
		const char *equal, *value;

		list += strspn(list, SEPARATORS);
		n = strcspn(list, SEPARATORS);
		equal = memchr(list, '=', n);
		value = equal ? equal + 1 : list;
		if (equal && (size_t)(equal - list) == strlen(scheme) &&
		    !_strnicmp(list, scheme, strlen(scheme)))
			ours = str_ndup(value, n - (size_t)(value - list));
		else if (!equal && n && !any)
			any = str_ndup(list, n);
	}
	if (ours) {
		free(any);
		return ours;
	}
	return any;
}

static char *proxy_for(const char *url, const char *proxies, const char *bypass)
{
	const char *scheme = str_starts(url, "http://") ? "http" : "https";
	char *host = host_of(url), *found = NULL, *whole = NULL;

	if (!is_bypassed(bypass, host))
		found = choose(proxies, scheme);
	if (found && *found)
		whole = strstr(found, "://") ? str_dup(found)
					     : str_printf("http://%s", found);
	free(found);
	free(host);
	return whole;
}

char *http_system_proxy(const char *url)
{
	WINHTTP_PROXY_INFO info = { 0 };
	char *proxies, *bypass, *found = NULL;

	if (!WinHttpGetDefaultProxyConfiguration(&info))
		return NULL;
	proxies = utf8_from_wide(info.lpszProxy);
	bypass = utf8_from_wide(info.lpszProxyBypass);
	if (info.dwAccessType == WINHTTP_ACCESS_TYPE_NAMED_PROXY && proxies)
		found = proxy_for(url, proxies, bypass ? bypass : "");
	free(bypass);
	free(proxies);
	if (info.lpszProxy)
		GlobalFree(info.lpszProxy);
	if (info.lpszProxyBypass)
		GlobalFree(info.lpszProxyBypass);
	return found;
}
