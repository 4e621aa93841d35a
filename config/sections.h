/* sections.h - the tables of certrenewd.yaml, one file each: section_*.c. */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "base/challenge.h"
#include "config/fields.h"

/* The whole file -> struct config. Everything else hangs below it. */
extern const struct section top_section;

extern const struct section issuer_section;      /* struct issuer_config */
extern const struct section certificate_section; /* struct certificate_config */
extern const struct section target_section;      /* struct target */
extern const struct section store_section;       /* struct store */
extern const struct section service_section;     /* struct service */
extern const struct section run_section;         /* struct program */
extern const struct section guard_section;       /* struct program, `firewall` too */
extern const struct section after_section;       /* struct program */
extern const struct section alert_section;       /* struct alert_config */
extern const struct section dns_section;         /* struct dns_provider */
extern const struct section challenge_section;   /* struct challenge */

/* As it is written in the file: "http-01". */
const char *challenge_name(enum challenge_type type);

#define N_FIELDS(fields) (sizeof(fields) / sizeof(*(fields)))

#define SECONDS 1
#define MINUTES 60
#define HOURS (60 * MINUTES)
#define DAYS (24 * HOURS)

#endif
