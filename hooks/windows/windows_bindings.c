/* windows_bindings.c - what else on this machine is set up with a certificate: Remote
 * Desktop, WinRM, SQL Server, and whatever http.sys serves (IIS). Only looks. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <http.h>

#include "base/windows/wide.h"

#define RDP_KEY                                                                          \
	"SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp"
#define WINRM_KEY "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WSMAN\\Listener"
#define SQL_KEY "SOFTWARE\\Microsoft\\Microsoft SQL Server"
#define SQL_BELOW "\\MSSQLServer\\SuperSocketNetLib"
#define SHA1_BYTES 20
#define NAME_CHARS 256

/* ---- the registry -------------------------------------------------------- */

static LSTATUS open_key(const char *path, HKEY *ret)
{
	wchar_t *wide = wide_from_utf8(path);
	LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, wide, 0,
				       KEY_READ | KEY_WOW64_64KEY, ret);

	free(wide);
	return status;
}

/* The thumbprint as binary, or as text with or without blanks. */
static bool value_is(const BYTE *bytes, DWORD n, DWORD type, const unsigned char *digest)
{
	char digits[SHA1_BYTES * 2 + 1];
	unsigned char found[SHA1_BYTES];
	size_t at = 0;

	if (type == REG_BINARY)
		return n == SHA1_BYTES && !memcmp(bytes, digest, SHA1_BYTES);
	if (type != REG_SZ)
		return false;
	for (DWORD i = 0; i + 1 < n; i += 2) {
		if (bytes[i + 1] || !bytes[i] || strchr(" \r\n\t", bytes[i]))
			continue;
		if (at == sizeof(digits) - 1)
			return false;
		digits[at++] = (char)bytes[i];
	}
	digits[at] = '\0';
	return at == sizeof(digits) - 1 && !hex_decode(digits, found, SHA1_BYTES) &&
	       !memcmp(found, digest, SHA1_BYTES);
}

/* A key that is not there names nothing. */
static int key_names(const char *path, const wchar_t *value, const unsigned char *digest,
		     bool *ret, struct err *err)
{
	BYTE bytes[1024];
	DWORD n = sizeof(bytes), type = REG_NONE;
	HKEY key;
	LSTATUS status = open_key(path, &key);

	*ret = false;
	if (status == ERROR_FILE_NOT_FOUND)
		return 0;
	if (!status) {
		status = RegQueryValueExW(key, value, NULL, &type, bytes, &n);
		RegCloseKey(key);
	}
	if (status == ERROR_FILE_NOT_FOUND)
		return 0;
	if (status)
		return err_windows(err, (unsigned long)status, "read 'HKLM\\%s'", path);
	*ret = value_is(bytes, n, type, digest);
	return 0;
}

static int below_names(const char *path, const char *below, const wchar_t *value,
		       const unsigned char *digest, bool *ret, struct err *err)
{
	wchar_t name[NAME_CHARS];
	HKEY key;
	LSTATUS status = open_key(path, &key);
	int rc = 0;

	*ret = false;
	if (status == ERROR_FILE_NOT_FOUND)
		return 0;
	if (status)
		return err_windows(err, (unsigned long)status, "read 'HKLM\\%s'", path);
	for (DWORD i = 0; !rc && !*ret; i++) {
		DWORD n = NAME_CHARS;
		char *child, *whole;

		status = RegEnumKeyExW(key, i, name, &n, NULL, NULL, NULL, NULL);
		if (status)
			break;
		child = utf8_from_wide(name);
		whole = str_printf("%s\\%s%s", path, child, below);
		rc = key_names(whole, value, digest, ret, err);
		free(whole);
		free(child);
	}
	RegCloseKey(key);
	return rc;
}

/* ---- http.sys ------------------------------------------------------------ */

/* Bindings by name (Windows 8 and later), which the headers of mingw-w64 lack: http.h,
 * HTTP_SERVICE_CONFIG_SSL_SNI_KEY, _QUERY and _SET. */
#define SNI_CERT_INFO ((HTTP_SERVICE_CONFIG_ID)5)

struct sni_key {
	SOCKADDR_STORAGE address;
	PWSTR host;
};

