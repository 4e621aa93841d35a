/* checks.h - what no single section can see: impossible combinations across the file. */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

struct config;
struct node;
struct problems;
struct arena;

/* Complains about issuers that do not exist, certificates that are the same, and targets
 * that would write the same file. Copes with structs that other complaints left half
 * filled. Borrows everything; `arena` is for its notes. */
void checks_run(const struct config *config, const struct node *root, struct arena *arena,
		struct problems *problems);

#endif
