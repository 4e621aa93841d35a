/* file_access.c */
