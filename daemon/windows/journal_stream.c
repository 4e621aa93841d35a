#include "daemon/journal_stream.h"

bool stderr_is_journal(void)
{
	return false;
}
