/* presets.h - what is known about products: paths, ports, what they need. A preset fills
 * in what the operator did not write, as if it had been written. */
#ifndef CONFIG_PRESETS_H
#define CONFIG_PRESETS_H

#include <stdbool.h>

#include "config/fields.h"

/* The names, for `preset:`. */
extern const struct choice preset_names[];

/* Is there a preset of that name? */
bool preset_known(const char *name);

/* Adds the preset's lines to a target's map, in front of nothing that is written there.
 * Does nothing for an unknown preset or without install_dir: others complain about that.
 */
void preset_fill(struct reading *reading, struct node *target);

/* What the preset asks of a certificate: the member `require`. Gives a node in the
 * arena. */
struct node *preset_require(struct arena *arena, const struct node *preset);

#endif
