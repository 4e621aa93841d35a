/* file_lock.c */
