/* machine.h - which machine this is, whatever its name. Twin files. */
#ifndef DAEMON_MACHINE_H
#define DAEMON_MACHINE_H

#define MACHINE_ID_MAX 33 /* 32 lower-case hex digits, a NUL */

/* What the system gave itself when it was installed (machine-id, MachineGuid), hashed:
 * it is nobody's business outside. It survives a new name and new hardware; a clone has
 * one of its own where it was made as its system's maker says. "": this machine has none
 * that could be read. */
void machine_id(char ret[MACHINE_ID_MAX]);

#endif
