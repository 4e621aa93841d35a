/* file_parts.c */