struct sni_query {
	HTTP_SERVICE_CONFIG_QUERY_TYPE how;
	struct sni_key key;
	DWORD token;
};

struct sni_set {
	struct sni_key key;
	HTTP_SERVICE_CONFIG_SSL_PARAM param;
};

/* One binding after the other, by address or by name. */
static ULONG query(HTTP_SERVICE_CONFIG_ID id, DWORD token, BYTE **ret)
{
	HTTP_SERVICE_CONFIG_SSL_QUERY by_address = {
		.QueryDesc = HttpServiceConfigQueryNext, .dwToken = token
	};
	struct sni_query by_name = { .how = HttpServiceConfigQueryNext, .token = token };
	bool names = id == SNI_CERT_INFO;
	void *how = names ? (void *)&by_name : (void *)&by_address;
	ULONG size = names ? sizeof(by_name) : sizeof(by_address), n = 0, code;

	*ret = NULL;
	code = HttpQueryServiceConfiguration(NULL, id, how, size, NULL, 0, &n, NULL);
	if (code != ERROR_INSUFFICIENT_BUFFER)
		return code ? code : ERROR_NO_MORE_ITEMS;
	*ret = mem_calloc(1, n);
	return HttpQueryServiceConfiguration(NULL, id, how, size, *ret, n, &n, NULL);
}

static bool config_is(HTTP_SERVICE_CONFIG_ID id, const BYTE *bytes,
		      const unsigned char *digest)
{
	const void *set = bytes;
	const HTTP_SERVICE_CONFIG_SSL_PARAM *param =
		id == SNI_CERT_INFO
			? &((const struct sni_set *)set)->param
			: &((const HTTP_SERVICE_CONFIG_SSL_SET *)set)->ParamDesc;

	return param->SslHashLength == SHA1_BYTES &&
	       !memcmp(param->pSslHash, digest, SHA1_BYTES);
}

static int http_names(HTTP_SERVICE_CONFIG_ID id, const unsigned char *digest, bool *ret,
		      struct err *err)
{
	ULONG code = NO_ERROR;

	*ret = false;
	for (DWORD token = 0; !*ret && code == NO_ERROR; token++) {
		BYTE *bytes;

		code = query(id, token, &bytes);
		*ret = code == NO_ERROR && config_is(id, bytes, digest);
		free(bytes);
	}
	if (code == ERROR_ACCESS_DENIED)
		return err_windows(err, code, "ask http.sys for its certificates");
	return 0; /* no more items; or no such query here: nothing is bound */
}

static int http_uses(const unsigned char *digest, bool *ret, struct err *err)
{
	HTTPAPI_VERSION version = HTTPAPI_VERSION_1;
	int rc;

	*ret = false;
	/* Without http.sys nothing is bound to it. */
	if (HttpInitialize(version, HTTP_INITIALIZE_CONFIG, NULL) != NO_ERROR)
		return 0;
	rc = http_names(HttpServiceConfigSSLCertInfo, digest, ret, err);
	if (!rc && !*ret)
		rc = http_names(SNI_CERT_INFO, digest, ret, err);
	(void)HttpTerminate(HTTP_INITIALIZE_CONFIG, NULL);
	return rc;
}

int bindings_using(const char *sha1, char **ret, struct err *err)
{
	unsigned char digest[SHA1_BYTES];
	const char *user = NULL;
	bool uses;

	*ret = NULL;
	if (strlen(sha1) != SHA1_BYTES * 2 || hex_decode(sha1, digest, SHA1_BYTES))
		return err_set(err, ERR_BUG, "'%s' is no thumbprint", sha1);
	if (key_names(RDP_KEY, L"SSLCertificateSHA1Hash", digest, &uses, err))
		return -1;
	if (uses)
		user = "Remote Desktop";
	if (below_names(SQL_KEY, SQL_BELOW, L"Certificate", digest, &uses, err))
		return -1;
	if (uses)
		user = "SQL Server";
	if (below_names(WINRM_KEY, "", L"certThumbprint", digest, &uses, err))
		return -1;
	if (uses)
		user = "WinRM";
	if (http_uses(digest, &uses, err))
		return -1;
	if (uses)
		user = "http.sys (IIS, or `netsh http show sslcert`)";
	*ret = str_dup(user);
	return 0;
}
