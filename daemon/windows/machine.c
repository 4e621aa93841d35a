#include "daemon/machine.h"

#include <string.h>
#include <windows.h>

#include "base/files.h"

/* The 64-bit view, whatever we were built for: there is one machine. */
void machine_id(char ret[MACHINE_ID_MAX])
{
	char guid[64], hash[FILE_HASH_MAX];
	DWORD size = sizeof(guid);
	struct buf text;

	ret[0] = '\0';
	if (RegGetValueA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Microsoft\\Cryptography",
			 "MachineGuid", RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, guid,
			 &size) ||
	    !guid[0])
		return;
	buf_init(&text, 256);
	buf_printf(&text, "certrenewd %s", guid);
	bytes_hash(text.data, text.len, hash);
	buf_release(&text);
	str_copy(ret, MACHINE_ID_MAX, hash);
}
