/* file_keep.c */
