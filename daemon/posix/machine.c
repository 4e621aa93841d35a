#include "daemon/machine.h"

#include "base/files.h"

void machine_id(char ret[MACHINE_ID_MAX])
{
	char hash[FILE_HASH_MAX];
	struct buf id, text;
	struct err ignored;

	ret[0] = '\0';
	buf_init(&id, 256);
	buf_init(&text, 512);
	/* Shorter: "uninitialized", while the first boot is under way (machine-id(5)). */
	if (!file_read("/etc/machine-id", &id, &ignored) &&
	    id.len >= MACHINE_ID_MAX - 1) {
		buf_printf(&text, "certrenewd %s", buf_str(&id));
		bytes_hash(text.data, text.len, hash);
		str_copy(ret, MACHINE_ID_MAX, hash);
	}
	buf_release(&text);
	buf_release(&id);
}
