/* file_walk.c */
