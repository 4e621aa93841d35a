#include "base/seal.h"

bool seal_protects(void)
{
	return false;
}

int seal(const void *data, size_t len, struct buf *ret, struct err *err)
{
	if (buf_append(ret, data, len) || !buf_ok(ret))
		return err_set(err, ERR_IO, "a secret is longer than it may be");
	return 0;
}

int unseal(const void *data, size_t len, struct buf *ret, struct err *err)
{
	return seal(data, len, ret, err);
}
