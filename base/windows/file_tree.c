/* file_tree.c */
