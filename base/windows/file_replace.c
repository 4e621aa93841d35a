/* file_replace.c */
