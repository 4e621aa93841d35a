/* file_read.c */
