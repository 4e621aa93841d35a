/* world_locks.c - OpenSSL takes a lock for each thing that it looks up. There is one
 * thread here: nobody to be kept out. Not in a build with sanitizers (CMakeLists.txt). */
#include <pthread.h>

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	(void)lock;
	return 0;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	(void)lock;
	return 0;
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	(void)lock;
	return 0;
}
