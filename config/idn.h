/* idn.h - international host names; twin files below posix/ and windows/. */
#ifndef CONFIG_IDN_H
#define CONFIG_IDN_H

/* "bücher.example" -> "xn--bcher-kva.example" (IDNA 2008, non-transitional). Gives
 * *ret_ascii. -1 when it is no such name; *ret_why then borrows the library's reason. */
int idn_to_ascii(const char *utf8, char **ret_ascii, const char **ret_why);

#endif
